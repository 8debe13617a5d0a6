package import DaybookFormat
package import DaybookStore

/// Who a request comes from: the organization, and what the key may do in it. Made once per key and shared.
package final class Credential: Sendable {
    package let keyID: String
    package let organization: OrganizationRecord
    /// Whom events are for when the body names nobody.
    package let defaultUser: [UInt8]
    package let scopes: ScopeSet
    package let expiresAt: Timestamp?

    package init(
        keyID: String, organization: OrganizationRecord, defaultUser: [UInt8], scopes: ScopeSet, expiresAt: Timestamp?
    ) {
        self.keyID = keyID
        self.organization = organization
        self.defaultUser = defaultUser
        self.scopes = scopes
        self.expiresAt = expiresAt
    }

    /// The expiry itself is the first moment at which the key no longer holds.
    package func isValid(at now: Timestamp) -> Bool {
        guard let expiresAt else { return true }
        return now < expiresAt
    }
}
