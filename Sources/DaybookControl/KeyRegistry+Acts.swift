package import DaybookFormat
package import DaybookStore
internal import DaybookSystem
import Synchronization

/// What a new key is to be.
package struct NewKey: Sendable {
    package var name = ""
    /// Empty with a role: all that the role may.
    package var scopes: ScopeSet = []
    package var role: Role?
    package var isOperator = false
    /// Empty: `owner`.
    package var user = ""
    package var expiresAt: Timestamp?

    package init() {}

    package var permissions: PermissionSet {
        PermissionsTable.permissions(of: role, scopes, isOperator: isOperator)
    }
}

/// A key with its text, which is returned once and kept nowhere.
package struct MadeKey: Sendable {
    package let key: APIKey
    package let record: KeyRecord
}

/// What changes keys. Each act is durable when its function returns, and goes with its entry of the audit trail as one
/// group: neither is there without the other.
extension KeyRegistry {
    /// - Throws: `Failure.organizationNotFound`, or what the store throws.
    package func create(
        _ new: NewKey, in organization: OrganizationID, with acts: (KeyRecord) -> [ControlEvent] = { _ in [] }
    ) throws -> MadeKey {
        guard store.organization(organization) != nil else { throw Failure.organizationNotFound }
        let made = make(new, in: organization)
        try self.acts.withLock { _ in
            try store.appendControl([.keyCreated(made.record)] + acts(made.record))
            apply(created: made.record)
        }
        return made
    }

    /// A key that its scopes alone describe.
    package func create(
        organization: OrganizationID, name: String, scopes: ScopeSet, user: String, expiresAt: Timestamp?
    ) throws -> (key: APIKey, record: KeyRecord) {
        var new = NewKey()
        new.name = name
        new.scopes = scopes
        new.user = user
        new.expiresAt = expiresAt
        let made = try create(new, in: organization)
        return (made.key, made.record)
    }

    /// Makes an organization and its first key, both or neither.
    package func createOrganization(
        _ id: OrganizationID, first new: NewKey, with acts: (KeyRecord) -> [ControlEvent] = { _ in [] }
    ) throws -> MadeKey {
        let made = make(new, in: id)
        try self.acts.withLock { _ in
            _ = try store.createOrganization(id, with: [.keyCreated(made.record)] + acts(made.record))
            apply(created: made.record)
        }
        return made
    }

    private func make(_ new: NewKey, in organization: OrganizationID, predecessor: String = "") -> MadeKey {
        let key = APIKey(entropy: entropy)
        let record = KeyRecord(
            keyID: "key_" + hexText(entropy.next()), organization: organization, name: new.name, hash: key.hash,
            scopes: new.scopes.names, user: new.user, createdAt: now, expiresAt: new.expiresAt,
            role: new.role?.rawValue ?? "", isOperator: new.isOperator, predecessor: predecessor)
        return MadeKey(key: key, record: record)
    }

    /// Makes a key that takes the place of another one: same name, user, role and scopes. The old one goes on opening for
    /// the grace, or until its own end when that is sooner.
    /// - Parameters:
    ///   - organization: when given, a key of any other organization is not found.
    ///   - expiresAt: of the new key; nil gives it as long a life as the old one was given.
    package func rotate(
        keyID: String, organization: OrganizationID?, graceMicroseconds: Int64, expiresAt: Timestamp?,
        with acts: (KeyRecord) -> [ControlEvent] = { _ in [] }
    ) throws -> (key: MadeKey, oldUntil: Timestamp) {
        precondition(graceMicroseconds >= 0)
        return try self.acts.withLock { _ in
            let known = state.withLock { $0.entries[keyID] }
            guard let known, organization == nil || organization == known.record.organization else {
                throw Failure.keyNotFound
            }
            guard known.revokedAt == nil else { throw Failure.alreadyRevoked }
            guard known.retiredAt == nil else { throw Failure.alreadyRotated }
            let now = now
            guard known.credential.isValid(at: now) else { throw Failure.expired }
            var new = NewKey()
            new.name = known.record.name
            new.scopes = known.credential.scopes
            new.role = known.credential.role
            new.isOperator = known.record.isOperator
            new.user = known.record.user
            new.expiresAt = expiresAt ?? known.record.lifetimeMicroseconds.map { now.adding(microseconds: $0) }
            let made = make(new, in: known.record.organization, predecessor: keyID)
            let graceEnd = now.adding(microseconds: graceMicroseconds)
            let until = min(graceEnd, known.record.expiresAt ?? graceEnd)
            let retirement = ControlEvent.keyRetired(keyID: keyID, until: until, at: now)
            try store.appendControl([.keyCreated(made.record), retirement] + acts(made.record))
            apply(created: made.record)
            apply(retired: keyID, until: until)
            return (made, until)
        }
    }

