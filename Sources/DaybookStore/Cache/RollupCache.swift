internal import DaybookFormat
internal import DaybookRollup
internal import Synchronization

/// Rollup files that were read lately, of the whole store, least recently used first out. They are known as segments are:
/// by log, name and checksum; what no manifest names any more is forgotten, and nothing of it gets in again.
final class RollupCache: Sendable {
    private struct Key: Hashable {
        var log: LogID
        var name: String
        var checksum: UInt32

        init(_ log: LogID, _ rollup: StoredRollup) {
            self.log = log
            name = rollup.path
            checksum = rollup.checksum
        }
    }

    private struct Entry {
        var file: RollupFile
        var byteCount: Int
        var lastUse: UInt64
    }

    private struct State {
        var entries: [Key: Entry] = [:]
        var byteCount = 0
        var useCount: UInt64 = 0
    }

    private let byteCountMax: Int
    private let state = Mutex(State())
    /// Told how many bytes are kept whenever that changes; must not come back here.
    private let onChange: @Sendable (Int) -> Void

    init(byteCountMax: Int, onChange: @escaping @Sendable (Int) -> Void) {
        self.byteCountMax = byteCountMax
        self.onChange = onChange
    }

    func find(_ rollup: StoredRollup, of log: LogID) -> RollupFile? {
        let key = Key(log, rollup)
        return state.withLock { state in
            guard let entry = state.entries[key] else { return nil }
            state.useCount += 1
            state.entries[key]?.lastUse = state.useCount
            return entry.file
        }
    }

    /// Keeps a file, unless it is larger than all that may be kept.
    /// - Parameter isNamed: whether the organization's manifest of this moment names it.
    func keep(_ file: RollupFile, of rollup: StoredRollup, _ log: LogID, isNamed: () -> Bool) {
        let byteCount = file.memoryByteCount
        guard byteCount <= byteCountMax, isNamed() else { return }
        let key = Key(log, rollup)
        change { state in
            guard state.entries[key] == nil else { return }
            state.useCount += 1
            state.entries[key] = Entry(file: file, byteCount: byteCount, lastUse: state.useCount)
            state.byteCount += byteCount
            while state.byteCount > byteCountMax,
                let oldest = state.entries.filter({ $0.key != key }).min(by: { $0.value.lastUse < $1.value.lastUse })
            {
                remove(oldest.key, &state)
            }
        }
        // Whoever publishes a manifest without it forgets it afterwards; that may have been between the two questions.
        if !isNamed() { forget(log, [rollup]) }
    }

    /// Lets go of rollups that the organization's manifest no longer names.
    func forget(_ log: LogID, _ rollups: [StoredRollup]) {
        change { state in
            for rollup in rollups { remove(Key(log, rollup), &state) }
        }
    }

    /// Lets go of everything of one organization.
    func forgetAll(of log: LogID) {
        change { state in
            for key in state.entries.keys.filter({ $0.log == log }) { remove(key, &state) }
        }
    }

    private func remove(_ key: Key, _ state: inout State) {
        if let entry = state.entries.removeValue(forKey: key) { state.byteCount -= entry.byteCount }
    }

    private func change(_ body: (inout State) -> Void) {
        state.withLock { state in
            let before = state.byteCount
            body(&state)
            if state.byteCount != before { onChange(state.byteCount) }
        }
    }

    var status: (fileCount: Int, byteCount: Int) { state.withLock { ($0.entries.count, $0.byteCount) } }
}

/// A rollup file as a manifest names it, beside a segment or by itself.
struct StoredRollup: Equatable {
    var path: String
    var byteCount: UInt64
    var checksum: UInt32

    init(_ segment: SegmentReference) {
        path = segment.rollupPath
        byteCount = segment.rollupByteCount
        checksum = segment.rollupChecksum
    }

    init(_ history: HistoryReference) {
        path = history.path
        byteCount = history.byteCount
        checksum = history.checksum
    }
}
