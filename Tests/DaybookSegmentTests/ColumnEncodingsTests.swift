import DaybookFormat
import DaybookTestSupport
import Testing

@testable import DaybookSegment

/// How pages are written, for whoever inspects a segment.
struct ColumnEncodingsTests {
    private static func segment(_ effort: Compression.Effort) throws -> SegmentReader {
        let disk = SimulatedDisk()
        let events = events(.commandExecution, count: 9_000, seed: 3, style: .realistic)
        try writeSegment(events, disk: disk, effort: effort)
        return try SegmentReader.open(disk: disk, path: segmentPath)
    }

    @Test func `every page is counted under its encoding`() throws {
        let segment = try Self.segment(.fast)
        let columns = try segment.directory(rowGroup: 0).columns
        #expect(columns.contains { $0.isAttribute })
        var seen: Set<PageEncoding> = []
        for column in columns {
            let encodings = try segment.encodings(of: column)
            let pageCount = column.pages.count + column.dictionaryPages.count
            #expect(encodings.pageCounts.reduce(0) { $0 + $1.count } == pageCount)
            #expect(encodings.compressedPageCount <= pageCount)
            #expect(encodings.encodedByteCount >= column.byteCount - pageCount * PageHeader.byteCount)
            seen.formUnion(encodings.pageCounts.map(\.encoding))
        }
        #expect(seen.count > 3)
        #expect(seen.isDisjoint(with: [.footer, .directory]))
    }

    @Test func `without compression pages are as long as they are encoded`() throws {
        let segment = try Self.segment(.none)
        for column in try segment.directory(rowGroup: 0).columns {
            let encodings = try segment.encodings(of: column)
            let pageCount = column.pages.count + column.dictionaryPages.count
            #expect(encodings.compressedPageCount == 0)
            #expect(encodings.encodedByteCount == column.byteCount - pageCount * PageHeader.byteCount)
        }
    }
}
