internal import DaybookEvent
package import DaybookFormat

/// Turns encodings into columns, row by row. The tail of an organization and the segment writer both use it.
package struct ColumnBatchBuilder: Sendable {
    package let family: Family
    package let schemaVersion: UInt8
    package private(set) var rowCount = 0

    /// - Parameter expectedRowCount: reserved at once; more rows are fine.
    package init(family: Family, schemaVersion: UInt8, expectedRowCount: Int = 0) {
        self.family = family
        self.schemaVersion = schemaVersion
        _ = expectedRowCount
    }

    /// Bytes that the rows so far hold in memory, about.
    package var byteCount: Int { fatalError("signature") }

    /// Appends one event. Sequences rise. After an error the builder is as before.
    package mutating func append(
        sequence: UInt64, arrival: Timestamp, encoding: RawSpan
    ) throws(FormatError) { fatalError("signature") }

    /// The rows so far, all columns. The builder can go on afterwards.
    package func batch() -> ColumnBatch { fatalError("signature") }

    /// The rows so far, all columns; the builder is empty afterwards.
    package mutating func takeBatch() -> ColumnBatch { fatalError("signature") }
}
