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
    /// What the key may do, by the name of a role; empty: what its scopes say.
    package var role: String
    /// May also do what is the operator's.
    package var isOperator: Bool
    /// The id of the key that it took the place of; empty for a key of its own.
    package var predecessor: String

    package init(
        keyID: String, organization: OrganizationID, name: String, hash: [UInt8], scopes: [String], user: String,
        createdAt: Timestamp, expiresAt: Timestamp?, role: String = "", isOperator: Bool = false,
        predecessor: String = ""
    ) {
        self.keyID = keyID
        self.organization = organization
        self.name = name
        self.hash = hash
        self.scopes = scopes
        self.user = user
        self.createdAt = createdAt
        self.expiresAt = expiresAt
        self.role = role
        self.isOperator = isOperator
        self.predecessor = predecessor
    }

    /// Whether it needs the act that tells all of it.
    var hasRights: Bool { !role.isEmpty || isOperator || !predecessor.isEmpty }
}

/// When a key opened something for the last time.
package struct KeyUse: Sendable, Equatable {
    package var keyID: String
    package var at: Timestamp

    package init(keyID: String, at: Timestamp) {
        self.keyID = keyID
        self.at = at
    }
}

extension KeyRecord {
    /// The key of a user who is to be forgotten: of both texts only the lengths are left, so that the act that made the key
    /// can be written anew in its place.
    var blanked: KeyRecord {
        var key = self
        key.user = BlankText.of(user)
        key.name = BlankText.of(name)
        return key
    }
}
