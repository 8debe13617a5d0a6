internal import DaybookCompression
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

    /// What is to be done next.
    enum Step {
        /// A full group, or the last one once the body has ended.
        case group(GroupBuilder)
        /// Much was unpacked that made no group: there is more, but others want their turn.
        case pause
        /// Nothing, until more comes in; or all is done.
        case input
    }

    /// A chunk ends early when it is this large, so that an import's memory does not depend on its lines.
    private static let chunkByteCountMax = 2 << 20
    private static let unpackedPieceByteCount = 64 << 10
    /// Of one step.
    private static let unpackedByteCountMax = 1 << 20
    /// Of a packed body. Larger blocks would take megabytes for each import.
    private static let blockByteCountMax = 256 << 10

    let credential: Credential
    let isRelaxed: Bool
    var ticket: UInt64?
    var submittedTick: Int?
    var hasEnded = false
    var isPaused = false
    /// Whether what comes in has to wait.
    var isWaiting: Bool { ticket != nil || isPaused }
    /// Of the chunk that the store has now.
    var chargedByteCount = 0

    private(set) var lineCount: UInt64 = 0
    private(set) var storedCount: UInt64 = 0
    private(set) var rejectedCount: UInt64 = 0
    private(set) var counts = FamilyCounts()
    private(set) var rejections: [Rejection] = []
    private(set) var firstSequence: UInt64?
    private(set) var lastSequence: UInt64 = 0

    private let packing: Packing?
    private let unpacker: (any Unpacker)?
    private let memory: BudgetShare?
    private var packed = ByteBuffer()
    private var packedByteCount = 0
    private var unpackedByteCount = 0
    private var input = ByteBuffer()
    private var isSkippingLine = false
    private var group: GroupBuilder?
    private var groupLineCount = 0
    private var groupCounts = FamilyCounts()
    private var groupEventCount = 0

    /// - Throws: when there is no memory for unpacking.
    init(
        credential: Credential, isRelaxed: Bool, packing: Packing?, _ environment: ServerEnvironment
    ) throws(ErrorResponse) {
        self.credential = credential
        self.isRelaxed = isRelaxed
        self.packing = packing
        guard let packing else {
            (unpacker, memory) = (nil, nil)
            return
        }
        let byteCount = packing.memoryByteCount(blockByteCountMax: Self.blockByteCountMax)
        guard let memory = BudgetShare(byteCount, of: environment) else { throw .overloaded }
        self.memory = memory
        do throws(UnpackError) {
            unpacker = try packing.unpacker(blockByteCountMax: Self.blockByteCountMax)
        } catch {
            throw ErrorResponse(error, packing)
        }
    }

    mutating func receive(_ bytes: ByteBuffer) {
        if unpacker == nil {
            input.discardReadBytes()
            input.writeImmutableBuffer(bytes)
        } else {
            packed.discardReadBytes()
            packed.writeImmutableBuffer(bytes)
            packedByteCount += bytes.readableBytes
        }
    }

    /// Goes on with what has come in.
    /// - Throws: when a packed body cannot be unpacked.
    mutating func next(
        at now: Timestamp, identifiers: @escaping EventIDSource, _ teams: TeamIndex?
    ) throws(ErrorResponse) -> Step {
        let before = unpackedByteCount
        while true {
            while let line = nextLine() {
                lineCount += 1
                parse(line, at: now, identifiers, teams)
                let byteCount = group?.bytes.count ?? 0
                guard groupLineCount < FrontLimits.importChunkLineCount, byteCount < Self.chunkByteCountMax else {
                    if let full = takeGroup() { return .group(full) }
                    continue
                }
            }
            guard try unpackMore() else { return hasEnded ? takeGroup().map { .group($0) } ?? .input : .input }
            if unpackedByteCount - before >= Self.unpackedByteCountMax { return .pause }
        }
    }

    private var isUnpacked: Bool { packed.readableBytes == 0 && unpacker?.hasMore != true }
    /// Nothing follows what is in `input`.
    private var inputIsWhole: Bool { hasEnded && isUnpacked }

    /// Unpacks one more piece; false when there is none.
    private mutating func unpackMore() throws(ErrorResponse) -> Bool {
        guard let unpacker, let packing else { return false }
        do throws(UnpackError) {
            guard !isUnpacked else {
                if hasEnded, !unpacker.mayEnd { throw UnpackError.malformed }
                return false
            }
            var piece: [UInt8] = []
            let taken = try unpacker.unpack(
                packed.readableBytesSpan, to: &piece, byteCountMax: Self.unpackedPieceByteCount)
            guard taken > 0 || !piece.isEmpty else { throw UnpackError.malformed }
            packed.moveReaderIndex(forwardBy: taken)
            unpackedByteCount += piece.count
            input.discardReadBytes()
            input.writeBytes(piece)
        } catch {
            throw ErrorResponse(error, packing)
        }
        guard !PackedBody.isTooMuch(unpackedByteCount, from: packedByteCount) else {
            throw ErrorResponse(413, "payload_too_large", "The body unpacks to more than 200 times its size.")
        }
        return true
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
        if !inputIsWhole {
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
    private mutating func parse(
        _ line: ByteBuffer, at now: Timestamp, _ identifiers: @escaping EventIDSource, _ teams: TeamIndex?
    ) {
        groupLineCount += 1
        guard line.readableBytes <= FrontLimits.importLineByteCountMax else {
            reject(ErrorResponse.FieldFailure(field: "", message: "The line is longer than 1 MiB."))
            return
        }
        var single = GroupBuilder(
            log: credential.organization.log, arrival: now, byteCapacity: line.readableBytes + 160)
        let context = EventParser.Context(
            arrival: now, organization: credential.organization.id, defaultUser: credential.defaultUser,
            mayNameAnyUser: credential.permits(.sendEventsOfAnyUser), randomness: identifiers,
            teams: teams)
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
