import DaybookFormat
import Testing

@testable import DaybookStore

/// What the bytes of a manifest file say, whole, torn and damaged.
struct ManifestFileTests {
    static let headerByteCount = ManifestFileHeader.byteCount

    @Test func aFileOfEditsGivesTheManifestTheyLeadTo() throws {
        let bytes = try Sample.file()
        let content = try Sample.read(bytes)
        #expect(content.log == Sample.log)
        #expect(content.manifest == (try Sample.manifest()))
        #expect(content.editCount == 4)
        #expect(content.byteCount == bytes.count)
        #expect(content.tornByteCount == 0)
    }

    @Test func aFileThatIsOnlyAHeaderIsAnEmptyManifest() throws {
        #expect(try Sample.read(try Sample.file([])).manifest == Manifest())
    }

    @Test func aFileThatEndsInsideItsLastEditIsTorn() throws {
        let whole = try Sample.file()
        let kept = try Sample.file(Sample.edits.dropLast())
        for byteCount in kept.count..<whole.count {
            let content = try Sample.read(Array(whole.prefix(byteCount)))
            #expect(content.manifest == (try Sample.manifest(Sample.edits.dropLast())))
            #expect(content.byteCount == kept.count)
            #expect(content.tornByteCount == byteCount - kept.count)
        }
    }

    @Test(arguments: [1, 23, 24, 400, 511, 512, 513, 2_000])
    func zeroesBehindTheLastEditAreTorn(byteCount: Int) throws {
        let whole = try Sample.file()
        let content = try Sample.read(whole + [UInt8](repeating: 0, count: byteCount))
        #expect(content.manifest == (try Sample.manifest()))
        #expect(content.tornByteCount == byteCount)
    }

    /// Edits of many segments, so that the last one reaches over several sectors.
    static func longEdits() -> [ManifestEdit] {
        [
            Sample.seal(1...100),
            .seal(
                101...200,
                segments: Family.ofOrganizations.map { Sample.segment(101...200, $0, rowCount: 25) },
                carry: FileKind.carry(sealedThrough: 200).name),
            .seal(
                201...300,
                segments: Family.ofOrganizations.map { Sample.segment(201...300, $0, rowCount: 25) }, carry: nil),
        ]
    }

    @Test func anySetOfUnwrittenSectorsOfTheLastEditIsTorn() throws {
        let edits = Self.longEdits()
        let whole = try Sample.file(edits)
        let start = try Sample.file(edits.dropLast()).count
        let sectors = start / 512...(whole.count - 1) / 512
        #expect(sectors.count >= 2)
        for mask in 1..<(1 << sectors.count) {
            var bytes = whole
            for (index, sector) in sectors.enumerated() where mask & 1 << index != 0 {
                for offset in max(start, sector * 512)..<min(whole.count, (sector + 1) * 512) { bytes[offset] = 0 }
            }
            let content = try Sample.read(bytes)
            #expect(content.manifest == (try Sample.manifest(edits.dropLast())))
            #expect(content.tornByteCount == whole.count - start)
        }
    }

    @Test func aFlippedBitIsFoundWhereverItIs() throws {
        let whole = try Sample.file()
        let lastStart = try Sample.file(Sample.edits.dropLast()).count
        for offset in whole.indices {
            var bytes = whole
            bytes[offset] ^= 0x04
            // A length that reaches past the end cannot be told from an edit cut short: it is left out, never taken.
            if (lastStart + 4..<lastStart + 8).contains(offset), let content = try? Sample.read(bytes) {
                #expect(content.manifest == (try Sample.manifest(Sample.edits.dropLast())))
                #expect(content.tornByteCount == whole.count - lastStart)
                continue
            }
            #expect(throws: Corruption.self) { try Sample.read(bytes) }
        }
    }

    @Test func damageIsReportedWhereItsEditStarts() throws {
        let starts = try (0..<4).map { try Sample.file(Array(Sample.edits.prefix($0))).count }
        for start in starts {
            var bytes = try Sample.file()
            bytes[start + 30] ^= 0xFF
            let corruption = #expect(throws: Corruption.self) { try Sample.read(bytes) }
            #expect(corruption?.file == Sample.path)
            #expect(corruption?.offset == UInt64(start))
        }
    }

