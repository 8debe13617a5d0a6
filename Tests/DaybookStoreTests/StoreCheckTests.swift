import DaybookFormat
import DaybookLog
import DaybookSystem
import DaybookTestSupport
import Testing

@testable import DaybookStore

@Suite struct StoreCheckTests {
    /// Damage of one kind of file: where a bit is turned over, and where the check must say so.
    struct Damage: Sendable, CustomTestStringConvertible {
        var subject: StoreFinding.Subject
        var ending: String
        var offset: Int
        var expectedOffsets: ClosedRange<UInt64>
        var testDescription: String { "\(subject) at \(offset)" }
    }

    static let damages = [
        Damage(subject: .manifest, ending: "manifest.dbm", offset: 4, expectedOffsets: 0...0),
        Damage(subject: .manifest, ending: "manifest.dbm", offset: 60, expectedOffsets: 24...60),
        Damage(subject: .segment, ending: ".dbs", offset: 4, expectedOffsets: 0...0),
        Damage(subject: .segment, ending: ".dbs", offset: 90, expectedOffsets: 16...90),
        Damage(subject: .carry, ending: ".dbk", offset: 20, expectedOffsets: 0...0),
        Damage(subject: .log, ending: ".dbl", offset: 9, expectedOffsets: 0...0),
        Damage(subject: .log, ending: ".dbl", offset: 90, expectedOffsets: 32...32),
    ]

    @Test func `an undamaged store is sound and everything in it was looked at`() throws {
        let report = try CheckedStore().remains().check()
        #expect(report.findings == [])
        #expect(report.isSound)
        #expect(report.counts.logs >= 2)
        #expect(report.counts.manifests == 2)
        #expect(report.counts.segments >= 2)
        #expect(report.counts.rows > 0)
        #expect(report.counts.indexes == report.counts.segments)
        #expect(report.counts.carryFiles == 2)
        #expect(report.counts.logFiles >= 2)
        #expect(report.counts.logGroups > 0)
        #expect(report.counts.journalGroups == 6)
    }

    @Test(arguments: damages)
    func `damage is told with its file and offset`(damage: Damage) throws {
        let disk = try CheckedStore().remains()
        let path = disk.path(ending: damage.ending)
        disk.corrupt(path, offset: damage.offset, xor: 0x10)
        let report = try disk.check()
        #expect(!report.isSound)
        let finding = try #require(report.findings.first { $0.severity == .damage })
        #expect(finding.subject == damage.subject)
        #expect(finding.file == path)
        #expect(damage.expectedOffsets.contains(finding.offset))
    }

    @Test func `damage of the journal is told with its file and offset`() throws {
        let disk = try CheckedStore().remains()
        let identity = try Store.readIdentity(disk)
        let table = try CheckpointLog.read(disk: disk, storeID: identity.storeID).table
        let scan = try JournalScan.read(disk: disk, storeID: identity.storeID, from: table.journalPosition)
        let group = try #require(scan.groups.first)
        disk.corrupt(JournalFiles.path(group.slot), offset: Int(group.offset) + 50, xor: 0x10)
        let report = try disk.check()
        let finding = try #require(report.findings.first { $0.severity == .damage })
        #expect(finding.subject == .journal)
        #expect(finding.file == JournalFiles.path(group.slot))
        #expect(finding.offset < UInt64(group.offset))
    }

    @Test func `damage of the checkpoint is told and the segments are checked all the same`() throws {
        let disk = try CheckedStore().remains()
        let path = try #require(disk.paths().first { $0.hasPrefix(Layout.checkpoint + "/") })
        disk.corrupt(path, offset: 5, xor: 0x10)
        let report = try disk.check()
        #expect(report.findings.contains { $0.subject == .checkpoint && $0.file == path && $0.offset == 0 })
        #expect(report.counts.segments >= 2)
    }

    @Test func `damage of the identity is told`() throws {
        let disk = try CheckedStore().remains()
        disk.corrupt(Layout.identity, offset: 9, xor: 0x10)
        let report = try disk.check()
        #expect(report.findings.contains { $0.subject == .identity && $0.file == Layout.identity })
        #expect(report.counts.segments >= 2)
    }

