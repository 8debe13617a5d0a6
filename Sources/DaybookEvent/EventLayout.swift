package import DaybookFormat

/// What an encoding carries beyond its fixed fields. The meaning of a bit depends on the family; see docs/format/event.md.
package struct EventFlags: OptionSet, Sendable, Hashable {
    package let rawValue: UInt16
    package init(rawValue: UInt16) { self.rawValue = rawValue }

    /// Commands and agents.
    package static let session = EventFlags(rawValue: 0x1)
    /// All families.
    package static let team = EventFlags(rawValue: 0x2)
    /// Commands and agents.
    package static let errorMessage = EventFlags(rawValue: 0x4)
    /// Commands: `command_args`.
    package static let commandArguments = EventFlags(rawValue: 0x8)
    /// Commands: `context`.
    package static let commandContext = EventFlags(rawValue: 0x10)
    /// Agents: `metadata`. Session changes: `context`. Productivity metrics: `dimensions`.
    package static let object = EventFlags(rawValue: 0x8)
    /// Session changes.
    package static let commandsExecuted = EventFlags(rawValue: 0x10)
    /// Session changes.
    package static let productivityScore = EventFlags(rawValue: 0x20)
    /// Session changes.
    package static let agentsUsed = EventFlags(rawValue: 0x40)
    /// Session changes, `updated` and `ended` only: the duration field holds `total_duration_ms`.
    package static let totalDuration = EventFlags(rawValue: 0x80)
    /// Session changes, `ended` only: the session ended as `abandoned`, not `completed`.
    package static let abandoned = EventFlags(rawValue: 0x100)
    /// Productivity metrics.
    package static let periodStart = EventFlags(rawValue: 0x10)
    /// Productivity metrics.
    package static let periodEnd = EventFlags(rawValue: 0x20)
    /// Productivity metrics.
    package static let unit = EventFlags(rawValue: 0x40)

    /// The bits that schema version 1 defines for `family`; any other bit makes an encoding invalid.
    package static func known(of family: Family) -> EventFlags {
        switch family {
        case .commandExecution: EventFlags(rawValue: 0x1F)
        case .agentInteraction: EventFlags(rawValue: 0x0F)
        case .sessionChange: EventFlags(rawValue: 0x1FA)
        case .productivityMetric: EventFlags(rawValue: 0x7A)
        case .control: []
        }
    }
}

/// The status byte of commands and agents. The raw value is on disk: never renumber.
package enum EventStatus: UInt8, CaseIterable, Sendable {
    case success = 0
    case error = 1
    case timeout = 2
    case cancelled = 3

    package var name: String {
        switch self {
        case .success: "success"
        case .error: "error"
        case .timeout: "timeout"
        case .cancelled: "cancelled"
        }
    }
}

/// The status byte of session changes. The raw value is on disk: never renumber.
package enum SessionChangeKind: UInt8, CaseIterable, Sendable {
    case started = 1
    case updated = 2
    case ended = 3

    package var name: String {
        switch self {
        case .started: "started"
        case .updated: "updated"
        case .ended: "ended"
        }
    }
}

/// The byte strings at the end of an encoding.
package enum EventString: Sendable, Hashable, CaseIterable {
    case user
    /// `command_name`, `agent_name`, `metric_type`; for session changes the session id.
    case name
    case interactionType
    case unit
    /// The session of a command or agent.
    case session
    case team
    case errorMessage
    case commandArguments
    /// `context`, `metadata` or `dimensions`.
    case object
    /// A varint count, then that many length-prefixed names. No length stands before the whole.
    case agentsUsed
}

package enum EventLayout {
    /// The schema version that this code writes.
    package static let schemaVersion: UInt8 = 1
    /// Bytes before the family's own part.
    package static let fixedByteCount = 36
    package static let timestampOffset = 20

    /// The strings of a family in the order in which they stand, each with the flag that announces it; an empty flag set
    /// means always there.
    package static func strings(of family: Family) -> [(string: EventString, flag: EventFlags)] {
        switch family {
        case .commandExecution:
            [
                (.user, []), (.name, []), (.session, .session), (.team, .team), (.errorMessage, .errorMessage),
                (.commandArguments, .commandArguments), (.object, .commandContext),
            ]
        case .agentInteraction:
            [
                (.user, []), (.name, []), (.interactionType, []), (.session, .session), (.team, .team),
                (.errorMessage, .errorMessage), (.object, .object),
            ]
        case .sessionChange:
            [(.user, []), (.name, []), (.team, .team), (.agentsUsed, .agentsUsed), (.object, .object)]
        case .productivityMetric:
            [(.user, []), (.name, []), (.unit, .unit), (.team, .team), (.object, .object)]
        case .control: []
        }
    }
}
