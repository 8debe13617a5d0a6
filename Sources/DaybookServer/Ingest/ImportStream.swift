internal import DaybookControl
internal import DaybookEvent
internal import DaybookFormat
internal import DaybookLog
internal import DaybookStore
internal import NIOCore

/// An import on its way: lines come in, groups of up to 1,000 lines go out. Holds one group and one line at most.
struct ImportStream {
    struct Rejection {
        var line: UInt64
        var failure: ErrorResponse.FieldFailure
    }

    /// A chunk ends early when it is this large, so that an import's memory does not depend on its lines.
    private static let chunkByteCountMax = 2 << 20

    let credential: Credential
    let isRelaxed: Bool
    var ticket: UInt64?
    var submittedTick: Int?
    var hasEnded = false
    /// Of the chunk that the store has now.
    var chargedByteCount = 0

    private(set) var lineCount: UInt64 = 0
    private(set) var storedCount: UInt64 = 0
    private(set) var rejectedCount: UInt64 = 0
    private(set) var counts = FamilyCounts()
    private(set) var rejections: [Rejection] = []
    private(set) var firstSequence: UInt64?
    private(set) var lastSequence: UInt64 = 0

    private var input = ByteBuffer()
    private var isSkippingLine = false
    private var group: GroupBuilder?
    private var groupLineCount = 0
    private var groupCounts = FamilyCounts()
    private var groupEventCount = 0

    init(credential: Credential, isRelaxed: Bool) {
        self.credential = credential
        self.isRelaxed = isRelaxed
    }

    mutating func receive(_ bytes: ByteBuffer) {
        input.discardReadBytes()
        input.writeImmutableBuffer(bytes)
    }

    /// The next full group, or the last one once the body has ended; nil when more input is needed or all is done.
    mutating func nextGroup(at now: Timestamp, identifiers: @escaping EventIDSource) -> GroupBuilder? {
        while let line = nextLine() {
            lineCount += 1
            parse(line, at: now, identifiers)
            if groupLineCount >= FrontLimits.importChunkLineCount || (group?.bytes.count ?? 0) >= Self.chunkByteCountMax
            {
                if let full = takeGroup() { return full }
            }
        }
        return hasEnded ? takeGroup() : nil
    }

    mutating func stored(_ outcome: CommitOutcome) {
        switch outcome {
        case .committed(let first, let last):
            if firstSequence == nil { firstSequence = first }
            lastSequence = last
        case .relaxed, .duplicate, .refused: break
        }
        storedCount += UInt64(groupEventCount)
        counts.add(groupCounts)
        groupCounts = FamilyCounts()
        groupEventCount = 0
    }

    private mutating func takeGroup() -> GroupBuilder? {
        groupLineCount = 0
        guard var full = group else { return nil }
        group = nil
        if isRelaxed { full.markRelaxed() }
        return full
    }

    /// The next line without its end; empty lines are passed over but counted.
    private mutating func nextLine() -> ByteBuffer? {
        while true {
            guard
                let length = input.readableBytesView.firstIndex(of: UInt8(ascii: "\n")).map({ $0 - input.readerIndex })
            else { return lastLine() }
            let line = input.readSlice(length: length)
            input.moveReaderIndex(forwardBy: 1)
            if isSkippingLine {
                isSkippingLine = false
            } else if let line, !Self.isBlank(line) {
                return line
            } else {
                lineCount += 1
            }
        }
    }

    private mutating func lastLine() -> ByteBuffer? {
        if !hasEnded {
            guard input.readableBytes > FrontLimits.importLineByteCountMax else { return nil }
            if !isSkippingLine {
                lineCount += 1
                reject(ErrorResponse.FieldFailure(field: "", message: "The line is longer than 1 MiB."))
            }
            isSkippingLine = true
            input.clear()
            return nil
        }
        guard input.readableBytes > 0, !isSkippingLine, let line = input.readSlice(length: input.readableBytes),
            !Self.isBlank(line)
        else { return nil }
        return line
    }

    private static func isBlank(_ line: ByteBuffer) -> Bool {
        line.readableBytesView.allSatisfy { $0 == 0x20 || $0 == 0x0D || $0 == 0x09 }
    }

    /// A line is parsed into a group of its own first: one that is rejected must leave nothing in the chunk.
    private mutating func parse(_ line: ByteBuffer, at now: Timestamp, _ identifiers: @escaping EventIDSource) {
        groupLineCount += 1
        guard line.readableBytes <= FrontLimits.importLineByteCountMax else {
            reject(ErrorResponse.FieldFailure(field: "", message: "The line is longer than 1 MiB."))
            return
        }
        var single = GroupBuilder(
            log: credential.organization.log, arrival: now, byteCapacity: line.readableBytes + 160)
        let context = EventParser.Context(
            arrival: now, organization: credential.organization.id, defaultUser: credential.defaultUser,
            mayNameAnyUser: credential.permits(.sendEventsOfAnyUser), randomness: identifiers)
        switch EventParser.parse(line.readableBytesSpan, kind: .importLine, context: context, into: &single) {
        case .rejected(let errors, let code):
            let failure = ErrorResponse(rejected: errors, code: code)
            reject(failure.failures.first ?? ErrorResponse.FieldFailure(field: "", message: failure.message))
        case .accepted(let summary):
            groupCounts.add(FamilyCounts(summary))
            groupEventCount += single.eventCount
            add(single, at: now)
        }
    }

    private mutating func add(_ single: GroupBuilder, at now: Timestamp) {
        guard var chunk = group else {
            group = single
            return
        }
        group = nil
        single.bytes.withRawSpan { bytes in
            var reader = ByteReader(at: single.header.headerByteCount)
            // The parser wrote these entries a moment ago: they are whole.
            while let family = (try? reader.uint8(bytes)).flatMap(Family.init(rawValue:)),
                let schemaVersion = try? reader.uint8(bytes), (try? reader.uint16(bytes)) != nil,
                let byteCount = try? reader.uint32(bytes), let encoding = try? reader.range(Int(byteCount), bytes)
            {
                chunk.append(family, schemaVersion: schemaVersion, encoding: bytes.extracting(encoding))
            }
        }
        group = chunk
    }

    private mutating func reject(_ failure: ErrorResponse.FieldFailure) {
        rejectedCount += 1
        guard rejections.count < FrontLimits.importListedRejectionCountMax else { return }
        rejections.append(Rejection(line: lineCount, failure: failure))
    }
}

/// The four counts of a batch answer.
struct FamilyCounts {
    private(set) var commandExecutions = 0
    private(set) var agentInteractions = 0
    private(set) var userSessions = 0
    private(set) var productivityMetrics = 0

    init() {}

    init(_ summary: EventParser.Summary) {
        commandExecutions = summary.commandExecutions
        agentInteractions = summary.agentInteractions
        userSessions = summary.userSessions
        productivityMetrics = summary.productivityMetrics
    }

    mutating func add(_ other: FamilyCounts) {
        commandExecutions += other.commandExecutions
        agentInteractions += other.agentInteractions
        userSessions += other.userSessions
        productivityMetrics += other.productivityMetrics
    }
}