    @Test func `a damaged index is told and is no damage of the store`() throws {
        let disk = try CheckedStore().remains()
        let path = disk.path(ending: ".dbi")
        disk.corrupt(path, offset: 50, xor: 0x10)
        let report = try disk.check()
        #expect(report.findings.map(\.file) == [path])
        #expect(report.findings.map(\.severity) == [.disposable])
        #expect(report.isSound)
    }

    @Test(arguments: [(".dbs", "segment"), (".dbk", "carry"), (".dbl", "log")])
    func `a file that counts and is missing is damage`(ending: String, subject: String) throws {
        let disk = try CheckedStore().remains()
        let path = disk.path(ending: ending, last: ending == ".dbl")
        try disk.remove(path)
        let report = try disk.check()
        #expect(!report.isSound)
        #expect(report.findings.contains { $0.subject.rawValue == subject && $0.severity == .damage })
    }

    @Test func `a missing index is told and is no damage of the store`() throws {
        let disk = try CheckedStore().remains()
        let path = disk.path(ending: ".dbi")
        try disk.remove(path)
        let report = try disk.check()
        #expect(report.findings.map(\.file) == [path])
        #expect(report.isSound)
    }

    @Test func `a log file that is shorter than the checkpoint says is damage`() throws {
        let disk = try CheckedStore().remains()
        let path = disk.path(ending: ".dbl", last: true)
        let byteCount = try #require(disk.contents(path)).count
        disk.truncate(path, to: byteCount - 10)
        let report = try disk.check()
        #expect(report.findings.contains { $0.file == path && $0.offset == UInt64(byteCount - 10) })
    }

    @Test func `a sound segment that the manifest does not mean is damage`() throws {
        let disk = try CheckedStore().remains()
        let path = disk.path(ending: ".dbs")
        let other = Layout.folder(of: CheckedStore.logs[1]) + "/" + String(path.split(separator: "/").last ?? "")
        let bytes = try disk.readAll(other)
        try disk.remove(path)
        let file = try disk.open(path, .create)
        try bytes.withRawSpan { (span) throws(DiskError) in try file.write(span, at: 0) }
        file.close()
        let report = try disk.check()
        #expect(report.findings.contains { $0.subject == .segment && $0.file == path && $0.severity == .damage })
    }

    @Test func `files that nothing names are notes`() throws {
        let disk = try CheckedStore().remains()
        let path = Layout.folder(of: CheckedStore.logs[0]) + "/holiday.jpg"
        try disk.open(path, .create).close()
        let report = try disk.check()
        #expect(report.findings.map(\.file) == [path])
        #expect(report.findings.map(\.severity) == [.note])
        #expect(report.isSound)
    }

    @Test(arguments: [nil, ".dbs", ".dbi", ".dbl", ".dbk", "manifest.dbm"])
    func `a check changes no file`(damaged: String?) throws {
        let disk = try CheckedStore().remains()
        if let damaged { disk.corrupt(disk.path(ending: damaged), offset: 20, xor: 0xFF) }
        let before = disk.image()
        _ = try disk.check()
        #expect(disk.image() == before)
        #expect(disk.changeCount == 0)
    }

    @Test func `a directory without an identity is no store`() {
        #expect(throws: StoreError.self) { try SimulatedDisk(seed: 1).check() }
    }

    @Test func `a store that is served is sound`() throws {
        let served = try CheckedStore()
        let report = try served.disk.check(isServed: true)
        #expect(report.findings == [])
        #expect(report.counts.journalGroups == 6)
    }

    @Test func `a log file that a server seals while it is checked is no damage`() throws {
        let served = try CheckedStore()
        let path = served.disk.path(ending: ".dbl")
        var hasSealed = false
        func sealOnce(_ file: String) {
            guard file == path, !hasSealed else { return }
            hasSealed = true
            served.submit(groupCount: 40)
            served.checkpoint()
            served.seal()
        }
        let report = try StoreCheck(disk: served.disk, isServed: { true }, progress: sealOnce).run()
        #expect(hasSealed)
        #expect(try !served.disk.exists(path))
        #expect(report.isSound, "\(report.findings)")
    }
}
