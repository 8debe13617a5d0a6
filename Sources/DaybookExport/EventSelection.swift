package import DaybookEvent
package import DaybookFormat

/// A place in a log as a person names it: a sequence, or an event time.
package enum LogPosition: Sendable, Equatable {
    case sequence(UInt64)
    case time(Timestamp)

    /// Digits are a sequence from 1 on, anything else must be RFC 3339.
    package init?(_ text: String) {
        if let sequence = UInt64(text) {
            guard sequence >= 1 else { return nil }
            self = .sequence(sequence)
        } else if let time = TimestampText.parse(text) {
            self = .time(time)
        } else {
            return nil
        }
    }
}

/// Which events of a log are wanted.
package struct EventSelection: Sendable, Equatable {
    /// The first: a sequence counts itself, a time is the earliest event time.
    package var from: LogPosition?
    /// The last: a sequence counts itself, a time is the first event time that is too late.
    package var to: LogPosition?
    /// Empty: all.
    package var families: Set<Family> = []
    /// Command, agent, metric type or session id.
    package var name: String?

    package init() {}

    package var firstSequence: UInt64 {
        if case .sequence(let sequence) = from { return sequence }
        return 1
    }

    package var lastSequence: UInt64 {
        if case .sequence(let sequence) = to { return sequence }
        return .max
    }

    package func takes(_ family: Family) -> Bool { families.isEmpty || families.contains(family) }

    /// Whether an event of a wanted family and sequence is wanted.
    package func takes(_ fields: EventFields, _ encoding: RawSpan) -> Bool {
        if case .time(let earliest) = from, fields.timestamp < earliest { return false }
        if case .time(let end) = to, fields.timestamp >= end { return false }
        guard let name else { return true }
        return encoding.toArray(fields.name).elementsEqual(name.utf8)
    }
}
