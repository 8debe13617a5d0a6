import DaybookFormat
import DaybookSystem
import DaybookTestSupport
import Testing

@testable import DaybookLog

/// The checkpoint log on a simulated disk.
struct CheckpointLogTests {
    static let storeID: UInt64 = 0x0102_0304_0506_0708

    static func mark(_ log: UInt64, through lastSequence: UInt64, byteCount: UInt64 = 1_000) -> LogMark {
        LogMark(
            log: LogID(log), fileFirstSequence: 1, fileByteCount: byteCount, lastSequence: lastSequence,
            lastArrival: Timestamp(microseconds: 1_767_225_600_000_000), sealedThrough: 0)
    }

    static func disk() throws -> SimulatedDisk {
        let disk = SimulatedDisk()
        try disk.createDirectory(Layout.checkpoint)
        try disk.synchronizeDirectory("")
        return disk
    }

    static func created(on disk: SimulatedDisk, marks: [LogMark] = [], position: UInt64 = 0) throws -> CheckpointLog {
        var table = CheckpointTable()
        table.journalPosition = position
        for mark in marks { table.marks[mark.log] = mark }
        return try CheckpointLog.create(disk: disk, storeID: storeID, table: table, ordinal: 1)
    }

    private func read(_ disk: SimulatedDisk) throws -> CheckpointLog.Found {
        try CheckpointLog.read(disk: disk, storeID: Self.storeID)
    }

    @Test func laterMarksWin() throws {
        let disk = try Self.disk()
        let log = try Self.created(
            on: disk, marks: [Self.mark(16, through: 5), Self.mark(17, through: 9)], position: 100)
        try log.append(position: 200, marks: [Self.mark(16, through: 8)])
        try log.append(position: 300, marks: [Self.mark(18, through: 1)])
        let found = try read(disk)
        #expect(found.table == log.table)
        #expect(found.table.journalPosition == 300)
        #expect(found.table.marks[LogID(16)]?.lastSequence == 8)
        #expect(found.table.marks[LogID(17)]?.lastSequence == 9)
        #expect(found.table.marks[LogID(18)]?.lastSequence == 1)
        #expect(found.recordCount == 3)
    }

    @Test func anAppendedRecordSurvivesThePower() throws {
        for seed in 0..<50 as Range<UInt64> {
            let disk = try Self.disk()
            let log = try Self.created(on: disk)
            try log.append(position: 800, marks: [Self.mark(16, through: 3)])
            let after = disk.reopen(seed: seed)
            #expect(try read(after).table.journalPosition == 800)
        }
    }

    @Test func everyTornLastRecordIsAsIfItHadNotHappened() throws {
        let disk = try Self.disk()
        let log = try Self.created(on: disk, marks: [Self.mark(16, through: 5)], position: 100)
        let path = CheckpointLog.path(1)
        let before = try #require(disk.contents(path)).count
        try log.append(position: 200, marks: [Self.mark(16, through: 8)])
        let after = try #require(disk.contents(path)).count
        for byteCount in before..<after {
            let torn = disk.copy()
            torn.truncate(path, to: byteCount)
            let found = try read(torn)
            #expect(found.table.journalPosition == 100, "cut at \(byteCount)")
            #expect(found.byteCount == UInt64(before))
        }
    }

    @Test func openingCutsATornRecordAndGoesOnBehindTheGoodOnes() throws {
        let disk = try Self.disk()
        let log = try Self.created(on: disk, marks: [Self.mark(16, through: 5)], position: 100)
        try log.append(position: 200, marks: [Self.mark(16, through: 8)])
        log.close()
        disk.truncate(CheckpointLog.path(1), to: try #require(disk.contents(CheckpointLog.path(1))).count - 1)
        let reopened = try CheckpointLog.open(disk: disk, storeID: Self.storeID)
        #expect(reopened.table.journalPosition == 100)
        try reopened.append(position: 300, marks: [Self.mark(16, through: 9)])
        #expect(try read(disk).table.marks[LogID(16)]?.lastSequence == 9)
    }

    @Test func damageBeforeTheLastRecordIsCorruption() throws {
        let disk = try Self.disk()
        let log = try Self.created(on: disk, marks: [Self.mark(16, through: 5)], position: 100)
        try log.append(position: 200, marks: [Self.mark(16, through: 8)])
        try log.append(position: 300, marks: [Self.mark(16, through: 9)])
        let path = CheckpointLog.path(1)
        // Every byte of the header and of the first two records: 32 + 72 + 72.
        for offset in 0..<176 {
            let damaged = disk.copy()
            damaged.corrupt(path, offset: offset, xor: 0x10)
            #expect(throws: LogError.self, "offset \(offset)") { try read(damaged) }
        }
    }

    @Test func aLogOfAnotherStoreIsRefused() throws {
        let disk = try Self.disk()
        _ = try Self.created(on: disk)
        #expect(
            throws: LogError.corrupt(
                Corruption(file: CheckpointLog.path(1), offset: 0, reason: .invalid("checkpoint store id")))
        ) { try CheckpointLog.read(disk: disk, storeID: 1) }
    }

    @Test func aMissingLogIsCorruption() throws {
        let disk = try Self.disk()
        #expect(throws: LogError.self) { try read(disk) }
    }

    @Test func aGrownLogIsReplacedByOneThatSaysTheSame() throws {
        let disk = try Self.disk()
        let log = try Self.created(on: disk)
        for number in 1...2_000 as ClosedRange<UInt64> {
            try log.append(position: number, marks: [Self.mark(16 + number % 7, through: number)])
        }
        let found = try read(disk)
        #expect(found.table == log.table)
        #expect(found.table.marks.count == 7)
        #expect(found.ordinal > 1)
        #expect(found.byteCount < 100 << 10)
        #expect(found.ordinals == [found.ordinal])
    }

    @Test func aFailedSyncClosesItForGood() throws {
        let disk = try Self.disk()
        let log = try Self.created(on: disk)
        var plan = FaultPlan()
        plan.failSynchronize = 1
        disk.arm(plan)
        #expect(throws: LogError.self) { try log.append(position: 100, marks: []) }
        #expect(throws: LogError.poisoned) { try log.append(position: 200, marks: []) }
        #expect(log.table.journalPosition == 0)
    }
}
