import DaybookFormat
import DaybookSystem
import DaybookTestSupport
import Testing

@testable import DaybookSegment

/// The table "What damage costs" of docs/format/index.md.
struct IndexDamageTests {
    private static let indexPath = "segment.dbi"

    private static let sample = Result { () throws -> (bytes: [UInt8], index: [UInt8], truth: IndexTruth) in
        let (disk, segment) = try IndexSample.random.get()
        _ = try SegmentIndex.rebuild(segment, disk: disk)
        return (
            try disk.readAll(segmentPath), try disk.readAll(Self.indexPath), try IndexTruth(segment)
        )
    }

    /// The segment of the sample with this index beside it.
    private func disk(index bytes: [UInt8]) throws -> SimulatedDisk {
        let disk = try DaybookSegmentTests.disk(holding: try Self.sample.get().bytes)
        let file = try disk.open(Self.indexPath, .create)
        defer { file.close() }
        try bytes.withRawSpan { try file.write($0, at: 0) }
        return disk
    }

    private static func reseal(_ bytes: inout [UInt8]) {
        let checksum = crc32c(Array(bytes[40...]), continuing: crc32c(Array(bytes[..<36])))
        bytes.store(littleEndian: checksum, at: 36)
    }

    // MARK: - The index

    /// In every field of the header and of the first descriptions, and in the contents; -1 is the last byte.
    private static let places = [
        0, 4, 8, 16, 24, 28, 32, 36, 40, 42, 43, 44, 48, 52, 56, 60, 63, 64, 68, 72, 76, 80, 139, 200, 5_000, -1,
    ]

    @Test(arguments: places)
    func `a changed byte is noticed and the index is built anew`(place: Int) throws {
        let sound = try Self.sample.get().index
        var damaged = sound
        damaged[place < 0 ? sound.count - 1 : place] ^= 0x20
        let disk = try disk(index: damaged)
        let segment = try SegmentReader.open(disk: disk, path: segmentPath)
        #expect(try SegmentIndex.existing(segment, disk: disk) == nil)
        _ = try SegmentIndex.openOrRebuild(segment, disk: disk)
        #expect(try disk.readAll(Self.indexPath) == sound)
    }

    @Test func `an index of the version before is built anew`() throws {
        let sound = try Self.sample.get().index
        var old = sound
        old[4] = 1
        Self.reseal(&old)
        let disk = try disk(index: old)
        let segment = try SegmentReader.open(disk: disk, path: segmentPath)
        #expect(try SegmentIndex.existing(segment, disk: disk) == nil)
        _ = try SegmentIndex.openOrRebuild(segment, disk: disk)
        #expect(try disk.readAll(Self.indexPath) == sound)
    }

    @Test func `a subject or a kind of a later version is skipped`() throws {
        let sound = try Self.sample.get().index
        let shape = IndexShape(of: try SegmentReader.open(disk: try disk(index: sound), path: segmentPath))
        for (offset, value) in [(40, 200), (42, 9)] as [(Int, UInt8)] {
            var later = sound
            later[offset] = value
            Self.reseal(&later)
            let index = try #require(SegmentIndex(verifying: Mapping(copy: later), of: shape))
            #expect(!index.pages(withUser: Array("user-1".utf8)).isKnown)
            #expect(index.pages(withUser: Array("user-1".utf8)).isEveryPage)
            #expect(index.pages(withName: Array("rare-command".utf8)).pageCount == 1)
        }
    }

