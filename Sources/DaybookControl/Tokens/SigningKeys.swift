internal import DaybookCrypto
internal import DaybookEvent
internal import DaybookFormat
internal import DaybookSystem

/// The signing keys of a store, ready for use.
struct SigningKeys: Sendable {
    let file: SigningKeysFile
    let signer: SignatureKey
    private let verifiers: [String: (key: SignatureKey, until: Timestamp?)]
    private let grantCode: HMACSHA256

    /// - Throws: when one of the numbers in the file is no key.
    init(_ file: SigningKeysFile) throws(SignatureKey.Unusable) {
        self.file = file
        grantCode = HMACSHA256(key: file.grantSecret)
        var verifiers: [String: (key: SignatureKey, until: Timestamp?)] = [:]
        var last: SignatureKey?
        for key in file.keys {
            let usable = try SignatureKey(privateKey: key.privateKey, key.algorithm)
            verifiers[key.name] = (usable, key.verifiesUntil)
            last = usable
        }
        guard let last else { throw SignatureKey.Unusable(description: "no signing key at all") }
        self.verifiers = verifiers
        signer = last
    }

    /// The name of the key that signs.
    var signerName: String { file.keys.last?.name ?? "" }

    /// The key of a name; nil when there is none, or when all that it signed has ended.
    func verifier(_ name: String, at now: Timestamp) -> SignatureKey? {
        guard let known = verifiers[name], known.until.map({ now < $0 }) ?? true else { return nil }
        return known.key
    }

    /// The public keys as a JWK set (RFC 7517).
    func publicSet(at now: Timestamp) -> [UInt8] {
        var set = JSONObjectText()
        let current = file.keys.reversed().filter { verifier($0.name, at: now) != nil }
        set.list("keys", current) { key, item in
            for member in verifiers[key.name]?.key.publicMembers ?? [] { item.field(member.name, member.value) }
            item.field("use", "sig")
            item.field("alg", key.algorithm.rawValue)
            item.field("kid", key.name)
        }
        return set.finished()
    }

    func refreshToken(_ number: UInt32, of grant: UInt64, keyID: String) -> RefreshToken {
        RefreshToken(grant: grant, number: number, keyID: keyID, code: grantCode)
    }

    /// Nil unless it was made with the secret of this store.
    func refreshToken(parsing text: String) -> RefreshToken? { RefreshToken(parsing: text, code: grantCode) }
}

extension SigningKeysFile {
    static func made(_ algorithm: SigningAlgorithm, at now: Timestamp, entropy: any Entropy) -> SigningKeysFile {
        SigningKeysFile(
            grantSecret: entropy.bytes(secretByteCount),
            keys: [.made(algorithm, at: now, entropy: entropy)])
    }

    /// With a new key that signs; the old ones verify until all they have signed has ended.
    func rotated(_ algorithm: SigningAlgorithm, at now: Timestamp, entropy: any Entropy) -> SigningKeysFile {
        var next = self
        let end = now.adding(microseconds: TokenTimes.endMicroseconds)
        for index in next.keys.indices where next.keys[index].verifiesUntil == nil {
            next.keys[index].verifiesUntil = end
        }
        next.keys.removeAll { key in key.verifiesUntil.map { $0 <= now } ?? false }
        next.keys = next.keys.suffix(Self.keyCountMax - 1)
        next.keys.append(.made(algorithm, at: now, entropy: entropy))
        return next
    }
}

extension SigningKey {
    fileprivate static func made(
        _ algorithm: SigningAlgorithm, at now: Timestamp, entropy: any Entropy
    ) -> SigningKey {
        SigningKey(
            id: entropy.next(), algorithm: algorithm, madeAt: now, verifiesUntil: nil,
            privateKey: SignatureKey.makePrivateKey(algorithm, entropy: entropy))
    }
}
