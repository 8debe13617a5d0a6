internal import DaybookFormat

/// Chooses and writes the encoding of a page of optional byte strings. Keeps its scratch memory between pages.
struct BytePageEncoder {
    private var lengths: [UInt64] = []
    private var codes: [UInt64] = []

    /// Where a page that begins with `first` ends: before the row that would carry it past its target or row limit.
    static func pageEnd(_ offsets: [UInt32], from first: Int, to end: Int) -> Int {
        var row = first + 1
        let target = Int(offsets[first]) + SegmentLimits.widePageByteCountTarget
        while row < end && row - first < SegmentLimits.pageRowCountMax && Int(offsets[row + 1]) <= target { row += 1 }
        return row
    }

    /// Appends the payload of the page of `rows`. Precondition: not empty.
    mutating func append(
        _ column: ByteColumn, rows: Range<Int>, to payload: inout [UInt8]
    ) -> (encoding: PageEncoding, zone: ColumnZone) {
        precondition(!rows.isEmpty && rows.count <= SegmentLimits.pageRowCountMax)
        var zone = ColumnZone()
        lengths.removeAll(keepingCapacity: true)
        for row in rows {
            let isPresent = column.isPresent(row)
            lengths.append(isPresent ? UInt64(column.range(row).count) + 1 : 0)
            if !isPresent { zone.missingCount += 1 }
        }
        let plainByteCount = Int(column.offsets[rows.upperBound] - column.offsets[rows.lowerBound])
        if let distinct = distinctRows(column, rows) {
            zone.distinctHint = distinct.count
            let kept = distinct.reduce(0) { $0 + column.range($1).count }
            if kept * 2 <= plainByteCount || distinct.count == 1 {
                writeDictionary(column, rows, distinct, to: &payload)
                return (.dictionaryBytes, zone)
            }
        }
        IntegerPageEncoder.appendBlock(lengths, to: &payload)
        let range = Int(column.offsets[rows.lowerBound])..<Int(column.offsets[rows.upperBound])
        column.bytes.withRawSpan { payload.append($0.extracting(range)) }
        return (.plainBytes, zone)
    }

    /// The first row of each distinct value, missing being one of them, and in `codes` each row's position among them;
    /// nil when there are more than half as many as rows.
    private mutating func distinctRows(_ column: ByteColumn, _ rows: Range<Int>) -> [Int]? {
        var interner = StringInterner()
        var firstRows: [Int] = []
        var missing: Int?
        /// The interner's code to the position among the distinct values.
        var positions: [Int] = []
        codes.removeAll(keepingCapacity: true)
        let limit = max(1, rows.count / 2)
        for row in rows {
            var position = firstRows.count
            if column.isPresent(row) {
                let code = Int(column.withBytes(row) { interner.code(of: $0) })
                if code < positions.count { position = positions[code] } else { positions.append(position) }
            } else if let missing {
                position = missing
            } else {
                missing = position
            }
            if position == firstRows.count {
                guard position < limit else { return nil }
                firstRows.append(row)
            }
            codes.append(UInt64(position))
        }
        return firstRows
    }

    private mutating func writeDictionary(
        _ column: ByteColumn, _ rows: Range<Int>, _ distinct: [Int], to payload: inout [UInt8]
    ) {
        payload.append(littleEndian: UInt32(distinct.count))
        IntegerPageEncoder.appendBlock(distinct.map { lengths[$0 - rows.lowerBound] }, to: &payload)
        IntegerPageEncoder.appendBlock(codes, to: &payload)
        for row in distinct { column.withBytes(row) { payload.append($0) } }
    }
}
