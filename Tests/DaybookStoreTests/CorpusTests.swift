import DaybookEvent
import DaybookFormat
import DaybookLog
import DaybookSegment
import DaybookSystem
import DaybookTestSupport
import Foundation
import Testing

@testable import DaybookStore

/// The inputs that the fuzzer starts from and those that once broke something, as the targets of tools/fuzz read them:
/// all checksums are 0 and taken for sound.
struct CorpusTests {
    private static func inputs(_ folder: String) throws -> [[UInt8]] {
        let folder = Repository.root.appending(path: "data/corpus/\(folder)")
        let names = try FileManager.default.contentsOfDirectory(atPath: folder.path).sorted()
        return try names.map { Array(try Data(contentsOf: folder.appending(path: $0))) }
    }

    /// How many inputs `body` takes.
    private static func acceptedCount(_ folder: String, _ body: ([UInt8]) throws -> Bool) throws -> Int {
        try withConstantChecksums { try inputs(folder).count { (try? body($0)) ?? false } }
    }

    private static func disk(_ files: [String: [UInt8]]) -> SimulatedDisk {
        SimulatedDisk(recovering: DiskImage(files: files))
    }

    @Test func `segments come to rows or to damage`() throws {
        let count = try Self.acceptedCount("segment-file") { input in
            let disk = Self.disk(["a.dbs": input])
            _ = try SegmentCheck(disk: disk, path: "a.dbs")
            let segment = try SegmentReader.open(disk: disk, path: "a.dbs")
            _ = try SegmentIndex.rebuild(segment, disk: disk)
            for rowGroup in 0..<min(4, segment.rowGroupCount) {
                let batch = try segment.read(rowGroup: rowGroup, .all)
                var encoding: [UInt8] = []
                for row in 0..<batch.rowCount { batch.appendEncoding(row: row, to: &encoding) }
            }
            return true
        }
        #expect(count >= 4)
    }

    @Test func `log files are walked to their end`() throws {
        let count = try Self.acceptedCount("log-file") { input in
            let header = try input.withRawSpan { (bytes) throws(FormatError) in try LogFileHeader(reading: bytes) }
            return input.withRawSpan { (bytes: RawSpan) -> Bool in
                var walk = LogWalk(log: header.log, limit: bytes.byteCount)
                var isFound = false
                while true {
                    do throws(FormatError) {
                        guard try walk.next(bytes) != nil else { return isFound }
                        isFound = true
                    } catch {
                        _ = walk.skipDamage(bytes)
                    }
                }
            }
        }
        #expect(count >= 1)
    }

    @Test func `journals give groups that lie in their files`() throws {
        let count = try Self.acceptedCount("journal") { input in
            guard input.count > 24 else { return false }
            let cut = 1 + (input.count - 1) * Int(input[0]) / 255
            let parts = [Array(input[1..<cut]), Array(input[cut...])]
            let disk = Self.disk([JournalFiles.path(0): parts[0], JournalFiles.path(1): parts[1]])
            let storeID = input[9..<17].reversed().reduce(UInt64(0)) { $0 << 8 | UInt64($1) }
            let scan = try JournalScan.read(disk: disk, storeID: storeID, from: 0)
            for group in scan.groups {
                #expect(Int(group.offset) + Int(group.byteCount) <= parts[group.slot].count)
            }
            return !scan.groups.isEmpty
        }
        #expect(count >= 1)
    }

    @Test func `checkpoints give marks or damage`() throws {
        let count = try Self.acceptedCount("checkpoint") { input in
            guard input.count > 16 else { return false }
            let storeID = input[8..<16].reversed().reduce(UInt64(0)) { $0 << 8 | UInt64($1) }
            let disk = Self.disk([CheckpointLog.path(1): input])
            return try !CheckpointLog.read(disk: disk, storeID: storeID).table.marks.isEmpty
        }
        #expect(count >= 1)
    }

    @Test func `manifests that are taken keep every rule`() throws {
        let count = try Self.acceptedCount("manifest") { input in
            let file = try input.withRawSpan { (bytes) throws(Corruption) in
                try ManifestFile(reading: bytes, file: "manifest.dbm")
            }
            #expect(file.manifest.firstBrokenInvariant == nil)
            return file.editCount > 0
        }
        #expect(count >= 1)
    }

    @Test func `carry files that are taken are written again to the same bytes`() throws {
        let count = try Self.acceptedCount("carry-file") { input in
            let carry = try input.withRawSpan { (bytes) throws(FormatError) in try CarryFile(reading: bytes) }
            #expect(carry.encoded() == input)
            return true
        }
        #expect(count >= 1)
    }

