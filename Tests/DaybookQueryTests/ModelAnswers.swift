import DaybookEvent
import DaybookFormat
import DaybookSegment
import DaybookTestSupport

@testable import DaybookQuery

/// What filters and groups mean, said once more over the plain fields of the model.
enum ModelAnswers {
    static func value(of dimension: QueryDimension, in event: ModelEvent) -> [UInt8]? {
        switch dimension {
        case .name: event.name
        case .kind: event.interactionType
        case .user: event.user
        case .team: event.team
        case .session: event.session
        case .status: Array((EventStatus(rawValue: event.status)?.name ?? "").utf8)
        case .attribute(let path):
            ModelEvent.attribute(
                path.root == .commandArguments ? event.arguments : event.object,
                path.keys.map { String(decoding: $0, as: UTF8.self) })
        }
    }

    static func value(of dimension: QueryDimension, in session: ModelSession) -> [UInt8]? {
        switch dimension {
        case .name, .kind: nil
        case .user: session.user
        case .team: session.team
        case .session: session.id
        case .status: Array(session.status.utf8)
        case .attribute(let path):
            ModelEvent.attribute(
                session.context.map { .object($0) }, path.keys.map { String(decoding: $0, as: UTF8.self) })
        }
    }

    static func matches(_ filter: EventFilter, _ event: ModelEvent) -> Bool {
        let conditionsHold = filter.conditions.allSatisfy { condition in
            value(of: condition.dimension, in: event).map { condition.values.contains($0) } ?? false
        }
        let isSuccess = event.status == EventStatus.success.rawValue
        return conditionsHold && filter.isSuccess.map { $0 == isSuccess } ?? true
            && event.duration >= filter.durationMin ?? 0 && event.duration <= filter.durationMax ?? .max
            && filter.search.map { Set($0.tokens).isSubset(of: tokens(of: event)) } ?? true
    }

    /// The words of the error message and of every string in the objects.
    static func tokens(of event: ModelEvent) -> Set<[UInt8]> {
        var texts = [event.errorMessage ?? []]
        func collect(_ value: ParsedJSON?) {
            switch value {
            case .text(let text): texts.append(text)
            case .array(let values): for value in values { collect(value) }
            case .object(let members): for value in members.values { collect(value) }
            default: break
            }
        }
        collect(event.arguments)
        collect(event.object)
        return texts.reduce(into: []) { tokens, text in
            let words = text.split { byte in
                byte < 0x80 && !Character(UnicodeScalar(byte)).isLetter && !Character(UnicodeScalar(byte)).isNumber
            }
            for word in words { tokens.insert(word.map { $0 < 0x80 ? UInt8(ascii: UnicodeScalar($0).lowered) : $0 }) }
        }
    }

    static func matches(_ filter: EventFilter, _ session: ModelSession) -> Bool {
        let conditionsHold = filter.conditions.allSatisfy { condition in
            value(of: condition.dimension, in: session).map { condition.values.contains($0) } ?? false
        }
        guard filter.durationMin != nil || filter.durationMax != nil else { return conditionsHold }
        guard let duration = session.duration else { return false }
        return conditionsHold && duration >= filter.durationMin ?? 0 && duration <= filter.durationMax ?? .max
    }

    /// Start and end of the bucket that holds a time, clipped to the range.
    static func bucket(_ time: Int64, _ window: AggregationWindow, _ range: TimeRange) -> (Int64, Int64, Bool) {
        let (start, end) = (range.start.microseconds, range.end.microseconds)
        let widths: [AggregationWindow: Int64] = [
            .oneMinute: 60, .fiveMinutes: 300, .fifteenMinutes: 900, .oneHour: 3_600, .oneDay: 86_400,
        ]
        guard let seconds = widths[window] else { return (start, end, false) }
        let width = seconds * 1_000_000
        let aligned = time - ((time % width) + width) % width
        return (max(aligned, start), min(aligned + width, end), aligned < start || aligned + width > end)
    }
}

extension UnicodeScalar {
    fileprivate var lowered: UnicodeScalar {
        value >= 65 && value <= 90 ? UnicodeScalar(UInt8(value + 32)) : self
    }
}

/// Random questions that have answers.
extension SeededRandom {
    mutating func dimension(of family: Family) -> QueryDimension {
        let names: [String] =
            switch family {
            case .commandExecution:
                [
                    "command_name", "user_id", "team_id", "session_id", "status", "context.project",
                    "context.git.branch", "context.n", "command_args.force",
                ]
            case .agentInteraction:
                ["agent_name", "interaction_type", "user_id", "team_id", "status", "metadata.project", "metadata.flag"]
            case .sessionChange:
                ["user_id", "team_id", "session_id", "status", "context.project", "context.git.branch"]
            default:
                ["metric_type", "user_id", "team_id", "dimensions.project", "dimensions.list", "dimensions.git.dirty"]
            }
        let name = names[below(names.count)]
        guard let dimension = QueryDimension(name, of: family) else { preconditionFailure("\(name) is a dimension") }
        return dimension
    }

    /// Values that exist, and one that does not.
    mutating func filter(of family: Family) -> EventFilter {
        let values = [
            "build", "test", "buil", "ann", "bob", "red", "s1", "session-3", "success", "error", "active", "completed",
            "core", "a\"b\\c", "true", "7", "main", "1", "planner", "tool_call", "error_rate", "nobody", "null",
        ]
        var filter = EventFilter()
        for _ in 0..<below(3) {
            let dimension = dimension(of: family)
            let count = 1 + below(4)
            filter.require(dimension, anyOf: (0..<count).map { _ in Array(values[below(values.count)].utf8) })
        }
        if family != .productivityMetric, oneIn(4) { filter.durationMin = next() >> (24 + next() % 30) }
        if family != .productivityMetric, oneIn(4) { filter.durationMax = next() >> (20 + next() % 30) }
        if family == .commandExecution || family == .agentInteraction, oneIn(4) { filter.isSuccess = oneIn(2) }
        if family != .sessionChange, oneIn(4) {
            filter.search = TokenSearch(
                Array(pick(["exit", "CORE", "main 1", "dev", "é", "a b", "dotted", "Exit-1"]).utf8))
        }
        return filter
    }

    mutating func pick<Element>(_ elements: [Element]) -> Element { elements[below(elements.count)] }
}
