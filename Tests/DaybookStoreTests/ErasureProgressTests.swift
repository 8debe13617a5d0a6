import DaybookFormat
import DaybookSystem
import DaybookTestSupport
import Foundation
import Testing

@testable import DaybookStore

struct ErasureProgressTests {
    private typealias Build = ManifestVectorTests

    static func vector() throws -> HexVector {
        try HexVectors.load(page: "docs/format/erasure.md", name: "erasure-progress")
    }

    static func read(_ bytes: [UInt8]) throws(FormatError) -> ErasureProgress {
        try bytes.withRawSpan { (span) throws(FormatError) in try ErasureProgress(reading: span) }
    }

    static func sealed(_ body: some Sequence<UInt8>) -> [UInt8] {
        var bytes = Array(body)
        bytes.append(littleEndian: crc32c(bytes))
        return bytes
    }

    @Test func theVectorOnThePageIsReadAndWritten() throws {
        let vector = try Self.vector()
        let progress = try Self.read(vector.bytes)
        #expect(Self.json(progress) == (try vector.fields()))
        #expect(progress.encoded() == vector.bytes)
    }

    private static func json(_ progress: ErasureProgress) -> ParsedJSON {
        Build.object([
            "version": Build.number(ErasureProgress.version), "log": Build.number(progress.log.rawValue),
            "id": Build.text(hexText(progress.id)), "dropped_requests": Build.number(progress.droppedRequestCount),
            "dropped_sessions": Build.number(progress.droppedSessionCount), "removed": json(progress.removed),
            "zeroed": json(progress.zeroed), "redacted": json(progress.redacted),
            "rewrites": .array(
                progress.rewrites.map { rewrite in
                    Build.object([
                        "first": Build.number(rewrite.range.lowerBound), "last": Build.number(rewrite.range.upperBound),
                        "old": json(rewrite.old), "new": json(rewrite.new),
                        "erased": .array(
                            Family.ofOrganizations.map { Build.number(rewrite.erased[$0] ?? 0) }),
                        "lost": Build.number(rewrite.lostCount),
                    ])
                }),
        ])
    }

    private static func json(_ files: [ErasureProgress.File]) -> ParsedJSON {
        .array(files.map { Build.object(["name": Build.text($0.name), "bytes": Build.number($0.byteCount)]) })
    }

    @Test func everyChangedByteIsFound() throws {
        let bytes = try Self.vector().bytes
        for offset in bytes.indices {
            var changed = bytes
            changed[offset] ^= 0x10
            #expect(throws: FormatError.self) { try Self.read(changed) }
        }
    }

    @Test func everyLengthButTheRightOneIsRefused() throws {
        let bytes = try Self.vector().bytes
        for byteCount in bytes.indices {
            #expect(throws: FormatError.self) { try Self.read(Array(bytes[..<byteCount])) }
        }
        #expect(throws: FormatError.self) { try Self.read(Self.sealed(bytes.dropLast(4) + [0])) }
    }

    /// Changes of the page's example under a right checksum.
    @Test(
        arguments: [
            ("version", 4, 2), ("files that are not there", 26, 0x7F), ("a name that is not UTF-8", 28, 0xC3),
            ("a name longer than the file", 27, 0x7F),
        ] as [(String, Int, UInt8)])
    func aWrongFieldIsRefused(name: String, offset: Int, byte: UInt8) throws {
        var bytes = Array(try Self.vector().bytes.dropLast(4))
        bytes[offset] = byte
        #expect(throws: FormatError.self) { try Self.read(Self.sealed(bytes)) }
    }

    @Test func moreEventsThanSequencesAreRefused() throws {
        var progress = ErasureProgress(log: LogID(16), id: 1)
        progress.rewrites = [
            ErasureProgress.Rewrite(range: 1...3, old: [], new: [], erased: [.agentInteraction: 3], lostCount: 3)
        ]
        #expect(try Self.read(progress.encoded()) == progress)
        progress.rewrites[0].lostCount = 4
        #expect(throws: FormatError.self) { try Self.read(progress.encoded()) }
        progress.rewrites[0].lostCount = 0
        progress.rewrites[0].erased = [.sessionChange: 4]
        #expect(throws: FormatError.self) { try Self.read(progress.encoded()) }
    }

