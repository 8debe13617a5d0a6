internal import DaybookFormat
internal import DaybookStore
internal import DaybookSystem
import Synchronization

/// What was revoked.
struct TokenRevocation {
    var id: String
    var organization: OrganizationID
    var revokedAt: Timestamp
}

extension TokenAuthority {
    /// Ends an access token, or a grant with all tokens that came of it, at once. Revoking again changes nothing; the
    /// first moment counts.
    /// - Parameters:
    ///   - organization: where it has to be; nil when anywhere will do.
    ///   - origin: with a credential: whoever may manage keys revokes any token of the organization, everybody the own
    ///     ones, which are those of the same key. All others are not found.
    func revoke(
        _ name: TokenName, in organization: OrganizationID?, _ origin: RequestOrigin
    ) throws -> TokenRevocation {
        let found = try target(name, in: organization)
        if let credential = origin.credential, !credential.permits(.manageKeys) {
            // Holders of tokens of one external issuer are not one owner.
            let isOwn = found.isExternal ? found.id == credential.actor.text : found.owner == credential.id
            guard isOwn else { throw Failure.notFound }
        }
        return try acts.withLock { _ in
            let now = now
            let ledger = store.controlState.tokens
            var act: TokenAct
            switch found.identifier {
            case .grant(let number, let keyID):
                guard let grant = ledger.grant(number, of: keyID) else { throw Failure.notFound }
                if let known = grant.revokedAt { return found.revocation(at: known) }
                act = .grantRevoked(id: number, keyID: keyID, wasUsedTwice: false)
            case .access, .external:
                if let known = ledger.revocation(of: found.id, in: found.organization) {
                    return found.revocation(at: known.at)
                }
                let until = found.endsAt ?? now.adding(microseconds: TokenTimes.endMicroseconds)
                guard now < until else { throw Failure.hasEnded }
                act = .tokenRevoked(id: found.id, found.organization, until: until)
            }
            try store.appendControl([
                .token(act, at: now),
                .audited(origin.record("token.revoke", found.id, in: found.organization, at: now)),
            ])
            registry.newGeneration()
            return found.revocation(at: now)
        }
    }

    private struct Target {
        var identifier: TokenIdentifier
        var organization: OrganizationID
        /// The id of the credentials that are its owner's.
        var owner: String
        /// Nil when only its name is known.
        var endsAt: Timestamp?

        var id: String { identifier.text }
        var isExternal: Bool { if case .external = identifier { true } else { false } }

        func revocation(at time: Timestamp) -> TokenRevocation {
            TokenRevocation(id: id, organization: organization, revokedAt: time)
        }
    }

    private func target(_ name: TokenName, in organization: OrganizationID?) throws -> Target {
        switch name {
        case .id(let text):
            guard let identifier = TokenIdentifier(text) else { throw Failure.notFound }
            switch identifier {
            case .access(_, let keyID), .grant(_, let keyID):
                guard let (key, _) = registry.standing(of: keyID),
                    organization == nil || organization == key.organization.id
                else { throw Failure.notFound }
                return Target(identifier: identifier, organization: key.organization.id, owner: keyID)
            case .external(let issuer, _):
                // Only its organization knows it, so that has to be named.
                guard let organization else { throw Failure.notFound }
                return Target(identifier: identifier, organization: organization, owner: "ext_\(issuer)")
            }
        case .text(let text):
            if text.hasPrefix(RefreshToken.prefix) {
                guard let token = try preparedKeys().refreshToken(parsing: text) else { throw Failure.notFound }
                let id = TokenIdentifier.grant(number: token.grant, keyID: token.keyID).text
                return try target(.id(id), in: organization)
            }
            try prepare()
            switch judge(Array(text.utf8), at: now) {
            case .accepted(let credential), .refused(let credential?):
                guard let identifier = TokenIdentifier(credential.actor.text),
                    organization == nil || organization == credential.organization.id
                else { throw Failure.notFound }
                return Target(
                    identifier: identifier, organization: credential.organization.id, owner: credential.id,
                    endsAt: credential.expiresAt)
            case .refused(nil), .busy: throw Failure.notFound
            }
        }
    }
}

/// How somebody names a token.
enum TokenName {
    /// As lists and the audit trail have it.
    case id(String)
    /// The access token or refresh token itself.
    case text(String)
}
