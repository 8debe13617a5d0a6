internal import DaybookFormat

/// How the pages of a column are written, for whoever inspects a file.
package struct ColumnEncodings: Sendable, Equatable {
    /// Pages by encoding, dictionaries included, in the order of the encodings' numbers.
    package private(set) var pageCounts: [(encoding: PageEncoding, count: Int)] = []
    package private(set) var compressedPageCount = 0
    /// Bytes of all pages before compression, without their headers.
    package private(set) var encodedByteCount = 0

    init() {}

    mutating func add(_ header: PageHeader) {
        if let index = pageCounts.firstIndex(where: { $0.encoding == header.encoding }) {
            pageCounts[index].count += 1
        } else {
            pageCounts.append((header.encoding, 1))
            pageCounts.sort { $0.encoding.rawValue < $1.encoding.rawValue }
        }
        if header.isCompressed { compressedPageCount += 1 }
        encodedByteCount += Int(header.encodedByteCount)
    }

    package static func == (left: ColumnEncodings, right: ColumnEncodings) -> Bool {
        left.compressedPageCount == right.compressedPageCount && left.encodedByteCount == right.encodedByteCount
            && left.pageCounts.elementsEqual(right.pageCounts) { $0 == $1 }
    }
}

extension SegmentReader {
    /// Reads the headers of a column's pages. What the pages hold is not looked at.
    package func encodings(of column: ColumnDescriptor) throws(SegmentError) -> ColumnEncodings {
        var result = ColumnEncodings()
        for page in column.dictionaryPages + column.pages {
            let bytes = try file.read(PageHeader.byteCount, at: page.offset)
            result.add(
                try file.decode(bytes, at: page.offset) { (span: RawSpan) throws(FormatError) in
                    try PageHeader(reading: span, at: 0)
                })
        }
        return result
    }
}