    /// Only the checks behind the checksum are left: an answer or none, never a trap.
    @Test func `changes under a sound checksum never trap`() throws {
        let (disk, _) = try IndexSample.random.get()
        let segment = try SegmentReader.open(disk: disk, path: segmentPath)
        let shape = IndexShape(of: segment)
        // A section of each kind, small enough that most changes mean something.
        var sections: [IndexSection] = []
        for (subject, count) in [(IndexSubject.user, 40), (.text, 300)] {
            var values = PageValues(subject, of: shape)
            for page in shape.pages {
                values.begin(page: page)
                if page == 3 { values.giveUp() }
                for number in 0..<count where number % (page + 1) == 0 {
                    values.insert(SegmentIndex.hash(Array("v\(number)".utf8)))
                }
                values.end()
            }
            let section = values.section()
            sections.append(try #require(section))
        }
        var filters = FilterSection.Builder()
        for page in shape.pages { filters.append([UInt32(page)], valueCount: 1, blockCount: page % 3) }
        let section = filters.section(.session)
        sections.append(try #require(section))
        let sound = IndexBuilder.file(sections, of: shape)
        var random = SeededRandom(seed: 12)
        var readableCount = 0
        for _ in 0..<20_000 {
            var changed = sound
            let end = random.oneIn(2) ? 40 + 20 * sections.count : changed.count
            for _ in 0...random.below(3) {
                let place = 28 + random.below(end - 28)
                changed[place] =
                    random.oneIn(2) ? UInt8(random.below(256)) : changed[place] ^ 1 << UInt8(random.below(8))
            }
            Self.reseal(&changed)
            guard let index = SegmentIndex(verifying: Mapping(copy: changed), of: shape) else { continue }
            readableCount += 1
            for number in [0, 1, 7, 39] {
                let value = Array("v\(number)".utf8)
                #expect(index.pages(withUser: value).pageCount <= shape.pageCount)
                #expect(index.pages(withSession: value).pageCount <= shape.pageCount)
                #expect(index.pages(containingToken: value).pageCount <= shape.pageCount)
            }
            _ = index.report()
        }
        #expect(readableCount > 1_000)
    }

    // MARK: - The segment

    /// Answers of an index that was built from a damaged segment, and the pages that could not be read.
    private func rebuilt(
        damaging column: ColumnNumber, _ page: (ColumnDescriptor) -> PageDescriptor
    ) throws -> (index: SegmentIndex, truth: IndexTruth) {
        let sample = try Self.sample.get()
        let (_, sound) = try IndexSample.random.get()
        let descriptor = try #require(try sound.directory(rowGroup: 0).column(column))
        var damaged = sample.bytes
        damaged[Int(page(descriptor).offset) + PageHeader.byteCount] ^= 0x40
        let disk = try DaybookSegmentTests.disk(holding: damaged)
        let segment = try SegmentReader.open(disk: disk, path: segmentPath)
        return (try SegmentIndex.rebuild(segment, disk: disk), sample.truth)
    }

    private func numbers(_ set: PageSet, _ index: SegmentIndex) -> Set<Int> { IndexTruth.numbers(set, of: index.shape) }

    @Test func `a damaged page of users is in every answer about users`() throws {
        let (index, truth) = try rebuilt(damaging: .user) { $0.pages[2] }
        truth.expectNothingMissing(index)
        #expect(numbers(index.pages(withUser: Array("nobody".utf8)), index) == [2])
        #expect(numbers(index.pages(withUser: Array("rare-user".utf8)), index) == [2, 4])
        #expect(numbers(index.pages(withName: Array("rare-command".utf8)), index) == [4])
        #expect(index.report().sections.first { $0.name == "user" }?.absentShare ?? 0 > 0)
    }

    @Test func `a damaged dictionary puts its row group into every answer`() throws {
        let (index, truth) = try rebuilt(damaging: .session) { $0.dictionaryPages[0] }
        truth.expectNothingMissing(index)
        let absent = index.pages(withSession: Array("nobody".utf8))
        #expect(absent.rowGroups == [0])
        #expect(absent.pageCount == index.shape.pageCount(rowGroup: 0))
    }

    @Test func `a damaged page of objects is in every answer about words`() throws {
        let (index, truth) = try rebuilt(damaging: .object) {
            $0.pages.first { $0.rows.contains(20_000) } ?? $0.pages[0]
        }
        truth.expectNothingMissing(index)
        #expect(numbers(index.pages(containingToken: Array("nowhere".utf8)), index) == [2])
        #expect(numbers(index.pages(containingToken: Array("req33007".utf8)), index) == [2, 4])
    }

    @Test func `a damaged page of identifiers is in every answer about events`() throws {
        let (index, truth) = try rebuilt(damaging: .identifierMiddle) { $0.pages[5] }
        truth.expectNothingMissing(index)
        #expect(numbers(index.pages(withEvent: EventID(high: 0, low: 0)), index).contains(5))
    }

    @Test func `a damaged directory puts its row group into every answer`() throws {
        let (_, sound) = try IndexSample.random.get()
        var damaged = try Self.sample.get().bytes
        damaged[Int(sound.footer.rowGroups[1].directoryOffset) + 40] ^= 1
        let disk = try DaybookSegmentTests.disk(holding: damaged)
        let segment = try SegmentReader.open(disk: disk, path: segmentPath)
        let index = try SegmentIndex.rebuild(segment, disk: disk)
        try Self.sample.get().truth.expectNothingMissing(index)
        for set in [
            index.pages(withUser: Array("nobody".utf8)), index.pages(withSession: Array("nobody".utf8)),
            index.pages(containingToken: Array("nowhere".utf8)),
        ] {
            #expect(set.rowGroups == [1])
            #expect(set.pageCount == index.shape.pageCount(rowGroup: 1))
        }
        #expect(segment.pages(withEvent: EventID(high: 1 << 63, low: 1), index)[1] == index.shape.mask(rowGroup: 1))
    }

    @Test func `an index made before the damage is kept`() throws {
        let sample = try Self.sample.get()
        var damaged = sample.bytes
        let (_, sound) = try IndexSample.random.get()
        let descriptor = try #require(try sound.directory(rowGroup: 0).column(.user))
        damaged[Int(descriptor.pages[2].offset) + PageHeader.byteCount] ^= 0x40
        let disk = try DaybookSegmentTests.disk(holding: damaged)
        let file = try disk.open(Self.indexPath, .create)
        try sample.index.withRawSpan { try file.write($0, at: 0) }
        file.close()
        let index = try SegmentIndex.openOrRebuild(
            try SegmentReader.open(disk: disk, path: segmentPath), disk: disk)
        #expect(index.pages(withUser: Array("nobody".utf8)).isEmpty)
    }
}
