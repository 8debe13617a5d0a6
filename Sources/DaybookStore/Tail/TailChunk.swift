package import DaybookFormat
package import DaybookSegment

/// Unsealed rows of one family, in sequence order.
package struct TailChunk: Sendable {
    package let batch: ColumnBatch
    /// What the rows hold; made once.
    package let zone: Zone

    /// Precondition: at least one row; the sequences are selected.
    package init(_ batch: ColumnBatch) {
        self.batch = batch
        zone = Zone(batch)
    }

    /// The rows behind `first` and up to `last`; nil when there are none. All of them are shared, some are copied.
    func rows(after first: UInt64, through last: UInt64) -> TailChunk? {
        guard zone.sequenceMax > first, zone.sequenceMin <= last else { return nil }
        guard zone.sequenceMin <= first || zone.sequenceMax > last else { return self }
        let start = batch.rowCount(through: first)
        let end = batch.rowCount(through: last)
        return start < end ? TailChunk(batch.extracting(start..<end)) : nil
    }

    /// Memory in use, about; with what the arrays themselves need.
    var byteCount: Int { batch.byteCount + Self.overheadByteCount }

    private static let overheadByteCount = 2_048
}

extension ColumnBatch {
    /// Rows at or before a sequence. Complexity: O(log n).
    fileprivate func rowCount(through sequence: UInt64) -> Int {
        var low = 0
        var high = rowCount
        while low < high {
            let middle = (low + high) / 2
            if sequences[middle] <= sequence { low = middle + 1 } else { high = middle }
        }
        return low
    }
}

/// Turns group records into chunks of one family and a few columns: for tails that are not kept in columns.
package struct TailDecoder {
    /// Rows of a chunk before the next one is begun.
    package static let rowCountMax = SegmentLimits.pageRowCountMax

    private let family: Family
    private let selection: ColumnSelection
    private var builder: ColumnBatchBuilder
    // Kept beside the builder: asking it for them row by row costs more than they are worth.
    private var schemaVersion: UInt8 = 1
    private var rowCount = 0
    private var chunks: [TailChunk] = []

    /// - Parameter selection: what is wanted; the columns of zones come along.
    package init(_ family: Family, _ selection: ColumnSelection) {
        self.family = family
        self.selection = selection.union([.sequence, .time, .status, .duration])
        builder = ColumnBatchBuilder(
            family: family, schemaVersion: schemaVersion, expectedRowCount: 1_024, selection: self.selection)
    }

    /// Takes in the rows of the family up to a sequence. Records come in sequence order.
    package mutating func append(_ header: GroupHeader, _ record: RawSpan, through last: UInt64) throws {
        var entries = GroupEntries(of: header)
        while let entry = try entries.next(record) {
            guard entry.family == family, entry.sequence <= last else { continue }
            if schemaVersion != entry.schemaVersion || rowCount >= Self.rowCountMax { begin(entry.schemaVersion) }
            try builder.append(
                sequence: entry.sequence, arrival: header.arrival, encoding: record.extracting(entry.encoding))
            rowCount += 1
        }
    }

    private mutating func begin(_ version: UInt8) {
        if rowCount > 0 { chunks.append(TailChunk(builder.takeBatch())) }
        rowCount = 0
        guard version != schemaVersion else { return }
        schemaVersion = version
        builder = ColumnBatchBuilder(family: family, schemaVersion: version, selection: selection)
    }

    package mutating func finish() -> [TailChunk] {
        begin(schemaVersion)
        defer { chunks = [] }
        return chunks
    }
}
