package import DaybookFormat

/// What an API key has given a client: refresh tokens that follow each other, of which only the last may be used.
package struct TokenGrant: Sendable, Equatable {
    package var id: UInt64
    package var begunAt: Timestamp
    /// However often it is used.
    package var endsAt: Timestamp
    /// Of the refresh token that may be used; the first is 1.
    package var number: UInt32 = 1
    package var usedAt: Timestamp?
    package var revokedAt: Timestamp?
    /// It was revoked because a refresh token came a second time.
    package var wasUsedTwice = false
}

/// Grants and revoked access tokens, as the control log tells them. Holds what can still matter and no more: by rules
/// that are those of the log, so that every reader of it gets the same.
package struct TokenLedger: Sendable, Equatable {
    /// Of one key. An older grant counts as revoked when there is one more.
    package static let grantCountMax = 1_000

    package struct Revocation: Sendable, Equatable {
        package var at: Timestamp
        package var until: Timestamp
    }

    private struct TokenName: Hashable {
        var organization: OrganizationID
        var id: String
    }

    /// By key, in the order in which they were begun: a change copies the grants of one key, not all.
    private var grantsByKey: [String: [TokenGrant]] = [:]
    private var revocations: [TokenName: Revocation] = [:]

    /// An act about a grant that is not here changes nothing: it ended, or made room. Complexity: O(grants of the key),
    /// or O(revoked access tokens).
    mutating func apply(_ act: TokenAct, at time: Timestamp) {
        switch act {
        case .grantBegun(let id, let keyID, let endsAt):
            var grants = grantsByKey[keyID, default: []]
            grants.removeAll { $0.endsAt <= time || $0.id == id }
            if grants.count >= Self.grantCountMax { grants.removeFirst(grants.count - Self.grantCountMax + 1) }
            grants.append(TokenGrant(id: id, begunAt: time, endsAt: endsAt))
            grantsByKey[keyID] = grants
        case .grantUsed(let id, let keyID, let number):
            change(id, of: keyID) { grant in
                grant.number = number
                grant.usedAt = time
            }
        case .grantRevoked(let id, let keyID, let wasUsedTwice):
            change(id, of: keyID) { grant in
                guard grant.revokedAt == nil else { return }
                grant.revokedAt = time
                grant.wasUsedTwice = wasUsedTwice
            }
        case .tokenRevoked(let id, let organization, let until):
            revocations = revocations.filter { $0.value.until > time }
            let name = TokenName(organization: organization, id: id)
            let known = revocations[name]
            revocations[name] = Revocation(at: known?.at ?? time, until: max(until, known?.until ?? until))
        }
    }

    private mutating func change(_ id: UInt64, of keyID: String, _ body: (inout TokenGrant) -> Void) {
        guard let place = grantsByKey[keyID]?.firstIndex(where: { $0.id == id }) else { return }
        body(&grantsByKey[keyID, default: []][place])
    }

    /// The key opens nothing any more.
    mutating func forget(keyID: String) { grantsByKey[keyID] = nil }

    /// In the order in which they were begun, ended ones perhaps among them.
    package func grants(of keyID: String) -> [TokenGrant] { grantsByKey[keyID] ?? [] }

    package func grant(_ id: UInt64, of keyID: String) -> TokenGrant? { grantsByKey[keyID]?.first { $0.id == id } }

    /// Nil for an access token that nobody revoked.
    package func revocation(of id: String, in organization: OrganizationID) -> Revocation? {
        revocations[TokenName(organization: organization, id: id)]
    }

    /// Revoked access tokens of one organization, in the order of their ids.
    package func revocations(in organization: OrganizationID) -> [(id: String, revocation: Revocation)] {
        revocations.filter { $0.key.organization == organization }.map { ($0.key.id, $0.value) }
            .sorted { $0.id < $1.id }
    }
}
