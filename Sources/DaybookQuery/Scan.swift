internal import DaybookFormat
internal import DaybookRollup
internal import DaybookSegment
internal import DaybookStore
internal import Synchronization

/// Everything that a row must fulfil to count.
struct RowConditions: Sendable {
    let filter: RowFilter
    let range: TimeRange
    let asOfSequence: UInt64
    let visibility: RowVisibility

    /// False when the zone proves that no row counts.
    func mayMatch(_ zone: Zone) -> Bool {
        zone.sequenceMin <= asOfSequence && range.overlaps(from: zone.timestampMin, through: zone.timestampMax)
            && !visibility.hidesAll(zone) && filter.mayMatch(zone)
    }

    /// The columns that `select` looks at.
    func selection(for zone: Zone) -> ColumnSelection {
        var selection = filter.selection
        if !range.covers(from: zone.timestampMin, through: zone.timestampMax) { selection.insert(.time) }
        if zone.sequenceMax > asOfSequence { selection.insert(.sequence) }
        if !visibility.showsAll(zone) { selection.formUnion([.time, .sequence]) }
        return selection
    }

    /// Finds the rows that count, the cheap conditions first.
    /// - Parameter zone: of the rows of the batch, or of more rows.
    func select(_ batch: ColumnBatch, _ zone: Zone, _ selector: inout RowSelector, _ codes: inout WantedCodes)
        -> RowSelector.Outcome
    {
        selector.begin(rowCount: batch.rowCount)
        if !range.covers(from: zone.timestampMin, through: zone.timestampMax) {
            selector.keep(
                batch.timestamps.span, from: range.start.microseconds, before: range.end.microseconds)
        }
        if zone.sequenceMax > asOfSequence { selector.keep(batch.sequences.span, from: 0, through: asOfSequence) }
        if !visibility.showsAll(zone) {
            selector.keep(
                batch.timestamps.span, from: visibility.timestampCutoff.microseconds, orArrivals: batch.arrivals.span,
                from: visibility.arrivalCutoff.microseconds)
        }
        filter.narrow(&selector, batch, &codes)
        return selector.finish()
    }
}

/// Where a query looks, and by what it is bound.
struct Scan: Sendable {
    let source: any EventSource
    let family: Family
    let conditions: RowConditions
    let cancellation: Cancellation
    let damage: DamageLog
    let budget: QueryBudget
    /// The columns that are wanted of the tail.
    private let tailSelection: ColumnSelection
    /// The tail, where it is at hand already.
    private let tail: [TailChunk]?

    init(
        _ source: any EventSource, _ family: Family, _ filter: RowFilter, _ range: TimeRange, asOfSequence: UInt64,
        _ context: QueryContext, tailSelection: ColumnSelection = .all, tail: [TailChunk]? = nil
    ) {
        self.tailSelection = tailSelection
        self.tail = tail
        self.source = source
        self.family = family
        conditions = RowConditions(
            filter: filter, range: range, asOfSequence: asOfSequence, visibility: source.visibility(of: family))
        cancellation = context.cancellation
        damage = context.damage
        budget = context.budget
    }

    /// Segments by reference alone; nothing is opened.
    var segments: [SegmentReference] {
        guard conditions.range.start < conditions.range.end else { return [] }
        return source.segments.filter { segment in
            segment.family == family && segment.rowCount > 0 && segment.firstSequence <= conditions.asOfSequence
                && conditions.range.overlaps(
                    from: segment.timestampMin.microseconds, through: segment.timestampMax.microseconds)
        }
    }

    /// The row groups of a segment that may hold what is wanted; none when it cannot be opened for damage.
    func rowGroups(of segment: SegmentReference) throws -> [RowGroup] {
        let reader: SegmentReader
        do {
            reader = try source.open(segment)
        } catch {
            guard DamageLog.isDamage(error) else { throw error }
            damage.note(error, file: segment.path, rowGroup: nil, rows: 0..<segment.rowCount)
            return []
        }
        return (0..<reader.rowGroupCount).map { RowGroup(reader, $0) }.filter { conditions.mayMatch($0.zone) }
    }

    func tailRowGroups() throws -> [RowGroup] {
        guard conditions.range.start < conditions.range.end else { return [] }
        let chunks = try tail ?? source.tailChunks(of: family, through: conditions.asOfSequence, tailSelection)
        return chunks.filter { conditions.mayMatch($0.zone) }.map { RowGroup($0) }
    }

    /// Every page that may hold what is wanted, in sequence order.
    func forEachPage(_ body: (RowPage) throws -> Void) throws {
        let queue = RowGroupQueue(self)
        while let group = try queue.next() {
            for page in try group.pages(damage) where conditions.mayMatch(page.zone) {
                try cancellation.check()
                try body(page)
            }
        }
    }
}

/// Hands out the row groups of a scan, each once, to whoever asks next. Only one segment is held open by it.
final class RowGroupQueue: Sendable {
    private struct State {
        var segments: ArraySlice<SegmentReference>
        var waiting: ArraySlice<RowGroup> = []
        var isTailTaken = false
    }

    private let scan: Scan
    private let state: Mutex<State>

    init(_ scan: Scan) {
        self.scan = scan
        state = Mutex(State(segments: scan.segments[...]))
    }

    /// Nothing more is handed out.
    func close() {
        state.withLock { state in
            state.waiting = []
            state.segments = []
            state.isTailTaken = true
        }
    }

    func next() throws -> RowGroup? {
        try state.withLock { state in
            while true {
                if let group = state.waiting.popFirst() { return group }
                if let segment = state.segments.popFirst() {
                    try scan.cancellation.check()
                    state.waiting = try scan.rowGroups(of: segment)[...]
                } else if !state.isTailTaken {
                    state.isTailTaken = true
                    state.waiting = try scan.tailRowGroups()[...]
                } else {
                    return nil
                }
            }
        }
    }
}

/// What the parts of one query have in common.
struct QueryContext: Sendable {
    let cancellation: Cancellation
    let damage = DamageLog()
    let budget: QueryBudget

    init(_ options: QueryOptions, _ cancellation: Cancellation) {
        self.cancellation = cancellation
        budget = QueryBudget(limit: options.memoryByteCountMax)
    }
}
