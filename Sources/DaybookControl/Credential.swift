package import DaybookFormat
package import DaybookStore
import Synchronization

/// Who a request comes from: the organization, the user, and what they may do in it. Made once per key or token and
/// shared.
package final class Credential: Sendable {
    /// The id of the key, also of the one that a token came from; of an external issuer's tokens `ext_` and its name.
    package let id: String
    /// How the audit trail names who shows it.
    package let actor: AuditRecord.Actor
    package let organization: OrganizationRecord
    /// Whom events are for when the body names nobody, and whose events are its own.
    package let defaultUser: [UInt8]
    package let role: Role?
    /// What the record of its user says: it may do no more.
    package let userRole: Role?
    package let isOperator: Bool
    /// As they were given; what holds are the permissions.
    package let scopes: ScopeSet
    package let permissions: PermissionSet
    package let expiresAt: Timestamp?
    private let use: LastUse

    init(
        _ record: KeyRecord, _ role: Role?, _ scopes: ScopeSet, of organization: OrganizationRecord,
        expiresAt: Timestamp?, use: LastUse, userRole: Role? = nil
    ) {
        id = record.keyID
        actor = .key(record.keyID)
        self.organization = organization
        defaultUser = Array((record.user.isEmpty ? "owner" : record.user).utf8)
        self.role = role
        self.userRole = userRole
        isOperator = record.isOperator
        self.scopes = scopes
        permissions = PermissionsTable.permissions(
            of: role, scopes, isOperator: record.isOperator, userRole: userRole)
        self.expiresAt = expiresAt
        self.use = use
    }

    /// What is left of a key in one of its tokens, or in a grant.
    init(token id: String, of key: Credential, permissions: PermissionSet, expiresAt: Timestamp?) {
        self.id = key.id
        actor = .token(id)
        organization = key.organization
        defaultUser = key.defaultUser
        role = key.role
        userRole = key.userRole
        isOperator = key.isOperator
        scopes = key.scopes
        self.permissions = permissions
        self.expiresAt = key.expiresAt.map { min($0, expiresAt ?? $0) } ?? expiresAt
        use = key.use
    }

    /// What an external issuer says of somebody.
    init(
        token id: String, of issuerID: String, _ organization: OrganizationRecord, user: String, _ role: Role,
        userRole: Role?, expiresAt: Timestamp
    ) {
        self.id = issuerID
        actor = .token(id)
        self.organization = organization
        defaultUser = Array(user.utf8)
        self.role = role
        self.userRole = userRole
        isOperator = false
        scopes = []
        permissions = PermissionsTable.permissions(of: role, [], isOperator: false, userRole: userRole)
        self.expiresAt = expiresAt
        use = LastUse()
    }

    package var isToken: Bool { if case .token = actor { true } else { false } }

    /// The expiry itself is the first moment at which it no longer holds.
    package func isValid(at now: Timestamp) -> Bool {
        guard let expiresAt else { return true }
        return now < expiresAt
    }

    /// The same for a request that is to be let in, which is remembered as the last use. Complexity: two comparisons, and
    /// a store once a second; no lock.
    package func admits(at now: Timestamp) -> Bool {
        guard isValid(at: now) else { return false }
        use.note(now)
        return true
    }

    package func permits(_ permission: Permission) -> Bool { permissions.contains(permission) }
}

/// When a key was used last, to the second. Written by all event loops: the clock's answers of two of them may cross, which
/// costs less than a second.
final class LastUse: Sendable {
    private static let granularityMicroseconds: Int64 = 1_000_000
    private let microseconds = Atomic<Int64>(.min)

    func note(_ now: Timestamp) {
        let known = microseconds.load(ordering: .relaxed)
        // Written this way so that nothing overflows, whatever the clock says.
        guard known < now.microseconds, known < now.adding(microseconds: -Self.granularityMicroseconds).microseconds
        else { return }
        microseconds.store(now.microseconds, ordering: .relaxed)
    }

    /// Nil before the first use.
    var time: Timestamp? {
        let known = microseconds.load(ordering: .relaxed)
        return known == .min ? nil : Timestamp(microseconds: known)
    }
}
