internal import DaybookFormat

/// Rows of a byte column, while they are read page by page.
struct ByteColumnRows {
    var bytes: [UInt8] = []
    var offsets: [UInt32] = [0]
    var present: [Bool] = []
    var missingCount = 0

    init(expectedRowCount: Int, expectedByteCount: Int) {
        bytes.reserveCapacity(expectedByteCount)
        offsets.reserveCapacity(expectedRowCount + 1)
        present.reserveCapacity(expectedRowCount)
    }

    mutating func append(_ string: UnsafeRawBufferPointer?) throws(FormatError) {
        present.append(unsafe string != nil)
        if let string = unsafe string {
            guard bytes.count + string.count <= SegmentLimits.columnByteCountMax else {
                throw .invalid("column length")
            }
            unsafe bytes.append(contentsOf: string)
        } else {
            missingCount += 1
        }
        offsets.append(UInt32(bytes.count))
    }

    consuming func column() -> ByteColumn {
        ByteColumn(bytes: bytes, offsets: offsets, present: missingCount == 0 ? nil : present)
    }
}

/// Reads pages of byte strings. Keeps its scratch memory between pages.
struct BytePageDecoder {
    private var lengths: [UInt64] = []
    private var codes: [UInt64] = []
    /// Where each distinct value of a dictionary page ends.
    private var ends: [Int] = []

    /// Appends those of the page's `count` rows that lie in `wanted`.
    mutating func decode(
        _ encoding: PageEncoding, _ payload: UnsafeRawBufferPointer, count: Int, wanted: Range<Int>,
        to rows: inout ByteColumnRows
    ) throws(FormatError) {
        precondition(wanted.lowerBound >= 0 && wanted.upperBound <= count)
        var reader = unsafe BlockReader(payload)
        switch encoding {
        case .plainBytes:
            try reader.block(count: count, appendingTo: &lengths)
            for row in 0..<count {
                let string = unsafe try Self.string(&reader, length: lengths[row])
                if wanted.contains(row) { unsafe try rows.append(string) }
            }
        case .dictionaryBytes:
            unsafe try decodeDictionary(&reader, payload, count: count, wanted: wanted, to: &rows)
        default:
            throw .invalid("page encoding")
        }
        guard reader.isAtEnd else { throw .invalid("page payload length") }
    }

    private mutating func decodeDictionary(
        _ reader: inout BlockReader, _ payload: UnsafeRawBufferPointer, count: Int, wanted: Range<Int>,
        to rows: inout ByteColumnRows
    ) throws(FormatError) {
        let distinctCount = Int(try reader.uint32())
        guard distinctCount >= 1, distinctCount <= count else { throw .invalid("page dictionary count") }
        try reader.block(count: distinctCount, appendingTo: &lengths)
        try reader.block(count: count, appendingTo: &codes)
        ends.removeAll(keepingCapacity: true)
        let start = reader.offset
        for code in 0..<distinctCount {
            _ = unsafe try Self.string(&reader, length: lengths[code])
            ends.append(reader.offset)
        }
        for row in 0..<count {
            guard codes[row] < UInt64(distinctCount) else { throw .invalid("page dictionary code") }
            guard wanted.contains(row) else { continue }
            let code = Int(codes[row])
            let range = (code == 0 ? start : ends[code - 1])..<ends[code]
            let string = unsafe UnsafeRawBufferPointer(rebasing: payload[range])
            unsafe try rows.append(lengths[code] == 0 ? nil : string)
        }
    }

    /// The next string, nil when its length says missing.
    @unsafe private static func string(
        _ reader: inout BlockReader, length: UInt64
    ) throws(FormatError) -> UnsafeRawBufferPointer? {
        guard length > 0 else { return nil }
        guard length <= UInt64(SegmentLimits.pageByteCountMax) else { throw .invalid("string length") }
        return unsafe try reader.take(Int(length) - 1)
    }
}
