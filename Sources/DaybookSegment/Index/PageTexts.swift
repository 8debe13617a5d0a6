internal import DaybookFormat

/// Takes the texts of pages apart. Every distinct one of a column is taken apart once a page: most repeat.
struct PageTexts {
    private var seen = SeenStrings()

    mutating func insert(_ batch: ColumnBatch, into values: inout PageValues) {
        if let messages = batch.errorMessages { insert(messages, isJSON: false, into: &values) }
        if let objects = batch.arguments { insert(objects, isJSON: true, into: &values) }
        if let objects = batch.objects { insert(objects, isJSON: true, into: &values) }
    }

    private mutating func insert(_ column: ByteColumn, isJSON: Bool, into values: inout PageValues) {
        // The same bytes mean something else where they are escaped, and stand elsewhere in another column.
        seen.removeAll()
        column.bytes.withRawSpan { span in
            unsafe span.withUnsafeBytes { bytes in
                for row in 0..<column.rowCount where values.wantsMore {
                    let range = column.range(row)
                    guard isJSON else {
                        unsafe insert(range, of: bytes, isEscaped: false, into: &values)
                        continue
                    }
                    unsafe TextTokens.forEachString(inJSON: range, of: bytes) { string in
                        unsafe insert(string, of: bytes, isEscaped: true, into: &values)
                    }
                }
            }
        }
    }

    @inline(__always)
    private mutating func insert(
        _ range: Range<Int>, of bytes: UnsafeRawBufferPointer, isEscaped: Bool, into values: inout PageValues
    ) {
        guard !range.isEmpty, unsafe seen.insert(range, of: bytes) else { return }
        unsafe Self.insertTokens(
            UnsafeRawBufferPointer(rebasing: bytes[range]), isEscaped: isEscaped, into: &values)
    }

    @inline(never)
    private static func insertTokens(
        _ text: UnsafeRawBufferPointer, isEscaped: Bool, into values: inout PageValues
    ) {
        unsafe TextTokens.forEach(in: text, isEscaped: isEscaped) { token in
            values.insert(UInt32(truncatingIfNeeded: unsafe FieldHash.ofIndex(token)))
        }
    }
}
