private import DaybookEvent
package import DaybookFormat

/// Turns encodings into columns, row by row. The tail of an organization and the segment writer both use it.
package struct ColumnBatchBuilder: Sendable {
    package let family: Family
    package let schemaVersion: UInt8
    private var columns: ColumnBuffers

    /// - Parameter expectedRowCount: reserved at once; more rows are fine.
    package init(family: Family, schemaVersion: UInt8, expectedRowCount: Int = 0) {
        precondition(Family.ofOrganizations.contains(family))
        self.family = family
        self.schemaVersion = schemaVersion
        columns = ColumnBuffers(family: family, expectedRowCount: expectedRowCount)
    }

    package var rowCount: Int { columns.sequences.count }

    /// Bytes that the rows so far hold in memory, about.
    package var byteCount: Int { columns.byteCount }

    /// Appends one event. Precondition: sequences rise. After an error the builder is as before.
    package mutating func append(
        sequence: UInt64, arrival: Timestamp, encoding: RawSpan
    ) throws(FormatError) {
        let fields = try EventFields(family: family, schemaVersion: schemaVersion, reading: encoding)
        precondition(sequence > columns.sequences.last ?? 0)
        guard encoding.byteCount <= SegmentLimits.encodingByteCountMax else { throw .invalid("event length") }
        guard columns.hasRoom(for: encoding.byteCount) else { throw .invalid("batch length") }
        columns.append(sequence: sequence, arrival: arrival, fields, encoding)
    }

    /// Whether `append` would take this encoding.
    func check(_ encoding: RawSpan) throws(FormatError) {
        _ = try EventFields(family: family, schemaVersion: schemaVersion, reading: encoding)
    }

    /// The rows so far, all columns. The builder can go on afterwards.
    package func batch() -> ColumnBatch { columns.batch(family: family, schemaVersion: schemaVersion) }

    /// The rows so far, all columns; the builder is empty afterwards.
    package mutating func takeBatch() -> ColumnBatch {
        let expected = rowCount
        let batch = columns.batch(family: family, schemaVersion: schemaVersion)
        columns = ColumnBuffers(family: family, expectedRowCount: expected)
        return batch
    }
}
