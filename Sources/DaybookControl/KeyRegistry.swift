package import DaybookFormat
package import DaybookStore
package import DaybookSystem
import Synchronization

/// Every key of the store, by its hash. Filled from the control log at start; a change is durable there before it
/// holds here, and holds here at once: whoever caches a credential compares `generation` first.
package final class KeyRegistry: Sendable {
    private struct Entry {
        var record: KeyRecord
        var credential: Credential
        var revokedAt: Timestamp?
    }

    private struct State {
        var entries: [String: Entry] = [:]
        var identifiersByHash: [KeyHash: String] = [:]
    }

    package enum Failure: Error, Equatable {
        case organizationNotFound
        case keyNotFound
        case alreadyRevoked
    }

    /// A key with what became of it.
    package struct Listed: Sendable, Equatable {
        package var record: KeyRecord
        package var revokedAt: Timestamp?
    }

    private let store: Store
    private let clock: any Clock
    private let entropy: any Entropy
    private let state = Mutex(State())
    /// Administrative acts wait for the disk one behind the other; look-ups never wait for them.
    private let acts = Mutex(())
    private let generationNumber = Atomic<UInt64>(1)

    /// Reads the control log. A key whose organization is unknown, or with a scope that this version does not know,
    /// opens nothing.
    package init(store: Store, clock: any Clock, entropy: any Entropy) {
        self.store = store
        self.clock = clock
        self.entropy = entropy
        for event in store.controlEvents() {
            switch event {
            case .keyCreated(let record): apply(created: record)
            case .keyRevoked(let keyID, let at): apply(revoked: keyID, at: at)
            case .organizationCreated, .retentionSet, .quotaSet, .rateLimitsSet, .userSecretSet, .erasureBegun,
                .erasureDone:
                break
            }
        }
    }

    /// Changes with every revocation: a cached credential of an older generation must be looked up again.
    package var generation: UInt64 { generationNumber.load(ordering: .acquiring) }

    /// The credential behind a key's text, or nil: unknown, mistyped, expired and revoked look the same from outside.
    /// Complexity: O(1), one SHA-256.
    package func verify(_ key: [UInt8], at now: Timestamp) -> Credential? {
        guard APIKey.isWellFormed(key), let hash = KeyHash(APIKey.hash(key)) else { return nil }
        return state.withLock { state -> Credential? in
            guard let keyID = state.identifiersByHash[hash], let entry = state.entries[keyID] else { return nil }
            // The dictionary has compared already; this comparison takes the same time wherever the hashes differ.
            guard let stored = KeyHash(entry.record.hash), stored.equalsInConstantTime(hash) else { return nil }
            guard entry.revokedAt == nil, entry.credential.isValid(at: now) else { return nil }
            return entry.credential
        }
    }

    /// Makes a key, durably. The text is returned once and kept nowhere.
    /// - Throws: `Failure.organizationNotFound`, or what the store throws.
    package func create(
        organization: OrganizationID, name: String, scopes: ScopeSet, user: String, expiresAt: Timestamp?
    ) throws -> (key: APIKey, record: KeyRecord) {
        guard store.organization(organization) != nil else { throw Failure.organizationNotFound }
        let key = APIKey(entropy: entropy)
        let record = KeyRecord(
            keyID: "key_" + hexText(entropy.next()), organization: organization, name: name, hash: key.hash,
            scopes: scopes.names, user: user, createdAt: Timestamp(microseconds: clock.wallMicroseconds()),
            expiresAt: expiresAt)
        try acts.withLock { _ in
            try store.appendControl([.keyCreated(record)])
            apply(created: record)
        }
        return (key, record)
    }

    /// The keys of one organization, oldest first, revoked ones included.
    package func list(organization: OrganizationID) -> [Listed] {
        state.withLock { state in
            state.entries.values.filter { $0.record.organization == organization }
                .map { Listed(record: $0.record, revokedAt: $0.revokedAt) }
        }.sorted {
            ($0.record.createdAt, $0.record.keyID) < ($1.record.createdAt, $1.record.keyID)
        }
    }

    /// Revokes a key, durably; from then on no request gets in with it.
    /// - Parameter organization: when given, a key of any other organization is not found.
    @discardableResult
    package func revoke(keyID: String, organization: OrganizationID? = nil) throws -> Timestamp {
        try acts.withLock { _ in
            let known = state.withLock { $0.entries[keyID].map { ($0.record.organization, $0.revokedAt) } }
            guard let known, organization == nil || organization == known.0 else { throw Failure.keyNotFound }
            guard known.1 == nil else { throw Failure.alreadyRevoked }
            let now = Timestamp(microseconds: clock.wallMicroseconds())
            try store.appendControl([.keyRevoked(keyID: keyID, at: now)])
            apply(revoked: keyID, at: now)
            return now
        }
    }

    /// Begins the erasure of a user, durably: the user's keys open nothing when this returns.
    package func beginErasure(of user: String, in organization: OrganizationID) throws -> ErasureRecord {
        try acts.withLock { _ in
            let known = store.controlEvents().count
            let erasure = try store.beginErasure(of: user, in: organization, entropy: entropy)
            // Of the user's keys the records are other ones now, without names; and they were revoked before.
            for act in store.controlEvents() {
                guard case .keyCreated(let record) = act else { continue }
                state.withLock { $0.entries[record.keyID]?.record = record }
            }
            for act in store.controlEvents().dropFirst(known) {
                if case .keyRevoked(let keyID, let at) = act { apply(revoked: keyID, at: at) }
            }
            return erasure
        }
    }

    private func apply(created record: KeyRecord) {
        guard let organization = store.organization(record.organization), let scopes = ScopeSet(names: record.scopes),
            let hash = KeyHash(record.hash)
        else { return }
        let credential = Credential(
            keyID: record.keyID, organization: organization,
            defaultUser: Array((record.user.isEmpty ? "owner" : record.user).utf8), scopes: scopes,
            expiresAt: record.expiresAt)
        state.withLock { state in
            state.entries[record.keyID] = Entry(record: record, credential: credential, revokedAt: nil)
            state.identifiersByHash[hash] = record.keyID
        }
    }

    private func apply(revoked keyID: String, at: Timestamp) {
        state.withLock { $0.entries[keyID]?.revokedAt = at }
        generationNumber.wrappingAdd(1, ordering: .acquiringAndReleasing)
    }
}

/// A SHA-256 as four words: hashable without an allocation, comparable in constant time.
private struct KeyHash: Hashable {
    private let first: UInt64
    private let second: UInt64
    private let third: UInt64
    private let fourth: UInt64

    /// Nil unless there are 32 bytes.
    init?(_ bytes: [UInt8]) {
        guard bytes.count == 32 else { return nil }
        var words: [UInt64] = [0, 0, 0, 0]
        for (position, byte) in bytes.enumerated() { words[position / 8] = words[position / 8] << 8 | UInt64(byte) }
        (first, second, third, fourth) = (words[0], words[1], words[2], words[3])
    }

    func equalsInConstantTime(_ other: KeyHash) -> Bool {
        (first ^ other.first) | (second ^ other.second) | (third ^ other.third) | (fourth ^ other.fourth) == 0
    }
}
