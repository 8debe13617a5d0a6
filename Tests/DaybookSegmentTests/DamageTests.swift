import DaybookFormat
import DaybookTestSupport
import Testing

@testable import DaybookSegment

/// What is lost when a byte of a segment changes, and what is not.
struct DamageTests {
    /// Two pages of every column in one row group.
    private struct Sample {
        let events: [GeneratedEvent]
        let bytes: [UInt8]
        let directory: RowGroupDirectory

        init() throws {
            events = DaybookSegmentTests.events(.commandExecution, count: 8_300, seed: 21, style: .realistic)
            let disk = SimulatedDisk()
            try writeSegment(events, disk: disk)
            bytes = try disk.readAll(segmentPath)
            directory = try SegmentReader.open(disk: disk, path: segmentPath).directory(rowGroup: 0)
        }

        func column(_ number: ColumnNumber) throws -> ColumnDescriptor { try #require(directory.column(number)) }

        func flipped(at offset: Int) throws -> SimulatedDisk {
            var damaged = bytes
            damaged[offset] ^= 0x10
            return try disk(holding: damaged)
        }
    }

    private static let sample = Result { try Sample() }

    private func expectCorrupt(at offset: UInt64, _ body: () throws -> Void) {
        do {
            try body()
            Issue.record("damage was not noticed")
        } catch SegmentError.corrupt(let corruption) {
            #expect(corruption.offset == offset)
            #expect(corruption.file == segmentPath)
        } catch {
            Issue.record("\(error)")
        }
    }

    @Test func anUndamagedSegmentIsSound() throws {
        let sample = try Self.sample.get()
        let check = try SegmentCheck(disk: try disk(holding: sample.bytes), path: segmentPath)
        #expect(check.isSound)
        #expect(check.rowCount == sample.events.count)
    }

    @Test(arguments: [0, 4, 8, 16, 20, 28, 31])
    func aDamagedHeaderClosesTheFile(offset: Int) throws {
        let disk = try Self.sample.get().flipped(at: offset)
        expectCorrupt(at: 0) { _ = try SegmentReader.open(disk: disk, path: segmentPath) }
        let check = try SegmentCheck(disk: disk, path: segmentPath)
        #expect(!check.isReadable)
        #expect(check.damages.count == 1)
    }

    /// Header and body of the first page of durations.
    @Test(arguments: [0, 4, 5, 6, 8, 12, 16, 18, 20, 24, 28, 200])
    func aDamagedPageCostsItsRowsOfItsColumn(position: Int) throws {
        let sample = try Self.sample.get()
        let page = try sample.column(.duration).pages[0]
        let disk = try sample.flipped(at: Int(page.offset) + position)
        let reader = try SegmentReader.open(disk: disk, path: segmentPath)
        expectCorrupt(at: page.offset) { _ = try reader.read(rowGroup: 0, .duration) }
        expectCorrupt(at: page.offset) { _ = try reader.read(rowGroup: 0, rows: 8_191..<8_193, .duration) }
        let rest = try reader.read(rowGroup: 0, rows: 8_192..<8_300, .all)
        try expect(rest, equals: Array(sample.events[8_192...]))
        let others = try reader.read(rowGroup: 0, ColumnSelection.all.subtracting(.duration))
        #expect(others.rowCount == sample.events.count)
        let check = try SegmentCheck(disk: disk, path: segmentPath)
        #expect(check.damages.map(\.offset) == [page.offset])
    }

    @Test func everyDamagedPageIsListed() throws {
        let sample = try Self.sample.get()
        var damaged = sample.bytes
        let pages = [
            try sample.column(.timestamp).pages[1], try sample.column(.user).dictionaryPages[0],
            try sample.column(.object).pages[1],
        ]
        for page in pages { damaged[Int(page.offset) + PageHeader.byteCount] ^= 1 }
        let check = try SegmentCheck(disk: try disk(holding: damaged), path: segmentPath)
        #expect(check.damages.map(\.offset) == pages.map(\.offset))
        #expect(check.isReadable)
    }

    @Test func aDamagedDictionaryCostsItsColumnOnly() throws {
        let sample = try Self.sample.get()
        let page = try sample.column(.name).dictionaryPages[0]
        let disk = try sample.flipped(at: Int(page.offset) + PageHeader.byteCount + 20)
        let reader = try SegmentReader.open(disk: disk, path: segmentPath)
        expectCorrupt(at: page.offset) { _ = try reader.read(rowGroup: 0, rows: 8_200..<8_201, .name) }
        let others = try reader.read(rowGroup: 0, ColumnSelection.all.subtracting(.name))
        #expect(others.users?.codes.count == sample.events.count)
    }

