import DaybookFormat
import DaybookLog
import DaybookSegment
import DaybookSystem
import DaybookTestSupport
import Testing

@testable import DaybookStore

extension SmallStore {
    /// Steps the compactor until nothing waits; a rest passes at once.
    func compact(stepCountMax: Int = 10_000) {
        for _ in 0..<stepCountMax {
            switch store.machine.stepCompactor() {
            case .idle: return
            case .worked: continue
            case .resting(let nanoseconds): clock.advance(microseconds: nanoseconds / 1_000 + 1)
            }
        }
        Issue.record("compaction does not come to an end")
    }

    /// Everything that was acknowledged is there, except what the manifest states as absent, with the same bytes.
    func check(absentCount: UInt64 = 0, _ comment: Comment? = nil, isQuiet: Bool = true) throws {
        let snapshot = try snapshot
        var rows = try Self.sealedRows(snapshot)
        try snapshot.forEachTailGroup(from: 1) { header, record in
            var entries = GroupEntries(of: header)
            while let entry = try entries.next(record) {
                let isNew = rows.updateValue(record.toArray(entry.encoding), forKey: entry.sequence) == nil
                #expect(isNew, comment)
            }
            return true
        }
        for (sequence, encoding) in rows {
            let isSame = encodings[Int(sequence) - 1] == encoding
            #expect(isSame, comment)
        }
        let absences = snapshot.manifest.absences.reduce(0) { $0 + $1.eventCount }
        #expect(absences == absentCount, comment)
        #expect(UInt64(rows.count) + absences == UInt64(encodings.count), comment)
        #expect(snapshot.manifest.firstBrokenInvariant.map { "\($0)" } == nil, comment)
        if isQuiet { try checkFiles(snapshot.manifest, comment) }
    }

    /// No file that nobody names.
    private func checkFiles(_ manifest: Manifest, _ comment: Comment?) throws {
        let named = manifest.namedFiles
        let unnamed = try files.filter { name in
            switch FileKind(name: name) {
            case .segment?, .index?, .rollup?, .history?, .temporary?: !named.contains(name)
            default: false
            }
        }
        #expect(unnamed == [], comment)
    }

    var ranges: [ClosedRange<UInt64>] {
        get throws { try snapshot.manifest.rangeSummaries().map(\.range) }
    }
}

/// Small ranges become large ones, and nothing else changes.
struct CompactionTests {
    @Test func smallRangesBecomeOne() throws {
        var small = try SmallStore()
        try small.fill([30, 30, 30, 30])
        #expect(try small.ranges.count == 4)
        small.compact()
        #expect(try small.ranges == [1...120])
        #expect(try small.snapshot.segments.map(\.rowCount) == [108, 12])
        try small.check()
        let status = small.store.compactionStatus
        #expect(status.runCount == 1)
        #expect(status.failureCount == 0)
        #expect(status.debtByteCount == 0)
        #expect(status.movedByteCount > 0)
        #expect(status.isRunning == false)
    }

    @Test func aStoreThatCameBackFindsWhatIsToBeMerged() throws {
        var small = try SmallStore()
        try small.fill([30, 30, 30, 30])
        try small.reopen()
        _ = small.store.machine.stepCheckpointer()
        small.clock.advance(seconds: 600)
        _ = small.store.machine.stepCheckpointer()
        small.compact()
        #expect(try small.ranges == [1...120])
        try small.check()
    }

    @Test func merelyThreeRangesAreLeftAlone() throws {
        var small = try SmallStore()
        try small.fill([30, 30, 30])
        small.compact()
        #expect(try small.ranges.count == 3)
        try small.check()
    }

    @Test func nothingIsMergedWhenMergingIsOff() throws {
        var options = SmallStore.smallOptions
        options.compaction.mergesRanges = false
        var small = try SmallStore(options)
        try small.fill([30, 30, 30, 30])
        small.compact()
        #expect(try small.ranges.count == 4)
        #expect(small.store.compactionStatus.debtByteCount == 0)
    }

    @Test func anOutputHasNoMoreRowsThanAllowed() throws {
        var options = SmallStore.smallOptions
        options.compaction.rowCountMax = 100
        var small = try SmallStore(options)
        try small.fill([20, 20, 20, 20, 20, 20, 20])
        small.compact()
        let rowCounts = try small.snapshot.manifest.rangeSummaries().map(\.rowCount)
        #expect(rowCounts.count == 3)
        #expect(rowCounts.max() == 100)
        try small.check()
    }

    @Test func mergedRangesAreMergedAgain() throws {
        var small = try SmallStore()
        for _ in 0..<4 {
            try small.fill([30, 30, 30, 30])
            small.compact()
        }
        #expect(try small.ranges.count <= 2)
        #expect(small.store.compactionStatus.runCount >= 4)
        try small.check()
    }

    @Test func eventsThatArriveMeanwhileStayWhereTheyAre() throws {
        var small = try SmallStore()
        try small.fill([30, 30, 30, 30])
        var isWorking = true
        var rounds = 0
        while isWorking {
            isWorking = small.store.machine.stepCompactor() != .idle
            small.clock.advance(seconds: 2)
            if rounds < 5 {
                try small.append(7)
                try small.check(isQuiet: false)
                if rounds == 2 { try small.seal() }
            }
            rounds += 1
        }
        #expect(rounds > 5)
        #expect(try small.ranges.first == 1...120)
        try small.check()
    }

    @Test func aReaderSeesTheSameAllTheTime() throws {
        var small = try SmallStore()
        try small.fill([30, 30, 30, 30])
        let reader = try small.snapshot
        let before = try SmallStore.sealedRows(reader)
        for _ in 0..<100 {
            _ = small.store.machine.stepCompactor()
            small.clock.advance(seconds: 2)
            let now = try SmallStore.sealedRows(small.snapshot)
            #expect(now == before)
        }
        #expect(try small.ranges == [1...120])
        #expect(try SmallStore.sealedRows(reader) == before)
    }

    @Test func compactionRestsWhileTheCommitterWaitsForRoom() throws {
        var options = SmallStore.smallOptions
        options.pendingByteCountMax = 1_000
        var small = try SmallStore(options)
        try small.fill([30, 30, 30, 30])
        try small.append(30)
        #expect(small.store.shared.pendingByteCount > 1_000)
        let step = small.store.machine.stepCompactor()
        guard case .resting = step else {
            Issue.record("worked although ingest needs the disk: \(step)")
            return
        }
        small.checkpoint()
        small.clock.advance(seconds: 1)
        #expect(small.store.machine.stepCompactor() == .worked)
    }

    @Test func anEndInTheMiddleLeavesNothingBehind() throws {
        var small = try SmallStore()
        try small.fill([30, 30, 30, 30])
        let before = Set(try small.files)
        while Set(try small.files) == before {
            _ = small.store.machine.stepCompactor()
            small.clock.advance(seconds: 2)
        }
        small.store.machine.close()
        #expect(Set(try small.files) == before)
    }

    @Test func whatIsOwedIsTold() throws {
        var options = SmallStore.smallOptions
        options.compaction.bytesPerSecond = 1
        var small = try SmallStore(options)
        try small.fill([30, 30, 30, 30])
        _ = small.store.machine.stepCompactor()
        let status = small.store.compactionStatus
        #expect(status.isRunning)
        #expect(status.debtByteCount == (try small.snapshot.segments.reduce(0) { $0 + $1.byteCount }))
        small.clock.advance(seconds: 7)
        _ = small.store.machine.stepCompactor()
        #expect(small.store.compactionStatus.oldestWorkMicroseconds == 7_000_000)
    }
}
