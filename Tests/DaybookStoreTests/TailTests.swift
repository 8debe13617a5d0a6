import DaybookFormat
import DaybookSegment
import DaybookSystem
import DaybookTestSupport
import Testing

@testable import DaybookStore

@Suite struct TailTests {
    private static let log = TailStory.logs[0]
    private static let families: [Family] = [.commandExecution, .sessionChange]

    /// Random appends, checkpoints, sealings, background steps and questions, of snapshots old and new.
    @Test(arguments: 0..<12)
    func `every snapshot sees its unsealed rows, each once`(seed: Int) throws {
        let story = try TailStory(seed: UInt64(seed)) { options in
            // From a budget that holds everything to one that holds nothing.
            options.tailByteCountMax = [13 << 20, 300 << 10, 60 << 10, 1_000][seed % 4]
        }
        var snapshots: [OrganizationSnapshot] = []
        for _ in 0..<250 {
            let log = TailStory.logs[story.random.below(TailStory.logs.count)]
            switch story.random.below(12) {
            case 0..<4: story.append(1 + story.random.below(40), to: log)
            case 4: story.checkpoint()
            case 5: story.seal()
            case 6: try story.sealEverything(of: log)
            case 7:
                story.clock.advance(microseconds: UInt64(story.random.below(2_000_000)))
                story.store.machine.stepTails()
            default:
                snapshots.append(try story.store.snapshot(of: log))
                let snapshot = snapshots[max(0, snapshots.count - 1 - story.random.below(6))]
                let family = Self.families[story.random.below(2)]
                let last: UInt64 = story.random.oneIn(2) ? .max : UInt64(story.random.below(400))
                let shown = try TailStory.shown(snapshot, family, through: last)
                try #require(shown == story.expected(snapshot, family, through: last), "seed \(seed)")
                #expect(snapshot.damage.isEmpty)
            }
        }
        let status = story.store.cacheStatus
        #expect(status.tailByteCount <= [23 << 20, 300 << 10, 60 << 10, 1_000][seed % 4])
        switch seed % 4 {
        case 0: #expect(status.tailExtensionCount > 20 && status.tailEvictionCount == 0)
        case 3: #expect(status.tailCount == 0)
        default: #expect(status.tailExtensionCount > 0)
        }
    }

    @Test func `a second question decodes nothing and shares the columns`() throws {
        let story = try TailStory(seed: 1)
        story.append(500, to: Self.log)
        let snapshot = try story.store.snapshot(of: Self.log)
        _ = try snapshot.tailChunks(of: .commandExecution, through: .max, [.time])
        let before = story.store.cacheStatus
        _ = try snapshot.tailChunks(of: .sessionChange, through: .max, .all)
        _ = try story.store.snapshot(of: Self.log).tailChunks(of: .commandExecution, through: .max, .all)
        #expect(story.store.cacheStatus.tailExtensionCount == before.tailExtensionCount)
        #expect(story.store.cacheStatus.tailAskCount == before.tailAskCount + 2)
    }

    @Test func `snapshots from before and after a sealing both see what is theirs`() throws {
        let story = try TailStory(seed: 2) { $0.logFileByteCount = 1 << 20 }
        story.append(300, to: Self.log)
        story.checkpoint()
        story.append(200, to: Self.log)
        let before = try story.store.snapshot(of: Self.log)
        #expect(try TailStory.shown(before, .commandExecution) == story.expected(before, .commandExecution))
        try story.sealEverything(of: Self.log)
        story.append(50, to: Self.log)
        let after = try story.store.snapshot(of: Self.log)
        #expect(after.manifest.sealedThrough == 500)
        for snapshot in [after, before, after] {
            #expect(try TailStory.shown(snapshot, .commandExecution) == story.expected(snapshot, .commandExecution))
        }
        #expect(story.store.cacheStatus.tailExtensionCount == 2)
        // Two looks later the sealed rows are gone; the old snapshot reads its log files.
        let full = story.store.cacheStatus.tailByteCount
        for _ in 0..<3 {
            story.clock.advance(microseconds: 1_500_000)
            story.store.machine.stepTails()
        }
        #expect(story.store.cacheStatus.tailByteCount < full / 2)
        for snapshot in [before, after] {
            #expect(try TailStory.shown(snapshot, .commandExecution) == story.expected(snapshot, .commandExecution))
        }
    }

    @Test func `a tail that is asked is extended in the background, one that is not is let go`() throws {
        let story = try TailStory(seed: 3)
        story.append(100, to: Self.log)
        #expect(story.store.machine.stepTails() == nil)
        _ = try story.store.snapshot(of: Self.log).tailChunks(of: .commandExecution, through: .max, .all)
        story.append(60, to: Self.log)
        #expect(story.store.machine.stepTails() != nil)
        let extended = story.store.cacheStatus.tailExtensionCount
        let snapshot = try story.store.snapshot(of: Self.log)
        #expect(try TailStory.shown(snapshot, .commandExecution) == story.expected(snapshot, .commandExecution))
        #expect(story.store.cacheStatus.tailExtensionCount == extended)
        story.clock.advance(microseconds: 400_000_000)
        #expect(story.store.machine.stepTails() == nil)
        #expect(story.store.cacheStatus.tailCount == 0)
        #expect(story.store.cacheStatus.tailByteCount == 0)
    }

