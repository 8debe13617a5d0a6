import DaybookFormat
import DaybookTestSupport
import Testing

@testable import DaybookSegment

/// What is lost when the parts change that attributes add to a segment, and what is not.
struct AttributeDamageTests {
    /// Two pages of every column: `a` is a column, `b` is left.
    private struct Sample {
        let bytes: [UInt8]
        let objects: [String?]
        let directory: RowGroupDirectory

        init() throws {
            objects = (0..<8_300).map { "{\"a\":\($0),\"b\":[\($0)],\"c\":\"v\($0 % 5)\"}" }
            let disk = SimulatedDisk()
            let events = objects.enumerated().map { row, text in
                AttributeSamples.event(.agentInteraction, row: row, object: text.map { Array($0.utf8) })
            }
            try writeSegment(events, disk: disk, effort: .none)
            bytes = try disk.readAll(segmentPath)
            directory = try SegmentReader.open(disk: disk, path: segmentPath).directory(rowGroup: 0)
        }

        func column(_ number: UInt16) throws -> ColumnDescriptor {
            try #require(directory.columns.first { $0.number == number })
        }

        func flipped(_ page: PageDescriptor) throws -> SimulatedDisk {
            var damaged = bytes
            damaged[Int(page.offset) + PageHeader.byteCount] ^= 1
            return try disk(holding: damaged)
        }
    }

    private static let sample = Result { try Sample() }

    private func offset(_ body: () throws -> Void) -> UInt64? {
        do {
            try body()
            return nil
        } catch SegmentError.corrupt(let corruption) {
            return corruption.offset
        } catch {
            return nil
        }
    }

    @Test func aDamagedPageOfAnAttributeCostsItsRows() throws {
        let sample = try Self.sample.get()
        let page = try sample.column(256).pages[0]
        let disk = try sample.flipped(page)
        let reader = try SegmentReader.open(disk: disk, path: segmentPath)
        #expect(offset { _ = try reader.attribute("a") } == page.offset)
        #expect(offset { _ = try reader.read(rowGroup: 0, .object) } == page.offset)
        let rest = try reader.read(rowGroup: 0, rows: 8_192..<8_300, .object)
        #expect(rest.objects?[107] == sample.objects[8_299].map { Array($0.utf8) })
        #expect(try reader.attribute("c").0.isPresent(0))
        let others = try reader.read(rowGroup: 0, ColumnSelection.all.subtracting(.object))
        #expect(others.rowCount == 8_300)
        #expect(try SegmentCheck(disk: disk, path: segmentPath).damages.map(\.offset) == [page.offset])
    }

    @Test func aDamagedDictionaryOfAnAttributeCostsTheAttribute() throws {
        let sample = try Self.sample.get()
        let page = try sample.column(257).dictionaryPages[0]
        let reader = try SegmentReader.open(disk: try sample.flipped(page), path: segmentPath)
        #expect(offset { _ = try reader.attribute("c") } == page.offset)
        #expect(try reader.attribute("a").0.isPresent(0))
    }

    @Test func aDamagedPageOfTheRestLeavesTheAttributes() throws {
        let sample = try Self.sample.get()
        let page = try sample.column(ColumnNumber.object.rawValue).pages[0]
        let reader = try SegmentReader.open(disk: try sample.flipped(page), path: segmentPath)
        #expect(offset { _ = try reader.read(rowGroup: 0, .object) } == page.offset)
        #expect(offset { _ = try reader.attribute("b") } == page.offset)
        #expect(try reader.attribute("a").0.isPresent(0))
        #expect(try reader.attribute("c").0.isPresent(0))
    }

    // MARK: Under sound checksums

    private static let small = Result {
        let disk = SimulatedDisk()
        let events = ["{\"a\":7,\"b\":[1]}", "{\"a\":8,\"b\":[2]}"].enumerated().map { row, text in
            AttributeSamples.event(.agentInteraction, row: row, object: Array(text.utf8))
        }
        try writeSegment(events, disk: disk, effort: .none, attributes: .columns(from: 2))
        return try disk.readAll(segmentPath)
    }

    /// Replaces the first place of `old` in a page, from the end counted, and puts the checksums right.
    private func changed(_ old: [UInt8], _ new: [UInt8], fromEnd: Int) throws -> [UInt8] {
        var bytes = try Self.small.get()
        let pages = Resealing.pages(of: bytes)
        let page = pages[pages.count - fromEnd]
        let place = try #require(bytes[page].firstRange(of: old))
        bytes.replaceSubrange(place, with: new)
        Resealing.reseal(&bytes, page)
        return bytes
    }

