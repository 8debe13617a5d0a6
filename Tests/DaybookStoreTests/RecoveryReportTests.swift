import DaybookFormat
import DaybookTestSupport
import Testing

@testable import DaybookLog
@testable import DaybookStore

struct RecoveryReportTests {
    private static let log = LogID(16)

    /// What a start says when the checkpoint's mark ends at 259, the manifest at 284, and the journal goes on here.
    private func report(journalFrom first: UInt64, changesManifest: (inout [UInt8]) -> Void = { _ in }) throws
        -> RecoveryReport
    {
        let source = SimulatedDisk()
        let folder = Layout.folder(of: Self.log)
        for name in [Layout.organizations, folder] { try source.createDirectory(name) }
        var manifest = try ManifestLog.open(disk: source, folder: folder, log: Self.log)
        try manifest.append(.lost(1...284, .logDamaged))
        let path = Layout.path(folder, .manifest)
        var bytes = try source.readAll(path)
        changesManifest(&bytes)
        let disk = SimulatedDisk(
            recovering: DiskImage(files: [path: bytes], directories: [Layout.organizations, folder]))
        var scan = JournalScan(endPosition: 1_000)
        scan.groups = [
            JournalGroup(slot: 0, offset: 512, byteCount: 100, log: Self.log, firstSequence: first, eventCount: 5)
        ]
        let mark = LogMark(
            log: Self.log, fileFirstSequence: 200, fileByteCount: 4_000, lastSequence: 259,
            lastArrival: Timestamp(microseconds: 1), sealedThrough: 199)
        return try RecoveryReport(scan: scan, marks: [Self.log: mark], position: nil, disk: disk)
    }

    @Test func `what the manifest accounts for is no gap, although the mark is older`() throws {
        #expect(try report(journalFrom: 285).isClean)
    }

    @Test func `a gap begins where the manifest ends`() throws {
        #expect(try report(journalFrom: 290).gaps == [Self.log: [285...289]])
    }

    @Test func `a manifest that cannot be read accounts for nothing`() throws {
        let found = try report(journalFrom: 285) { $0[20] ^= 1 }
        #expect(found.gaps == [Self.log: [260...284]])
    }
}
