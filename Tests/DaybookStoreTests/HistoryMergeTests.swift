import DaybookFormat
import DaybookSystem
import DaybookTestSupport
import Testing

@testable import DaybookRollup
@testable import DaybookStore

/// Sums of expired events are merged: however long a store runs, few small history files are left, and they count the same.
struct HistoryMergeTests {
    /// Ranges are never merged, so that each goes by itself and leaves a history file.
    static var options: StoreOptions {
        var options = RetentionTests.options
        options.compaction.mergesRanges = true
        options.compaction.rowCountMax = 30
        return options
    }

    /// A day's events, sealed, and the patrol.
    static func live(_ small: inout SmallStore, days: Int) throws {
        for _ in 0..<days {
            try small.append(20)
            try small.seal()
            small.clock.advance(seconds: RetentionTests.day)
            RetentionTests.maintain(small)
        }
    }

    /// Every command that is in no segment is counted by a history file, once, and each file can be read.
    static func check(_ small: SmallStore, _ comment: Comment? = nil) throws {
        let snapshot = try small.snapshot
        #expect(snapshot.manifest.firstBrokenInvariant == nil, comment)
        let rows = try SmallStore.sealedRows(snapshot)
        let commands = (1...snapshot.manifest.sealedThrough).filter { !$0.isMultiple(of: 10) }
        let goneCount = commands.count { rows[$0] == nil }
        #expect(snapshot.history.reduce(0) { $0 + $1.eventCount } == UInt64(goneCount), comment)
        for reference in snapshot.history {
            let file = try #require(try snapshot.rollup(of: reference), comment)
            #expect(file.damages == [] && file.eventCount == reference.eventCount, comment)
            for grain in RollupGrain.allCases {
                let section = try #require(file.section(grain, .oneDay), comment)
                #expect(try file.rows(of: section).counts.reduce(0, +) == reference.eventCount, comment)
            }
        }
        #expect(snapshot.damage == [], comment)
    }

    private static func months(_ small: SmallStore) throws -> [Int64: Int] {
        Dictionary(grouping: try small.snapshot.history, by: HistoryMergePlan.month).mapValues(\.count)
    }

    private static func strayHistory(_ small: SmallStore) throws -> [String] {
        let named = Set(try small.snapshot.history.map(\.path))
        return try small.files.filter { $0.hasSuffix(".dba") && !named.contains($0) }
    }

    @Test func aRemovalADayLeavesAFewFilesForEachMonth() throws {
        var small = try SmallStore(Self.options)
        var most = 0
        for _ in 0..<42 {
            try Self.live(&small, days: 10)
            most = max(most, try small.snapshot.history.count)
            #expect(try Self.months(small).values.allSatisfy { $0 < small.options.compaction.fanInMin })
            #expect(try Self.strayHistory(small) == [])
        }
        // A removal a day for a year makes 365 files; 14 months begin in it.
        #expect(most <= 14 * (small.options.compaction.fanInMin - 1))
        #expect(try small.snapshot.history.count >= 12)
        let oldest = try #require(try small.snapshot.history.map(\.timestampMax).min())
        let age = small.clock.wallMicroseconds() - oldest.microseconds
        #expect(age < (365 + 2) * Limits.dayMicroseconds)
        #expect(small.store.compactionStatus.failureCount == 0)
    }

    @Test func everythingIsCountedOnceBeforeAndAfter() throws {
        var small = try SmallStore(Self.options)
        var counts: [Int] = []
        for _ in 0..<60 {
            try Self.live(&small, days: 1)
            try Self.check(small)
            counts.append(try small.snapshot.history.count)
        }
        #expect(zip(counts, counts.dropFirst()).contains { $1 < $0 })
        var again = small
        try again.reopen(small.disk.copy())
        try Self.check(again)
    }

    @Test func nothingIsMergedWhenMergingIsOff() throws {
        var options = Self.options
        options.compaction.mergesRanges = false
        var small = try SmallStore(options)
        try Self.live(&small, days: 30)
        #expect(try small.snapshot.history.count >= 20)
    }

