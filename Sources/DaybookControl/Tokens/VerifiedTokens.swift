import Synchronization

/// A token whose signature was verified, and what it is worth.
struct VerifiedToken: Sendable {
    let credential: Credential
    /// Not revoked, and neither is what it came from. Whether it has ended says the credential.
    let isOpen: Bool
}

/// Tokens that were verified lately, so that a signature is computed once. All of them are forgotten when a key, a token
/// or an issuer changes.
///
/// Two tables: when the younger one is full it becomes the older one, whose entries come back when they are asked for.
/// What nobody asks for goes with the older table; memory is bounded by twice `countMax` hashes and credentials.
final class VerifiedTokens: Sendable {
    static let countMax = 2_048

    private struct Tables {
        var generation: UInt64 = 0
        var young: [KeyHash: VerifiedToken] = [:]
        var old: [KeyHash: VerifiedToken] = [:]

        mutating func insert(_ hash: KeyHash, _ token: VerifiedToken) {
            if young.count >= VerifiedTokens.countMax {
                old = young
                young = [:]
            }
            young[hash] = token
        }
    }

    private let tables = Mutex(Tables())

    /// - Parameters:
    ///   - hash: of the whole token.
    ///   - generation: of the key registry.
    func find(_ hash: KeyHash, generation: UInt64) -> VerifiedToken? {
        tables.withLock { tables in
            guard generation == tables.generation else { return nil }
            if let known = tables.young[hash] { return known }
            guard let known = tables.old.removeValue(forKey: hash) else { return nil }
            tables.insert(hash, known)
            return known
        }
    }

    /// - Parameter generation: as it was read before the token was judged: a change in between forgets it.
    func insert(_ hash: KeyHash, _ token: VerifiedToken, generation: UInt64) {
        tables.withLock { tables in
            // A newer generation is never replaced by an older one.
            guard generation >= tables.generation else { return }
            if generation != tables.generation { tables = Tables(generation: generation) }
            tables.insert(hash, token)
        }
    }

    var count: Int { tables.withLock { $0.young.count + $0.old.count } }
}
