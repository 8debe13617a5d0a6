internal import DaybookEvent
package import DaybookFormat
package import DaybookSegment
package import DaybookStore

/// Where answers come from: one organization as one reader sees it. `OrganizationSnapshot` is the real one.
package protocol EventSource: Sendable {
    /// The last visible sequence; 0 when there is none.
    var lastSequence: UInt64 { get }
    /// Sealed segments. Those of one family are in sequence order and do not overlap.
    var segments: [SegmentReference] { get }
    func open(_ segment: SegmentReference) throws -> SegmentReader
    /// Every unsealed group record with a sequence of at least `first`, in sequence order, until `body` returns false.
    func forEachTailGroup(from first: UInt64, _ body: (GroupHeader, RawSpan) throws -> Bool) throws
    /// Which rows of a family retention has not hidden.
    func visibility(of family: Family) -> RowVisibility
    /// What reading of the tail has found damaged so far.
    var damage: [Corruption] { get }
    /// The unsealed rows of a family up to a sequence, in sequence order, all columns.
    func tailBatches(of family: Family, through last: UInt64) throws -> [ColumnBatch]
}

extension OrganizationSnapshot: EventSource {}

extension EventSource {
    package func visibility(of family: Family) -> RowVisibility { .everything }

    package var damage: [Corruption] { [] }

    /// Decodes the tail. A source that keeps its tail in columns does better.
    package func tailBatches(of family: Family, through last: UInt64) throws -> [ColumnBatch] {
        var batches: [ColumnBatch] = []
        var builder = ColumnBatchBuilder(
            family: family, schemaVersion: EventLayout.schemaVersion, expectedRowCount: 1_024)
        // Kept beside the builder: asking it for them row by row costs more than they are worth.
        var version = EventLayout.schemaVersion
        var rowCount = 0
        try forEachTailGroup(from: 1) { header, record in
            guard header.firstSequence <= last else { return false }
            var entries = GroupEntries(of: header)
            while let entry = try entries.next(record) {
                guard entry.family == family, entry.sequence <= last else { continue }
                if version != entry.schemaVersion || rowCount >= tailBatchRowCount {
                    if rowCount > 0 { batches.append(builder.takeBatch()) }
                    rowCount = 0
                    if version != entry.schemaVersion {
                        version = entry.schemaVersion
                        builder = ColumnBatchBuilder(family: family, schemaVersion: version)
                    }
                }
                try builder.append(
                    sequence: entry.sequence, arrival: header.arrival, encoding: record.extracting(entry.encoding))
                rowCount += 1
            }
            return true
        }
        if rowCount > 0 { batches.append(builder.takeBatch()) }
        return batches
    }
}

/// Rows of a tail batch before the next one is begun.
let tailBatchRowCount = SegmentLimits.pageRowCountMax
