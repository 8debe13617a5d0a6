internal import DaybookEvent
internal import DaybookFormat
internal import DaybookStore

/// Access tokens, refresh tokens and the keys that sign them.
extension Administration {
    func issueToken(_ request: ControlDocument, _ origin: RequestOrigin) throws -> [UInt8] {
        var reader = FieldReader(request)
        if origin.credential != nil {
            for name in ["key_id", "organization"] where request[name] != nil {
                reader.fault(name, "is not a field of this request")
            }
        }
        let keyID = origin.credential?.id ?? reader.text("key_id")
        // Who has the data directory may give a token a longer life than the server does.
        let lifetimeMax = origin.credential == nil ? TokenTimes.lifetimeSecondsMax : tokens.options.accessSeconds
        let lifetime = reader.integer("expires_in_seconds", 60...lifetimeMax)
        let hasRefresh = request["refresh"] == nil ? true : reader.flag("refresh")
        try reader.check()
        let key: Credential
        if let credential = origin.credential {
            key = credential
        } else {
            key = try registry.credential(of: keyID, in: try scope(of: request, origin))
            if registry.standing(of: keyID)?.isRevoked == true { throw KeyRegistry.Failure.alreadyRevoked }
            guard key.isValid(at: now) else { throw KeyRegistry.Failure.expired }
        }
        return answer(try tokens.issue(for: key, lifetimeSeconds: lifetime, hasRefresh: hasRefresh, origin))
    }

    func refreshToken(_ request: ControlDocument, _ origin: RequestOrigin) throws -> [UInt8] {
        var reader = FieldReader(request)
        let text = reader.text("refresh_token", byteCountMax: 1_024)
        try reader.check()
        return answer(try tokens.refresh(text, origin))
    }

    private func answer(_ issued: IssuedTokens) -> [UInt8] {
        let key = issued.credential
        var answer = JSONObjectText()
        answer.field("access_token", issued.access)
        answer.field("token_type", "Bearer")
        answer.field(
            "expires_in", UInt64(max(0, issued.endsAt.microseconds - issued.issuedAt.microseconds) / 1_000_000))
        answer.field("expires_at", issued.endsAt)
        answer.field("token_id", issued.id)
        if let refresh = issued.refresh {
            answer.field("refresh_token", refresh.token.text)
            answer.field("refresh_expires_at", refresh.endsAt)
            answer.field(
                "grant_id", TokenIdentifier.grant(number: refresh.token.grant, keyID: refresh.token.keyID).text)
        } else {
            for name in ["refresh_token", "refresh_expires_at", "grant_id"] { answer.field(name, json: nil) }
        }
        answer.field("organization", key.organization.id.text)
        answer.field("user", String(decoding: key.defaultUser, as: UTF8.self))
        if let role = key.role { answer.field("role", role.rawValue) } else { answer.field("role", json: nil) }
        answer.field("permissions", key.permissions.names)
        return answer.finished()
    }

    func revokeToken(_ request: ControlDocument, _ origin: RequestOrigin) throws -> [UInt8] {
        var reader = FieldReader(request)
        let id = request["token_id"] == nil ? nil : reader.text("token_id")
        let text = request["token"] == nil ? nil : reader.text("token", byteCountMax: TokenText.byteCountMax)
        let name: TokenName
        switch (id, text, origin.credential) {
        case (let id?, nil, _): name = .id(id)
        case (nil, let text?, _): name = .text(text)
        case (nil, nil, let credential?) where credential.isToken: name = .id(credential.actor.text)
        default:
            reader.fault("token_id", "or token must name one token")
            name = .id("")
        }
        try reader.check()
        let revoked = try tokens.revoke(name, in: try scope(of: request, origin), origin)
        var answer = JSONObjectText()
        answer.field("token_id", revoked.id)
        answer.field("organization", revoked.organization.text)
        answer.field("revoked_at", revoked.revokedAt)
        return answer.finished()
    }

    fileprivate struct ListedToken {
        var id: String
        var keyID: String?
        var user: String?
        var grant: TokenGrant?
        var revocation: TokenLedger.Revocation?
    }

