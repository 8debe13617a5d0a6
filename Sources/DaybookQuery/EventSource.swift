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
    /// The unsealed rows of a family up to a sequence, in sequence order; perhaps more columns than selected.
    func tailChunks(
        of family: Family, through last: UInt64, _ selection: ColumnSelection
    ) throws -> [TailChunk]
}

extension OrganizationSnapshot: EventSource {}

extension EventSource {
    package func visibility(of family: Family) -> RowVisibility { .everything }

    package var damage: [Corruption] { [] }

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
}
