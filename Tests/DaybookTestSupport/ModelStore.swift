import DaybookEvent
import DaybookFormat

/// One event with its fields in the open.
package struct ModelEvent: Sendable, Equatable {
    package var family: Family
    package var sequence: UInt64
    package var arrival: Timestamp
    package var encoding: [UInt8]
    /// Microseconds since 1970.
    package var timestamp: Int64
    package var status: UInt8
    package var flags: EventFlags
    /// Nanoseconds.
    package var duration: UInt64
    package var user: [UInt8]
    /// Nil for session changes.
    package var name: [UInt8]?
    package var interactionType: [UInt8]?
    /// Of session changes, too.
    package var session: [UInt8]?
    package var team: [UInt8]?
    package var inputTokens: UInt64
    package var outputTokens: UInt64
    package var value: EventNumber?
    package var commandsExecuted: UInt64?
    package var productivityScore: EventNumber?
    package var agentsUsed: [[UInt8]]
    package var errorMessage: [UInt8]?
    package var arguments: ParsedJSON?
    package var object: ParsedJSON?

    package init(family: Family, sequence: UInt64, arrival: Timestamp, encoding: [UInt8]) throws {
        self.family = family
        self.sequence = sequence
        self.arrival = arrival
        self.encoding = encoding
        let (fields, agents) = try encoding.withRawSpan { (bytes: RawSpan) in
            let fields = try EventFields(
                family: family, schemaVersion: EventLayout.schemaVersion, reading: bytes)
            return (fields, fields.agentRanges(bytes))
        }
        func text(_ range: Range<Int>?) -> [UInt8]? { range.map { Array(encoding[$0]) } }
        timestamp = fields.timestamp.microseconds
        status = fields.status
        flags = fields.flags
        duration = fields.durationNanoseconds
        user = Array(encoding[fields.user])
        let isSession = family == .sessionChange
        name = isSession ? nil : text(fields.name)
        interactionType = text(fields.interactionType)
        session = isSession ? text(fields.name) : text(fields.session)
        team = text(fields.team)
        inputTokens = fields.inputTokens
        outputTokens = fields.outputTokens
        value = fields.value
        commandsExecuted = fields.commandsExecuted
        productivityScore = fields.productivityScore
        agentsUsed = agents.map { Array(encoding[$0]) }
        errorMessage = text(fields.errorMessage)
        arguments = try text(fields.arguments).map { try ParsedJSON(parsing: $0) }
        object = try text(fields.object).map { try ParsedJSON(parsing: $0) }
    }

    /// What an attribute is to a query: the text of a string, the digits of a number, `true` or `false`; nil otherwise.
    package static func attribute(_ object: ParsedJSON?, _ keys: [String]) -> [UInt8]? {
        var value = object
        for key in keys { value = value?[key] }
        switch value {
        case .text(let text): return text
        case .number(let digits): return Array(digits.utf8)
        case .bool(let value): return Array((value ? "true" : "false").utf8)
        case nil, .null, .array, .object: return nil
        }
    }
}

/// All events of one organization in a plain array, and answers by going through all of them: what every other way of
/// answering is compared with.
package struct ModelStore: Sendable {
    package private(set) var events: [ModelEvent] = []

    package init() {}

    package mutating func append(_ family: Family, sequence: UInt64, arrival: Timestamp, encoding: [UInt8]) throws {
        precondition(sequence > events.last?.sequence ?? 0)
        events.append(try ModelEvent(family: family, sequence: sequence, arrival: arrival, encoding: encoding))
    }

    package var lastSequence: UInt64 { events.last?.sequence ?? 0 }

    /// The events of a family that were there when `sequence` was the last one, and whose time is in the range.
    package func events(
        of family: Family, from start: Int64, to end: Int64, asOf sequence: UInt64 = .max
    ) -> [ModelEvent] {
        events.filter {
            $0.family == family && $0.sequence <= sequence && start <= $0.timestamp && $0.timestamp < end
        }
    }

    /// By time, then by sequence.
    package static func inOrder(_ events: [ModelEvent], newestFirst: Bool) -> [ModelEvent] {
        let ascending = events.sorted { ($0.timestamp, $0.sequence) < ($1.timestamp, $1.sequence) }
        return newestFirst ? ascending.reversed() : ascending
    }

    /// The nearest-rank percentile, exactly. Precondition: `values` is not empty.
    package static func percentile<Value: Comparable>(_ percent: Int, of values: [Value]) -> Value {
        let rank = max(1, (values.count * percent + 99) / 100)
        return values.sorted()[rank - 1]
    }
}
