package import DaybookFormat
internal import DaybookLog
internal import DaybookSystem
internal import Synchronization

extension Store {
    package func organization(_ id: OrganizationID) -> OrganizationRecord? {
        control.state.organizations[id]
    }

    /// Sorted by id.
    package func organizations() -> [OrganizationRecord] {
        control.state.organizations.values.sorted { $0.id.text < $1.id.text }
    }

    /// All acts so far, oldest first, without the names of users who are to be forgotten, and without the audit trail.
    package func controlEvents() -> [ControlEvent] { control.acts }
    /// What all acts so far amount to.
    package var controlState: ControlState { control.state }

    /// Blocks until durable.
    /// - Parameter acts: that go with it: all of them are done, or none.
    package func createOrganization(
        _ id: OrganizationID, with acts: [ControlEvent] = []
    ) throws -> OrganizationRecord {
        let now = Timestamp(microseconds: clock.wallMicroseconds())
        try administer { state in [.organizationCreated(id, log: state.nextLog, at: now)] + acts }
        guard let record = organization(id) else { preconditionFailure("a created organization is unknown") }
        return record
    }

    /// Appends acts to the control log as one atomic group; blocks until durable.
    ///
    /// The threads must run: the calling thread waits for the committing one. Never call it on an event loop. Acts are
    /// appended one group at a time, because each is checked against all before it.
    package func appendControl(_ events: [ControlEvent]) throws {
        precondition(!events.isEmpty)
        try administer { _ in events }
    }

    /// - Parameter makeEvents: gets the state that the acts will follow.
    func administer(_ makeEvents: (ControlState) throws -> [ControlEvent]) throws {
        try threads.administering.withLock { _ in
            var next = control.state
            let events = try makeEvents(next)
            guard !events.isEmpty else { return }
            for event in events {
                do {
                    try next.apply(event)
                } catch ControlContradiction.organizationExists(let id) {
                    throw StoreError.organizationExists(id)
                }
            }
            let firstSequence = try commit(events)
            control.take(events, from: firstSequence)
        }
    }

    /// Returns the sequence of the first.
    private func commit(_ events: [ControlEvent]) throws -> UInt64 {
        let group = ControlEvent.group(of: events, at: Timestamp(microseconds: clock.wallMicroseconds()))
        let sink = WaitingSink()
        submit(Submission(group: group, sink: sink, ticket: 0))
        switch sink.wait() {
        case .committed(let firstSequence, _): return firstSequence
        case .refused(let refusal): throw StoreError.refused(refusal)
        case .relaxed, .duplicate: preconditionFailure("a control group asks for neither")
        }
    }
}

extension ControlEvent {
    /// Acts as one group that is appended whole or not at all. Precondition: at least one.
    package static func group(of events: [ControlEvent], at now: Timestamp) -> GroupBuilder {
        var group = GroupBuilder(log: .control, arrival: now)
        for event in events {
            event.encoded().withRawSpan { group.append(.control, schemaVersion: schemaVersion, encoding: $0) }
        }
        return group
    }
}

/// Lets one thread wait for one outcome.
private final class WaitingSink: AcknowledgementSink {
    private let outcome = Mutex<CommitOutcome?>(nil)
    private let wakeup = Wakeup()

    func acknowledge(_ outcomes: [Acknowledged]) {
        outcome.withLock { $0 = outcomes.first?.outcome }
        wakeup.signal()
    }

    func wait() -> CommitOutcome {
        while true {
            if let outcome = outcome.withLock({ $0 }) { return outcome }
            wakeup.wait()
        }
    }
}
