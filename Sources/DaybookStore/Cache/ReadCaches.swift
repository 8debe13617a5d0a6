package import DaybookFormat
internal import DaybookSegment
internal import DaybookSystem
internal import Synchronization

/// What a store keeps in memory to answer questions faster: nothing of it is truth, all of it is bounded and counted.
///
/// Tails and decoded pages share one budget besides their own: when tails grow, pages give way, because a page is decoded
/// again in microseconds and a tail is not.
package final class ReadCaches: Sendable {
    let tails: TailCache
    let segments: SegmentCache
    let pages: PageCache
    let clock: any Clock

    init(_ options: StoreOptions, clock: any Clock) {
        self.clock = clock
        let pages = PageCache(byteCountMax: options.pageCacheByteCountMax)
        self.pages = pages
        segments = SegmentCache(
            descriptorCountMax: options.openSegmentCountMax, byteCountMax: options.segmentDirectoryByteCountMax,
            pages: pages)
        let shared = options.readCacheByteCountMax
        let most = options.pageCacheByteCountMax
        let room = PageRoom()
        tails = TailCache(byteCountMax: options.tailByteCountMax) { tailByteCount in
            // In steps: a tail grows with every group, and pages need not move each time.
            let byteCount = max(0, min(most, (shared - tailByteCount) & ~((1 << 20) - 1)))
            if room.byteCount.exchange(byteCount, ordering: .relaxed) != byteCount { pages.setByteCountMax(byteCount) }
        }
    }

    /// What the tails have left to the pages.
    private final class PageRoom: Sendable {
        let byteCount = Atomic<Int>(-1)
    }

    /// Lets go of what is kept of segments that a published manifest no longer names. Nothing of them gets in again.
    package func forget(_ log: LogID, _ segments: [SegmentReference]) { self.segments.forget(log, segments) }

    /// Lets go of everything that is kept of an organization: its tail, its readers, its decoded pages.
    package func forgetAll(of log: LogID) {
        tails.remove(log)
        segments.forgetAll(of: log)
    }

    package var status: CacheStatus {
        let tails = tails.status
        let segments = segments.status
        let pages = pages.status
        return CacheStatus(
            tailCount: tails.tailCount, tailByteCount: tails.byteCount, tailAskCount: tails.askCount,
            tailExtensionCount: tails.extensionCount, tailEvictionCount: tails.evictionCount,
            openSegmentCount: segments.readerCount, mappedIndexCount: segments.indexCount,
            mappedIndexByteCount: segments.mappedByteCount, segmentDirectoryByteCount: segments.byteCount,
            segmentOpeningCount: segments.openCount, pageCount: pages.pieceCount, pageByteCount: pages.byteCount,
            pageHitCount: pages.hitCount, pageMissCount: pages.missCount)
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

    /// Anonymous memory of all caches, about.
    package var byteCount: Int { tailByteCount + segmentDirectoryByteCount + pageByteCount }
}
