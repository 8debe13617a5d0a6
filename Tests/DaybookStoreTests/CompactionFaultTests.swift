import DaybookFormat
import DaybookSegment
import DaybookSystem
import DaybookTestSupport
import Testing

@testable import DaybookStore

/// Compaction that is interrupted, and compaction of what is damaged.
struct CompactionFaultTests {
    /// Four ranges on a disk, from which every test starts anew.
    static let prepared: (disk: SimulatedDisk, encodings: [[UInt8]])? = try? {
        var small = try SmallStore()
        try small.fill([30, 30, 30, 30])
        return (small.disk, small.encodings)
    }()

    static func start(_ change: (SimulatedDisk) throws -> Void = { _ in }) throws -> SmallStore {
        let (disk, encodings) = try #require(prepared)
        var small = try SmallStore()
        small.encodings = encodings
        let copy = disk.copy()
        try change(copy)
        try small.reopen(copy)
        small.store.shared.maintenance.add(SmallStore.log)
        return small
    }

    static func segment(_ index: Int) throws -> String {
        Layout.path(SmallStore.folder, try start().snapshot.segments[index].path)
    }

    @Test func aPowerLossAtEveryChangeLosesNothing() throws {
        var lossCount = 0
        for change in 1...200 {
            let small = try Self.start()
            _ = try small.snapshot
            var plan = FaultPlan()
            plan.crashAtChange = change
            small.disk.arm(plan)
            small.compact()
            guard small.disk.isCrashed else { break }
            lossCount += 1
            for seed in 0..<4 as Range<UInt64> {
                var after = small
                try after.reopen(small.disk.copy().reopen(seed: seed))
                try after.check("change \(change), seed \(seed)")
                after.store.shared.maintenance.add(SmallStore.log)
                after.compact()
                #expect(try after.ranges == [1...120])
                try after.check("change \(change), seed \(seed), compacted")
            }
        }
        #expect(lossCount > 20)
    }

    @Test func aMergeThatIsPublishedBeforeItIsSynchronizedIsNoticed() throws {
        var noticedCount = 0
        for change in 1...120 {
            let small = try Self.start()
            _ = try small.snapshot
            var plan = FaultPlan()
            plan.crashAtChange = change
            plan.skipsSynchronizeOf = ".dbs"
            small.disk.arm(plan)
            small.compact()
            guard small.disk.isCrashed else { break }
            for seed in 0..<4 as Range<UInt64> {
                var after = small
                try after.reopen(small.disk.copy().reopen(seed: seed))
                let rows = try? SmallStore.sealedRows(after.snapshot)
                if rows?.count != 120 { noticedCount += 1 }
            }
        }
        #expect(noticedCount > 0)
    }

    enum Fault: CaseIterable {
        case write, read, synchronize, full

        func plan(_ moment: Int) -> FaultPlan {
            var plan = FaultPlan()
            switch self {
            case .write: plan.failWrite = moment
            case .read: plan.failRead = moment
            case .synchronize: plan.failSynchronize = moment
            case .full: plan.fillAtWrite = moment
            }
            return plan
        }
    }

    @Test(arguments: Fault.allCases)
    func aCallThatFailsLosesNothing(fault: Fault) throws {
        var hitCount = 0
        for moment in 1...120 {
            var small = try Self.start()
            _ = try small.snapshot
            small.disk.arm(fault.plan(moment))
            small.compact()
            if small.store.compactionStatus.failureCount == 0 { break }
            hitCount += 1
            small.disk.arm(FaultPlan())
            try small.reopen(small.disk.copy())
            try small.check("moment \(moment)")
            try small.reopen(small.disk.copy().reopen(seed: UInt64(moment)))
            try small.check("moment \(moment), power lost")
            small.store.shared.maintenance.addPatrolled(SmallStore.log)
            small.compact()
            #expect(try small.ranges == [1...120], "moment \(moment)")
            try small.check("moment \(moment), compacted")
        }
        #expect(hitCount > 3)
    }

    @Test func aFailureDoesNotKeepOthersFromGoingOn() throws {
        let small = try Self.start()
        var plan = FaultPlan()
        plan.failWrite = 2
        small.disk.arm(plan)
        small.compact()
        #expect(small.store.compactionStatus.failureCount == 1)
        #expect(small.store.shared.isPoisoned == false)
        small.store.shared.maintenance.addPatrolled(SmallStore.log)
        small.compact()
        #expect(try small.ranges == [1...120])
        try small.check()
    }

    @Test func aFailedSynchronizationEndsCompaction() throws {
        let small = try Self.start()
        var plan = FaultPlan()
        plan.failSynchronize = 6
        small.disk.arm(plan)
        small.compact()
        #expect(small.store.shared.isPoisoned)
        #expect(small.store.machine.stepCompactor() == .idle)
        try small.check()
    }

