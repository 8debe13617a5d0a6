package import DaybookFormat
internal import DaybookLog
package import DaybookSegment
internal import DaybookSystem
internal import Synchronization

/// What one reader sees of one organization: nothing that a crash could lose, and nothing that comes later.
package final class OrganizationSnapshot: Sendable {
    package let log: LogID
    /// Last visible sequence; 0 when there is none.
    package let lastSequence: UInt64
    package let manifest: Manifest
    private let visibility: VisibilityTable
    let disk: any Disk
    let folder: String
    /// One for each segment, in their order; keeps the files of replaced segments.
    private let segmentHandles: [SegmentHandle]
    /// Keeps history files that were merged since; nil for readers beside a server.
    private let historyHold: HistoryHold?
    private let extents: [LogExtent]
    private let pending: [CommittedGroup]
    /// Where it comes from, and what is kept there for readers; nil for readers beside a server. While somebody reads,
    /// the organization's handles stay the ones that this snapshot has: one that is closed and opened again meanwhile is
    /// the same object.
    let organization: OrganizationStore?
    private let damages = Mutex<[Corruption]>([])

    init(
        log: LogID, disk: any Disk, folder: String, lastSequence: UInt64, manifest: Manifest,
        segmentHandles: [SegmentHandle], historyHold: HistoryHold? = nil, extents: [LogExtent],
        pending: [CommittedGroup], visibility: VisibilityTable, organization: OrganizationStore? = nil
    ) {
        precondition(segmentHandles.count == manifest.segments.count)
        self.log = log
        self.disk = disk
        self.folder = folder
        self.lastSequence = lastSequence
        self.manifest = manifest
        self.segmentHandles = segmentHandles
        self.historyHold = historyHold
        self.extents = extents
        self.pending = pending
        self.visibility = visibility
        self.organization = organization
    }

    /// Sealed segments in sequence order, families one behind the other.
    package var segments: [SegmentReference] { manifest.segments }

    /// Which events of the family are there: whoever reads rows leaves out those that it hides.
    package func visibility(of family: Family) -> RowVisibility { visibility[family] }

    /// The same for questions that the history files can answer, too.
    package func historyVisibility(of family: Family) -> RowVisibility { visibility.historyVisibility(of: family) }

    /// Damage that reading has met so far; what it held is missing from the answers.
    package var damage: [Corruption] { damages.withLock { $0 } }

    /// Where the events are: counts for tests and `inspect`.
    package var tailExtentCount: Int { extents.count }
    package var pendingGroupCount: Int { pending.count }
    /// Unsealed bytes in log files.
    var logFileByteCount: Int { extents.reduce(0) { $0 + $1.byteCount } }
    var placeCount: Int { extents.reduce(0) { $0 + $1.places.count } }

    /// A reader of a segment, out of the store's cache. Keep it as long as one question takes, not longer: its descriptor
    /// is closed when the cache and everybody who asked have let go of it.
    package func open(_ segment: SegmentReference) throws -> SegmentReader {
        let index = segmentHandles.partitioningIndex { !SegmentReference.precedes($0.reference, segment) }
        if index < segmentHandles.count, segmentHandles[index].reference == segment,
            let held = segmentHandles[index].held
        {
            return try SegmentReader.open(held)
        }
        guard let organization, let caches = organization.caches else {
            return try SegmentReader.open(disk: disk, path: Layout.path(folder, segment.path))
        }
        return try caches.segments.open(segment, of: log, disk: disk, folder: folder) { organization.names(segment) }
    }

    /// The index beside a segment, made again when it is missing or damaged. Only the process that owns the directory
    /// may call it.
    func openIndex(of segment: SegmentReference) throws -> SegmentIndex {
        let cache = organization?.caches?.segments
        if case .mapped(let index)? = cache?.index(of: segment, log) { return index }
        let index = try SegmentIndex.openOrRebuild(try open(segment), disk: disk)
        cache?.keep(index, of: segment, log)
        return index
    }

    /// The index beside a segment, for a question: nil where there is none to be had, and the question scans. Writes
    /// nothing; whoever owns the directory makes the index again in the background.
    package func index(of segment: SegmentReference) throws -> SegmentIndex? {
        guard let organization, let caches = organization.caches else {
            return try SegmentIndex.existing(try open(segment), disk: disk)
        }
        switch caches.segments.index(of: segment, log) {
        case .mapped(let index): return index
        case .missing: return nil
        case .unknown: break
        }
        if let index = try SegmentIndex.existing(try open(segment), disk: disk) {
            caches.segments.keep(index, of: segment, log)
            return index
        }
        caches.noteMissingIndex(of: segment, log) { organization.names(segment) }
        return nil
    }

    /// The unsealed rows of a family up to a sequence, in sequence order; chunks may have more columns than selected.
    /// Out of the columns that the store keeps of a tail that is asked again and again, else decoded.
    package func tailChunks(
        of family: Family, through last: UInt64, _ selection: ColumnSelection
    ) throws -> [TailChunk] {
        let last = min(last, lastSequence)
        guard manifest.sealedThrough < last else { return [] }
        if let caches = organization?.caches {
            let now = caches.clock.monotonicNanoseconds()
            if let view = try caches.tails.chunks(of: family, through: last, self, nowNanoseconds: now) {
                for damage in view.damages { note(damage.corruption) }
                return view.chunks
            }
        }
        var decoder = TailDecoder(family, selection)
        try forEachTailGroup(from: manifest.sealedThrough + 1) { header, record in
            guard header.firstSequence <= last else { return false }
            try decoder.append(header, record, through: last)
            return true
        }
        return decoder.finish()
    }

    /// Calls `body` with every unsealed group record that holds a sequence of at least `first`, in sequence order,
    /// until it returns false. The header is already verified against its checksum.
    package func forEachTailGroup(
        from first: UInt64, _ body: (GroupHeader, RawSpan) throws -> Bool
    ) throws {
        try forEachTailGroup(from: first, onDamage: { corruption, _ in note(corruption) }, body)
    }

    func note(_ corruption: Corruption) {
        damages.withLock { if !$0.contains(corruption) { $0.append(corruption) } }
    }

    /// - Parameters:
    ///   - places: further places in the log's files to begin at.
    ///   - windowByteCount: what is read of a file at a time.
    ///   - onDamage: told of damage that was passed over, and of the last sequence of the log file it is in.
    func forEachTailGroup(
        from first: UInt64, places: RecordPlaces? = nil,
        windowByteCount: Int = LogFileReader.usualWindowByteCount, onDamage: (Corruption, UInt64) -> Void,
        _ body: (GroupHeader, RawSpan) throws -> Bool
    ) throws {
        func take(_ header: GroupHeader, _ record: RawSpan) throws -> Bool {
            guard header.lastSequence >= first else { return true }
            return try body(header, record)
        }
        for extent in extents where extent.lastSequence >= first {
            let goesOn = try extent.forEachGroup(
                disk: disk, log: log, from: first, places: places, windowByteCount: windowByteCount,
                onDamage: { corruption, _ in onDamage(corruption, extent.lastSequence) },
                take)
            if !goesOn { return }
        }
        for group in pending[pendingIndex(of: first)...] {
            let goesOn = try group.bytes.withRawSpan { (record: RawSpan) throws in
                try body(try GroupHeader(reading: record), record)
            }
            if !goesOn { return }
        }
    }

    /// The first pending group that reaches to a sequence. Complexity: O(log n).
    private func pendingIndex(of sequence: UInt64) -> Int {
        var low = 0
        var high = pending.count
        while low < high {
            let middle = (low + high) / 2
            if pending[middle].lastSequence < sequence { low = middle + 1 } else { high = middle }
        }
        return low
    }
}
