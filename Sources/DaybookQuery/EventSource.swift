package import DaybookFormat
package import DaybookRollup
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
    /// Which pages of a segment may hold a value; nil when nobody knows, or the index cannot be read.
    func index(of segment: SegmentReference) throws -> SegmentIndex?
    /// The rollups of a segment; nil when none are stored.
    func rollup(of segment: SegmentReference) throws -> RollupFile?
    /// Rollups of events that have expired, oldest sequences first.
    var history: [HistoryReference] { get }
    /// One of them; nil when it is missing, damaged, or gone by now.
    func rollup(of history: HistoryReference) throws -> RollupFile?
    /// Which rows of a family count in questions that the history answers, too.
    func historyVisibility(of family: Family) -> RowVisibility
    /// Which rows of a family retention has not hidden.
    func visibility(of family: Family) -> RowVisibility
    /// What reading of the tail has found damaged so far.
    var damage: [Corruption] { get }
    /// The unsealed rows of a family up to a sequence, in sequence order; perhaps more columns than selected.
    func tailChunks(
        of family: Family, through last: UInt64, _ selection: ColumnSelection
    ) throws -> [TailChunk]
}

extension OrganizationSnapshot: EventSource {}

extension EventSource {
    package func visibility(of family: Family) -> RowVisibility { .everything }

    package var history: [HistoryReference] { [] }

    package func rollup(of history: HistoryReference) throws -> RollupFile? { nil }

    package func historyVisibility(of family: Family) -> RowVisibility { visibility(of: family) }

    package var damage: [Corruption] { [] }

    package func index(of segment: SegmentReference) -> SegmentIndex? { nil }

    package func rollup(of segment: SegmentReference) throws -> RollupFile? { nil }

    /// Decodes the tail. A source that keeps its tail in columns does better.
    package func tailChunks(
        of family: Family, through last: UInt64, _ selection: ColumnSelection
    ) throws -> [TailChunk] {
        var decoder = TailDecoder(family, selection)
        try forEachTailGroup(from: 1) { header, record in
            guard header.firstSequence <= last else { return false }
            try decoder.append(header, record, through: last)
            return true
        }
        return decoder.finish()
    }

    /// Unsealed events with their numbers among the wanted ones, for a tail of which only some columns were decoded.
    /// - Parameter sequences: ascending, all of the family; those that are not there are left out.
    func forEachTailEvent(
        of family: Family, at sequences: [UInt64], _ body: (Int, ListedEvent) -> Void
    ) throws {
        guard let first = sequences.first, let last = sequences.last else { return }
        var next = 0
        try forEachTailGroup(from: first) { header, record in
            var entries = GroupEntries(of: header)
            while let entry = try entries.next(record) {
                while next < sequences.count, sequences[next] < entry.sequence { next += 1 }
                guard next < sequences.count else { return false }
                guard entry.family == family, sequences[next] == entry.sequence else { continue }
                body(
                    next,
                    ListedEvent(
                        family: family, schemaVersion: entry.schemaVersion, sequence: entry.sequence,
                        arrival: header.arrival, encoding: record.extracting(entry.encoding).toArray()))
            }
            return header.lastSequence < last
        }
    }
}
