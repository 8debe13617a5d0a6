package import DaybookFormat
internal import DaybookLog
internal import DaybookSystem
internal import Synchronization

/// One organization: its manifest, its log files and what is durable but not yet in a log file.
///
/// The committing thread appends, the checkpoint thread moves groups to log files, the sealer publishes segments, any
/// thread takes snapshots. All of it goes through one mutex that is never held across I/O; each kind of change has one
/// thread that makes it.
package final class OrganizationStore: Sendable {
    package let log: LogID
    let folder: String
    let disk: any Disk
    let state: Mutex<State>
    /// What the store keeps for readers.
    let caches: ReadCaches?

    struct State {
        var manifest: Manifest
        /// Of the segments and what is stored beside them.
        var sealedByteCount: UInt64 = 0
        /// One for each segment of the manifest, in its order.
        var segmentHandles: [SegmentHandle]
        /// Of the history files that the manifest names.
        var historyHold: HistoryHold
        /// Unsealed log files, oldest first; only the last one grows.
        var extents: [LogExtent]
        /// Durable by the journal, not yet in a log file.
        var pending: [CommittedGroup] = []
        var pendingByteCount = 0
        /// The store knows that this log has pending groups. Set by the first group that makes it so, cleared in the
        /// same moment in which the checkpoint thread takes what is pending: no group is ever left unlisted.
        var isListed = false
        var durableThrough: UInt64
        var lastArrival: Timestamp
        /// Log files written since the last checkpoint, and whether the folder itself is new.
        var unsynced = UnsyncedFiles()
        /// The last log file takes no more groups.
        var isRolled = false
        var damages: [Corruption] = []
        /// What was let go of in this life of the process, as long as somebody has it.
        var retired: [RetiredFile] = []
    }

    /// What a checkpoint must synchronize before it may vouch for this log.
    struct UnsyncedFiles {
        var paths: [String] = []
        var folderChanged = false
        var folderIsNew = false
        var isEmpty: Bool { paths.isEmpty && !folderChanged && !folderIsNew }
    }

    init(log: LogID, disk: any Disk, state: State, caches: ReadCaches?) {
        self.log = log
        self.disk = disk
        folder = Layout.folder(of: log)
        var state = state
        state.sealedByteCount = state.manifest.byteCount
        self.state = Mutex(state)
        self.caches = caches
    }

    package var durableThrough: UInt64 { state.withLock { $0.durableThrough } }
    var pendingByteCount: Int { state.withLock { $0.pendingByteCount } }

    /// Makes a durable group visible. Called by the committing thread in sequence order.
    /// Returns true when the store must list the log as dirty.
    func publish(_ group: CommittedGroup) -> Bool {
        state.withLock { state in
            precondition(group.firstSequence > state.durableThrough)
            let mustList = !state.isListed
            state.isListed = true
            state.pending.append(group)
            state.pendingByteCount += group.bytes.count
            state.durableThrough = group.lastSequence
            if group.arrival > state.lastArrival { state.lastArrival = group.arrival }
            return mustList
        }
    }

    /// - Parameter visibility: what the reader sees; who works on the files sees everything.
    package func snapshot(_ visibility: VisibilityTable = .everything) -> OrganizationSnapshot {
        state.withLock { state in
            OrganizationSnapshot(
                log: log, disk: disk, folder: folder, lastSequence: state.durableThrough, manifest: state.manifest,
                segmentHandles: state.segmentHandles, historyHold: state.historyHold, extents: state.extents,
                pending: state.pending, visibility: visibility, organization: self)
        }
    }

    /// Of the manifest.
    var generation: UInt64 { state.withLock { $0.manifest.generation } }

    /// Whether the manifest of this moment names a rollup.
    func names(_ rollup: StoredRollup) -> Bool {
        state.withLock { state in
            state.manifest.segments.contains {
                // The checksum first: it tells nearly all apart, and a path has to be put together.
                $0.rollupChecksum == rollup.checksum && StoredRollup($0) == rollup
            } || state.manifest.history.contains { StoredRollup($0) == rollup }
        }
    }

    /// Whether the manifest of this moment names a segment.
    func names(_ segment: SegmentReference) -> Bool {
        state.withLock { $0.manifest.segments.contains(segment) }
    }
}