    @Test func aDamagedFileIsNoProgress() throws {
        let disk = SimulatedDisk()
        try disk.createDirectory("folder")
        var progress = ErasureProgress(log: LogID(16), id: 1)
        progress.droppedSessionCount = 2
        try progress.save(disk: disk, folder: "folder")
        var damages: [Corruption] = []
        func load(_ log: LogID, _ id: UInt64) throws -> ErasureProgress {
            try ErasureProgress.load(disk: disk, folder: "folder", log: log, id: id) { damages.append($0) }
        }
        #expect(try load(LogID(16), 1) == progress)
        #expect(try load(LogID(16), 2).droppedSessionCount == 0)
        #expect(damages.isEmpty)
        #expect(try load(LogID(17), 1).droppedSessionCount == 0)
        disk.corrupt("folder/" + progress.name, offset: 25, xor: 1)
        #expect(try load(LogID(16), 1) == ErasureProgress(log: LogID(16), id: 1))
        #expect(damages.map(\.file) == ["folder/" + progress.name, "folder/" + progress.name])
    }

    /// `verify` reads them like all others; what they held is missing from a certificate and from nothing else.
    @Test func aCheckOfTheStoreFindsEveryDamagedFile() throws {
        let erasing = try ErasingStore()
        erasing.fill(0)
        let erasure = try erasing.begin()
        #expect(erasing.work())
        let folder = Layout.folder(of: ErasingStore.log)
        let path = Layout.path(folder, .erasure(id: erasure.id))
        let sound = try SimulatedDisk(recovering: erasing.disk.image()).check()
        #expect(sound.counts.erasures == 1)
        #expect(sound.findings.allSatisfy { $0.severity == .note })
        let byteCount = try #require(erasing.disk.contents(path)?.count)
        for offset in 0..<byteCount {
            let disk = SimulatedDisk(recovering: erasing.disk.image())
            disk.corrupt(path, offset: offset, xor: 1 << UInt8(offset % 8))
            let report = try disk.check()
            let findings = report.findings.filter { $0.subject == .erasure }
            #expect(findings.map(\.file) == [path] && findings[0].severity == .disposable, "byte \(offset)")
            #expect(report.isSound)
        }
        for length in [0, 23, byteCount - 1] {
            let disk = SimulatedDisk(recovering: erasing.disk.image())
            disk.truncate(path, to: length)
            #expect(try disk.check().findings.contains { $0.subject == .erasure && $0.file == path })
        }
        // The notes of another erasure under this one's name.
        let disk = SimulatedDisk(recovering: erasing.disk.image())
        let bytes = ErasureProgress(log: ErasingStore.log, id: erasure.id &+ 1).encoded()
        try bytes.withRawSpan { (span) throws(DiskError) in try disk.replaceAtomically(path, with: span) }
        #expect(try disk.check().findings.contains { $0.subject == .erasure && $0.severity == .disposable })
    }

    @Test func theCertificateSaysAllOfIt() throws {
        let record = ErasureRecord(
            id: 0x1122_3344_5566_7788, organization: OrganizationID("acme")!,
            userHash: (0x80...0x9F).map { UInt8($0) }, through: 1_200,
            begunAt: Timestamp(microseconds: 1_767_225_600_000_008))
        let progress = try Self.read(Self.vector().bytes)
        let done = ErasureCertificate(
            record: record, progress: progress, finishedAt: Timestamp(microseconds: 1_767_225_600_000_009))
        #expect(try ParsedJSON(parsing: done.json) == ParsedJSON(parsing: Self.certificateOnThePage()))
        let waiting = ErasureCertificate(record: record, progress: progress, awaited: ["a.dbs"])
        let fields = try ParsedJSON(parsing: waiting.json)
        #expect(fields["state"]?.string == "begun" && fields["awaited"]?[0]?.string == "a.dbs")
        #expect(fields["finished_at"] == .null)
    }

    /// The block behind the heading.
    private static func certificateOnThePage() throws -> [UInt8] {
        let page = Repository.root.appending(path: "docs/format/erasure.md")
        let text = try String(contentsOf: page, encoding: .utf8)
        let parts = text.components(separatedBy: "```json\n")
        return Array(try #require(parts.last?.components(separatedBy: "```").first).utf8)
    }
}
