package import DaybookFormat

/// Where everything stands in one encoding: values decoded, strings as ranges, nothing copied. Ranges count from the
/// start of the span that was read.
///
/// Reading checks the structure completely (flags, lengths, the one form of every number, no trailing bytes); it does
/// not check that strings are UTF-8 or fit their patterns, which the parser did on the way in.
package struct EventFields: Sendable {
    package let family: Family
    package private(set) var flags: EventFlags = []
    /// `EventStatus` of commands and agents, `SessionChangeKind` of session changes, else 0.
    package private(set) var status: UInt8 = 0
    package private(set) var id = EventID(high: 0, low: 0)
    package private(set) var timestamp = Timestamp(microseconds: 0)
    /// Commands and agents; session changes when `flags` has `totalDuration`; else 0.
    package private(set) var durationNanoseconds: UInt64 = 0
    package private(set) var inputTokens: UInt64 = 0
    package private(set) var outputTokens: UInt64 = 0
    package private(set) var value: EventNumber?
    package private(set) var commandsExecuted: UInt64?
    package private(set) var productivityScore: EventNumber?
    package private(set) var periodStart: Timestamp?
    package private(set) var periodEnd: Timestamp?

    package private(set) var user = 0..<0
    /// `command_name`, `agent_name`, `metric_type`; for session changes the session id.
    package private(set) var name = 0..<0
    package private(set) var interactionType: Range<Int>?
    package private(set) var unit: Range<Int>?
    /// The session of a command or agent.
    package private(set) var session: Range<Int>?
    package private(set) var team: Range<Int>?
    package private(set) var errorMessage: Range<Int>?
    /// `command_args`, canonical JSON.
    package private(set) var arguments: Range<Int>?
    /// `context`, `metadata` or `dimensions`, canonical JSON.
    package private(set) var object: Range<Int>?
    /// A varint count, then that many length-prefixed names.
    package private(set) var agentsUsed: Range<Int>?

    /// Complexity: O(number of strings); the strings themselves are not touched.
    package init(family: Family, schemaVersion: UInt8, reading bytes: RawSpan) throws(FormatError) {
        guard schemaVersion == EventLayout.schemaVersion else { throw .unsupportedVersion(UInt32(schemaVersion)) }
        self.family = family
        var reader = ByteReader()
        try readFixedPart(&reader, bytes)
        switch family {
        case .commandExecution: try readCommand(&reader, bytes)
        case .agentInteraction: try readAgent(&reader, bytes)
        case .sessionChange: try readSessionChange(&reader, bytes)
        case .productivityMetric: try readProductivityMetric(&reader, bytes)
        case .control: throw .invalid("event family")
        }
        guard reader.isAtEnd(bytes) else { throw .invalid("event length") }
    }

    /// Only what stands at fixed places: flags, status, id, timestamp and duration of a command or an agent interaction. The
    /// rest is not looked at: for bytes whose checksum was verified.
    package init(fixedPartOf family: Family, schemaVersion: UInt8, reading bytes: RawSpan) throws(FormatError) {
        precondition(family == .commandExecution || family == .agentInteraction)
        guard schemaVersion == EventLayout.schemaVersion else { throw .unsupportedVersion(UInt32(schemaVersion)) }
        self.family = family
        var reader = ByteReader()
        try readFixedPart(&reader, bytes)
        guard EventStatus(rawValue: status) != nil else { throw .invalid("event status") }
    }

    private mutating func readFixedPart(_ reader: inout ByteReader, _ bytes: RawSpan) throws(FormatError) {
        flags = EventFlags(rawValue: try reader.uint16(bytes))
        guard flags.isSubset(of: .known(of: family)) else { throw .invalid("event flags") }
        status = try reader.uint8(bytes)
        guard try reader.uint8(bytes) == 0 else { throw .invalid("event reserved field") }
        id.high = try reader.uint64(bytes).byteSwapped
        id.low = try reader.uint64(bytes).byteSwapped
        timestamp = try Self.time(&reader, bytes)
        durationNanoseconds = try reader.uint64(bytes)
    }

    private static func time(_ reader: inout ByteReader, _ bytes: RawSpan) throws(FormatError) -> Timestamp {
        let time = Timestamp(microseconds: try reader.int64(bytes))
        guard TimestampText.printable.contains(time) else { throw .invalid("event time") }
        return time
    }

    private mutating func readCommand(_ reader: inout ByteReader, _ bytes: RawSpan) throws(FormatError) {
        guard EventStatus(rawValue: status) != nil else { throw .invalid("event status") }
        user = try reader.lengthPrefixedRange(bytes)
        name = try reader.lengthPrefixedRange(bytes)
        if flags.contains(.session) { session = try reader.lengthPrefixedRange(bytes) }
        if flags.contains(.team) { team = try reader.lengthPrefixedRange(bytes) }
        if flags.contains(.errorMessage) { errorMessage = try reader.lengthPrefixedRange(bytes) }
        if flags.contains(.commandArguments) { arguments = try reader.lengthPrefixedRange(bytes) }
        if flags.contains(.commandContext) { object = try reader.lengthPrefixedRange(bytes) }
    }

    private mutating func readAgent(_ reader: inout ByteReader, _ bytes: RawSpan) throws(FormatError) {
        guard EventStatus(rawValue: status) != nil else { throw .invalid("event status") }
        inputTokens = try reader.varint(bytes)
        outputTokens = try reader.varint(bytes)
        user = try reader.lengthPrefixedRange(bytes)
        name = try reader.lengthPrefixedRange(bytes)
        interactionType = try reader.lengthPrefixedRange(bytes)
        if flags.contains(.session) { session = try reader.lengthPrefixedRange(bytes) }
        if flags.contains(.team) { team = try reader.lengthPrefixedRange(bytes) }
        if flags.contains(.errorMessage) { errorMessage = try reader.lengthPrefixedRange(bytes) }
        if flags.contains(.object) { object = try reader.lengthPrefixedRange(bytes) }
    }

    private mutating func readSessionChange(_ reader: inout ByteReader, _ bytes: RawSpan) throws(FormatError) {
        guard let kind = SessionChangeKind(rawValue: status) else { throw .invalid("session change kind") }
        guard kind != .started || !flags.contains(.totalDuration) else { throw .invalid("event flags") }
        guard kind == .ended || !flags.contains(.abandoned) else { throw .invalid("event flags") }
        guard durationNanoseconds == 0 || flags.contains(.totalDuration) else { throw .invalid("event duration") }
        if flags.contains(.commandsExecuted) { commandsExecuted = try reader.varint(bytes) }
        if flags.contains(.productivityScore) { productivityScore = try EventNumber(&reader, bytes) }
        user = try reader.lengthPrefixedRange(bytes)
        name = try reader.lengthPrefixedRange(bytes)
        if flags.contains(.team) { team = try reader.lengthPrefixedRange(bytes) }
        if flags.contains(.agentsUsed) {
            let start = reader.offset
            var remaining = try reader.varint(bytes)
            while remaining > 0 {
                _ = try reader.lengthPrefixedRange(bytes)
                remaining -= 1
            }
            agentsUsed = start..<reader.offset
        }
        if flags.contains(.object) { object = try reader.lengthPrefixedRange(bytes) }
    }

    private mutating func readProductivityMetric(_ reader: inout ByteReader, _ bytes: RawSpan) throws(FormatError) {
        guard status == 0 else { throw .invalid("event status") }
        guard durationNanoseconds == 0 else { throw .invalid("event duration") }
        value = try EventNumber(&reader, bytes)
        if flags.contains(.periodStart) { periodStart = try Self.time(&reader, bytes) }
        if flags.contains(.periodEnd) { periodEnd = try Self.time(&reader, bytes) }
        user = try reader.lengthPrefixedRange(bytes)
        name = try reader.lengthPrefixedRange(bytes)
        if flags.contains(.unit) { unit = try reader.lengthPrefixedRange(bytes) }
        if flags.contains(.team) { team = try reader.lengthPrefixedRange(bytes) }
        if flags.contains(.object) { object = try reader.lengthPrefixedRange(bytes) }
    }

    /// The range of `string`, nil when the encoding does not carry it.
    package func range(of string: EventString) -> Range<Int>? {
        switch string {
        case .user: user
        case .name: name
        case .interactionType: interactionType
        case .unit: unit
        case .session: session
        case .team: team
        case .errorMessage: errorMessage
        case .commandArguments: arguments
        case .object: object
        case .agentsUsed: agentsUsed
        }
    }

    /// The names in `agentsUsed`, in order; empty when there are none.
    package func agentRanges(_ bytes: RawSpan) -> [Range<Int>] {
        guard let agentsUsed else { return [] }
        var reader = ByteReader(at: agentsUsed.lowerBound)
        guard let count = try? reader.varint(bytes) else { return [] }
        var ranges: [Range<Int>] = []
        while ranges.count < count, let range = try? reader.lengthPrefixedRange(bytes) { ranges.append(range) }
        return ranges
    }
}
