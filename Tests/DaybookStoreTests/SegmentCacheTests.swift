import DaybookFormat
import DaybookSegment
import DaybookSystem
import DaybookTestSupport
import Synchronization
import Testing

@testable import DaybookStore

@Suite struct SegmentCacheTests {
    private static let log = TailStory.logs[0]

    /// A store with so many sealed ranges of one log.
    private func story(_ rangeCount: Int, _ adjust: (inout StoreOptions) -> Void = { _ in }) throws -> TailStory {
        let story = try TailStory(seed: 9, adjust)
        for _ in 0..<rangeCount {
            story.append(60, to: Self.log, family: .commandExecution)
            try story.sealEverything(of: Self.log)
        }
        return story
    }

    @Test func `a segment is opened once, whoever asks`() throws {
        let story = try story(3)
        let first = try story.store.snapshot(of: Self.log)
        let readers = try first.segments.map { try first.open($0) }
        let second = try story.store.snapshot(of: Self.log)
        for (segment, reader) in zip(second.segments, readers) { #expect(try second.open(segment) === reader) }
        #expect(story.store.cacheStatus.segmentOpeningCount == 3)
        #expect(story.store.cacheStatus.openSegmentCount == 3)
    }

    @Test func `no more segments stay open than the budget says, the least recently used go`() throws {
        let story = try story(5) { $0.openSegmentCountMax = 2 }
        let snapshot = try story.store.snapshot(of: Self.log)
        let segments = snapshot.segments
        let kept = try snapshot.open(segments[0])
        for segment in segments.dropFirst() {
            _ = try snapshot.open(segment)
            #expect(try snapshot.open(segments[0]) === kept)
            #expect(story.store.cacheStatus.openSegmentCount <= 2)
        }
        // One that was put out still reads for those who have it.
        let early = try snapshot.open(segments[1])
        for segment in segments { _ = try snapshot.open(segment) }
        #expect(try early.read(rowGroup: 0, .all).rowCount == 60)
        #expect(try snapshot.open(segments[1]) !== early)
    }

    @Test func `decoded pages outlive the reader that decoded them`() throws {
        let story = try story(3) { $0.openSegmentCountMax = 1 }
        let snapshot = try story.store.snapshot(of: Self.log)
        _ = try snapshot.open(snapshot.segments[0]).read(rowGroup: 0, [.time, .name])
        for segment in snapshot.segments { _ = try snapshot.open(segment) }
        let before = story.store.cacheStatus
        _ = try snapshot.open(snapshot.segments[0]).read(rowGroup: 0, [.time, .name])
        #expect(story.store.cacheStatus.pageMissCount == before.pageMissCount)
        #expect(story.store.cacheStatus.pageHitCount == before.pageHitCount + 2)
    }

    @Test func `footers and directories keep to their budget`() throws {
        let story = try story(6) { $0.segmentDirectoryByteCountMax = 12_000 }
        let snapshot = try story.store.snapshot(of: Self.log)
        for _ in 0..<2 {
            for segment in snapshot.segments { _ = try snapshot.open(segment).read(rowGroup: 0, [.time]) }
        }
        _ = try snapshot.open(snapshot.segments[0])
        let status = story.store.cacheStatus
        #expect(status.segmentDirectoryByteCount <= 12_000 || status.openSegmentCount == 1)
        #expect(status.openSegmentCount < 6)
    }

    @Test func `a forgotten segment is closed and leaves no page behind`() throws {
        let story = try story(2)
        let snapshot = try story.store.snapshot(of: Self.log)
        let reader = try snapshot.open(snapshot.segments[0])
        _ = try reader.read(rowGroup: 0, [.time, .name])
        story.store.readCaches.forget(Self.log, [snapshot.segments[0]])
        #expect(story.store.cacheStatus.openSegmentCount == 0)
        #expect(story.store.cacheStatus.pageCount == 0)
        // Who has it can go on, and leaves nothing behind.
        #expect(try reader.read(rowGroup: 0, [.time, .name]).rowCount == 60)
        #expect(story.store.cacheStatus.pageCount == 0)
    }

    @Test func `a segment that the manifest does not name is read and not kept`() throws {
        let story = try story(1)
        let snapshot = try story.store.snapshot(of: Self.log)
        var other = snapshot.segments[0]
        other.footerChecksum ^= 1
        #expect(try snapshot.open(other).read(rowGroup: 0, [.time]).rowCount == 60)
        #expect(story.store.cacheStatus.openSegmentCount == 0)
        #expect(story.store.cacheStatus.pageCount == 0)
    }

    @Test func `an index is mapped once`() throws {
        let story = try story(1)
        let snapshot = try story.store.snapshot(of: Self.log)
        let index = try snapshot.openIndex(of: snapshot.segments[0])
        #expect(try snapshot.openIndex(of: snapshot.segments[0]) === index)
        #expect(story.store.cacheStatus.mappedIndexCount == 1)
        #expect(story.store.cacheStatus.mappedIndexByteCount == index.byteCount)
    }

    @Test(arguments: [false, true])
    func `an index that a question missed is made again in the background`(isDamaged: Bool) throws {
        let story = try story(2)
        let snapshot = try story.store.snapshot(of: Self.log)
        let segment = snapshot.segments[1]
        let path = SegmentIndex.path(ofSegment: Layout.path(snapshot.folder, segment.path))
        let sound = try story.disk.readAll(path)
        if isDamaged { story.disk.corrupt(path, offset: 30, xor: 1) } else { try story.disk.remove(path) }
        #expect(try snapshot.index(of: snapshot.segments[0]) != nil)
        #expect(try snapshot.index(of: segment) == nil)
        // Not looked for a second time.
        try story.disk.replaceAtomically(path, with: sound.span.bytes)
        #expect(try snapshot.index(of: segment) == nil)
        try story.disk.remove(path)
        while story.store.machine.stepCompactor() == .worked {}
        #expect(try snapshot.index(of: segment) != nil)
        #expect(try story.disk.readAll(path) == sound)
        #expect(story.store.cacheStatus.mappedIndexCount == 2)
    }

    @Test func `pages give way when tails grow`() throws {
        let story = try story(1) { options in
            options.tailByteCountMax = 4 << 20
            options.pageCacheByteCountMax = 1 << 20
            options.readCacheByteCountMax = 4 << 20
            options.logFileByteCount = 4 << 20
        }
        let snapshot = try story.store.snapshot(of: Self.log)
        _ = try snapshot.open(snapshot.segments[0]).read(rowGroup: 0, [.time, .name])
        #expect(story.store.cacheStatus.pageByteCount > 0)
        // Asked twice: a question does not wait until all of these are in columns.
        for _ in 0..<2 {
            for _ in 0..<11 { story.append(900, to: Self.log, family: .commandExecution) }
            _ = try story.store.snapshot(of: Self.log).tailChunks(of: .commandExecution, through: .max, [.time])
        }
        let status = story.store.cacheStatus
        #expect(status.tailByteCount > 1 << 20)
        #expect(status.tailByteCount + status.pageByteCount <= 4 << 20)
    }

    @Test func `threads that open the same segments share their readers`() throws {
        let story = try story(4) { $0.openSegmentCountMax = 2 }
        let snapshot = try story.store.snapshot(of: Self.log)
        let counter = Counter()
        let threads = (0..<4).map { number in
            SystemThread.start(name: "open-\(number)") {
                for round in 0..<200 {
                    let segment = snapshot.segments[(round + number) % 4]
                    let found = try? snapshot.open(segment).read(rowGroup: 0, [.time, .name]).rowCount
                    counter.rowCount.add(found ?? 0, ordering: .relaxed)
                }
            }
        }
        for thread in threads { thread.join() }
        #expect(counter.rowCount.load(ordering: .relaxed) == 4 * 200 * 60)
        #expect(story.store.cacheStatus.openSegmentCount <= 2)
    }

    private final class Counter: Sendable {
        let rowCount = Atomic<Int>(0)
    }
}
