import DaybookFormat
import DaybookSystem
import DaybookTestSupport
import Testing

@testable import DaybookSegment

@Suite struct PageCacheTests {
    /// 20,000 rows: two whole units and a part of a third.
    static let rowCount = 20_000

    /// A segment on a disk with a reader that keeps pages, and one that does not.
    struct Opened {
        let pages: PageCache
        let cached: SegmentReader
        let plain: SegmentReader

        init(_ family: Family, count: Int = PageCacheTests.rowCount, byteCountMax: Int = 16 << 20) throws {
            let disk = SimulatedDisk()
            try writeSegment(events(family, count: count, seed: 11, style: .realistic), disk: disk)
            pages = PageCache(byteCountMax: byteCountMax)
            cached = try SegmentReader.open(disk: disk, path: segmentPath, pages: pages, owner: pages.admit())
            plain = try SegmentReader.open(disk: disk, path: segmentPath)
        }
    }

    @Test(arguments: Family.ofOrganizations)
    func `rows out of the cache are the rows of the file`(family: Family) throws {
        let opened = try Opened(family)
        var random = SeededRandom(seed: 5)
        for _ in 0..<60 {
            let selection = ColumnSelection(rawValue: UInt32(random.below(1 << 16)))
            let start = random.below(Self.rowCount)
            let rows = start..<start + random.below(Self.rowCount - start + 1)
            expectSame(
                try opened.cached.read(rowGroup: 0, rows: rows, selection),
                try opened.plain.read(rowGroup: 0, rows: rows, selection))
        }
        #expect(opened.pages.status.hitCount > 0)
    }

    @Test(arguments: Family.ofOrganizations)
    func `single rows are the rows of the file, with and without a cache`(family: Family) throws {
        let opened = try Opened(family)
        var random = SeededRandom(seed: 6)
        for round in 0..<30 {
            let selection: ColumnSelection =
                round % 2 == 0 ? .all : ColumnSelection(rawValue: UInt32(random.below(1 << 16)))
            let rows = Set((0..<random.below(90)).map { _ in random.below(Self.rowCount) }).sorted()
            let all = try opened.plain.read(rowGroup: 0, selection)
            let cached = try opened.cached.read(rowGroup: 0, rowsAt: rows, selection)
            let plain = try opened.plain.read(rowGroup: 0, rowsAt: rows, selection)
            #expect(cached.rowCount == rows.count)
            for (index, row) in rows.enumerated() {
                let wanted = all.extracting(row..<row + 1)
                expectSame(cached.extracting(index..<index + 1), wanted)
                expectSame(plain.extracting(index..<index + 1), wanted)
            }
        }
    }

    @Test func `a page that was read before is not read again`() throws {
        let opened = try Opened(.commandExecution)
        let selection: ColumnSelection = [.time, .status, .duration, .name]
        let unit = SegmentLimits.pageRowCountMax..<2 * SegmentLimits.pageRowCountMax
        let first = try opened.cached.read(rowGroup: 0, rows: unit, selection)
        let before = opened.pages.status
        let second = try opened.cached.read(rowGroup: 0, rows: unit, selection)
        #expect(opened.pages.status.missCount == before.missCount)
        #expect(opened.pages.status.hitCount == before.hitCount + 4)
        expectSame(first, second)
    }

    @Test func `all pages of a row group have one dictionary object`() throws {
        let opened = try Opened(.commandExecution)
        let table = try opened.cached.table(rowGroup: 0, .name)
        for start in stride(from: 0, to: Self.rowCount, by: SegmentLimits.pageRowCountMax) {
            let rows = start..<min(start + SegmentLimits.pageRowCountMax, Self.rowCount)
            for _ in 0..<2 {
                let batch = try opened.cached.read(rowGroup: 0, rows: rows, [.name, .user])
                #expect(batch.names?.table === table)
            }
        }
    }

    @Test(arguments: Family.ofOrganizations)
    func `the zones of units are those of their rows`(family: Family) throws {
        let opened = try Opened(family)
        let zones = try opened.plain.pageZones(rowGroup: 0)
        #expect(zones.count == 3)
        for (unit, zone) in zones.enumerated() {
            let start = unit * SegmentLimits.pageRowCountMax
            let rows = start..<min(start + SegmentLimits.pageRowCountMax, Self.rowCount)
            #expect(zone == Zone(try opened.plain.read(rowGroup: 0, rows: rows, .all)))
        }
        let times = try opened.plain.pageZones(rowGroup: 0, .timestamp)
        #expect(times.map(\.rows.count).reduce(0, +) == Self.rowCount)
        #expect(times.map { Int64(bitPattern: $0.zone.min) } == zones.map(\.timestampMin))
    }

