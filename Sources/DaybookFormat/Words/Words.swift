/// What kind of fact an event states. The raw value is on disk: never renumber.
package enum Family: UInt8, CaseIterable, Sendable, Hashable {
    case commandExecution = 1
    case agentInteraction = 2
    case sessionChange = 3
    case productivityMetric = 4
    /// Acts of the control log: organizations, keys, configuration. Never part of an organization's own log.
    case control = 64

    /// The families an organization's log may hold, in the order in which they are listed everywhere.
    package static let ofOrganizations: [Family] = [
        .commandExecution, .agentInteraction, .sessionChange, .productivityMetric,
    ]

    /// The `type` of an event in NDJSON.
    package var typeName: String {
        switch self {
        case .commandExecution: "command_execution"
        case .agentInteraction: "agent_interaction"
        case .sessionChange: "session_change"
        case .productivityMetric: "productivity_metric"
        case .control: "control"
        }
    }
}

/// Names one log inside a store: an organization's, or the control log. Opaque to the log floor, never reused.
package struct LogID: Hashable, Sendable, Comparable {
    package var rawValue: UInt64
    package init(_ rawValue: UInt64) { self.rawValue = rawValue }
    package static let control = LogID(1)
    package static func < (left: LogID, right: LogID) -> Bool { left.rawValue < right.rawValue }
}

/// Microseconds since 1970-01-01T00:00:00Z.
package struct Timestamp: Hashable, Comparable, Sendable {
    package var microseconds: Int64
    package init(microseconds: Int64) { self.microseconds = microseconds }
    package static func < (left: Timestamp, right: Timestamp) -> Bool { left.microseconds < right.microseconds }
    /// Saturates instead of overflowing.
    package func adding(microseconds delta: Int64) -> Timestamp {
        let (sum, overflow) = microseconds.addingReportingOverflow(delta)
        return Timestamp(microseconds: overflow ? (delta < 0 ? .min : .max) : sum)
    }
}

/// The public name of an organization: `^[a-z0-9][a-z0-9-]{0,62}$`.
package struct OrganizationID: Hashable, Sendable, CustomStringConvertible {
    package let text: String

    /// Nil unless the text fits the pattern.
    package init?(_ text: String) {
        let bytes = Array(text.utf8)
        guard (1...63).contains(bytes.count), bytes[0] != UInt8(ascii: "-") else { return nil }
        for byte in bytes {
            switch byte {
            case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "-"):
                continue
            default: return nil
            }
        }
        self.text = text
    }

    package var description: String { text }
}
