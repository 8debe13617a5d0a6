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
    private let disk: any Disk
    private let folder: String
    /// One for each segment, in their order; keeps the files of replaced segments.
    private let segmentHandles: [SegmentHandle]
    private let extents: [LogExtent]
    private let pending: [CommittedGroup]
    private let damages = Mutex<[Corruption]>([])
    /// While somebody reads, the organization's handles stay the ones that this snapshot has: one that is closed and
    /// opened again meanwhile is the same object.
    private let owner: OrganizationStore?

    init(
        log: LogID, disk: any Disk, folder: String, lastSequence: UInt64, manifest: Manifest,
        segmentHandles: [SegmentHandle], extents: [LogExtent], pending: [CommittedGroup], owner: OrganizationStore?
    ) {
        precondition(segmentHandles.count == manifest.segments.count)
        self.log = log
        self.disk = disk
        self.folder = folder
        self.lastSequence = lastSequence
        self.manifest = manifest
        self.segmentHandles = segmentHandles
        self.extents = extents
        self.pending = pending
        self.owner = owner
    }

    /// Sealed segments in sequence order, families one behind the other.
    package var segments: [SegmentReference] { manifest.segments }

    /// Damage that reading has met so far; what it held is missing from the answers.
    package var damage: [Corruption] { damages.withLock { $0 } }

    /// Where the events are: counts for tests and `inspect`.
    package var tailExtentCount: Int { extents.count }
    package var pendingGroupCount: Int { pending.count }

    package func open(_ segment: SegmentReference) throws -> SegmentReader {
        let index = segmentHandles.partitioningIndex { !SegmentReference.precedes($0.reference, segment) }
        if index < segmentHandles.count, segmentHandles[index].reference == segment,
            let held = segmentHandles[index].held
        {
            return try SegmentReader.open(held)
        }
        return try SegmentReader.open(disk: disk, path: Layout.path(folder, segment.path))
    }

    /// The index beside an open segment, made again when it is missing or damaged. Only the process that owns the
    /// directory may call it.
    func openIndex(of segment: SegmentReader) throws -> SegmentIndex {
        try SegmentIndex.openOrRebuild(segment, disk: disk)
    }

    /// Calls `body` with every unsealed group record that holds a sequence of at least `first`, in sequence order,
    /// until it returns false. The header is already verified against its checksum.
    package func forEachTailGroup(
        from first: UInt64, _ body: (GroupHeader, RawSpan) throws -> Bool
    ) throws {
        func note(_ corruption: Corruption, _: Range<Int>) { damages.withLock { $0.append(corruption) } }
        func take(_ header: GroupHeader, _ record: RawSpan) throws -> Bool {
            guard header.lastSequence >= first else { return true }
            return try body(header, record)
        }
        for extent in extents where extent.lastSequence >= first {
            let goesOn = try extent.forEachGroup(disk: disk, log: log, onDamage: note, take)
            if !goesOn { return }
        }
        for group in pending where group.lastSequence >= first {
            let goesOn = try group.bytes.withRawSpan { (record: RawSpan) throws in
                try body(try GroupHeader(reading: record), record)
            }
            if !goesOn { return }
        }
    }
}
