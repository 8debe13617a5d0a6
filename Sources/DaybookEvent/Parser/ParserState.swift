internal import DaybookFormat

/// One parse: where it stands, what it found. All buffers are reused from event to event.
struct ParserState: ~Copyable {
    var cursor: JSONCursor
    let context: EventParser.Context
    var writer = CanonicalWriter()
    /// Unescaped texts of the event at hand.
    var scratch = ByteSink(capacity: 256)
    /// The encoding of the event at hand.
    var encoding = ByteSink(capacity: 1_024)
    var draft = EventDraft()
    /// `agents_used` of the event at hand.
    var agents: [TextSlice] = []
    /// Names that no field has, in the event at hand.
    var unknownNames: [StringToken] = []
    /// The same for the batch itself.
    var unknownBatchNames: [StringToken] = []

    var summary = EventParser.Summary()
    var errors: [FieldError] = []
    var isForbidden = false
    var isTooLarge = false
    /// `summary.firstID` is set.
    var hasStored = false

    /// The batch array and the place in it of the event at hand.
    var array: FieldName?
    var index = 0
    /// The session id of the path, where there is one.
    var pathSession: [UInt8]?

    var batchTimestamp: Timestamp?
    /// Offsets of event times in the group that the batch's `timestamp` will replace, should it still come.
    var provisionalTimeOffsets: [Int] = []

    private var idSeed: (high: UInt64, low: UInt64)?
    private var idCount: UInt64 = 0

    init(cursor: JSONCursor, context: EventParser.Context) {
        self.cursor = cursor
        self.context = context
    }

    mutating func run(_ kind: EventParser.Kind, into group: inout GroupBuilder) -> EventParser.Result {
        do {
            try runThrowing(kind, into: &group)
        } catch {
            let message = "\(error.message) at byte \(error.position)"
            return .rejected([FieldError(field: "body", message: message)], code: .invalidJSON)
        }
        if isTooLarge {
            let message = "is too large once its numbers are written out"
            return .rejected([FieldError(field: "body", message: message)], code: .payloadTooLarge)
        }
        guard errors.isEmpty else { return .rejected(errors, code: isForbidden ? .forbidden : .validationFailed) }
        return .accepted(summary)
    }

    private mutating func runThrowing(
        _ kind: EventParser.Kind, into group: inout GroupBuilder
    ) throws(JSONFault) {
        guard cursor.peek() == UInt8(ascii: "{") else {
            try cursor.skipValue()
            try expectEnd()
            return report("must be an object")
        }
        switch kind {
        case .batch: try parseBatch(into: &group)
        case .commandExecution: try parseEvent(.command, into: &group)
        case .agentInteraction: try parseEvent(.agent, into: &group)
        case .productivityMetric: try parseEvent(.productivity, into: &group)
        case .sessionStart: try parseEvent(.sessionStart, into: &group)
        case .sessionUpdate(let session):
            pathSession = session
            try parseEvent(.sessionUpdate, into: &group)
        case .sessionEnd(let session):
            pathSession = session
            try parseEvent(.sessionEnd, into: &group)
        case .importLine: try parseEvent(.anyImport, into: &group)
        }
    }

    mutating func expectEnd() throws(JSONFault) {
        _ = cursor.peek()
        guard cursor.position == cursor.end else { throw cursor.fault("nothing more was expected") }
    }

    // MARK: Findings

    /// The path of the event at hand, with its point: `command_executions[3].`, or nothing outside batches.
    private var prefix: String {
        guard let array else { return "" }
        return "\(array.text)[\(index)]."
    }

    private var canList: Bool { errors.count < Limits.listedFieldErrorCountMax }

    mutating func report(_ field: FieldName, _ message: String, detail: String = "") {
        guard canList else { return }
        report(field: prefix + "\(field.text)" + detail, message)
    }

    /// About the event as a whole.
    mutating func report(_ message: String) {
        report(field: array == nil ? "body" : String(prefix.dropLast()), message)
    }

    mutating func reportUnknown(_ token: StringToken) {
        guard canList else { return }
        report(field: prefix + cursor.displayText(token), "is not a known field")
    }

    mutating func report(field: String, _ message: String) {
        guard canList else { return }
        errors.append(FieldError(field: field, message: message))
    }

    mutating func takeFindings(of field: FieldName) {
        for issue in writer.issues { report(field, issue.message, detail: issue.path) }
        for path in writer.dropped where summary.droppedKeys.count < Limits.listedFieldErrorCountMax {
            summary.droppedKeys.append(prefix + "\(field.text)" + path)
        }
        writer.clearFindings()
    }

    // MARK: Ids and texts

    /// Version 7, counted up within one request, so that ids sort in the order of the events.
    mutating func makeID() -> EventID {
        let seed: (high: UInt64, low: UInt64)
        if let idSeed {
            seed = idSeed
        } else {
            let words = context.randomness()
            seed = (words.0, words.1)
            idSeed = seed
        }
        defer { idCount &+= 1 }
        return EventID(version7At: context.arrival, random: seed.high, seed.low &+ idCount &<< 2)
    }

    /// The text of a token: where it stands if it has no escapes, else unescaped into the scratch sink.
    @inline(__always)
    mutating func text(_ token: StringToken) -> TextSlice {
        guard token.isEscaped else { return TextSlice(start: token.start, count: token.byteCount, isScratch: false) }
        let start = scratch.count
        cursor.unescape(token, into: &scratch)
        return TextSlice(start: start, count: scratch.count - start, isScratch: true)
    }

    @inline(__always)
    func pointer(_ text: TextSlice) -> UnsafePointer<UInt8> {
        text.isScratch ? unsafe UnsafePointer(scratch.base + text.start) : unsafe cursor.base + text.start
    }

    func string(_ text: TextSlice) -> String {
        unsafe String(decoding: UnsafeBufferPointer(start: pointer(text), count: text.count), as: UTF8.self)
    }

    func equals(_ text: TextSlice, _ bytes: [UInt8]) -> Bool {
        guard text.count == bytes.count else { return false }
        let start = unsafe pointer(text)
        for offset in 0..<bytes.count where unsafe start[offset] != bytes[offset] { return false }
        return true
    }
}