    @Test func anUnwrittenSectorWithAnEditBehindItIsDamage() throws {
        let edits = Self.longEdits()
        let start = try Sample.file(Array(edits.prefix(1))).count
        var bytes = try Sample.file(edits)
        for offset in start..<512 { bytes[offset] = 0 }
        #expect(throws: Corruption.self) { try Sample.read(bytes) }
    }

    @Test func aShortenedEditWithAnEditBehindItIsDamage() throws {
        let kept = try Sample.file(Array(Sample.edits.prefix(2)))
        let whole = try Sample.file()
        #expect(throws: Corruption.self) { try Sample.read(kept.dropLast(5) + whole[kept.count...]) }
    }

    @Test(arguments: 0..<ManifestFileHeader.byteCount)
    func aFileWithoutAWholeHeaderIsDamage(byteCount: Int) throws {
        let bytes = Array(try Sample.file().prefix(byteCount))
        let corruption = #expect(throws: Corruption.self) { try Sample.read(bytes) }
        #expect(corruption?.offset == 0)
    }

    /// A whole record with a right checksum whose body is not what its kind demands.
    struct BadBody: Sendable, CustomTestStringConvertible {
        let testDescription: String
        let change: @Sendable (inout [UInt8]) -> Void

        init(_ name: String, _ change: @escaping @Sendable (inout [UInt8]) -> Void) {
            testDescription = name
            self.change = change
        }
    }

    static let badBodies: [BadBody] = [
        BadBody("unknown kind") { $0[16] = 5 },
        BadBody("kind zero") { $0[16] = 0 },
        BadBody("reserved byte") { $0[23] = 1 },
        BadBody("wrong generation") { $0[8] = 2 },
        BadBody("body too long") { $0.append(0) },
        BadBody("body too short") { $0.removeLast() },
        BadBody("body missing") { $0.removeSubrange(24...) },
        BadBody("range from zero") { $0[24] = 0 },
        BadBody("range backwards") { $0[32] = 0 },
        BadBody("carry name of another kind") { $0[41] = UInt8(ascii: "x") },
        BadBody("more segments than bytes") { $0[61] = 3 },
        BadBody("huge number of segments") { $0.replaceSubrange(61...61, with: [0xFF, 0xFF, 0xFF, 0xFF, 0x7F]) },
        BadBody("unknown family") { $0[62] = 9 },
        BadBody("rows beyond any count") { $0.replaceSubrange(79..<87, with: [UInt8](repeating: 0xFF, count: 8)) },
        BadBody("name not UTF-8") { $0[136] = 0xFF },
    ]

    @Test(arguments: badBodies)
    func aWholeRecordThatSaysNothingSoundIsDamage(_ bad: BadBody) throws {
        let header = try Sample.file([])
        var record = Array(try Sample.file([Sample.seal(1...100)])[header.count...])
        bad.change(&record)
        Self.sealRecord(&record)
        let corruption = #expect(throws: Corruption.self) { try Sample.read(header + record) }
        #expect(corruption?.offset == UInt64(header.count))
    }

    /// Makes length and checksum right again.
    static func sealRecord(_ record: inout [UInt8]) {
        record.store(littleEndian: UInt32(record.count), at: 4)
        record.store(littleEndian: crc32c(Array(record[4...])), at: 0)
    }

    @Test func theTableOfBadBodiesStartsFromASoundOne() throws {
        let header = try Sample.file([])
        var record = Array(try Sample.file([Sample.seal(1...100)])[header.count...])
        Self.sealRecord(&record)
        #expect(try Sample.read(header + record).manifest == (try Sample.manifest([Sample.seal(1...100)])))
    }

    @Test func aSnapshotThatBreaksARuleIsDamage() throws {
        var bytes = try Sample.file([])
        let start = bytes.count
        ManifestRecord(generation: 7, edit: .snapshot(try Sample.manifest())).append(to: &bytes)
        // The sealed-through sequence, the first field of the body.
        bytes[start + 24] ^= 1
        var record = Array(bytes[start...])
        Self.sealRecord(&record)
        let corruption = #expect(throws: Corruption.self) { try Sample.read(bytes[..<start] + record) }
        #expect(corruption?.reason.description.hasPrefix("invalid I9") == true)
    }