    @Test func aReaderFromBeforeKeepsTheFilesThatItNames() throws {
        var small = try SmallStore(Self.options)
        try Self.live(&small, days: 12)
        var readers: [OrganizationSnapshot] = []
        var before: [[RollupFile]] = []
        for _ in 0..<12 {
            let reader = try small.snapshot
            before.append(try reader.history.map { try #require(try reader.read($0)) })
            readers.append(reader)
            try Self.live(&small, days: 1)
        }
        let names = Set(readers.flatMap { $0.history.map(\.path) })
        let gone = names.subtracting(try small.snapshot.history.map(\.path))
        #expect(gone.count >= 4)
        #expect(gone.isSubset(of: try small.files))
        for (reader, files) in zip(readers, before) {
            for (reference, file) in zip(reader.history, files) {
                #expect(try reader.rollup(of: reference)?.storage == file.storage)
            }
            #expect(reader.damage == [])
        }
        // The oldest one keeps what was merged twice since.
        let oldest = readers[0]
        readers = []
        #expect(Set(oldest.history.map(\.path)).isSubset(of: try small.files))
        try Self.check(small)
    }

    @Test func filesGoWithTheLastReader() throws {
        var small = try SmallStore(Self.options)
        try Self.live(&small, days: 12)
        do {
            let reader = try small.snapshot
            for _ in 0..<20 where try Self.strayHistory(small).isEmpty { try Self.live(&small, days: 1) }
            #expect(try Self.strayHistory(small).count >= 3)
            #expect(reader.damage == [])
        }
        #expect(try Self.strayHistory(small) == [])
    }

    @Test func aDamagedFileStaysAloneAndTheOthersAreMerged() throws {
        var small = try SmallStore(Self.options)
        try Self.live(&small, days: 13)
        let damaged = try #require(try small.snapshot.history.last)
        small.disk.corrupt(Layout.path(SmallStore.folder, damaged.path), offset: 70, xor: 1)
        try small.reopen(small.disk.copy())
        try Self.live(&small, days: 20)
        let history = try small.snapshot.history
        #expect(history.contains(damaged))
        #expect(history.count < 8)
        #expect(small.store.compactionStatus.failureCount == 0)
        let found = try #require(try small.disk.check().findings.first { $0.subject == .history })
        #expect(found.file == Layout.path(SmallStore.folder, damaged.path))
    }

    // MARK: - Interrupted

    /// Enough history files that the next removal brings a merge, and events that are about to go.
    private static let prepared: (small: SmallStore, wallMicroseconds: Int64)? = try? {
        var small = try SmallStore(options)
        repeat { try live(&small, days: 1) } while try small.snapshot.history.count < 3
        try small.append(20)
        try small.seal()
        small.clock.advance(seconds: RetentionTests.day)
        return (small, small.clock.wallMicroseconds())
    }()

    private static func start() throws -> SmallStore {
        let (begun, wall) = try #require(prepared)
        var small = begun
        small.clock = ManualClock(wallMicroseconds: wall)
        try small.reopen(small.disk.copy())
        _ = try small.snapshot
        return small
    }

    private static func finish(_ small: SmallStore, _ comment: Comment) throws {
        RetentionTests.maintain(small)
        RetentionTests.maintain(small)
        try check(small, comment)
        #expect(try small.snapshot.history.count == 1, comment)
    }

    private static func callCount() throws -> Int {
        let small = try start()
        #expect(try small.snapshot.history.count == 3)
        let before = small.disk.callCount
        RetentionTests.maintain(small)
        let count = small.disk.callCount - before
        try finish(small, "without a fault")
        return count
    }

    @Test func aPowerLossInAnyCallCountsEverythingOnce() throws {
        let count = try Self.callCount()
        #expect(count > 40)
        for call in 1...count {
            let small = try Self.start()
            var plan = FaultPlan()
            plan.crashAtCall = call
            small.disk.arm(plan)
            RetentionTests.maintain(small)
            #expect(small.disk.isCrashed, "call \(call)")
            for seed in 0..<3 as Range<UInt64> {
                var after = small
                try after.reopen(small.disk.copy().reopen(seed: seed))
                let comment: Comment = "call \(call), seed \(seed)"
                try Self.check(after, comment)
                #expect(try Self.strayHistory(after) == [], comment)
                try Self.finish(after, comment)
            }
        }
    }

    @Test func aCallThatFailsCountsEverythingOnce() throws {
        for call in 1...(try Self.callCount()) {
            var small = try Self.start()
            var plan = FaultPlan()
            plan.failCall = call
            small.disk.arm(plan)
            RetentionTests.maintain(small)
            small.disk.arm(FaultPlan())
            try Self.check(small, "call \(call)")
            if !small.store.shared.isPoisoned { try Self.finish(small, "call \(call), going on") }
            var lost = small
            try lost.reopen(small.disk.copy().reopen(seed: UInt64(call)))
            try Self.check(lost, "call \(call), power lost")
            try small.reopen(small.disk.copy())
            try Self.finish(small, "call \(call), again")
            #expect(try Self.strayHistory(small) == [], "call \(call), again")
        }
    }

    // MARK: - What is merged

    private static func reference(_ number: Int, day: Int64, byteCount: UInt64 = 100) -> HistoryReference {
        let sequence = UInt64(number * 10 + 1)
        let time = Timestamp(microseconds: day * Limits.dayMicroseconds)
        return HistoryReference(
            family: .commandExecution, firstSequence: sequence, lastSequence: sequence + 9, eventCount: 5,
            timestampMin: time, timestampMax: time, byteCount: byteCount, checksum: 0,
            path: FileKind.history(
                first: sequence, last: sequence + 9, family: .commandExecution, revision: 0
            ).name)
    }

    private static let plan = HistoryMergePlan(fanInMin: 4, byteCountMax: 1_000)

    @Test func filesOfOneMonthAreMergedAndNoOthers() {
        let files = [0, 1, 28, 29, 30, 31, 45, 59, 60].enumerated().map { Self.reference($0.offset, day: $0.element) }
        #expect(Self.plan.candidates(files) == [Array(files[0..<4]), Array(files[4..<8])])
        #expect(Self.plan.candidates(Array(files[0..<3] + files[4..<7])) == [])
        #expect(HistoryMergePlan.month(of: Self.reference(0, day: -1)) == -1)
        #expect(HistoryMergePlan.month(of: Self.reference(0, day: -30)) == -1)
        #expect(HistoryMergePlan.month(of: Self.reference(0, day: -31)) == -2)
    }

    @Test func noFileGrowsBeyondItsBound() {
        let sizes: [UInt64] = [900, 200, 300, 400, 200, 100, 100, 999, 1_000]
        let files = sizes.enumerated().map { Self.reference($0.offset, day: 1, byteCount: $0.element) }
        #expect(Self.plan.candidates(files) == [Array(files[..<8])])
        #expect(Self.plan.run(Array(files[..<8])).map { Array($0) } == Array(files[2..<6]))
        #expect(Self.plan.run(Array(files[..<4])) == nil)
        let many = (0..<200).map { Self.reference($0, day: 1, byteCount: 1) }
        #expect(Self.plan.run(many)?.count == HistoryMergePlan.fanInMax)
    }

    /// Whatever sizes come, in whatever order: at rest no four neighbours fit into one file.
    @Test func whatIsLeftIsBoundedByItsBytes() {
        var random = SeededRandom(seed: 5)
        for _ in 0..<50 {
            var files: [HistoryReference] = []
            for number in 0..<400 {
                files.append(Self.reference(number, day: 1, byteCount: UInt64(1 + random.below(120))))
                while let group = Self.plan.candidates(files).first, let run = Self.plan.run(group) {
                    var merged = run[run.startIndex]
                    merged.byteCount = run.reduce(0) { $0 + $1.byteCount }
                    let gone = Set(run.map(\.path))
                    let place = files.firstIndex { gone.contains($0.path) } ?? 0
                    files.removeAll { gone.contains($0.path) }
                    files.insert(merged, at: place)
                }
                let small = files.filter { $0.byteCount < Self.plan.byteCountMax }
                let byteCount = files.reduce(0) { $0 + $1.byteCount }
                #expect(files.count <= 3 + 4 * Int(byteCount / Self.plan.byteCountMax + 1))
                for start in small.indices.dropLast(3) {
                    #expect(small[start..<start + 4].reduce(0) { $0 + $1.byteCount } > Self.plan.byteCountMax)
                }
            }
        }
    }
}
