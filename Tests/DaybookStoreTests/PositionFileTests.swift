import DaybookFormat
import DaybookLog
import DaybookSystem
import DaybookTestSupport
import Testing

@testable import DaybookStore

/// How far the journal was durable: what it is worth to a start.
struct PositionFileTests {
    @Test func `the vector on the page is read and written`() throws {
        let vector = try HexVectors.load(page: "docs/format/journal.md", name: "position-file")
        let position = try #require(try vector.fields()["position"]?.unsigned)
        let disk = SimulatedDisk(recovering: DiskImage(files: [PositionFile.path: vector.bytes]))
        #expect(try PositionFile.read(disk: disk) == position)
        try PositionFile(disk: disk).publish(0)
        #expect(try PositionFile.read(disk: disk) == 0)
        try PositionFile(disk: disk).publish(position)
        #expect(disk.contents(PositionFile.path) == vector.bytes)
    }

    @Test func `any changed byte and any shorter file says nothing`() throws {
        let bytes = try HexVectors.load(page: "docs/format/journal.md", name: "position-file").bytes
        for place in bytes.indices {
            var changed = bytes
            changed[place] ^= 1
            for file in [changed, Array(bytes.prefix(place))] {
                let disk = SimulatedDisk(recovering: DiskImage(files: [PositionFile.path: file]))
                // The reserved bytes are under the checksum, too.
                #expect(try PositionFile.read(disk: disk) == nil, "byte \(place)")
            }
        }
    }

    /// A store whose events are only in the journal.
    private static func store() throws -> SmallStore {
        var small = try SmallStore()
        try small.append(10)
        try small.append(10)
        return small
    }

    private static func newestJournalFile(_ disk: SimulatedDisk) throws -> (path: String, groups: [JournalGroup]) {
        let identity = try Store.readIdentity(disk)
        let scan = try JournalScan.read(disk: disk, storeID: identity.storeID, from: 0)
        let slot = try #require(scan.groups.last).slot
        return (JournalFiles.path(slot), scan.groups)
    }

    @Test func `a journal that ends before it is told once, by the check and by the start`() throws {
        var small = try Self.store()
        let (path, groups) = try Self.newestJournalFile(small.disk)
        let cut = try #require(groups.last)
        let disk = small.disk.copy()
        disk.truncate(path, to: Int(cut.offset) - JournalFrame.headerByteCount)
        let report = try disk.check()
        #expect(report.findings.contains { $0.subject == .journal && $0.severity == .damage })
        try small.reopen(disk)
        let missing = try #require(small.store.recoveryReport.missingPositions)
        #expect(!missing.isEmpty)
        #expect(!small.store.recoveryReport.isClean)
        #expect(try disk.list(Layout.recovery).count { $0.hasSuffix(".report") } == 1)
        try small.reopen(disk.copy())
        #expect(small.store.recoveryReport.isClean)
    }

    @Test func `a newest journal file that is gone is told`() throws {
        var small = try Self.store()
        let (path, _) = try Self.newestJournalFile(small.disk)
        let disk = small.disk.copy()
        try disk.remove(path)
        try small.reopen(disk)
        #expect(small.store.recoveryReport.missingPositions?.lowerBound == 0)
    }

    @Test func `a start after a power loss finds the position in the journal`() throws {
        for seed in 0..<50 as Range<UInt64> {
            var small = try Self.store()
            try small.reopen(small.disk.copy().reopen(seed: seed))
            #expect(small.store.recoveryReport.isClean, "seed \(seed)")
        }
    }
}
