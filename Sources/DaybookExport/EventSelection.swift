internal import DaybookEvent
package import DaybookFormat
internal import DaybookQuery

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

    /// What the cursor can leave out by itself. It knows no sessions by name, so names are looked at here.
    var filter: ReplayFilter {
        var filter = ReplayFilter()
        if !families.isEmpty { filter.families = families }
        switch from {
        case .sequence(let first): filter.firstSequence = first
        case .time(let start): filter.range.start = start
        case nil: break
        }
        switch to {
        case .sequence(let last): filter.lastSequence = last
        case .time(let end): filter.range.end = end
        case nil: break
        }
        return filter
    }

    func takes(_ event: ListedEvent, _ encoding: RawSpan) throws -> Bool {
        guard let name else { return true }
        let fields = try EventFields(family: event.family, schemaVersion: event.schemaVersion, reading: encoding)
        return encoding.toArray(fields.name).elementsEqual(name.utf8)
    }
}
