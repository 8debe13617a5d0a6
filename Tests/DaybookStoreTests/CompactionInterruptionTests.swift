import DaybookFormat
import DaybookSegment
import DaybookSystem
import DaybookTestSupport
import Testing

@testable import DaybookStore

/// Expiry, rewriting and merging of a store with a damaged page, interrupted at every call of the disk.
struct CompactionInterruptionTests {
    /// Five ranges of 30. Of the first everything but sessions has expired, of the second two thirds; in the third the
    /// commands are damaged.
    static let eventCount: UInt64 = 150
    static let damagedPath = FileKind.segment(first: 61, last: 90, family: .commandExecution).name
    static let expiredCount: UInt64 = 45
    static let damagedCount: UInt64 = 27

    static let prepared: (small: SmallStore, wallMicroseconds: Int64)? = try? {
        var options = RetentionTests.options
        options.compaction.mergesRanges = true
        var small = try SmallStore(options)
        let start = Timestamp(microseconds: small.clock.wallMicroseconds())
        try small.append(30, at: start)
        try small.seal()
        try small.append(20, at: start)
        try small.append(10, at: start.adding(microseconds: 9 * Limits.dayMicroseconds))
        try small.seal()
        small.clock.advance(seconds: 11 * RetentionTests.day)
        for _ in 0..<3 {
            try small.append(30)
            try small.seal()
        }
        small.disk.corrupt(Layout.path(SmallStore.folder, damagedPath), offset: 40, xor: 1)
        return (small, small.clock.wallMicroseconds())
    }()

    /// The store at the moment when compaction begins.
    static func start() throws -> SmallStore {
        let (begun, wall) = try #require(prepared)
        var small = begun
        // Tests run at the same time: each has a clock of its own.
        small.clock = ManualClock(wallMicroseconds: wall)
        try small.reopen(small.disk.copy())
        _ = try small.snapshot
        return small
    }

    static func hasExpired(_ sequence: UInt64) -> Bool { sequence <= 50 && !sequence.isMultiple(of: 10) }

    static func isDamaged(_ sequence: UInt64) -> Bool { (61...90).contains(sequence) && !sequence.isMultiple(of: 10) }

    /// Every sequence is in a segment or stated as absent, and whatever has not expired and is not damaged is there
    /// once, with the bytes that were acknowledged.
    static func check(_ small: SmallStore, _ comment: Comment) throws {
        let snapshot = try small.snapshot
        let manifest = snapshot.manifest
        #expect(manifest.firstBrokenInvariant.map { "\($0)" } == nil, comment)
        var rows: Set<UInt64> = []
        var unreadableCount = 0
        for reference in snapshot.segments {
            guard reference.path != damagedPath else {
                unreadableCount += reference.rowCount
                continue
            }
            let segment = try snapshot.open(reference)
            for rowGroup in 0..<segment.rowGroupCount {
                let batch = try segment.read(rowGroup: rowGroup, .all)
                for row in 0..<batch.rowCount {
                    var encoding: [UInt8] = []
                    batch.appendEncoding(row: row, to: &encoding)
                    let isNew = rows.insert(batch.sequences[row]).inserted
                    #expect(isNew, comment)
                    let isSame = small.encodings[Int(batch.sequences[row]) - 1] == encoding
                    #expect(isSame, comment)
                }
            }
        }
        let absent = manifest.absences.reduce(0) { $0 + $1.eventCount }
        #expect(UInt64(rows.count + unreadableCount) + absent == eventCount, comment)
        let missing = (1...eventCount).filter { !rows.contains($0) && !hasExpired($0) && !isDamaged($0) }
        #expect(missing == [], comment)
        #expect(snapshot.damage == [], comment)
        #expect(
            try RollupCheck(disk: small.disk, isServed: { false }).run().findings.allSatisfy {
                $0.segment.hasSuffix(damagedPath)
            }, comment)
    }

    /// Nothing but what the manifest names, logs and what was set aside.
    static func checkFiles(_ small: SmallStore, _ comment: Comment) throws {
        let named = try small.snapshot.manifest.namedFiles
        let stray = try small.files.filter { name in
            switch FileKind(name: name) {
            case .segment?, .index?, .rollup?, .history?, .carry?, .temporary?: !named.contains(name)
            case .manifest?, .logFile?, .quarantineReport(damagedPath)?, .quarantine(damagedPath)?: false
            default: true
            }
        }
        #expect(stray == [], comment)
    }

    /// All that there is to do, as if nothing had happened.
    static func finish(_ small: SmallStore, _ comment: Comment) throws {
        RetentionTests.maintain(small)
        try check(small, comment)
        let manifest = try small.snapshot.manifest
        // What could not be read at first may have been left out of a merge: then too few ranges are left for another.
        #expect(manifest.rangeSummaries().count <= 2, comment)
        let counts = manifest.absences.eventCounts()
        #expect(counts == [.expired: expiredCount, .segmentDamaged: damagedCount], comment)
    }

    /// How many calls it takes when nothing fails.
    static func callCount() throws -> Int {
        let small = try start()
        let before = small.disk.callCount
        RetentionTests.maintain(small)
        let count = small.disk.callCount - before
        #expect(small.store.compactionStatus.runCount >= 2)
        #expect(small.store.compactionStatus.failureCount == 0)
        try finish(small, "without a fault")
        #expect(try small.ranges == [1...eventCount])
        try checkFiles(small, "without a fault")
        #expect(try small.files.contains(FileKind.quarantine(of: damagedPath).name))
        return count
    }

    @Test func `a power loss in any call loses nothing`() throws {
        let count = try Self.callCount()
        #expect(count > 150)
        for call in 1...count {
            let small = try Self.start()
            var plan = FaultPlan()
            plan.crashAtCall = call
            small.disk.arm(plan)
            RetentionTests.maintain(small)
            #expect(small.disk.isCrashed, "call \(call)")
            for seed in 0..<4 as Range<UInt64> {
                var after = small
                try after.reopen(small.disk.copy().reopen(seed: seed))
                let comment: Comment = "call \(call), seed \(seed)"
                try Self.check(after, comment)
                try Self.checkFiles(after, comment)
                try Self.finish(after, comment)
                try Self.checkFiles(after, comment)
            }
        }
    }

    @Test func `a call that fails loses nothing`() throws {
        var failureCount: UInt64 = 0
        for call in 1...(try Self.callCount()) {
            var small = try Self.start()
            var plan = FaultPlan()
            plan.failCall = call
            small.disk.arm(plan)
            RetentionTests.maintain(small)
            failureCount += small.store.compactionStatus.failureCount
            small.disk.arm(FaultPlan())
            try Self.check(small, "call \(call)")
            if !small.store.shared.isPoisoned { try Self.finish(small, "call \(call), going on") }
            var lost = small
            try lost.reopen(small.disk.copy().reopen(seed: UInt64(call)))
            try Self.check(lost, "call \(call), power lost")
            try small.reopen(small.disk.copy())
            try Self.checkFiles(small, "call \(call), again")
            try Self.finish(small, "call \(call), again")
            try Self.checkFiles(small, "call \(call), finished")
        }
        #expect(failureCount > 100)
    }
}