    @Test func `the budget holds, whatever is read`() throws {
        let budget = 512 << 10
        let opened = try Opened(.commandExecution, byteCountMax: budget)
        for start in stride(from: 0, to: Self.rowCount, by: SegmentLimits.pageRowCountMax) {
            let rows = start..<min(start + SegmentLimits.pageRowCountMax, Self.rowCount)
            _ = try opened.cached.read(rowGroup: 0, rows: rows, [.time, .duration, .name, .user, .session, .sequence])
            _ = try opened.cached.read(rowGroup: 0, rowsAt: Array(rows.prefix(500)), .all)
            #expect(opened.pages.status.byteCount <= budget)
        }
        #expect(opened.pages.status.byteCount > budget / 4)
        opened.pages.setByteCountMax(64 << 10)
        #expect(opened.pages.status.byteCount <= 64 << 10)
        expectSame(
            try opened.cached.read(rowGroup: 0, rows: 0..<9_000, [.time, .name]),
            try opened.plain.read(rowGroup: 0, rows: 0..<9_000, [.time, .name]))
    }

    @Test func `a copy of everything leaves nothing behind`() throws {
        let opened = try Opened(.commandExecution)
        _ = try opened.cached.read(rowGroup: 0, .all)
        #expect(opened.pages.status.pieceCount == 0)
    }

    @Test func `nothing of a dropped file is kept, and nothing of it gets in again`() throws {
        let opened = try Opened(.commandExecution)
        _ = try opened.cached.read(rowGroup: 0, [.time, .name])
        #expect(opened.pages.status.pieceCount > 0)
        opened.pages.drop(opened.cached.owner)
        #expect(opened.pages.status.pieceCount == 0)
        #expect(opened.pages.status.byteCount == 0)
        let rows = try opened.cached.read(rowGroup: 0, [.time, .name])
        expectSame(rows, try opened.plain.read(rowGroup: 0, [.time, .name]))
        #expect(opened.pages.status.pieceCount == 0)
    }

    @Test func `what is asked for often outlives a scan`() {
        var ring = ClockRing(byteCountMax: 100_000)
        func key(_ page: Int) -> PageCache.Key { PageCache.Key(owner: 1, rowGroup: 0, page: page, kind: 1) }
        let piece = PagePiece.times([Int64](repeating: 0, count: 1_000))
        for page in 0..<4 { _ = ring.insert(key(page), piece) }
        for page in 100..<200 {
            for hot in 0..<4 { #expect(ring.find(key(hot)) != nil) }
            _ = ring.insert(key(page), piece)
        }
        #expect(ring.byteCount <= 100_000)
        #expect(ring.find(key(100)) == nil)
    }

    @Test func `damage costs the page it is in, also in front of a cache`() throws {
        let disk = SimulatedDisk()
        try writeSegment(
            events(.commandExecution, count: Self.rowCount, seed: 3, style: .realistic), disk: disk)
        let sound = try SegmentReader.open(disk: disk, path: segmentPath)
        let page = try #require(try sound.directory(rowGroup: 0).column(.duration)).pages[1]
        let file = try disk.open(segmentPath, .readWrite)
        try [UInt8(0xA5), 0x5A].withRawSpan { try file.write($0, at: page.offset + 60) }
        let pages = PageCache(byteCountMax: 1 << 20)
        let reader = try SegmentReader.open(disk: disk, path: segmentPath, pages: pages, owner: pages.admit())
        let unit = SegmentLimits.pageRowCountMax
        for _ in 0..<2 {
            #expect(throws: SegmentError.self) {
                try reader.read(rowGroup: 0, rows: unit..<2 * unit, [.time, .duration])
            }
            #expect(throws: SegmentError.self) { try reader.read(rowGroup: 0, rowsAt: [3, unit + 1], [.duration]) }
            #expect(try reader.read(rowGroup: 0, rows: 0..<unit, [.time, .duration]).durations.count == unit)
            #expect(try reader.read(rowGroup: 0, rows: unit..<2 * unit, [.time]).timestamps.count == unit)
        }
    }
}

