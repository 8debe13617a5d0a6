/// The pages of a segment that may hold what was asked for: a bit for each 8,192 rows of each row group. Never leaves
/// out a page that holds it.
package struct PageSet: Equatable, Sendable {
    /// Bit i of a byte is the page of the row group's rows from 8,192 i on.
    private var masks: [UInt8]
    private let shape: IndexShape
    /// False when the index does not know and so names every page.
    package private(set) var isKnown: Bool

    static func unknown(_ shape: IndexShape) -> PageSet { PageSet(everyPageOf: shape, isKnown: false) }

    static func none(_ shape: IndexShape) -> PageSet {
        PageSet([UInt8](repeating: 0, count: shape.rowGroupCount), of: shape)
    }

    private init(everyPageOf shape: IndexShape, isKnown: Bool) {
        masks = (0..<shape.rowGroupCount).map { shape.mask(rowGroup: $0) }
        self.shape = shape
        self.isKnown = isKnown
    }

    /// Bits that stand for no page are dropped. Precondition: a byte for each row group.
    init(_ masks: consuming [UInt8], of shape: IndexShape) {
        precondition(masks.count == shape.rowGroupCount)
        for rowGroup in 0..<masks.count { masks[rowGroup] &= shape.mask(rowGroup: rowGroup) }
        self.masks = masks
        self.shape = shape
        isKnown = true
    }

    /// The pages of one row group as bits.
    package subscript(rowGroup: Int) -> UInt8 { masks[rowGroup] }

    package var pageCount: Int { masks.reduce(0) { $0 + $1.nonzeroBitCount } }

    /// True when no row can match: the value is not in the segment.
    package var isEmpty: Bool { masks.allSatisfy { $0 == 0 } }

    /// True when every page may match: the answer saves nothing.
    package var isEveryPage: Bool { pageCount == shape.pageCount }

    /// The row groups with at least one page, rising.
    package var rowGroups: [Int] { masks.indices.filter { masks[$0] != 0 } }

    /// The rows of one row group that may match; pages next to each other are one range.
    package func rows(rowGroup: Int) -> [Range<Int>] {
        var ranges: [Range<Int>] = []
        for place in 0..<IndexShape.rowGroupPageCountMax where masks[rowGroup] & 1 << UInt8(place) != 0 {
            let rows = shape.rows(ofPage: rowGroup * IndexShape.rowGroupPageCountMax + place)
            if let last = ranges.last, last.upperBound == rows.lowerBound {
                ranges[ranges.count - 1] = last.lowerBound..<rows.upperBound
            } else {
                ranges.append(rows)
            }
        }
        return ranges
    }

    /// The rows of all pages.
    package var rowCount: Int {
        masks.indices.reduce(0) { $0 + rows(rowGroup: $1).reduce(0) { $0 + $1.count } }
    }

    /// Both must hold. Precondition: of the same segment.
    package mutating func formIntersection(_ other: PageSet) {
        precondition(shape == other.shape)
        for rowGroup in masks.indices { masks[rowGroup] &= other.masks[rowGroup] }
        isKnown = isKnown || other.isKnown
    }

    /// One of them must hold. Precondition: of the same segment.
    package mutating func formUnion(_ other: PageSet) {
        precondition(shape == other.shape)
        for rowGroup in masks.indices { masks[rowGroup] |= other.masks[rowGroup] }
        isKnown = isKnown && other.isKnown
    }

    /// Precondition: the page exists.
    mutating func remove(page: Int) {
        masks[IndexShape.rowGroup(ofPage: page)] &= ~(1 << UInt8(page % IndexShape.rowGroupPageCountMax))
    }
}
