internal import DaybookEvent
internal import DaybookFormat
internal import DaybookStore
internal import DaybookSystem
import Synchronization

/// What a client gets. The texts are shown once and kept nowhere.
struct IssuedTokens {
    var access: String
    var id: String
    var issuedAt: Timestamp
    var endsAt: Timestamp
    var credential: Credential
    var refresh: (token: RefreshToken, endsAt: Timestamp)?
}

extension TokenAuthority {
    /// Of one key, grants and refreshes together: each leaves an act in the control log for ever.
    static let issueLimit = RateLimit(requestsPerMinute: 30, isAdaptive: false)
    private static let issueBudgetCountMax = 4_096

    /// Makes an access token for a key, and a grant with its first refresh token unless there is to be none. What the
    /// control log has to know is durable when this returns.
    /// - Parameters:
    ///   - lifetimeSeconds: nil is what is configured; a token never outlives its key, nor its grant.
    ///   - origin: whoever asks; the entry of the audit trail names the new token.
    func issue(
        for key: Credential, lifetimeSeconds: Int64?, hasRefresh: Bool, _ origin: RequestOrigin
    ) throws -> IssuedTokens {
        guard !key.isToken else { throw Failure.needsKey }
        let now = now
        guard let (_, isRevoked) = registry.standing(of: key.id), !isRevoked, key.isValid(at: now) else {
            throw Failure.refused(key)
        }
        let keys = try preparedKeys()
        try admit(key.id)
        var acts: [ControlEvent] = []
        var grant: (number: UInt64, endsAt: Timestamp)?
        if hasRefresh {
            let end = now.adding(microseconds: options.refreshSeconds * TokenTimes.secondMicroseconds)
            let granted = (number: entropy.next(), endsAt: min(end, key.expiresAt ?? end))
            acts.append(
                .token(.grantBegun(id: granted.number, keyID: key.id, endsAt: granted.endsAt), at: now))
            grant = granted
        }
        var issued = try makeAccess(for: key, lifetimeSeconds, grant: grant, keys, at: now)
        if let grant {
            issued.refresh = (keys.refreshToken(1, of: grant.number, keyID: key.id), grant.endsAt)
        }
        let record = origin.record("token.issue", issued.id, in: key.organization.id, at: now)
        try store.appendControl(acts + [.audited(record)])
        counters.issued()
        return issued
    }

    /// Gives new tokens for a refresh token, which is used up by that: one that comes a second time ends its grant, with
    /// the access tokens that came of it, because two have it.
    func refresh(_ text: String, _ origin: RequestOrigin) throws -> IssuedTokens {
        let keys = try preparedKeys()
        guard let token = keys.refreshToken(parsing: text), let (key, isRevoked) = registry.standing(of: token.keyID)
        else { throw Failure.refused(nil) }
        let id = TokenIdentifier.grant(number: token.grant, keyID: token.keyID).text
        let holder = Credential(token: id, of: key, permissions: key.permissions, expiresAt: key.expiresAt)
        var known = origin
        known.credential = holder
        return try acts.withLock { _ in
            let now = now
            guard let grant = store.controlState.tokens.grant(token.grant, of: token.keyID), grant.revokedAt == nil,
                now < grant.endsAt, !isRevoked, key.isValid(at: now)
            else { throw Failure.refused(holder) }
            guard token.number >= grant.number else {
                try revokeUsedTwice(token, id, known, at: now)
                throw Failure.refused(holder)
            }
            guard token.number == grant.number, token.number < .max else { throw Failure.refused(holder) }
            try admit(key.id)
            var issued = try makeAccess(for: key, nil, grant: (number: grant.id, endsAt: grant.endsAt), keys, at: now)
            let next = token.number + 1
            issued.refresh = (keys.refreshToken(next, of: token.grant, keyID: key.id), grant.endsAt)
            try store.appendControl([.token(.grantUsed(id: token.grant, keyID: key.id, number: next), at: now)])
            counters.refreshed()
            return issued
        }
    }

    private func revokeUsedTwice(
        _ token: RefreshToken, _ id: String, _ origin: RequestOrigin, at now: Timestamp
    ) throws {
        let organization = origin.credential?.organization.id
        try store.appendControl([
            .token(.grantRevoked(id: token.grant, keyID: token.keyID, wasUsedTwice: true), at: now),
            .audited(origin.record("token.reuse", id, in: organization, at: now, .unauthorized)),
        ])
        registry.newGeneration()
        counters.usedTwice()
    }

    private func admit(_ keyID: String) throws(Failure) {
        let moment = clock.monotonicNanoseconds()
        let decision = issueBudgets.withLock { budgets in
            if budgets.count >= Self.issueBudgetCountMax {
                for (name, budget) in budgets {
                    var budget = budget
                    if budget.isForgettable(at: moment) { budgets[name] = nil }
                }
            }
            return budgets[keyID, default: RateBudget()].admit(at: moment, Self.issueLimit)
        }
        guard decision.isAdmitted else { throw .tooMany(retrySeconds: decision.retrySeconds) }
    }

    /// Signs what the key may do at this moment.
    private func makeAccess(
        for key: Credential, _ lifetimeSeconds: Int64?, grant: (number: UInt64, endsAt: Timestamp)?,
        _ keys: SigningKeys, at now: Timestamp
    ) throws -> IssuedTokens {
        let issuedSecond = now.microseconds / TokenTimes.secondMicroseconds
        var endSecond = issuedSecond + (lifetimeSeconds ?? options.accessSeconds)
        for end in [key.expiresAt, grant?.endsAt].compactMap(\.self) {
            endSecond = min(endSecond, max(issuedSecond + 1, end.microseconds / TokenTimes.secondMicroseconds))
        }
        let id = TokenIdentifier.access(number: entropy.next(), keyID: key.id).text
        var claims = JSONObjectText()
        claims.field("sub", String(decoding: key.defaultUser, as: UTF8.self))
        claims.field("iss", options.issuer)
        claims.field("aud", options.audience)
        for (name, second) in [("iat", issuedSecond), ("nbf", issuedSecond), ("exp", endSecond)] {
            claims.field(name, UInt64(max(0, second)))
        }
        claims.field("jti", id)
        claims.field("azp", key.id)
        claims.field("org", key.organization.id.text)
        if let role = key.role { claims.field("role", role.rawValue) } else { claims.field("role", json: nil) }
        claims.field("permissions", key.permissions.names)
        if let grant { claims.field("sid", TokenIdentifier.grant(number: grant.number, keyID: key.id).text) }
        let text = try keys.signed(claims.finished())
        return IssuedTokens(
            access: text, id: id, issuedAt: Timestamp(microseconds: issuedSecond * TokenTimes.secondMicroseconds),
            endsAt: Timestamp(microseconds: endSecond * TokenTimes.secondMicroseconds), credential: key)
    }
}

extension SigningKeys {
    /// The token with these claims, in the compact form of RFC 7515.
    func signed(_ claims: [UInt8]) throws -> String {
        var header = JSONObjectText()
        header.field("alg", signer.algorithm.rawValue)
        header.field("typ", "at+jwt")
        header.field("kid", signerName)
        var bytes: [UInt8] = []
        Base64URL.append(header.finished(), to: &bytes)
        bytes.append(UInt8(ascii: "."))
        Base64URL.append(claims, to: &bytes)
        let signature = try signer.sign(bytes)
        bytes.append(UInt8(ascii: "."))
        Base64URL.append(signature, to: &bytes)
        return String(decoding: bytes, as: UTF8.self)
    }
}
