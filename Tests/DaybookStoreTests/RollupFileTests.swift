import DaybookFormat
import DaybookRollup
import DaybookSegment
import DaybookTestSupport
import Testing

@testable import DaybookStore

/// Rollups beside segments: made by sealing and by merging, and never in the way of an answer.
struct RollupFileTests {
    static func filled(_ counts: [Int]) throws -> SmallStore {
        var options = SmallStore.smallOptions
        options.journalFileByteCount = 4 << 20
        options.logFileByteCount = 4 << 20
        options.checkpointByteCount = 4 << 20
        var small = try SmallStore(options)
        try small.fill(counts)
        return small
    }

    /// The events that the rows of a grain and window count.
    static func eventCount(_ rollup: RollupFile, _ grain: RollupGrain, _ window: RollupWindow) throws -> UInt64 {
        var count: UInt64 = 0
        let section = try #require(rollup.section(grain, window))
        try rollup.forEachRow(of: section) { row in
            let statuses = row.aggregate.statuses
            count += statuses.success + statuses.error + statuses.timeout + statuses.cancelled
        }
        return count
    }

    @Test func sealingStoresARollupWhereItPays() throws {
        let small = try Self.filled([2_000])
        let snapshot = try small.snapshot
        let commands = snapshot.segments[0]
        #expect(commands.rollupByteCount > 0)
        #expect(
            small.disk.contents(Layout.path(SmallStore.folder, commands.rollupPath))?.count
                == Int(commands.rollupByteCount))
        let rollup = try #require(try snapshot.rollup(of: commands))
        #expect(rollup.eventCount == 1_800)
        #expect(try Self.eventCount(rollup, .status, .oneMinute) == 1_800)
        #expect(try Self.eventCount(rollup, .name, .oneDay) == 1_800)
        #expect(snapshot.segments[1].family == .sessionChange)
        #expect(try snapshot.rollup(of: snapshot.segments[1]) == nil)
        #expect(snapshot.damage == [])
    }

    @Test func aRollupThatDoesNotPayIsNotStored() throws {
        let small = try Self.filled([20])
        #expect(try small.snapshot.segments.allSatisfy { $0.rollupByteCount == 0 && $0.rollupChecksum == 0 })
        #expect(try small.files.contains { $0.hasSuffix(".dbr") } == false)
    }

    @Test func mergingMakesTheRollupOfAllRows() throws {
        let small = try Self.filled([1_000, 1_000, 1_000, 1_000])
        let before = try small.snapshot.segments.map(\.rollupPath)
        small.compact()
        let snapshot = try small.snapshot
        let commands = snapshot.segments[0]
        let rollup = try #require(try snapshot.rollup(of: commands))
        #expect(rollup.eventCount == 3_600)
        #expect(try Self.eventCount(rollup, .name, .oneHour) == 3_600)
        var derived = SegmentRollup(try snapshot.open(commands))
        while try derived.step() {}
        #expect(derived.finish(commands) == small.disk.contents(Layout.path(SmallStore.folder, commands.rollupPath)))
        #expect(Set(try small.files).isDisjoint(with: before))
        try small.check()
    }

    enum Damage: CaseIterable { case changed, cut, missing }

    @Test(arguments: Damage.allCases)
    func aDamagedRollupIsToldAndNotUsed(_ damage: Damage) throws {
        let small = try Self.filled([2_000])
        let commands = try small.snapshot.segments[0]
        let path = Layout.path(SmallStore.folder, commands.rollupPath)
        switch damage {
        case .changed: small.disk.corrupt(path, offset: Int(commands.rollupByteCount) - 1, xor: 1)
        case .cut: small.disk.truncate(path, to: 100)
        case .missing: try small.disk.remove(path)
        }
        let snapshot = try small.snapshot
        #expect(try snapshot.rollup(of: commands) == nil)
        #expect(snapshot.damage.map(\.file) == [path])
        #expect(try SmallStore.sealedRows(snapshot).count == 2_000)
    }
}
