internal import DaybookCrypto
package import DaybookFormat
package import DaybookStore
package import DaybookSystem
import Synchronization

/// Makes access tokens and refresh tokens for API keys, and judges every token that comes in.
///
/// What lasts is in two places: the keys in their file, grants and revocations in the control log. An access token of
/// this store is worth what its key is worth at this moment, so nothing has to be told to tokens when a key ends.
///
/// Judging is for event loops, too: it never waits for a disk. A signature takes some ten microseconds, and is computed
/// once for each token; for unknown tokens at most so many times a second that an event loop spends a tenth of its time
/// on it.
package final class TokenAuthority: Sendable {
    package enum Verdict: Sendable {
        case accepted(Credential)
        /// With whose token it is, when that is known.
        case refused(Credential?)
        /// Too many unknown tokens came; nothing was looked at.
        case busy
    }

    package enum Failure: Error {
        /// The same answer for every cause, but those who are known are told of in the audit trail.
        case refused(Credential?)
        case tooMany(retrySeconds: UInt64)
        /// Tokens are made for API keys.
        case needsKey
        case notFound
        case hasEnded
        case keysUnusable(String)
    }

    enum KeyState: Sendable {
        case unread
        case missing
        /// With what is wrong.
        case unusable(String)
        case ready(SigningKeys)
    }

    struct State: Sendable {
        var keys = KeyState.unread
        var externals: ExternalIssuers
    }

    static let signaturesPerSecondMax = 1_000

    let store: Store
    let registry: KeyRegistry
    let clock: any Clock
    let entropy: any Entropy
    package let options: TokenOptions
    let state: Mutex<State>
    /// Makes and changes signing keys, and uses up refresh tokens: one at a time. Judging never waits for it.
    let acts = Mutex(())
    let verified = VerifiedTokens()
    let counters = TokenCounters()
    /// How often each key got tokens lately.
    let issueBudgets = Mutex<[String: RateBudget]>([:])
    private let signatures = Mutex<(second: UInt64, count: Int)>((0, 0))

    package init(
        store: Store, registry: KeyRegistry, clock: any Clock, entropy: any Entropy,
        options: TokenOptions = TokenOptions(), externals: ExternalIssuers = .none
    ) {
        self.store = store
        self.registry = registry
        self.clock = clock
        self.entropy = entropy
        self.options = options
        state = Mutex(State(externals: externals))
    }

    var now: Timestamp { Timestamp(microseconds: clock.wallMicroseconds()) }

    // MARK: - Judging

    /// What a token is worth. The caller shows it as the credential of a request.
    package func judge(_ bytes: [UInt8], at now: Timestamp) -> Verdict {
        guard bytes.count <= TokenText.byteCountMax, let hash = KeyHash(SHA256.hash(bytes)) else {
            return .refused(nil)
        }
        // Read before anything else: what changes from here on makes this judgement one of the past.
        let generation = registry.generation
        if let known = verified.find(hash, generation: generation) { return Self.verdict(known, at: now) }
        guard let token = TokenText(bytes), let (origin, key) = key(of: token, at: now) else { return .refused(nil) }
        guard takeSignature() else { return .busy }
        guard key.verifies(token.signature, of: token.signed) else { return .refused(nil) }
        guard let found = judge(token, of: origin) else { return .refused(nil) }
        guard token.hasBegun(at: now) else { return .refused(found.credential) }
        verified.insert(hash, found, generation: generation)
        return Self.verdict(found, at: now)
    }

    /// Whose token it was that has just been judged; nil when nobody knows it.
    package func identify(_ bytes: [UInt8]) -> Credential? {
        guard bytes.count <= TokenText.byteCountMax, let hash = KeyHash(SHA256.hash(bytes)) else { return nil }
        return verified.find(hash, generation: registry.generation)?.credential
    }

    private static func verdict(_ token: VerifiedToken, at now: Timestamp) -> Verdict {
        token.isOpen && token.credential.isValid(at: now) ? .accepted(token.credential) : .refused(token.credential)
    }

    private enum Origin {
        case own
        case external(ExternalIssuer)
    }

    /// The key that the token must have been signed with. The claims are not to be believed yet: they only choose among
    /// keys that are there, and the algorithm is that of the key.
    private func key(of token: TokenText, at now: Timestamp) -> (Origin, SignatureKey)? {
        guard let issuer = token.text("iss") else { return nil }
        let state = state.withLock { $0 }
        let found: (Origin, SignatureKey)?
        if issuer == options.issuer {
            guard case .ready(let keys) = state.keys, token.type == "at+jwt" else { return nil }
            found = keys.verifier(token.keyName, at: now).map { (.own, $0) }
        } else {
            guard let external = state.externals.byIssuer[issuer], external.types.contains(token.type) else {
                return nil
            }
            found = external.keys[token.keyName].map { (.external(external), $0) }
        }
        guard let found, found.1.algorithm.rawValue == token.algorithm else { return nil }
        return found
    }

    private func judge(_ token: TokenText, of origin: Origin) -> VerifiedToken? {
        guard let (issuedAt, end) = token.life else { return nil }
        switch origin {
        case .own: return judgeOwn(token, end: end)
        case .external(let issuer): return judge(token, of: issuer, issuedAt: issuedAt, end: end)
        }
    }

    /// Precondition: the signature is that of this store.
    private func judgeOwn(_ token: TokenText, end: Timestamp) -> VerifiedToken? {
        guard token.names(options.audience, in: "aud"), token.text("sub") != nil, let id = token.text("jti"),
            case .access(_, let keyID)? = TokenIdentifier(id), token.text("azp") == keyID,
            let (key, isRevoked) = registry.standing(of: keyID), token.text("org") == key.organization.id.text,
            let names = token.claims["permissions"]?.arrayValue
        else { return nil }
        let claimed = PermissionSet(names.compactMap(\.stringValue).compactMap(Permission.init))
        let credential = Credential(
            token: id, of: key, permissions: key.permissions.intersection(claimed), expiresAt: end)
        let ledger = store.controlState.tokens
        var isOpen = !isRevoked && ledger.revocation(of: id, in: key.organization.id) == nil
        if let session = token.claims["sid"] {
            guard case .grant(let number, keyID)? = session.stringValue.flatMap(TokenIdentifier.init) else {
                return nil
            }
            // One that is not there any more made room for others.
            isOpen = isOpen && ledger.grant(number, of: keyID).map { $0.revokedAt == nil } ?? false
        }
        return VerifiedToken(credential: credential, isOpen: isOpen)
    }

    /// Precondition: the signature is that of the issuer.
    private func judge(
        _ token: TokenText, of issuer: ExternalIssuer, issuedAt: Timestamp, end: Timestamp
    ) -> VerifiedToken? {
        guard let holder = issuer.holder(of: token), let organization = store.organization(holder.organization) else {
            return nil
        }
        // Not of the signature: some signatures can be written in more than one way.
        let hash = SHA256.hash(token.signed)
        let number = hash[..<8].reduce(0 as UInt64) { $0 << 8 | UInt64($1) }
        let id = TokenIdentifier.external(issuer: issuer.name, number: number).text
        let standing = registry.standing(of: holder.user, in: organization.id)
        let credential = Credential(
            token: id, of: "ext_\(issuer.name)", organization, user: holder.user, holder.role,
            userRole: standing.role, expiresAt: end.adding(microseconds: TokenTimes.leewayMicroseconds))
        let control = store.controlState
        let isOpen =
            !standing.isDisabled && control.tokens.revocation(of: id, in: organization.id) == nil
            && !control.hasForgotten(holder.user, of: organization.id, since: issuedAt)
        return VerifiedToken(credential: credential, isOpen: isOpen)
    }

    /// False when as many signatures were computed in this second as may be.
    private func takeSignature() -> Bool {
        let second = clock.monotonicNanoseconds() / 1_000_000_000
        let isFree = signatures.withLock { used in
            if used.second != second { used = (second, 0) }
            guard used.count < Self.signaturesPerSecondMax else { return false }
            used.count += 1
            return true
        }
        counters.signature(isComputed: isFree)
        return isFree
    }

    // MARK: - Other issuers

    /// Reads the files of external issuers again when they have changed. A fault leaves what was there.
    /// - Returns: whether there was something new.
    package func refreshIssuers() throws(ExternalIssuers.Faults) -> Bool {
        guard !options.issuersFile.isEmpty, state.withLock({ $0.externals }).hasChanged else { return false }
        let read = try ExternalIssuers(reading: options.issuersFile, ownIssuer: options.issuer)
        state.withLock { $0.externals = read }
        registry.newGeneration()
        return true
    }
}

extension ControlState {
    /// Whether the erasure of a user was begun at a moment or after it.
    fileprivate func hasForgotten(_ user: String, of organization: OrganizationID, since moment: Timestamp) -> Bool {
        guard let hash = userHash(of: organization) else { return false }
        let userHash = hash(Array(user.utf8))
        return erasures.values.contains {
            $0.organization == organization && $0.userHash == userHash && $0.begunAt >= moment
        }
    }
}