    @Test func aPageInTheWrongPlaceIsNotTaken() throws {
        let sample = try Self.sample.get()
        let pages = try sample.column(.identifierLow).pages
        var damaged = sample.bytes
        // A whole page with a sound checksum, but that of other rows.
        let other = sample.bytes[Int(pages[1].offset)..<Int(pages[1].offset) + pages[1].byteCount]
        damaged.replaceSubrange(Int(pages[0].offset)..<Int(pages[0].offset) + pages[1].byteCount, with: other)
        let reader = try SegmentReader.open(disk: try disk(holding: damaged), path: segmentPath)
        expectCorrupt(at: pages[0].offset) { _ = try reader.read(rowGroup: 0, .identifier) }
    }

    @Test func aDamagedDirectoryCostsItsRowGroupOnly() throws {
        let events = try largeEvents()
        let disk = SimulatedDisk()
        try writeSegment(events, disk: disk)
        let sound = try SegmentReader.open(disk: disk, path: segmentPath)
        try #require(sound.rowGroupCount >= 3)
        let offset = sound.footer.rowGroups[1].directoryOffset
        var bytes = try disk.readAll(segmentPath)
        bytes[Int(offset) + 40] ^= 1
        let damaged = try DaybookSegmentTests.disk(holding: bytes)
        let reader = try SegmentReader.open(disk: damaged, path: segmentPath)
        expectCorrupt(at: offset) { _ = try reader.read(rowGroup: 1, .status) }
        let first = try reader.read(rowGroup: 0, .all)
        try expect(first, equals: Array(events.prefix(first.rowCount)))
        let last = try reader.read(rowGroup: reader.rowGroupCount - 1, .all)
        try expect(last, equals: Array(events.suffix(last.rowCount)))
        #expect(try SegmentCheck(disk: damaged, path: segmentPath).damages.map(\.offset) == [offset])
    }

    /// Events so large that a row group is full by its bytes.
    private func largeEvents() throws -> [GeneratedEvent] {
        var generator = EventGenerator(seed: 4, style: .realistic)
        let long = [UInt8](repeating: UInt8(ascii: "x"), count: 60_000)
        return (0..<450).map { _ in
            var event = generator.next(.productivityMetric)
            event.encoding.removeLast(event.encoding.count - 36)
            event.encoding[0] = 0x8
            event.encoding.append(contentsOf: [0, 1, 0, 0, 0, 0, 0, 0, 0, 1, 0x75, 1, 0x78])
            event.encoding.append(varint: UInt64(long.count))
            event.encoding += long
            return event
        }
    }

    @Test(arguments: [28, 40, 100])
    func aDamagedFooterClosesTheFile(position: Int) throws {
        let sample = try Self.sample.get()
        let reader = try SegmentReader.open(disk: try disk(holding: sample.bytes), path: segmentPath)
        let group = reader.footer.rowGroups[0]
        let footer = group.directoryOffset + UInt64(group.directoryByteCount)
        let disk = try sample.flipped(at: Int(footer) + position)
        expectCorrupt(at: footer) { _ = try SegmentReader.open(disk: disk, path: segmentPath) }
    }

    @Test(arguments: 1...24)
    func aDamagedTrailerClosesTheFile(fromEnd: Int) throws {
        let sample = try Self.sample.get()
        let disk = try sample.flipped(at: sample.bytes.count - fromEnd)
        expectCorrupt(at: UInt64(sample.bytes.count - 24)) {
            _ = try SegmentReader.open(disk: disk, path: segmentPath)
        }
    }

    @Test func aTruncatedFileIsDamagedWhereverItEnds() throws {
        let sample = try Self.sample.get()
        let directory = try sample.column(.object).offset
        var lengths = [0, 1, 31, 32, 33, 59, 60, 83, 84, sample.bytes.count / 2, Int(directory)]
        lengths += [25, 24, 23, 1].map { sample.bytes.count - $0 }
        for column in sample.directory.columns { lengths.append(Int(column.offset) + column.byteCount) }
        for length in lengths {
            let disk = try disk(holding: Array(sample.bytes.prefix(length)))
            #expect(throws: SegmentError.self, "\(length)") {
                try SegmentReader.open(disk: disk, path: segmentPath)
            }
            #expect(try !SegmentCheck(disk: disk, path: segmentPath).isSound)
        }
    }

    @Test func bytesBehindTheEndAreNoticed() throws {
        let sample = try Self.sample.get()
        let disk = try disk(holding: sample.bytes + [0])
        #expect(throws: SegmentError.self) { try SegmentReader.open(disk: disk, path: segmentPath) }
    }
}