    /// Revokes a key; from then on no request gets in with it.
    /// - Parameter organization: when given, a key of any other organization is not found.
    @discardableResult
    package func revoke(
        keyID: String, organization: OrganizationID? = nil, with acts: (KeyRecord) -> [ControlEvent] = { _ in [] }
    ) throws -> Timestamp {
        try self.acts.withLock { _ in
            let known = state.withLock { $0.entries[keyID] }
            guard let known, organization == nil || organization == known.record.organization else {
                throw Failure.keyNotFound
            }
            guard known.revokedAt == nil else { throw Failure.alreadyRevoked }
            let now = now
            try store.appendControl([.keyRevoked(keyID: keyID, at: now)] + acts(known.record))
            apply(revoked: keyID, at: now)
            return now
        }
    }

    /// Begins the erasure of a user, durably: the user's keys open nothing when this returns.
    package func beginErasure(
        of user: String, in organization: OrganizationID, with acts: (ErasureRecord) -> [ControlEvent] = { _ in [] }
    ) throws -> ErasureRecord {
        try self.acts.withLock { _ in
            let erasure = try store.beginErasure(of: user, in: organization, entropy: entropy, with: acts)
            let control = store.controlState
            let known = state.withLock { $0.entries }
            // Of the user's keys the records are other ones now, without names; and they were revoked with it.
            for (keyID, entry) in known {
                guard let record = control.keys[keyID], record != entry.record || entry.revokedAt == nil else {
                    continue
                }
                if record != entry.record { apply(blanked: record) }
                if entry.revokedAt == nil, let at = control.revocations[keyID] { apply(revoked: keyID, at: at) }
            }
            // The user may hold an external issuer's token, and no key.
            newGeneration()
            return erasure
        }
    }

    /// The key of a user who is to be forgotten: neither record nor credential keeps the name.
    private func apply(blanked record: KeyRecord) {
        state.withLock { state in
            guard var entry = state.entries[record.keyID] else { return }
            let old = entry.credential
            entry.record = record
            entry.credential = Credential(
                record, old.role, old.scopes, of: old.organization, expiresAt: old.expiresAt, use: entry.use,
                userRole: old.userRole)
            state.entries[record.keyID] = entry
        }
    }

    // MARK: - Last use

    private static let writtenUseIntervalMicroseconds: Int64 = 24 * 3_600 * 1_000_000

    /// Uses that the control log does not have yet: of each key at most one a day, or all of them.
    func unwrittenUses(all: Bool) -> [KeyUse] {
        state.withLock { state in
            state.entries.compactMap { keyID, entry in
                guard let used = entry.use.time else { return nil }
                if let written = entry.writtenUse {
                    let due = written.adding(microseconds: all ? 1 : Self.writtenUseIntervalMicroseconds)
                    guard used >= due else { return nil }
                }
                return KeyUse(keyID: keyID, at: used)
            }
        }.sorted { $0.keyID < $1.keyID }
    }

    func noteWritten(_ uses: [KeyUse]) {
        state.withLock { state in
            for use in uses { state.entries[use.keyID]?.writtenUse = use.at }
        }
    }
}

extension KeyRecord {
    fileprivate var lifetimeMicroseconds: Int64? {
        guard let expiresAt else { return nil }
        let (lifetime, overflow) = expiresAt.microseconds.subtractingReportingOverflow(createdAt.microseconds)
        return overflow ? .max : max(1, lifetime)
    }
}
