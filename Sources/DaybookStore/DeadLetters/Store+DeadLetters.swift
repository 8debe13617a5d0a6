package import DaybookFormat
internal import DaybookSystem

extension Store {
    /// Oldest first.
    /// - Parameter organization: nil for those of all.
    package func deadLetters(of organization: OrganizationID? = nil) -> [DeadLetter] {
        let letters = control.state.deadLetters
        return organization.map { id in letters.filter { $0.organization == id } } ?? letters
    }

    package var deadLetterStatus: DeadLetterStatus { shared.retries.status }

    /// Takes letters out of the queue; blocks until durable. One that is gone already changes nothing.
    /// - Parameters:
    ///   - isReplayed: their work is tried again now, three times if need be. Else it is tried again when something happens
    ///     to its organization, or at the next start: that it is to be done follows from the files, not from the letter.
    ///   - acts: that go with it.
    package func remove(_ letters: [DeadLetter], isReplayed: Bool, with acts: [ControlEvent]) throws {
        let now = Timestamp(microseconds: clock.wallMicroseconds())
        try appendControl(letters.map { .deadLetterRemoved(id: $0.id, isReplayed: isReplayed, at: now) } + acts)
        guard isReplayed else { return }
        for letter in letters {
            guard let log = organization(letter.organization)?.log else { continue }
            shared.tryAgain(letter.kind, log)
        }
        threads.wakeSealer()
    }
}

extension SharedState {
    /// Brings work before whoever does it.
    func tryAgain(_ kind: DeadLetter.Kind, _ log: LogID) {
        switch kind {
        case .sealing: addSealable(log)
        case .compaction: maintenance.addPatrolled(log)
        }
    }
}
