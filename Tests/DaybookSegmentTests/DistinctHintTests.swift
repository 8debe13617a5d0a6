import DaybookEvent
import DaybookFormat
import DaybookTestSupport
import Testing

@testable import DaybookSegment

/// The number of distinct values in a zone: exact where it can be, a lower bound where parts were put together, 0 where
/// nobody counted. Nothing is decided by it but how values are written and what is shown of a file.
struct DistinctHintTests {
    private func values(_ distinctCount: Int, rowCount: Int = 8_192) -> [UInt64] {
        (0..<rowCount).map { UInt64($0 % distinctCount) &* 0x9E37_79B9_7F4A_7C15 }
    }

    @Test(arguments: [(1, 1), (2, 2), (255, 255), (256, 256), (257, 0), (8_192, 0)])
    func aPageOfIntegersCountsUpTo256(distinctCount: Int, hint: Int) {
        for isSigned in [false, true] {
            #expect(PageCoding.encode(values(distinctCount), signed: isSigned).2.distinctHint == hint)
        }
    }

    @Test func aPageOfStringsCountsUpToHalfItsRowsMissingOnesAsOneValue() {
        func strings(_ distinctCount: Int, missing: Bool = false) -> [[UInt8]?] {
            (0..<100).map { missing && $0 % 10 == 0 ? nil : Array("value \($0 % distinctCount)".utf8) }
        }
        #expect(PageCoding.encode(strings(1)).2.distinctHint == 1)
        #expect(PageCoding.encode(strings(50)).2.distinctHint == 50)
        #expect(PageCoding.encode(strings(51)).2.distinctHint == 0)
        #expect(PageCoding.encode(strings(3, missing: true)).2.distinctHint == 4)
        #expect(PageCoding.encode([nil, nil] as [[UInt8]?]).2.distinctHint == 1)
    }

    @Test func partsThatArePutTogetherHaveAtLeastWhatTheLargerOneHas() {
        func merged(_ left: Int, _ right: Int) -> Int {
            var zone = ColumnZone()
            zone.distinctHint = left
            var other = ColumnZone()
            other.distinctHint = right
            zone.merge(other, signed: false)
            return zone.distinctHint
        }
        #expect(merged(3, 5) == 5)
        #expect(merged(5, 3) == 5)
        // Nobody counted one of them: nobody knows.
        #expect(merged(0, 5) == 0)
        #expect(merged(5, 0) == 0)
    }

    private func written(_ family: Family) throws -> SegmentReader {
        let disk = SimulatedDisk()
        try writeSegment(wildEvents(family, count: 20_000, seed: 31), disk: disk)
        return try SegmentReader.open(disk: disk, path: segmentPath)
    }

    /// Over row groups of several pages, in the footer and in the directories.
    @Test(arguments: Family.ofOrganizations)
    func whatASegmentSaysHolds(family: Family) throws {
        let reader = try written(family)
        var counted = 0
        for rowGroup in 0..<reader.rowGroupCount {
            let batch = try reader.read(rowGroup: rowGroup, .all)
            let directory = try reader.directory(rowGroup: rowGroup)
            for (number, codes) in [(ColumnNumber.user, batch.users), (.name, batch.names)] {
                guard let codes else { continue }
                let present = Set(codes.codes.filter { $0 != CodeColumn.missing }).count
                #expect(reader.zone(rowGroup: rowGroup, number)?.distinctHint == present)
                #expect(directory.column(number)?.zone.distinctHint == present)
                for page in directory.column(number)?.pages ?? [] {
                    let distinct = Set(codes.codes[page.rows]).count
                    #expect(page.zone.distinctHint == (distinct > 256 ? 0 : distinct))
                }
                counted += 1
            }
            let columns: [(ColumnNumber, [UInt64])] = [
                (.duration, batch.durations), (.timestamp, batch.timestamps.map { UInt64(bitPattern: $0) }),
            ]
            for (number, values) in columns where !values.isEmpty {
                let column = try #require(directory.column(number))
                for page in column.pages {
                    let distinct = Set(values[page.rows]).count
                    #expect(page.zone.distinctHint == (distinct > 256 ? 0 : distinct))
                }
                let hint = column.zone.distinctHint
                #expect(hint == 0 || (1...Set(values).count).contains(hint))
                counted += 1
            }
        }
        #expect(counted >= 2)
    }

    /// A hint that says something else is as good as any: the directory is read, and everything else in it is as before.
    @Test func aWrongHintCostsNothing() throws {
        let directory = try written(.commandExecution).directory(rowGroup: 0)
        for hint in [0, 1, 7, 100_000] {
            var changed = directory
            for index in changed.columns.indices {
                changed.columns[index].zone.distinctHint = hint
                for page in changed.columns[index].pages.indices {
                    changed.columns[index].pages[page].zone.distinctHint = hint
                }
            }
            var found = try changed.encoded().withRawSpan { (bytes: RawSpan) throws(FormatError) in
                try RowGroupDirectory(reading: bytes, body: 0..<UInt64(1 << 32))
            }
            for index in found.columns.indices {
                #expect(found.columns[index].zone.distinctHint == hint)
                found.columns[index].zone.distinctHint = directory.columns[index].zone.distinctHint
                for page in found.columns[index].pages.indices {
                    let before = directory.columns[index].pages[page].zone.distinctHint
                    found.columns[index].pages[page].zone.distinctHint = before
                }
            }
            #expect(found.encoded() == directory.encoded())
        }
    }

    @Test func aHintThatNoCountCanBeIsDamage() {
        var bytes: [UInt8] = []
        bytes.append(varint: 0)
        bytes.append(varint: UInt64(Int32.max) + 1)
        bytes.append(contentsOf: [0, 0])
        #expect(throws: FormatError.self) {
            try bytes.withRawSpan { (span: RawSpan) throws(FormatError) in
                var reader = ByteReader()
                _ = try ColumnZone(&reader, span)
            }
        }
    }
}