    @Test func `identities that are taken are written again to the same bytes`() throws {
        let count = try Self.acceptedCount("store-identity") { input in
            let identity = try input.withRawSpan { (bytes) throws(FormatError) in try StoreIdentity(reading: bytes) }
            #expect(identity.encoded() == input)
            return true
        }
        #expect(count >= 1)
    }

    @Test func `notes of erasures that are taken are written again to the same bytes`() throws {
        let count = try Self.acceptedCount("erasure-progress") { input in
            let notes = try input.withRawSpan { (bytes) throws(FormatError) in try ErasureProgress(reading: bytes) }
            #expect(notes.encoded() == input)
            return true
        }
        #expect(count >= 2)
    }

    @Test func `acts that are taken are written again to the same act`() throws {
        let count = try Self.acceptedCount("control-event") { input in
            let act = try input.withRawSpan { (bytes) throws(FormatError) in try ControlEvent(reading: bytes) }
            let again = try act.encoded().withRawSpan { (bytes) throws(FormatError) in try ControlEvent(reading: bytes)
            }
            #expect(again == act)
            return true
        }
        #expect(count >= 36)
    }

    /// Every kind of act is one that the fuzzer starts from.
    @Test func `acts of every kind are among the seeds`() throws {
        let kinds = Set(try Self.inputs("control-event").compactMap { $0.first.flatMap(ControlEvent.Kind.init) })
        #expect(kinds == Set((0...UInt8.max).compactMap(ControlEvent.Kind.init)))
    }

    @Test func `position files say how far the journal is durable, or nothing`() throws {
        let count = try Self.acceptedCount("position-file") { input in
            let disk = Self.disk([PositionFile.path: input])
            guard let position = try PositionFile.read(disk: disk) else { return false }
            try PositionFile(disk: disk).publish(position)
            #expect(try PositionFile.read(disk: disk) == position)
            return true
        }
        #expect(count >= 1)
    }

    @Test func `states of sessions that are taken are written again to the same state`() throws {
        let count = try Self.acceptedCount("session-state") { input in
            let state = try input.withRawSpan { (bytes) throws(FormatError) in try SessionState(reading: bytes) }
            let again = try state.encoded().withRawSpan { (bytes) throws(FormatError) in
                try SessionState(reading: bytes)
            }
            #expect(again == state)
            _ = (state.totalDurationNanoseconds, state.isEnded(at: Timestamp(microseconds: 0), idleMicroseconds: 1))
            return true
        }
        #expect(count >= 3)
    }

    // MARK: - Seeds

    /// Only for whoever changes a format: makes the seeds anew.
    @Test(.enabled(if: ProcessInfo.processInfo.environment["DAYBOOK_GOLDEN"] == "seeds"))
    func `the seeds are made anew`() throws {
        try withConstantChecksums {
            let files = try GoldenStore.make().image().files
            func seed(_ folder: String, _ name: String, _ bytes: [UInt8]) throws {
                let folder = Repository.root.appending(path: "data/corpus/\(folder)")
                try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
                try Data(bytes).write(to: folder.appending(path: name))
            }
            for family in Family.ofOrganizations {
                try seed("segment-file", "\(family)", try Self.smallSegment(family))
            }
            for (path, bytes) in files {
                let name = path.split(separator: "/").suffix(2).joined(separator: "-")
                switch path.split(separator: ".").last ?? "" {
                case "dbl": try seed("log-file", name, Array(bytes.prefix(3_000)))
                case "dbm": try seed("manifest", name, bytes)
                case "dbc": try seed("checkpoint", name, bytes)
                case "dbk": try seed("carry-file", name, bytes)
                case "dbh": try seed("store-identity", "golden", bytes)
                case "dbj" where bytes.contains(where: { $0 != 0 }):
                    try seed("journal", name, [255] + bytes.prefix(4_000))
                default: continue
                }
            }
            let notes = try ErasureProgressTests.read(ErasureProgressTests.vector().bytes)
            try seed("erasure-progress", "page", notes.encoded())
            for vector in try HexVectors.load(page: "docs/format/control.md") {
                try seed("control-event", vector.name, vector.bytes)
            }
        }
    }

    private static func smallSegment(_ family: Family) throws -> [UInt8] {
        var generator = EventGenerator(seed: 11, style: .realistic)
        let disk = SimulatedDisk()
        var writer = try SegmentWriter(
            disk: disk, path: "a.dbs", log: LogID(16), family: family, schemaVersion: EventGenerator.schemaVersion,
            firstSequence: 1, lastSequence: 12, effort: .none)
        for _ in 0..<12 {
            let event = generator.next(family)
            try event.encoding.withRawSpan { (bytes: RawSpan) throws(SegmentError) in
                try writer.append(sequence: event.sequence, arrival: event.arrival, encoding: bytes)
            }
        }
        _ = try writer.finish()
        return try disk.readAll("a.dbs")
    }
}
