private import DaybookEvent
package import DaybookFormat

/// Turns encodings into columns, row by row. The tail of an organization and the segment writer both use it.
package struct ColumnBatchBuilder: Sendable {
    package let family: Family
    package let schemaVersion: UInt8
    private let selection: ColumnSelection
    /// Nothing but columns of what stands at fixed places in an encoding.
    private let isFixed: Bool
    private var columns: ColumnBuffers

    /// - Parameters:
    ///   - expectedRowCount: reserved at once; more rows are fine.
    ///   - selection: the columns that batches have; the others are not even copied out of the encodings.
    package init(
        family: Family, schemaVersion: UInt8, expectedRowCount: Int = 0, selection: ColumnSelection = .all
    ) {
        precondition(Family.ofOrganizations.contains(family))
        self.family = family
        self.schemaVersion = schemaVersion
        self.selection = selection
        isFixed =
            selection.isSubset(of: [.sequence, .time, .identifier, .status, .duration])
            && (family == .commandExecution || family == .agentInteraction)
        columns = ColumnBuffers(family: family, selection: selection, expectedRowCount: expectedRowCount)
    }

    package var rowCount: Int { columns.rowCount }

    /// Bytes that the rows so far hold in memory, about.
    package var byteCount: Int { columns.byteCount }

    /// Appends one event. Precondition: sequences rise. After an error the builder is as before.
    package mutating func append(
        sequence: UInt64, arrival: Timestamp, encoding: RawSpan
    ) throws(FormatError) {
        precondition(sequence > columns.lastSequence)
        if isFixed {
            let fields = try EventFields(fixedPartOf: family, schemaVersion: schemaVersion, reading: encoding)
            columns.append(sequence: sequence, arrival: arrival, fields, encoding)
            return
        }
        let fields = try EventFields(family: family, schemaVersion: schemaVersion, reading: encoding)
        guard encoding.byteCount <= SegmentLimits.encodingByteCountMax else { throw .invalid("event length") }
        guard columns.hasRoom(for: encoding.byteCount) else { throw .invalid("batch length") }
        columns.append(sequence: sequence, arrival: arrival, fields, encoding)
    }

    /// Whether `append` would take this encoding.
    func check(_ encoding: RawSpan) throws(FormatError) {
        _ = try EventFields(family: family, schemaVersion: schemaVersion, reading: encoding)
    }

    /// The rows so far. The builder can go on afterwards.
    package func batch() -> ColumnBatch { columns.batch(schemaVersion: schemaVersion) }

    /// A copy of some of the rows so far. The builder can go on afterwards, and what it appends copies nothing;
    /// batches between which no new string came in have the same dictionaries. Precondition: the rows exist.
    package mutating func batch(rows: Range<Int>) -> ColumnBatch {
        columns.shareTables()
        return columns.batch(schemaVersion: schemaVersion).extracting(rows)
    }

    /// The rows so far; the builder is empty afterwards.
    package mutating func takeBatch() -> ColumnBatch {
        let expected = rowCount
        let batch = columns.batch(schemaVersion: schemaVersion)
        columns = ColumnBuffers(family: family, selection: selection, expectedRowCount: expected)
        return batch
    }
}
