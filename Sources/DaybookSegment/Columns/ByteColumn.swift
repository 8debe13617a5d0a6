internal import DaybookFormat

/// One optional byte string per row, one behind the other.
package struct ByteColumn: Sendable {
    package let bytes: [UInt8]
    /// Row `r` is `bytes[offsets[r]..<offsets[r + 1]]`; empty where the row has no value.
    package let offsets: [UInt32]
    /// Which rows have a value; nil when all have one.
    package let present: [Bool]?

    /// Precondition: `offsets` begins with 0, never falls, and ends with `bytes.count`.
    package init(bytes: [UInt8], offsets: [UInt32], present: [Bool]?) {
        precondition(offsets.first == 0)
        precondition(Int(offsets[offsets.count - 1]) == bytes.count)
        precondition(present == nil || present?.count == offsets.count - 1)
        self.bytes = bytes
        self.offsets = offsets
        self.present = present
    }

    package var rowCount: Int { offsets.count - 1 }

    package func isPresent(_ row: Int) -> Bool { present?[row] ?? true }

    package func range(_ row: Int) -> Range<Int> { Int(offsets[row])..<Int(offsets[row + 1]) }

    /// Lends the bytes of one row; empty when it has no value.
    package func withBytes<R, E: Error>(_ row: Int, _ body: (RawSpan) throws(E) -> R) throws(E) -> R {
        try bytes.withRawSpan { (all: RawSpan) throws(E) -> R in try body(all.extracting(range(row))) }
    }

    /// A copy of one row, nil when it has no value.
    package subscript(row: Int) -> [UInt8]? {
        isPresent(row) ? Array(bytes[range(row)]) : nil
    }
}