    func listTokens(_ request: ControlDocument, _ origin: RequestOrigin) throws -> [UInt8] {
        let id = try organization(of: request, origin)
        guard store.organization(id) != nil else { throw KeyRegistry.Failure.organizationNotFound }
        let ledger = store.controlState.tokens
        let now = now
        var listed: [ListedToken] = []
        for key in registry.list(organization: id) {
            for grant in ledger.grants(of: key.record.keyID) where now < grant.endsAt {
                listed.append(
                    ListedToken(
                        id: TokenIdentifier.grant(number: grant.id, keyID: key.record.keyID).text,
                        keyID: key.record.keyID, user: key.record.user.isEmpty ? "owner" : key.record.user,
                        grant: grant))
            }
        }
        for (id, revocation) in ledger.revocations(in: id) where now < revocation.until {
            listed.append(ListedToken(id: id, revocation: revocation))
        }
        return try Page(request).answer(origin, "tokens", listed, id: \.id) { token, item in
            item.field("token_id", token.id)
            item.field("kind", token.grant == nil ? "access" : "grant")
            if let keyID = token.keyID { item.field("key_id", keyID) } else { item.field("key_id", json: nil) }
            if let user = token.user { item.field("user", user) } else { item.field("user", json: nil) }
            item.field("created_at", token.grant?.begunAt)
            item.field("expires_at", token.grant?.endsAt ?? token.revocation?.until)
            item.field("refreshes", UInt64((token.grant?.number ?? 1) - 1))
            item.field("refreshed_at", token.grant?.usedAt)
            item.field("revoked_at", token.grant?.revokedAt ?? token.revocation?.at)
            if let reason = token.reason { item.field("reason", reason) } else { item.field("reason", json: nil) }
        }
    }

    func rotateSigningKey(_ request: ControlDocument, _ origin: RequestOrigin) throws -> [UInt8] {
        let atOnce = try flag("at_once", of: request)
        let now = now
        let file = try tokens.rotateKeys(atOnce: atOnce) { name in
            [.audited(origin.record("token.rotate_key", name, in: nil, at: now))]
        }
        guard let key = file.keys.last else { preconditionFailure("signing keys without one that signs") }
        var answer = JSONObjectText()
        answer.field("signing_key", key.name)
        answer.field("algorithm", key.algorithm.rawValue)
        answer.field("created_at", key.madeAt)
        answer.list("old_keys", Array(file.keys.dropLast())) { key, item in
            item.field("signing_key", key.name)
            item.field("algorithm", key.algorithm.rawValue)
            item.field("verifies_until", key.verifiesUntil)
        }
        return answer.finished()
    }

    /// The public keys that verify access tokens of this store, as a JWK set.
    package func publicKeySet() -> Result<[UInt8], Refusal> {
        do {
            return .success(try tokens.publicKeySet())
        } catch let failure as TokenAuthority.Failure {
            return .failure(refusal(for: failure, .local))
        } catch {
            return .failure(Refusal(code: "storage_unavailable", message: "The signing keys are not there: \(error)"))
        }
    }

    /// Tells the audit trail of those who are known.
    func refusal(for failure: TokenAuthority.Failure, _ origin: RequestOrigin) -> Refusal {
        switch failure {
        case .refused(let credential):
            var refusal = Refusal(code: "unauthorized", message: "A valid credential is required.")
            refusal.isOfSomebodyKnown = credential != nil
            if let credential, let trail {
                var known = origin
                known.credential = credential
                trail.noteDenial(known, .unauthorized)
            }
            return refusal
        case .tooMany(let seconds):
            var refusal = Refusal(
                code: "rate_limited",
                message:
                    "A key gets tokens \(TokenAuthority.issueLimit.requestsPerMinute) times a minute; keep them until they end."
            )
            refusal.retrySeconds = seconds
            return refusal
        case .needsKey: return Refusal(code: "forbidden", message: "Tokens are made for API keys, not for tokens.")
        case .notFound: return Refusal(code: "not_found", message: "There is no such token.")
        case .hasEnded: return Refusal(code: "conflict", message: "The token has ended by itself.")
        case .keysUnusable(let reason):
            return Refusal(
                code: "storage_unavailable",
                message:
                    "The signing keys cannot be used: \(reason). daybook token rotate-key makes new ones; every token made before ends."
            )
        }
    }
}

extension Administration.ListedToken {
    fileprivate var reason: String? {
        guard grant?.revokedAt != nil || revocation != nil else { return nil }
        return grant?.wasUsedTwice == true ? "used twice" : "asked for"
    }
}
