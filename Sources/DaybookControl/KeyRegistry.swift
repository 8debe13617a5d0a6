package import DaybookFormat
package import DaybookStore
package import DaybookSystem
import Synchronization

/// Every key of the store, by its hash. Filled from the control log at start; a change is durable there before it
/// holds here, and holds here at once: whoever caches a credential compares `generation` first.
package final class KeyRegistry: Sendable {
    struct Entry {
        var record: KeyRecord
        var credential: Credential
        var use: LastUse
        /// The last use as the control log has it.
        var writtenUse: Timestamp?
        /// From when on it opens nothing because another key took its place.
        var retiredAt: Timestamp?
        var revokedAt: Timestamp?
        /// It opens nothing while its user is disabled.
        var isSuspended = false
    }

    struct State {
        var entries: [String: Entry] = [:]
        var identifiersByHash: [KeyHash: String] = [:]
    }

    package enum Failure: Error, Equatable {
        case organizationNotFound
        case keyNotFound
        case alreadyRevoked
        case alreadyRotated
        case expired
    }

    /// A key with what became of it.
    package struct Listed: Sendable, Equatable {
        package var record: KeyRecord
        /// When it ends, by itself or because it was rotated.
        package var expiresAt: Timestamp?
        package var revokedAt: Timestamp?
        /// To the second since the start of the process, before that to the day.
        package var lastUsedAt: Timestamp?
    }

    let store: Store
    let clock: any Clock
    let entropy: any Entropy
    let state = Mutex(State())
    /// Administrative acts wait for the disk one behind the other; look-ups never wait for them.
    let acts = Mutex(())
    private let generationNumber = Atomic<UInt64>(1)

    /// Reads the control log. A key whose organization is unknown, or with a scope or role that this version does not
    /// know, opens nothing.
    package init(store: Store, clock: any Clock, entropy: any Entropy) {
        self.store = store
        self.clock = clock
        self.entropy = entropy
        let control = store.controlState
        for record in control.keys.values {
            apply(created: record, writtenUse: control.lastUses[record.keyID])
            if let until = control.retirements[record.keyID] { apply(retired: record.keyID, until: until) }
            if let at = control.revocations[record.keyID] { apply(revoked: record.keyID, at: at) }
        }
    }

    /// Changes with everything that ends a credential before its time: revocations, rotations, the standing of a user who
    /// has keys. A cached credential of an older generation must be looked up again.
    package var generation: UInt64 { generationNumber.load(ordering: .acquiring) }

    /// Something changed that credentials hang on: cached ones must be looked up again.
    func newGeneration() { generationNumber.wrappingAdd(1, ordering: .acquiringAndReleasing) }

    var now: Timestamp { Timestamp(microseconds: clock.wallMicroseconds()) }

    // MARK: - Looking up

    /// The credential behind a key's text, or nil: unknown, mistyped, expired and revoked look the same from outside.
    /// Complexity: O(1), one SHA-256.
    package func verify(_ key: [UInt8], at now: Timestamp) -> Credential? {
        guard let entry = entry(of: key), entry.revokedAt == nil, !entry.isSuspended, entry.credential.isValid(at: now)
        else { return nil }
        return entry.credential
    }

    /// Whose key it is or was, for the audit trail: it may open nothing any more.
    package func identify(_ key: [UInt8]) -> Credential? { entry(of: key)?.credential }

    private func entry(of key: [UInt8]) -> Entry? {
        guard APIKey.isWellFormed(key), let hash = KeyHash(APIKey.hash(key)) else { return nil }
        return state.withLock { state -> Entry? in
            guard let keyID = state.identifiersByHash[hash], let entry = state.entries[keyID] else { return nil }
            // The dictionary has compared already; this comparison takes the same time wherever the hashes differ.
            guard let stored = KeyHash(entry.record.hash), stored.equalsInConstantTime(hash) else { return nil }
            return entry
        }
    }

    /// What the key with an id may do.
    /// - Parameter organization: when given, a key of any other organization is not found.
    package func credential(of keyID: String, in organization: OrganizationID?) throws(Failure) -> Credential {
        let known = state.withLock { $0.entries[keyID]?.credential }
        guard let known, organization == nil || organization == known.organization.id else { throw .keyNotFound }
        return known
    }

    /// The same without a word about why, and whether it was revoked or its user is disabled; nil when there is no such key.
    func standing(of keyID: String) -> (credential: Credential, isRevoked: Bool)? {
        state.withLock { $0.entries[keyID].map { ($0.credential, $0.revokedAt != nil || $0.isSuspended) } }
    }

    /// The keys of one organization, oldest first, revoked ones included.
    package func list(organization: OrganizationID) -> [Listed] {
        state.withLock { state in
            state.entries.values.filter { $0.record.organization == organization }
                .map { entry in
                    Listed(
                        record: entry.record, expiresAt: entry.credential.expiresAt, revokedAt: entry.revokedAt,
                        lastUsedAt: entry.use.time ?? entry.writtenUse)
                }
        }.sorted {
            ($0.record.createdAt, $0.record.keyID) < ($1.record.createdAt, $1.record.keyID)
        }
    }

    // MARK: - Taking in

    func apply(created record: KeyRecord, writtenUse: Timestamp? = nil) {
        guard let organization = store.organization(record.organization), let scopes = ScopeSet(names: record.scopes),
            let hash = KeyHash(record.hash)
        else { return }
        let role = Role(rawValue: record.role)
        guard role != nil || record.role.isEmpty else { return }
        let use = LastUse()
        let standing = standing(of: record.user, in: record.organization)
        let credential = Credential(
            record, role, scopes, of: organization, expiresAt: record.expiresAt, use: use, userRole: standing.role)
        state.withLock { state in
            state.entries[record.keyID] = Entry(
                record: record, credential: credential, use: use, writtenUse: writtenUse,
                isSuspended: standing.isDisabled)
            state.identifiersByHash[hash] = record.keyID
        }
    }

    func apply(revoked keyID: String, at: Timestamp) {
        state.withLock { $0.entries[keyID]?.revokedAt = at }
        newGeneration()
    }

    func apply(retired keyID: String, until: Timestamp) {
        state.withLock { state in
            guard var entry = state.entries[keyID] else { return }
            let old = entry.credential
            entry.retiredAt = until
            entry.credential = Credential(
                entry.record, old.role, old.scopes, of: old.organization, expiresAt: min(until, old.expiresAt ?? until),
                use: entry.use, userRole: old.userRole)
            state.entries[keyID] = entry
        }
        newGeneration()
    }
}

/// A SHA-256 as four words: hashable without an allocation, comparable in constant time.
struct KeyHash: Hashable {
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