    /// A sound replacement whose body is changed.
    static let badReplacements: [BadBody] = [
        BadBody("range that reaches over the sealed end") { $0[32] = 0xFF },
        BadBody("range that begins inside another") { $0[24] = 2 },
        BadBody("more absences than bytes") { $0[$0.count - 52] = 3 },
        BadBody("unknown reason") { $0[$0.count - 2] = 7 },
        BadBody("reason zero") { $0[$0.count - 2] = 0 },
        BadBody("absence before its range") { $0[$0.count - 26] = 0 },
        BadBody("fewer absent events than before") { $0[$0.count - 35] -= 1 },
        BadBody("rows that do not add up") { $0[$0.count - 10] += 1 },
        BadBody("more history files than bytes") { $0[$0.count - 1] = 1 },
    ]

    @Test(arguments: badReplacements)
    func aReplacementThatSaysNothingSoundIsDamage(_ bad: BadBody) throws {
        let before = try Sample.file()
        var record = Array(try Sample.file(Sample.edits + [Sample.merge])[before.count...])
        Self.sealRecord(&record)
        #expect(try Sample.read(before + record).manifest == (try Sample.manifest(Sample.edits + [Sample.merge])))
        bad.change(&record)
        Self.sealRecord(&record)
        #expect(throws: Corruption.self) { try Sample.read(before + record) }
    }

    /// The file as version 2 had it: without lists of history files.
    private func second(_ edits: [ManifestEdit]) throws -> [UInt8] {
        var bytes = ManifestFileHeader(log: Sample.log).encoded()
        bytes.store(littleEndian: UInt32(2), at: 4)
        bytes.store(littleEndian: crc32c(Array(bytes[..<20])), at: 20)
        var manifest = Manifest()
        for edit in edits {
            manifest = try manifest.applying(edit)
            var record: [UInt8] = []
            ManifestRecord(generation: manifest.generation, edit: edit).append(to: &record)
            switch edit {
            case .snapshot, .replace: record.removeLast()
            default: break
            }
            Self.sealRecord(&record)
            bytes += record
        }
        return bytes
    }

    @Test func aFileOfTheSecondVersionIsReadAndReplacedByTheNextEdit() throws {
        let edits = Sample.edits + [Sample.merge]
        let disk = Sample.disk([Sample.path: try second(edits)])
        var log = try Sample.open(disk)
        #expect(log.manifest == (try Sample.manifest(edits)))
        try log.append(Sample.seal(301...310))
        let bytes = try disk.readAll(Sample.path)
        #expect(bytes[4] == UInt8(ManifestFileHeader.version))
        #expect(try Sample.load(disk) == (try Sample.manifest(edits + [Sample.seal(301...310)])))
        let snapshot = try second([.snapshot(try Sample.manifest())])
        #expect(try Sample.read(snapshot).manifest == (try Sample.manifest()))
    }

    @Test func aFileOfTheFirstVersionIsRefused() throws {
        var bytes = try Sample.file()
        bytes.store(littleEndian: UInt32(1), at: 4)
        bytes.store(littleEndian: crc32c(Array(bytes[..<20])), at: 20)
        let corruption = #expect(throws: Corruption.self) { try Sample.read(bytes) }
        #expect(corruption?.reason == .unsupportedVersion(1))
    }

    @Test func aSnapshotBehindAnEditIsDamage() throws {
        var bytes = try Sample.file()
        ManifestRecord(generation: 5, edit: .snapshot(try Sample.manifest())).append(to: &bytes)
        #expect(throws: Corruption.self) { try Sample.read(bytes) }
    }

    @Test func noBytesTrap() {
        var random = StepRandom(state: 1)
        let header = ManifestFileHeader(log: Sample.log).encoded()
        for _ in 0..<500 {
            var record = (0..<Int.random(in: 24..<300, using: &random)).map { _ in
                UInt8.random(in: 0...4, using: &random)
            }
            record[16] = UInt8.random(in: 1...4, using: &random)
            Self.sealRecord(&record)
            #expect(throws: Corruption.self) { try Sample.read(header + record) }
        }
    }
}

/// The same bytes in every run.
private struct StepRandom: RandomNumberGenerator {
    var state: UInt64

    mutating func next() -> UInt64 {
        state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
        return state ^ state >> 29
    }
}
