package import DaybookFormat

/// One request on its way to the journal.
package struct Submission: Sendable {
    /// The record without sequence: entries filled in, header still zero.
    package var group: GroupBuilder
    /// Whom to tell, and under which number.
    package var sink: any AcknowledgementSink
    package var ticket: UInt64

    package init(group: GroupBuilder, sink: any AcknowledgementSink, ticket: UInt64) {
        self.group = group
        self.sink = sink
        self.ticket = ticket
    }
}

/// What became of a submission.
package enum CommitOutcome: Sendable, Equatable {
    /// On stable storage and visible to readers.
    case committed(firstSequence: UInt64, lastSequence: UInt64)
    /// Taken, at the client's wish not yet on stable storage. Carries no sequence: nothing shown can be lost.
    case relaxed
    /// The same key and body were stored before; here is where.
    case duplicate(firstSequence: UInt64, eventCount: Int, arrival: Timestamp, firstEvent: EventID)
    case refused(CommitRefusal)
}

/// Why nothing was stored, or, in one case, why it is not known.
package enum CommitRefusal: Sendable, Equatable {
    /// The idempotency key came before with another body.
    case idempotencyConflict
    case sessionNotFound(ChangePlace)
    case sessionEnded(ChangePlace)
    /// What the changes of a session add up to must stay within the limits of one event.
    /// - Parameter message: names the limit of the field.
    case sessionTooLarge(ChangePlace, field: String, message: String)
    case storageUnavailable
    /// The organization, or the whole store, takes as many bytes as it may.
    case quotaExceeded
    /// The sync failed: the events may or may not be there after a restart. Retry with the same idempotency key.
    case durabilityUnknown
    case overloaded
    case shuttingDown
    /// The organization was deleted.
    case organizationDeleted
    /// This organization's log is damaged and closed; others are served.
    case organizationDamaged
}

/// Which session change of a request is meant.
package struct ChangePlace: Sendable, Equatable {
    /// Among the events of the group, from 0.
    package var event: Int
    /// Among the sessions that the group starts, from 0.
    package var session: Int

    package init(event: Int = 0, session: Int = 0) {
        self.event = event
        self.session = session
    }
}

/// Hears what became of submissions. One per event loop: each group calls each sink once.
package protocol AcknowledgementSink: AnyObject, Sendable {
    /// Called on the committing thread: must not block and must not call back into the store.
    /// Per organization the outcomes come in sequence order.
    func acknowledge(_ outcomes: [Acknowledged])
}

package struct Acknowledged: Sendable {
    package var ticket: UInt64
    package var outcome: CommitOutcome
    package init(ticket: UInt64, outcome: CommitOutcome) {
        self.ticket = ticket
        self.outcome = outcome
    }
}
