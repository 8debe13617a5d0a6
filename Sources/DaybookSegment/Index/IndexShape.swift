package import DaybookFormat

/// How a segment is cut into pages for its index: page i of a row group is its rows from 8,192 i on, whatever the pages
/// of its columns are. A page's number is eight times its row group plus its place there, so that a set of pages is a
/// byte for each row group.
package struct IndexShape: Equatable, Sendable {
    /// The pages of a row group, at most.
    static let rowGroupPageCountMax = SegmentLimits.rowGroupRowCountMax / SegmentLimits.pageRowCountMax

    let segmentByteCount: UInt64
    /// Names the content of the segment.
    let footerChecksum: UInt32
    let family: Family
    /// The rows of each row group.
    let rowCounts: [Int]
    let pageCount: Int

    /// - Parameter rowCounts: of each row group; each 1 to 65,536.
    package init(segmentByteCount: UInt64, footerChecksum: UInt32, family: Family, rowCounts: [Int]) {
        precondition(rowCounts.allSatisfy { (1...SegmentLimits.rowGroupRowCountMax).contains($0) })
        precondition(rowCounts.count <= SegmentLimits.rowGroupCountMax)
        self.segmentByteCount = segmentByteCount
        self.footerChecksum = footerChecksum
        self.family = family
        self.rowCounts = rowCounts
        pageCount = rowCounts.reduce(0) { $0 + Self.pageCount(rowCount: $1) }
    }

    init(of segment: SegmentReader) {
        self.init(
            segmentByteCount: segment.byteCount, footerChecksum: segment.footerChecksum, family: segment.family,
            rowCounts: segment.footer.rowGroups.map(\.rowCount))
    }

    var rowGroupCount: Int { rowCounts.count }

    var rowCount: Int { rowCounts.reduce(0, +) }

    func pageCount(rowGroup: Int) -> Int { Self.pageCount(rowCount: rowCounts[rowGroup]) }

    private static func pageCount(rowCount: Int) -> Int {
        (rowCount + SegmentLimits.pageRowCountMax - 1) / SegmentLimits.pageRowCountMax
    }

    /// The pages of a row group as a set.
    func mask(rowGroup: Int) -> UInt8 { UInt8(truncatingIfNeeded: (1 << pageCount(rowGroup: rowGroup)) - 1) }

    /// The numbers of all pages, rising.
    var pages: [Int] {
        (0..<rowGroupCount).flatMap { rowGroup in
            (0..<pageCount(rowGroup: rowGroup)).map { rowGroup * Self.rowGroupPageCountMax + $0 }
        }
    }

    static func rowGroup(ofPage page: Int) -> Int { page / rowGroupPageCountMax }

    /// The rows of a page in its row group.
    func rows(ofPage page: Int) -> Range<Int> {
        let first = page % Self.rowGroupPageCountMax * SegmentLimits.pageRowCountMax
        return first..<min(first + SegmentLimits.pageRowCountMax, rowCounts[Self.rowGroup(ofPage: page)])
    }
}