    private func text(_ text: String) -> [UInt8] { Array(text.utf8) }

    /// The rest is the last page before the directory.
    @Test(arguments: [
        ("{\"b\":[1]}", "{\"a\":[1]}"), ("{\"b\":[1]}", "x\"b\":[1]}"),
        ("{\"b\":[1]}", "{\"b\"x[1]}"), ("{\"b\":[1]}", "{\"b\":[1]{"),
    ])
    func aRestThatDoesNotFitIsDamage(old: String, new: String) throws {
        let disk = try disk(holding: try changed(text(old), text(new), fromEnd: 3))
        let reader = try SegmentReader.open(disk: disk, path: segmentPath)
        let rest = try #require(try reader.directory(rowGroup: 0).column(.object))
        #expect(offset { _ = try reader.read(rowGroup: 0, .object) } == rest.offset)
        #expect(try reader.attribute("a").0.isPresent(0))
        #expect(try SegmentCheck(disk: disk, path: segmentPath).damages.first?.offset == rest.offset)
    }

    /// The last bytes of the footer are: number of attributes, object, kind, number of keys, key.
    @Test(arguments: [([1, 0, 1, 1, 1, 0x61], true), ([0, 0, 2, 1, 1, 0x61], true), ([1, 0, 9, 1, 1, 0x61], false)])
    func anAttributeThatTheFooterDoesNotNameIsDamage(list: [UInt8], opens: Bool) throws {
        let disk = try disk(holding: try changed([1, 0, 2, 1, 1, 0x61], list, fromEnd: 1))
        guard opens else {
            #expect(throws: SegmentError.self) { try SegmentReader.open(disk: disk, path: segmentPath) }
            return
        }
        let reader = try SegmentReader.open(disk: disk, path: segmentPath)
        #expect(offset { _ = try reader.directory(rowGroup: 0) } == reader.footer.rowGroups[0].directoryOffset)
    }

    @Test func anAttributeInTheRestAgainstItsFlagIsFound() throws {
        let disk = SimulatedDisk()
        let events = ["{\"a\":7}", "{\"x\":8}", "{\"a\":9}"].enumerated().map { row, text in
            AttributeSamples.event(.agentInteraction, row: row, object: Array(text.utf8))
        }
        try writeSegment(events, disk: disk, effort: .none, attributes: .columns(from: 2))
        var bytes = try disk.readAll(segmentPath)
        let pages = Resealing.pages(of: bytes)
        let page = pages[pages.count - 3]
        let place = try #require(bytes[page].firstRange(of: text("{\"x\":8}")))
        bytes.replaceSubrange(place, with: text("{\"a\":8}"))
        Resealing.reseal(&bytes, page)
        let check = try SegmentCheck(disk: try DaybookSegmentTests.disk(holding: bytes), path: segmentPath)
        #expect(check.damages.first?.reason == .invalid("attribute in the rest"))
    }

    /// Any byte of any page, with every checksum put right: errors or rows, never a trap.
    @Test(arguments: Family.ofOrganizations)
    func changesUnderSoundChecksumsNeverTrap(family: Family) throws {
        var samples = AttributeSamples(seed: 800 + UInt64(family.rawValue))
        let disk = SimulatedDisk()
        try writeSegment(
            samples.events(family, count: 30), disk: disk, effort: .none, attributes: .columns(from: 3))
        let bytes = try disk.readAll(segmentPath)
        let pages = Resealing.pages(of: bytes)
        var readableCount = 0
        for _ in 0..<2_500 {
            var changed = bytes
            let page =
                samples.random.oneIn(3)
                ? pages[pages.count - 1 - samples.random.below(2)] : pages[samples.random.below(pages.count)]
            let payload = page.lowerBound + PageHeader.byteCount..<page.upperBound
            for _ in 0...samples.random.below(2) {
                changed[payload.lowerBound + samples.random.below(payload.count)] = UInt8(samples.random.below(256))
            }
            Resealing.reseal(&changed, page)
            if try GarbageTests.readAll(changed) { readableCount += 1 }
        }
        #expect(readableCount > 100)
    }
}