/// Every column of both, dictionaries by their strings.
func expectSame(_ left: ColumnBatch, _ right: ColumnBatch, sourceLocation: SourceLocation = #_sourceLocation) {
    func texts(_ column: CodeColumn?) -> [[UInt8]?]? {
        column.map { column in
            column.codes.map { code in
                code == CodeColumn.missing ? nil : Array(column.table.bytes[column.table.range(of: code)])
            }
        }
    }
    func strings(_ column: ByteColumn?) -> [[UInt8]?]? {
        column.map { column in (0..<column.rowCount).map { column[$0] } }
    }
    #expect(left.rowCount == right.rowCount, sourceLocation: sourceLocation)
    #expect(left.selection == right.selection, sourceLocation: sourceLocation)
    #expect(left.flags == right.flags, sourceLocation: sourceLocation)
    #expect(left.sequences == right.sequences, sourceLocation: sourceLocation)
    #expect(left.arrivals == right.arrivals, sourceLocation: sourceLocation)
    #expect(left.timestamps == right.timestamps, sourceLocation: sourceLocation)
    #expect(left.identifiers == right.identifiers, sourceLocation: sourceLocation)
    #expect(left.statuses == right.statuses, sourceLocation: sourceLocation)
    #expect(left.durations == right.durations, sourceLocation: sourceLocation)
    #expect(left.inputTokens == right.inputTokens, sourceLocation: sourceLocation)
    #expect(left.outputTokens == right.outputTokens, sourceLocation: sourceLocation)
    #expect(left.values == right.values, sourceLocation: sourceLocation)
    #expect(left.commandsExecuted == right.commandsExecuted, sourceLocation: sourceLocation)
    #expect(left.periodStarts == right.periodStarts, sourceLocation: sourceLocation)
    #expect(left.periodEnds == right.periodEnds, sourceLocation: sourceLocation)
    for path in [\ColumnBatch.names, \.kinds, \.users, \.sessions, \.teams] {
        #expect(texts(left[keyPath: path]) == texts(right[keyPath: path]), sourceLocation: sourceLocation)
    }
    for path in [\ColumnBatch.errorMessages, \.arguments, \.objects, \.agentsUsed] {
        #expect(strings(left[keyPath: path]) == strings(right[keyPath: path]), sourceLocation: sourceLocation)
    }
}

/// Columns of attributes that a question reads out of the cache.
@Suite struct AttributeCacheTests {
    private func text(_ column: AttributeColumn, _ row: Int) -> [UInt8]? {
        guard column.isPresent(row) else { return nil }
        var bytes: [UInt8] = []
        column.appendText(row, to: &bytes)
        return bytes
    }

    @Test func `attributes out of the cache are those of the file`() throws {
        let opened = try PageCacheTests.Opened(.commandExecution)
        let names = opened.plain.attributes.map(\.name)
        #expect(!names.isEmpty)
        var random = SeededRandom(seed: 12)
        for round in 0..<40 {
            let unit = SegmentLimits.pageRowCountMax * random.below(2)
            let start = round % 2 == 0 ? unit : random.below(PageCacheTests.rowCount)
            let end = round % 2 == 0 ? unit + SegmentLimits.pageRowCountMax : start + random.below(9_000)
            let rows = start..<min(end, PageCacheTests.rowCount)
            let wanted = names.filter { _ in random.oneIn(2) }
            let cached = try opened.cached.readAttributes(rowGroup: 0, rows: rows, wanted)
            let plain = try opened.plain.readAttributes(rowGroup: 0, rows: rows, wanted)
            #expect(cached.columns.count == wanted.count)
            for (left, right) in zip(cached.columns, plain.columns) {
                #expect(left.mayBeInRest == right.mayBeInRest)
                let isSame = (0..<rows.count).allSatisfy { text(left, $0) == text(right, $0) }
                #expect(isSame)
            }
        }
    }

    @Test func `a unit of an attribute that was read before is not read again`() throws {
        let opened = try PageCacheTests.Opened(.commandExecution)
        let columns = try opened.plain.attributeColumns(rowGroup: 0)
        let name = try #require(columns.first { !$0.column.isAlsoInRest }).attribute.name
        let rows = SegmentLimits.pageRowCountMax..<2 * SegmentLimits.pageRowCountMax
        _ = try opened.cached.readAttributes(rowGroup: 0, rows: rows, [name])
        let before = opened.pages.status
        _ = try opened.cached.readAttributes(rowGroup: 0, rows: rows, [name])
        #expect(opened.pages.status.missCount == before.missCount)
        #expect(opened.pages.status.hitCount == before.hitCount + 1)
    }
}
