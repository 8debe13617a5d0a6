internal import DaybookFormat
internal import DaybookSystem

/// The idempotency keys of one organization within their window. Those of the tail, and few sealed ones, are in memory; of
/// many sealed ones the carry file has all but eight bytes each. None is forgotten before its time: with as many as may be
/// kept, further ones are refused. Belongs to the committing thread.
final class KnownRequests {
    /// Of an organization, within the window.
    static let countMax = 2_000_000
    /// With as many in memory, those that have expired are dropped, and sealed ones are left to the carry file.
    private static let lookCountMin = 4_096
    private static let entryByteCount = 256

    private let organization: OrganizationStore
    /// Not those of `sealed`.
    private(set) var entries: [IdempotencyHash: IdempotencyEntry] = [:]
    private(set) var sealed: SealedRequests?
    /// Twice as many as were left the last time, so that the cost of looking stays a share of that of noting.
    private var lookCount = lookCountMin
    /// There was no room, and it is not looked again before this time.
    private var isFullUntil: Timestamp?
    private static let fullMicroseconds: Int64 = 60_000_000

    init(_ organization: OrganizationStore) { self.organization = organization }

    /// About: what they hold in memory.
    var byteCount: Int { entries.count * Self.entryByteCount + (sealed?.byteCount ?? 0) }

    /// Whether one more may be noted. Complexity: O(1); with as many as may be kept O(keys), once a minute.
    func hasRoom(at now: Timestamp, countMax: Int = countMax) -> Bool {
        guard entries.count + (sealed?.count ?? 0) >= countMax else { return true }
        if let until = isFullUntil, now < until { return false }
        entries = Self.unexpired(entries, at: now)
        let isFull = entries.count + (sealed?.count(at: now) ?? 0) >= countMax
        isFullUntil = isFull ? now.adding(microseconds: Self.fullMicroseconds) : nil
        return !isFull
    }

    /// The entry of a key that is not older than a day.
    /// - Throws: when the carry file cannot be read.
    func entry(of keyHash: IdempotencyHash, at now: Timestamp) throws -> IdempotencyEntry? {
        if let entry = entries[keyHash], Self.isKept(entry, at: now) { return entry }
        if let entry = try sealedEntry(of: keyHash), Self.isKept(entry, at: now) { return entry }
        return nil
    }

    private func sealedEntry(of keyHash: IdempotencyHash) throws -> IdempotencyEntry? {
        guard let known = sealed else { return nil }
        let disk = organization.disk
        switch known.lookUp(keyHash, disk: disk, folder: organization.folder) {
        case .found(let entry): return entry
        case .absent: return nil
        case .stale: break
        }
        // A sealing or an erasure has replaced the file.
        try takeSealed()
        if let entry = entries[keyHash] { return entry }
        return try sealed?.entry(of: keyHash, disk: disk, folder: organization.folder)
    }

    /// Throws, and notes nothing, when the carry file cannot be read.
    func note(_ entry: IdempotencyEntry) throws {
        if entries.count >= lookCount {
            entries = Self.unexpired(entries, at: entry.arrival)
            if let name = organization.snapshot().manifest.carry, name != sealed?.name { try takeSealed() }
            lookCount = max(Self.lookCountMin, 2 * entries.count)
        }
        entries[entry.keyHash] = entry
    }

    /// Takes in what the carry file of this moment has.
    private func takeSealed() throws {
        guard let carry = try organization.loadCarry() else {
            sealed = nil
            return
        }
        take(carry)
    }

    func take(_ carry: CarryFile) {
        if !(Self.lookCountMin...SealedRequests.countMax).contains(carry.requests.count) {
            sealed = nil
            for entry in carry.requests where (entries[entry.keyHash]?.firstSequence ?? 0) < entry.firstSequence {
                entries[entry.keyHash] = entry
            }
        } else {
            sealed = SealedRequests(carry)
            entries = entries.filter { $0.value.firstSequence > carry.sealedThrough }
        }
    }

    private static func isKept(_ entry: IdempotencyEntry, at now: Timestamp) -> Bool {
        entry.arrival.adding(microseconds: Limits.idempotencyWindowMicroseconds) > now
    }

    private static func unexpired(
        _ entries: [IdempotencyHash: IdempotencyEntry], at now: Timestamp
    ) -> [IdempotencyHash: IdempotencyEntry] {
        entries.filter { isKept($0.value, at: now) }
    }
}

extension OrganizationStore {
    /// The carry file that the manifest names; nil where none is. A sealing between the look at the manifest and the reading
    /// replaces it; then there is a newer one.
    func loadCarry() throws -> CarryFile? {
        var attemptCount = 0
        while let name = snapshot().manifest.carry {
            attemptCount += 1
            let path = Layout.path(folder, name)
            if attemptCount < 3, try !disk.exists(path) { continue }
            return try CarryFile.load(disk: disk, folder: folder, name: name, log: log)
        }
        return nil
    }
}
