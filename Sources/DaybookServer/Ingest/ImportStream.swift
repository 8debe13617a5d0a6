internal import DaybookCompression
internal import DaybookControl
internal import DaybookEvent
internal import DaybookFormat
internal import DaybookLog
internal import DaybookStore
internal import NIOCore

/// An import on its way: lines come in, chunks of up to 1,000 lines go out. Holds one chunk and one line at most.
struct ImportStream {
    struct Rejection {
        var line: UInt64
        var failure: ErrorResponse.FieldFailure
    }

    /// What is to be done next.
    enum Step {
        /// A full group, or the last one once the body has ended.
        case group(GroupBuilder)
        /// A chunk of which nothing is to be stored has ended.
        case told
        /// Much was unpacked that made no group: there is more, but others want their turn.
        case pause
        /// Nothing, until more comes in; or all is done.
        case input
    }

    private static let unpackedPieceByteCount = 64 << 10
    /// Of one step.
    private static let unpackedByteCountMax = 1 << 20
    /// Of a packed body. Larger blocks would take megabytes for each import.
    private static let blockByteCountMax = 256 << 10

    let rules: ImportRules
    var ticket: UInt64?
    var submittedTick: Int?
    var hasEnded = false
    var isPaused = false
    /// Whether what comes in has to wait.
    var isWaiting: Bool { ticket != nil || isPaused }
    /// Whether the client wants to hear of every chunk, and whether it has heard of one.
    var answersInLines = false
    var hasStartedAnswer = false

    private(set) var totals = ImportTotals()
    /// Of the chunk that has ended last: what a client is told who wants to hear of every chunk.
    private(set) var lastRejections: [Rejection] = []

    private let packing: Packing?
    private let unpacker: (any Unpacker)?
    private let memory: BudgetShare?
    private var packed = ByteBuffer()
    private var packedByteCount = 0
    private var unpackedByteCount = 0
    private var input = ByteBuffer()
    private var isSkippingLine = false
    private var chunk: ImportChunk?

    /// - Throws: when there is no memory for unpacking.
    init(
        _ rules: ImportRules, packing: Packing?, _ environment: ServerEnvironment
    ) throws(ErrorResponse) {
        self.rules = rules
        self.packing = packing
        guard let packing else {
            (unpacker, memory) = (nil, nil)
            return
        }
        let byteCount = packing.memoryByteCount(blockByteCountMax: Self.blockByteCountMax)
        guard let memory = BudgetShare(byteCount, of: rules.credential.organization.log, from: environment.bodies)
        else {
            throw .overloaded
        }
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
                totals.lineCount += 1
                var open = chunk ?? ImportChunk(rules, firstLine: totals.lineCount)
                chunk = nil
                open.add(line.readableBytesSpan, number: totals.lineCount, rules, at: now, identifiers, teams)
                chunk = open
                if open.isFull { return endChunk() }
            }
            if chunk?.isFull == true { return endChunk() }
            guard try unpackMore() else { return hasEnded && chunk != nil ? endChunk() : .input }
            if unpackedByteCount - before >= Self.unpackedByteCountMax { return .pause }
        }
    }

    // MARK: - Chunks

    private mutating func endChunk() -> Step {
        guard var open = chunk else { return .input }
        guard open.mayBeStored, !rules.isStrict || open.rejections.isEmpty else {
            finish(open, storedCount: nil)
            return .told
        }
        chunk = nil
        let group = open.takeGroup(rules)
        chunk = open
        return .group(group)
    }

    /// - Parameter storedCount: nil when the chunk was not to be stored.
    private mutating func finish(_ ended: ImportChunk, storedCount: Int?) {
        chunk = nil
        lastRejections = ended.rejections
        totals.add(ended, storedCount: storedCount)
    }

    /// The chunk that was handed out is in the store, or was before.
    mutating func stored(_ outcome: CommitOutcome) {
        guard let ended = chunk else { return }
        var count = ended.eventCount
        switch outcome {
        case .committed(let first, let last): totals.note(first, last)
        case .duplicate(let first, let eventCount, _, _):
            totals.note(first, first + UInt64(eventCount) - 1)
            // Of some lines it was said the first time that they cannot be stored.
            count = min(count, eventCount)
        case .relaxed, .refused: break
        }
        finish(ended, storedCount: count)
    }

    /// The store does not take the chunk as it is. Nil when that is the end of the import, else what is next.
    mutating func refused(_ refusal: CommitRefusal) -> Step? {
        guard let (place, failure) = refusal.ofOneChange, var open = chunk, open.reject(event: place.event, failure)
        else { return nil }
        chunk = open
        return endChunk()
    }

    // MARK: - Lines

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
                totals.lineCount += 1
            }
        }
    }

    private mutating func lastLine() -> ByteBuffer? {
        if !inputIsWhole {
            guard input.readableBytes > FrontLimits.importLineByteCountMax else { return nil }
            if !isSkippingLine {
                totals.lineCount += 1
                var open = chunk ?? ImportChunk(rules, firstLine: totals.lineCount)
                chunk = nil
                open.addEndless(number: totals.lineCount)
                chunk = open
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
}

extension CommitRefusal {
    /// The session change that the store does not take, and what is wrong with it; nil for every other reason.
    fileprivate var ofOneChange: (ChangePlace, ErrorResponse.FieldFailure)? {
        switch self {
        case .sessionNotFound(let place): (place, .init(field: "session_id", message: "is no session that was started"))
        case .sessionEnded(let place):
            (place, .init(field: "session_id", message: "is a session that has already ended"))
        case .sessionTooLarge(let place, let field, let message): (place, .init(field: field, message: message))
        default: nil
        }
    }
}