    @Test func aSegmentThatTheDiskCannotReadIsLeftOutUntilTheNextPatrol() throws {
        var small = try SmallStore()
        try small.fill([30, 30, 30, 30, 30, 30])
        let missing = try small.snapshot.segments[0]
        let path = Layout.path(SmallStore.folder, missing.path)
        let bytes = try small.disk.readAll(path)
        try small.disk.remove(path)
        small.compact()
        #expect(try small.ranges == [1...30, 31...180])
        #expect(small.store.compactionStatus.failureCount == 1)
        let file = try small.disk.open(path, .create)
        try bytes.withRawSpan { (span) throws(DiskError) in try file.write(span, at: 0) }
        try small.check()
    }

    // MARK: - Damage

    struct Damage: Sendable, CustomTestStringConvertible {
        let testDescription: String
        /// Of the rows of the first segment, which has 27.
        let lostCount: UInt64
        let change: @Sendable (SimulatedDisk, String) throws -> Void

        init(_ name: String, lost: UInt64, _ change: @escaping @Sendable (SimulatedDisk, String) throws -> Void) {
            testDescription = name
            lostCount = lost
            self.change = change
        }
    }

    static let damages: [Damage] = [
        Damage("a page", lost: 27) { disk, path in disk.corrupt(path, offset: 40, xor: 1) },
        Damage("the header", lost: 27) { disk, path in disk.corrupt(path, offset: 9, xor: 4) },
        Damage("the trailer", lost: 27) { disk, path in
            disk.corrupt(path, offset: try disk.readAll(path).count - 3, xor: 4)
        },
        Damage("the footer", lost: 27) { disk, path in
            disk.corrupt(path, offset: try disk.readAll(path).count - 60, xor: 4)
        },
        Damage("the end missing", lost: 27) { disk, path in disk.truncate(path, to: 300) },
        Damage("everything missing", lost: 27) { disk, path in disk.truncate(path, to: 0) },
        Damage("another file of the same kind", lost: 27) { disk, path in
            let other = try disk.readAll(
                path.replacing("0000000000000001-000000000000001e", with: "000000000000001f-000000000000003c"))
            try other.withRawSpan { (span) throws(DiskError) in try disk.replaceAtomically(path, with: span) }
        },
        Damage("a damaged index", lost: 0) { disk, path in
            disk.corrupt(SegmentIndex.path(ofSegment: path), offset: 20, xor: 1)
        },
    ]

    @Test(arguments: damages)
    func damageCostsItsRowsAndIsSetAside(_ damage: Damage) throws {
        let path = try Self.segment(0)
        let small = try Self.start { disk in try damage.change(disk, path) }
        let broken = try small.disk.readAll(path)
        small.compact()
        #expect(try small.ranges == [1...120])
        try small.check(absentCount: damage.lostCount)
        let status = small.store.compactionStatus
        #expect(status.lostEventCount == damage.lostCount)
        #expect(status.failureCount == 0)
        guard damage.lostCount > 0 else {
            #expect(status.setAsideCount == 0)
            return
        }
        #expect(status.setAsideCount == 1)
        #expect(
            try small.snapshot.manifest.absences == [
                Absence(range: 1...120, eventCount: damage.lostCount, reason: .segmentDamaged)
            ])
        #expect(try small.disk.readAll(path + ".quarantine") == broken)
        let report = try ParsedJSON(parsing: try small.disk.readAll(path + ".report"))
        #expect(report["file"]?.string == path)
    }

    @Test func aDamagedPageOfALargeSegmentCostsItsRowsOnly() throws {
        var options = SmallStore.smallOptions
        options.journalFileByteCount = 4 << 20
        options.logFileByteCount = 4 << 20
        options.checkpointByteCount = 4 << 20
        var small = try SmallStore(options)
        for _ in 0..<4 {
            for _ in 0..<10 { try small.append(1_000) }
            try small.seal()
        }
        let first = try small.snapshot.segments[0]
        let path = Layout.path(SmallStore.folder, first.path)
        let directory = try SegmentReader.open(disk: small.disk, path: path).directory(rowGroup: 0)
        let page = try #require(directory.columns.first { $0.pages.count == 2 }?.pages[1])
        small.disk.corrupt(path, offset: Int(page.offset) + 20, xor: 1)
        small.compact()
        #expect(try small.ranges == [1...40_000])
        try small.check(absentCount: UInt64(page.rowCount))
        #expect(page.rowCount == first.rowCount - 8_192)
    }
}
