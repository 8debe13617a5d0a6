import DaybookFormat
import DaybookRollup
import DaybookSystem
import DaybookTestSupport
import Synchronization
import Testing

@testable import DaybookStore

/// Rollup files that are kept for the next question.
struct RollupCacheTests {
    private func commands(_ small: SmallStore) throws -> [SegmentReference] {
        try small.snapshot.segments.filter { $0.rollupByteCount > 0 }
    }

    @Test func `a rollup is read once, whoever asks`() throws {
        let small = try RollupFileTests.filled([2_000])
        let segment = try #require(try commands(small).first)
        let first = try #require(try small.snapshot.rollup(of: segment))
        try small.disk.remove(Layout.path(SmallStore.folder, segment.rollupPath))
        let snapshot = try small.snapshot
        #expect(try snapshot.rollup(of: segment)?.eventCount == first.eventCount)
        #expect(snapshot.damage.isEmpty)
        let status = small.store.cacheStatus
        #expect(status.rollupCount == 1)
        #expect(status.rollupByteCount == first.memoryByteCount)
        #expect(first.memoryByteCount > Int(segment.rollupByteCount))
    }

    @Test func `a rollup of a replaced segment is forgotten, and does not come back`() throws {
        let small = try RollupFileTests.filled([1_000, 1_000, 1_000, 1_000])
        let old = try small.snapshot
        let segments = try commands(small)
        #expect(segments.count == 4)
        for segment in segments { #expect(try old.rollup(of: segment) != nil) }
        #expect(small.store.cacheStatus.rollupCount == 4)
        small.compact()
        #expect(small.store.cacheStatus.rollupCount == 0)
        #expect(small.store.cacheStatus.rollupByteCount == 0)
        // Who still has the old snapshot still reads its files.
        #expect(try old.rollup(of: segments[0])?.eventCount == UInt64(segments[0].rowCount))
        #expect(old.damage.isEmpty)
        #expect(small.store.cacheStatus.rollupCount == 0)
        let merged = try #require(try commands(small).first)
        #expect(try small.snapshot.rollup(of: merged)?.eventCount == UInt64(merged.rowCount))
        #expect(small.store.cacheStatus.rollupCount == 1)
        small.store.readCaches.forgetAll(of: SmallStore.log)
        #expect(small.store.cacheStatus.rollupCount == 0)
    }

    @Test func `rollups keep to their budget, the least recently used go`() throws {
        let small = try RollupFileTests.filled([1_000, 1_000, 1_000])
        let snapshot = try small.snapshot
        let segments = try commands(small)
        let files = try segments.map { try #require(try snapshot.rollup(of: $0)) }
        let largest = files.map(\.memoryByteCount).max() ?? 0
        let told = ToldByteCount()
        let cache = RollupCache(byteCountMax: 2 * largest) { told.byteCount.store($0, ordering: .relaxed) }
        for (segment, file) in zip(segments, files) {
            cache.keep(file, of: StoredRollup(segment), SmallStore.log) { true }
            #expect(cache.find(StoredRollup(segments[0]), of: SmallStore.log) != nil)
            #expect(cache.status.byteCount <= 2 * largest)
            #expect(told.byteCount.load(ordering: .relaxed) == cache.status.byteCount)
        }
        #expect(cache.find(StoredRollup(segments[1]), of: SmallStore.log) == nil)
        #expect(cache.find(StoredRollup(segments[2]), of: SmallStore.log) != nil)
        let tight = RollupCache(byteCountMax: largest - 1) { _ in }
        for (segment, file) in zip(segments, files) {
            tight.keep(file, of: StoredRollup(segment), SmallStore.log) { true }
        }
        #expect(tight.status.byteCount <= largest - 1)
    }

    @Test func `a rollup of another segment is told and not used`() throws {
        let small = try RollupFileTests.filled([2_000])
        var segment = try #require(try commands(small).first)
        segment.footerChecksum ^= 1
        let snapshot = try small.snapshot
        #expect(try snapshot.rollup(of: segment) == nil)
        #expect(snapshot.damage.map(\.file) == [Layout.path(SmallStore.folder, segment.rollupPath)])
        #expect(small.store.cacheStatus.rollupCount == 0)
    }

    private final class ToldByteCount: Sendable {
        let byteCount = Atomic<Int>(0)
    }
}
