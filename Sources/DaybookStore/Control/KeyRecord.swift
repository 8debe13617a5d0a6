package import DaybookFormat

/// An API key as the control log keeps it: its hash, never the key.
package struct KeyRecord: Sendable, Equatable {
    /// Bytes of `hash`.
    package static let hashByteCount = 32

    package var keyID: String
    package var organization: OrganizationID
    package var name: String
    /// SHA-256 of the whole key text.
    package var hash: [UInt8]
    package var scopes: [String]
    /// Whom events are for when the body names nobody; empty: `owner`.
    package var user: String
    package var createdAt: Timestamp
    package var expiresAt: Timestamp?

    package init(
        keyID: String, organization: OrganizationID, name: String, hash: [UInt8], scopes: [String], user: String,
        createdAt: Timestamp, expiresAt: Timestamp?
    ) {
        self.keyID = keyID
        self.organization = organization
        self.name = name
        self.hash = hash
        self.scopes = scopes
        self.user = user
        self.createdAt = createdAt
        self.expiresAt = expiresAt
    }
}

extension KeyRecord {
    private static let blank = Character("*")

    /// The key of a user who is to be forgotten: of both texts only the lengths are left, so that the act that made the key
    /// can be written anew in its place.
    var blanked: KeyRecord {
        var key = self
        key.user = String(repeating: Self.blank, count: user.utf8.count)
        key.name = String(repeating: Self.blank, count: name.utf8.count)
        return key
    }
}
