package import DaybookFormat
package import DaybookStore
import Synchronization

/// What the record of a user says of the credentials that act for the user.
package struct UserStanding: Sendable, Equatable {
    /// They open nothing.
    package var isDisabled = false
    /// They may do no more than this role; nil is no such bound.
    package var role: Role?

    package static let unbound = UserStanding()

    /// A role that this version does not know opens nothing.
    init(_ record: UserRecord) {
        role = Role(rawValue: record.role)
        isDisabled = record.isDisabled || role == nil && !record.role.isEmpty
    }

    init() {}
}

/// Users and what they are: each change is durable when its function returns, and holds for every key of the user at once.
extension KeyRegistry {
    /// What holds for credentials of a user. A key that was made for nobody is the organization's own: no record
    /// bounds it.
    /// - Parameter user: as the key names it; empty for nobody.
    package func standing(of user: String, in organization: OrganizationID) -> UserStanding {
        guard !user.isEmpty, let known = store.members(of: organization).user(user) else { return .unbound }
        return UserStanding(known.record)
    }

    /// Makes or changes the record of a user.
    package func set(_ record: UserRecord, with acts: [ControlEvent] = []) throws {
        try self.acts.withLock { _ in
            try store.appendControl([.members(.userSet(record, at: now))] + acts)
            renewKeys(of: record.user, in: record.organization)
        }
    }

    /// Ends the record of a user, and revokes the user's keys.
    /// - Parameter acts: that go with it; told which keys are revoked.
    /// - Returns: the ids of these keys.
    package func delete(_ record: UserRecord, with acts: ([String]) -> [ControlEvent] = { _ in [] }) throws -> [String]
    {
        try self.acts.withLock { _ in
            let now = now
            let keyIDs = state.withLock { state in
                state.entries.values.filter {
                    $0.isKey(of: record.user, in: record.organization) && $0.revokedAt == nil
                }
                .map(\.record.keyID).sorted()
            }
            let revocations = keyIDs.map { ControlEvent.keyRevoked(keyID: $0, at: now) }
            let deletion = MemberAct.userDeleted(record.organization, recordID: record.recordID, at: now)
            try store.appendControl(revocations + [.members(deletion)] + acts(keyIDs))
            for keyID in keyIDs { apply(revoked: keyID, at: now) }
            renewKeys(of: record.user, in: record.organization)
            return keyIDs
        }
    }

    /// Credentials that were handed out before are looked up again, also those of a user without keys: tokens of external
    /// issuers name users, too.
    private func renewKeys(of user: String, in organization: OrganizationID) {
        let standing = standing(of: user, in: organization)
        state.withLock { state in
            for (keyID, known) in state.entries where known.isKey(of: user, in: organization) {
                var entry = known
                entry.isSuspended = standing.isDisabled
                let old = known.credential
                entry.credential = Credential(
                    known.record, old.role, old.scopes, of: old.organization, expiresAt: old.expiresAt,
                    use: known.use, userRole: standing.role)
                state.entries[keyID] = entry
            }
        }
        newGeneration()
    }
}

extension KeyRegistry.Entry {
    fileprivate func isKey(of user: String, in organization: OrganizationID) -> Bool {
        record.user == user && record.organization == organization
    }
}