    @Test func `the least recently asked tail goes first, and one that is too large is decoded`() throws {
        let logs = TailStory.logs
        let sample = try TailStory(seed: 4)
        sample.append(300, to: logs[0])
        _ = try sample.store.snapshot(of: logs[0]).tailChunks(of: .commandExecution, through: .max, .all)
        let budget = sample.store.cacheStatus.tailByteCount / 2 * 5
        let story = try TailStory(seed: 4) { $0.tailByteCountMax = budget }
        for log in logs.prefix(3) { story.append(300, to: log) }
        func ask(_ log: LogID) throws {
            let snapshot = try story.store.snapshot(of: log)
            #expect(try TailStory.shown(snapshot, .commandExecution) == story.expected(snapshot, .commandExecution))
        }
        for log in [logs[0], logs[1], logs[0], logs[2]] { try ask(log) }
        #expect(story.store.readCaches.tails.through(logs[1]) == nil)
        #expect(story.store.readCaches.tails.through(logs[0]) == 300)
        #expect(story.store.cacheStatus.tailByteCount <= budget)
        for _ in 0..<6 { story.append(900, to: logs[3]) }
        try ask(logs[3])
        #expect(story.store.readCaches.tails.through(logs[3]) == nil)
        // Once it is sealed, what follows is kept in columns again.
        try story.sealEverything(of: logs[3])
        story.append(10, to: logs[3])
        try ask(logs[3])
        #expect(story.store.readCaches.tails.through(logs[3]) == 5_410)
    }

    @Test func `damage of a log file is told by every snapshot that would show it`() throws {
        let story = try TailStory(seed: 5) { $0.logFileByteCount = 1 << 20 }
        for _ in 0..<4 { story.append(50, to: Self.log, family: .commandExecution) }
        story.checkpoint()
        let path = Layout.path(Layout.folder(of: Self.log), .logFile(first: 1))
        let file = try story.disk.open(path, .readWrite)
        let middle = try file.byteCount() / 2
        try [UInt8(0xEE), 0x11, 0xEE].withRawSpan { try file.write($0, at: middle) }
        for _ in 0..<2 {
            let snapshot = try story.store.snapshot(of: Self.log)
            let shown = try TailStory.shown(snapshot, .commandExecution)
            #expect(shown.count == 150)
            #expect(snapshot.damage.count == 1)
            // The same as by reading the records.
            let other = try story.store.snapshot(of: Self.log)
            var sequences: [UInt64] = []
            try other.forEachTailGroup(from: 1) { header, _ in
                sequences += header.firstSequence...header.lastSequence
                return true
            }
            #expect(shown.map(\.sequence) == sequences)
            #expect(other.damage == snapshot.damage)
        }
        #expect(story.store.cacheStatus.tailExtensionCount == 1)
    }

    @Test func `a reader beside the server decodes just the columns it wants`() throws {
        let story = try TailStory(seed: 6)
        story.append(200, to: Self.log)
        let snapshot = try ReadOnlyStore.open(disk: story.disk).snapshot(of: Self.log)
        let chunks = try snapshot.tailChunks(of: .commandExecution, through: .max, [.name])
        #expect(chunks.allSatisfy { $0.batch.objects == nil && $0.batch.users == nil && $0.batch.names != nil })
        #expect(chunks.reduce(0) { $0 + $1.batch.rowCount } == story.expected(snapshot, .commandExecution).count)
    }

    @Test func `a growing chunk is cut into few pieces whose edges stay`() {
        #expect(GrowingChunk.pieceRows(0).isEmpty)
        #expect(GrowingChunk.pieceRows(3_500) == [0..<2_048, 2_048..<3_072, 3_072..<3_500])
        for count in stride(from: 1, to: GrowingChunk.rowCountMax, by: 97) {
            let pieces = GrowingChunk.pieceRows(count)
            #expect(pieces.count <= 5)
            #expect(pieces.flatMap { Array($0) } == Array(0..<count))
        }
    }

    @Test func `the last records of a log file are found without walking over the first`() throws {
        let story = try TailStory(seed: 7) { options in
            options.logFileByteCount = 4 << 20
            options.pendingByteCountMax = 2 << 20
        }
        for _ in 0..<30 { story.append(500, to: Self.log, family: .commandExecution) }
        story.checkpoint()
        let snapshot = try story.store.snapshot(of: Self.log)
        #expect(snapshot.pendingGroupCount == 0)
        for first in [1, 2, 7_777, 14_999, 15_000] as [UInt64] {
            var sequences: [UInt64] = []
            try snapshot.forEachTailGroup(from: first) { header, _ in
                sequences += header.firstSequence...header.lastSequence
                return true
            }
            let group = (first - 1) / 500 * 500 + 1
            #expect(sequences == Array(group...15_000))
        }
        #expect(snapshot.placeCount >= 4)
    }
}
