internal import DaybookFormat
internal import DaybookSegment
internal import DaybookSystem
internal import Synchronization

/// Open segments of the whole store, least recently used first out: at most so many descriptors, and so many bytes of
/// footers and directories. A reader that is put out stays usable for those who have it; its descriptor is closed by the
/// last of them.
///
/// A segment is known by its log, its name and the checksum of its footer: a name is never used again for other content,
/// and if it were, the checksum would tell. A segment that no manifest names any more is forgotten by `forget`, and what
/// an older snapshot reads of it later is not kept.
final class SegmentCache: Sendable {
    private struct Key: Hashable {
        var log: LogID
        var name: String
        var footerChecksum: UInt32

        init(_ log: LogID, _ segment: SegmentReference) {
            self.log = log
            name = segment.path
            footerChecksum = segment.footerChecksum
        }
    }

    private struct Entry {
        var reader: SegmentReader
        var index: SegmentIndex?
        var byteCount: Int
        var lastUse: UInt64
    }

    private struct State {
        var entries: [Key: Entry] = [:]
        /// The number under which decoded pages of a file are kept, also while the file is closed.
        var owners: [Key: UInt64] = [:]
        /// Segments that have no index: it is not looked for again until it was made.
        var withoutIndex: Set<Key> = []
        var byteCount = 0
        var useCount: UInt64 = 0
        var openCount: UInt64 = 0
    }

    /// Files whose pages may be kept. Beyond it those of closed files are forgotten.
    private static let ownerCountMax = 4_096

    private let descriptorCountMax: Int
    private let byteCountMax: Int
    private let pages: PageCache
    private let state = Mutex(State())

    init(descriptorCountMax: Int, byteCountMax: Int, pages: PageCache) {
        precondition(descriptorCountMax >= 1)
        self.descriptorCountMax = descriptorCountMax
        self.byteCountMax = byteCountMax
        self.pages = pages
    }

    /// An open reader of a segment.
    /// - Parameter isNamed: whether the organization's manifest of this moment names it; else it is not kept.
    func open(
        _ segment: SegmentReference, of log: LogID, disk: any Disk, folder: String, isNamed: () -> Bool
    ) throws -> SegmentReader {
        let key = Key(log, segment)
        if let known = find(key) { return known }
        let path = Layout.path(folder, segment.path)
        guard isNamed() else { return try SegmentReader.open(disk: disk, path: path) }
        let owner = owner(of: key)
        let reader = try SegmentReader.open(disk: disk, path: path, pages: pages, owner: owner)
        let kept = keep(reader, key, owner)
        // Whoever publishes a manifest without it forgets it afterwards; that may have been between the two questions.
        if !isNamed() { forget(log, [segment]) }
        return kept
    }

    private func find(_ key: Key) -> SegmentReader? {
        state.withLock { state in
            guard let entry = state.entries[key] else { return nil }
            state.useCount += 1
            let byteCount = entry.reader.memoryByteCount
            state.byteCount += byteCount - entry.byteCount
            state.entries[key]!.byteCount = byteCount
            state.entries[key]!.lastUse = state.useCount
            shrink(&state, but: key)
            return entry.reader
        }
    }

    private func owner(of key: Key) -> UInt64 {
        state.withLock { state in
            if let known = state.owners[key] { return known }
            if state.owners.count >= Self.ownerCountMax {
                for (other, owner) in state.owners where state.entries[other] == nil {
                    pages.drop(owner)
                    state.owners[other] = nil
                }
            }
            let owner = pages.admit()
            state.owners[key] = owner
            return owner
        }
    }

    /// Keeps a reader, unless another thread was faster or the segment was forgotten in the meantime.
    private func keep(_ reader: SegmentReader, _ key: Key, _ owner: UInt64) -> SegmentReader {
        state.withLock { state in
            state.openCount += 1
            if let known = state.entries[key] { return known.reader }
            guard state.owners[key] == owner else { return reader }
            state.useCount += 1
            let byteCount = reader.memoryByteCount
            state.entries[key] = Entry(reader: reader, byteCount: byteCount, lastUse: state.useCount)
            state.byteCount += byteCount
            shrink(&state, but: key)
            return reader
        }
    }

    private func shrink(_ state: inout State, but kept: Key) {
        while state.entries.count > descriptorCountMax || state.byteCount > byteCountMax {
            guard
                let oldest = state.entries.filter({ $0.key != kept }).min(by: { $0.value.lastUse < $1.value.lastUse })
            else { return }
            state.byteCount -= oldest.value.byteCount
            state.entries[oldest.key] = nil
        }
    }

    enum KnownIndex {
        case mapped(SegmentIndex)
        /// There is none, until somebody who may write makes it.
        case missing
        case unknown
    }

    func index(of segment: SegmentReference, _ log: LogID) -> KnownIndex {
        let key = Key(log, segment)
        return state.withLock { state in
            if let index = state.entries[key]?.index { return .mapped(index) }
            return state.withoutIndex.contains(key) ? .missing : .unknown
        }
    }

    /// Keeps the index of a segment while it is open here.
    func keep(_ index: SegmentIndex, of segment: SegmentReference, _ log: LogID) {
        let key = Key(log, segment)
        state.withLock { state in
            state.entries[key]?.index = index
            state.withoutIndex.remove(key)
        }
    }

    /// - Parameter isNamed: as for `open`.
    func noteMissingIndex(of segment: SegmentReference, _ log: LogID, isNamed: () -> Bool) {
        let key = Key(log, segment)
        state.withLock { _ = $0.withoutIndex.insert(key) }
        if !isNamed() { state.withLock { _ = $0.withoutIndex.remove(key) } }
    }

    /// The names of segments without an index.
    func segmentsWithoutIndex(of log: LogID) -> Set<String> {
        state.withLock { Set($0.withoutIndex.lazy.filter { $0.log == log }.map(\.name)) }
    }

    /// Lets go of segments that the organization's manifest no longer names.
    func forget(_ log: LogID, _ segments: [SegmentReference]) {
        state.withLock { state in
            for segment in segments { forget(&state, Key(log, segment)) }
        }
    }

    /// Lets go of everything of one organization.
    func forgetAll(of log: LogID) {
        state.withLock { state in
            for key in state.owners.keys.filter({ $0.log == log }) { forget(&state, key) }
        }
    }

    private func forget(_ state: inout State, _ key: Key) {
        state.withoutIndex.remove(key)
        if let entry = state.entries.removeValue(forKey: key) { state.byteCount -= entry.byteCount }
        if let owner = state.owners.removeValue(forKey: key) { pages.drop(owner) }
    }

    struct Status {
        var readerCount = 0
        var indexCount = 0
        var mappedByteCount = 0
        var byteCount = 0
        var openCount: UInt64 = 0
    }

    var status: Status {
        state.withLock { state in
            Status(
                readerCount: state.entries.count, indexCount: state.entries.values.count { $0.index != nil },
                mappedByteCount: state.entries.values.reduce(0) { $0 + ($1.index?.byteCount ?? 0) },
                byteCount: state.byteCount, openCount: state.openCount)
        }
    }
}
