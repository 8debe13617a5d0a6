package import DaybookFormat
internal import DaybookSegment
internal import DaybookSystem
internal import Synchronization

/// What a store keeps in memory to answer questions faster: nothing of it is truth, all of it is bounded and counted.
///
/// Tails, rollups and decoded pages share one budget besides their own: when tails or rollups grow, pages give way, because
/// a page is decoded again in microseconds and a tail is not.
package final class ReadCaches: Sendable {
    let tails: TailCache
    let segments: SegmentCache
    let pages: PageCache
    let rollups: RollupCache
    let clock: any Clock
    private let maintenance: MaintenanceQueue

    /// - Parameter maintenance: told of logs with a segment whose index is missing.
    init(_ options: StoreOptions, clock: any Clock, maintenance: MaintenanceQueue) {
        self.clock = clock
        self.maintenance = maintenance
        let pages = PageCache(byteCountMax: options.pageCacheByteCountMax)
        self.pages = pages
        segments = SegmentCache(
            descriptorCountMax: options.openSegmentCountMax, byteCountMax: options.segmentDirectoryByteCountMax,
            pages: pages)
        let room = PageRoom(options, pages)
        rollups = RollupCache(byteCountMax: max(0, min(options.rollupByteCountMax, room.rollupByteCountMax))) {
            room.set(rollups: $0)
        }
        tails = TailCache(byteCountMax: options.tailByteCountMax) { room.set(tails: $0) }
    }

    /// What tails and rollups have left to the pages.
    private final class PageRoom: Sendable {
        private struct State {
            var tails = 0
            var rollups = 0
            var byteCountMax = -1
        }

        private let shared: Int
        private let most: Int
        private let pages: PageCache
        private let state = Mutex(State())
        /// What rollups may take, so that they and all tails are not too many.
        let rollupByteCountMax: Int

        init(_ options: StoreOptions, _ pages: PageCache) {
            shared = options.readCacheByteCountMax
            most = options.pageCacheByteCountMax
            rollupByteCountMax = options.readCacheByteCountMax - options.tailByteCountMax
            self.pages = pages
        }

        func set(tails byteCount: Int) { adjust { $0.tails = byteCount } }

        func set(rollups byteCount: Int) { adjust { $0.rollups = byteCount } }

        private func adjust(_ change: (inout State) -> Void) {
            state.withLock { state in
                change(&state)
                // In steps: a tail grows with every group, and pages need not move each time.
                let room = (shared - state.tails - state.rollups) & ~((1 << 20) - 1)
                let byteCount = max(0, min(most, room))
                guard byteCount != state.byteCountMax else { return }
                state.byteCountMax = byteCount
                pages.setByteCountMax(byteCount)
            }
        }
    }

    /// A question found no index of a segment, or a damaged one: the compactor makes it again.
    func noteMissingIndex(of segment: SegmentReference, _ log: LogID, isNamed: () -> Bool) {
        segments.noteMissingIndex(of: segment, log, isNamed: isNamed)
        maintenance.add(log)
    }

    /// Lets go of what is kept of segments that a published manifest no longer names. Nothing of them gets in again.
    package func forget(_ log: LogID, _ segments: [SegmentReference]) {
        self.segments.forget(log, segments)
        rollups.forget(log, segments.map { StoredRollup($0) })
    }

    /// Lets go of everything that is kept of an organization: its tail, its readers, its decoded pages, its rollups.
    package func forgetAll(of log: LogID) {
        tails.remove(log)
        rollups.forgetAll(of: log)
        segments.forgetAll(of: log)
    }

    package var status: CacheStatus {
        let tails = tails.status
        let segments = segments.status
        let pages = pages.status
        let rollups = rollups.status
        return CacheStatus(
            tailCount: tails.tailCount, tailByteCount: tails.byteCount, tailAskCount: tails.askCount,
            tailExtensionCount: tails.extensionCount, tailEvictionCount: tails.evictionCount,
            openSegmentCount: segments.readerCount, mappedIndexCount: segments.indexCount,
            mappedIndexByteCount: segments.mappedByteCount, segmentDirectoryByteCount: segments.byteCount,
            segmentOpeningCount: segments.openCount, pageCount: pages.pieceCount, pageByteCount: pages.byteCount,
            pageHitCount: pages.hitCount, pageMissCount: pages.missCount, rollupCount: rollups.fileCount,
            rollupByteCount: rollups.byteCount)
    }
}

/// What the caches of a store hold, for metrics and tests.
package struct CacheStatus: Sendable, Equatable {
    /// Organizations whose unsealed events are kept in columns.
    package var tailCount = 0
    package var tailByteCount = 0
    package var tailAskCount: UInt64 = 0
    package var tailExtensionCount: UInt64 = 0
    package var tailEvictionCount: UInt64 = 0
    /// Segments held open: as many descriptors.
    package var openSegmentCount = 0
    package var mappedIndexCount = 0
    /// Mapped, not anonymous.
    package var mappedIndexByteCount = 0
    /// Footers and directories of open segments.
    package var segmentDirectoryByteCount = 0
    /// Files opened because they were not there.
    package var segmentOpeningCount: UInt64 = 0
    package var pageCount = 0
    package var pageByteCount = 0
    package var pageHitCount: UInt64 = 0
    package var pageMissCount: UInt64 = 0
    /// Rollup files in memory.
    package var rollupCount = 0
    package var rollupByteCount = 0

    /// Anonymous memory of all caches, about.
    package var byteCount: Int { tailByteCount + segmentDirectoryByteCount + pageByteCount + rollupByteCount }
}
