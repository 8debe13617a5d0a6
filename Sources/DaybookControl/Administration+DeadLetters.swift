internal import DaybookEvent
internal import DaybookFormat
internal import DaybookStore

/// Work on accepted events that is not tried any more by itself.
extension Administration {
    func listDeadLetters(_ request: ControlDocument, _ origin: RequestOrigin) throws -> [UInt8] {
        let letters = store.deadLetters(of: try organizationOfLetters(request, origin))
        return try Page(request).answer(origin, "dead_letters", letters, id: \.identifier) { letter, item in
            item.describe(letter)
        }
    }

    func showDeadLetter(_ request: ControlDocument, _ origin: RequestOrigin) throws -> [UInt8] {
        guard request["dead_letter_id"] != nil else { throw Refusal.invalid("dead_letter_id", "is required") }
        let letters = try namedLetters(request, try organizationOfLetters(request, origin))
        var answer = JSONObjectText()
        answer.describe(letters[0])
        return answer.finished()
    }

    /// Takes one, or all, out of the queue: to be tried again now, or because nobody wants to be told of it any more.
    func removeDeadLetters(
        _ request: ControlDocument, _ origin: RequestOrigin, isReplayed: Bool
    ) throws -> [UInt8] {
        let letters = try namedLetters(request, try organizationOfLetters(request, origin))
        if !letters.isEmpty {
            let now = now
            let target = request["dead_letter_id"]?.stringValue ?? ""
            let action = isReplayed ? "dlq.replay" : "dlq.purge"
            let organizations = Set(letters.map(\.organization)).sorted { $0.text < $1.text }
            try store.remove(
                letters, isReplayed: isReplayed,
                with: organizations.map { .audited(origin.record(action, target, in: $0, at: now)) })
        }
        var answer = JSONObjectText()
        answer.field(isReplayed ? "replayed" : "purged", UInt64(letters.count))
        return answer.finished()
    }

    /// Whose letters a request is about: with a credential those of its organization; the operator, and whoever has the
    /// data directory, may name any, or leave it out for all. Nil is all.
    private func organizationOfLetters(_ request: ControlDocument, _ origin: RequestOrigin) throws -> OrganizationID? {
        let seesAll = origin.credential?.permits(.manageOrganizations) ?? true
        guard request["organization"] != nil || !seesAll else { return nil }
        let id = try organization(of: request, origin)
        guard store.organization(id) != nil else { throw KeyRegistry.Failure.organizationNotFound }
        return id
    }

    /// The one that is named, which must be there, or all.
    private func namedLetters(_ request: ControlDocument, _ organization: OrganizationID?) throws -> [DeadLetter] {
        let letters = store.deadLetters(of: organization)
        guard let name = request["dead_letter_id"] else { return letters }
        guard let letter = letters.first(where: { $0.identifier == name.stringValue }) else {
            throw Refusal(code: "not_found", message: "There is no such dead letter.")
        }
        return [letter]
    }
}

extension DeadLetter {
    /// As administrators see it.
    fileprivate var identifier: String { hexText(id) }
}

extension JSONObjectText {
    fileprivate mutating func describe(_ letter: DeadLetter) {
        field("dead_letter_id", letter.identifier)
        field("organization", letter.organization.text)
        field("kind", letter.kind.name)
        field("first_sequence", letter.sequences.lowerBound)
        field("last_sequence", letter.sequences.upperBound)
        field("subject", letter.subject)
        field("attempts", UInt64(letter.attemptCount))
        field("first_attempt_at", letter.firstAttemptAt)
        field("last_attempt_at", letter.lastAttemptAt)
        field("error", letter.error)
    }
}
