internal import DaybookFormat
internal import DaybookRollup
internal import DaybookSegment
internal import DaybookStore
internal import Synchronization

/// Everything that a row must fulfil to count.
struct RowConditions: Sendable {
    let filter: RowFilter
    var range: TimeRange
    let asOfSequence: UInt64
    let visibility: RowVisibility

    /// False when the zone proves that no row counts.
    func mayMatch(_ zone: Zone) -> Bool {
        zone.sequenceMin <= asOfSequence && range.overlaps(from: zone.timestampMin, through: zone.timestampMax)
            && !visibility.hidesAll(zone) && filter.mayMatch(zone)
    }

    /// The columns that `select` looks at.
    func selection(for zone: Zone) -> RowSelection {
        var selection = filter.selection
        if !range.covers(from: zone.timestampMin, through: zone.timestampMax) { selection.columns.insert(.time) }
        if zone.sequenceMax > asOfSequence { selection.columns.insert(.sequence) }
        if !visibility.showsAll(zone) { selection.columns.formUnion([.time, .sequence]) }
        if visibility.mayErase(zone) { selection.columns.insert(.user) }
        return selection
    }

    /// Finds the rows that count, the cheap conditions first.
    /// - Parameter zone: of the rows of the batch, or of more rows.
    func select(_ rows: RowBatch, _ zone: Zone, _ selector: inout RowSelector, _ codes: inout WantedCodes)
        -> RowSelector.Outcome
    {
        let batch = rows.columns
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
            if visibility.mayErase(zone), let isErased = visibility.erasedRows(of: batch) {
                selector.keep { !isErased[$0] }
            }
        }
        filter.narrow(&selector, rows, &codes)
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
    /// Which rollups may answer in place of rows.
    let rollups: RollupPlan?
    /// The columns that are wanted of the tail.
    private let tailSelection: ColumnSelection
    /// The tail, where it is at hand already.
    private let tail: [TailChunk]?

    init(
        _ source: any EventSource, _ family: Family, _ filter: RowFilter, _ range: TimeRange, asOfSequence: UInt64,
        _ context: QueryContext, tailSelection: ColumnSelection = .all, tail: [TailChunk]? = nil,
        rollups: RollupPlan? = nil
    ) {
        // Where sums over whole hours answer, they answer for what has expired, too: whether it is still there must make
        // no difference.
        let countsHistory = rollups?.countsHistory ?? false
        let visibility = countsHistory ? source.historyVisibility(of: family) : source.visibility(of: family)
        self.rollups = rollups
        self.tailSelection = visibility.erased == nil ? tailSelection : tailSelection.union([.user])
        self.tail = tail
        self.source = source
        self.family = family
        conditions = RowConditions(filter: filter, range: range, asOfSequence: asOfSequence, visibility: visibility)
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
    func rowGroups(of segment: SegmentReference) throws -> [RowGroup] { try rowGroups(of: segment, conditions) }

    /// The same for other conditions.
    func rowGroups(of segment: SegmentReference, _ conditions: RowConditions) throws -> [RowGroup] {
        let reader: SegmentReader
        do {
            reader = try source.open(segment)
        } catch {
            guard DamageLog.isDamage(error) else { throw error }
            damage.note(error, file: segment.path, rowGroup: nil, rows: 0..<segment.rowCount)
            return []
        }
        var pages: PageSet?
        if conditions.filter.usesIndex, let index = try source.index(of: segment) {
            pages = conditions.filter.pages(index)
        }
        var groups: [RowGroup] = []
        for rowGroup in 0..<reader.rowGroupCount {
            let bits = pages?[rowGroup] ?? .max
            let group = RowGroup(reader, rowGroup, pageBits: bits)
            if bits != 0, conditions.mayMatch(group.zone) { groups.append(group) }
        }
        return groups
    }

    /// The rollups of a segment and what they can answer; nil when that is nothing. Damage is told, and rows answer.
    private func rollup(of segment: SegmentReference) -> (RollupFile, RollupCover)? {
        // A rollup counts everybody: while somebody is to be forgotten, the rows answer.
        guard let rollups, segment.lastSequence <= conditions.asOfSequence,
            segment.firstSequence > conditions.visibility.erased?.through ?? 0
        else { return nil }
        do {
            guard let file = try source.rollup(of: segment) else { return nil }
            for damage in file.damages { noteRollup(segment, damage.description) }
            guard file.eventCount == UInt64(segment.rowCount), segment.timestampMin <= segment.timestampMax else {
                noteRollup(segment, "it counts other events than its segment")
                return nil
            }
            let times = segment.timestampMin.microseconds...segment.timestampMax.microseconds
            let cover = rollups.cover(
                file, times, visibleFrom: conditions.visibility.timestampCutoff.microseconds)
            return cover.map { (file, $0) }
        } catch {
            noteRollup(segment, "\(error)")
            return nil
        }
    }

    func noteRollup(_ segment: SegmentReference, _ reason: String) { damage.noteRollup(segment.rollupPath, reason) }

    /// Rows that are read of the segments, about, as if their events came evenly: what of them has a rollup is worth an
    /// eighth of its rows at most.
    var expectedRowCount: Int {
        segments.reduce(0) { sum, segment in
            let hasRollup = rollups != nil && segment.rollupByteCount > 0
            let first = Double(segment.timestampMin.microseconds)
            let last = Double(segment.timestampMax.microseconds)
            let start = max(first, Double(conditions.range.start.microseconds))
            let end = min(last, Double(conditions.range.end.microseconds))
            let share = last > first ? max(0, end - start) / (last - first) : 1
            let rowCount = Int(Double(segment.rowCount) * share)
            return sum + rowCount / (hasRollup ? Int(RollupPolicy.eventsPerRowMin) : 1)
        }
    }

    /// What answers for a segment, part by part.
    func parts(of segment: SegmentReference) throws -> [ScanPart] {
        guard let (file, cover) = rollup(of: segment) else {
            return try rowGroups(of: segment).map { .rows($0, conditions) }
        }
        return try [.rollup(segment, file, cover)] + rows(of: segment, in: cover.rest)
    }

    /// The rows of a segment in some ranges of time.
    func rows(of segment: SegmentReference, in ranges: [TimeRange]) throws -> [ScanPart] {
        var parts: [ScanPart] = []
        for range in ranges {
            var narrowed = conditions
            narrowed.range.start = max(range.start, conditions.range.start)
            narrowed.range.end = min(range.end, conditions.range.end)
            guard narrowed.range.start < narrowed.range.end,
                narrowed.range.overlaps(
                    from: segment.timestampMin.microseconds, through: segment.timestampMax.microseconds)
            else { continue }
            parts += try rowGroups(of: segment, narrowed).map { .rows($0, narrowed) }
        }
        return parts
    }

    /// What the history files answer.
    func historyParts() throws -> [ScanPart] {
        guard let rollups, rollups.countsHistory else { return [] }
        var parts: [ScanPart] = []
        for history in source.history
        where history.family == family && history.lastSequence <= conditions.asOfSequence
            && conditions.range.overlaps(
                from: RollupCover.roundedDown(history.timestampMin.microseconds, Limits.dayMicroseconds),
                through: history.timestampMax.microseconds)
        {
            try cancellation.check()
            do {
                guard let file = try visible(try source.rollup(of: history), history, rollups) else { continue }
                for corruption in file.damages { damage.noteRollup(history.path, corruption.description) }
                let times = history.timestampMin.microseconds...history.timestampMax.microseconds
                let start = conditions.visibility.timestampCutoff.microseconds
                if let cover = rollups.cover(file, times, visibleFrom: start) {
                    parts.append(.history(history, file, cover))
                }
            } catch let error as FormatError {
                damage.noteRollup(history.path, "\(error)")
            }
        }
        return parts
    }

    /// The file without users who are to be forgotten, while their rows are still in it.
    private func visible(
        _ file: RollupFile?, _ history: HistoryReference, _ plan: RollupPlan
    ) throws(FormatError) -> RollupFile? {
        guard let file, plan.grain == .user, let erased = conditions.visibility.erased,
            history.firstSequence <= erased.through,
            let left = try file.forgetting(
                { erased.end(of: Array($0)) >= history.firstSequence }, staysNamed: { _ in true })
        else { return file }
        return left.isEmpty ? nil : try RollupFile(left)
    }

    func tailRowGroups() throws -> [RowGroup] {
        guard conditions.range.start < conditions.range.end else { return [] }
        let chunks = try tail ?? source.tailChunks(of: family, through: conditions.asOfSequence, tailSelection)
        return chunks.filter { conditions.mayMatch($0.zone) }.map { RowGroup($0) }
    }

    /// Every page that may hold what is wanted, in sequence order.
    func forEachPage(_ body: (RowPage) throws -> Void) throws {
        let queue = ScanQueue(self)
        while let part = try queue.next() {
            guard case .rows(let group, _) = part else { continue }
            for page in try group.pages(damage) where conditions.mayMatch(page.zone) {
                try cancellation.check()
                try body(page)
            }
        }
    }
}

/// What one thread takes of a scan at a time.
enum ScanPart: Sendable {
    case rows(RowGroup, RowConditions)
    case rollup(SegmentReference, RollupFile, RollupCover)
    /// Nothing but these windows knows the events.
    case history(HistoryReference, RollupFile, RollupCover)
}

/// Hands out the parts of a scan, each once, to whoever asks next. Only one segment is held open by it.
final class ScanQueue: Sendable {
    private struct State {
        var segments: ArraySlice<SegmentReference>
        var waiting: ArraySlice<ScanPart> = []
        var isTailTaken = false
        var isHistoryTaken = false
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
            state.isHistoryTaken = true
        }
    }

    func next() throws -> ScanPart? {
        try state.withLock { state in
            while true {
                if let part = state.waiting.popFirst() { return part }
                if let segment = state.segments.popFirst() {
                    try scan.cancellation.check()
                    state.waiting = try scan.parts(of: segment)[...]
                } else if !state.isTailTaken {
                    state.isTailTaken = true
                    state.waiting = try scan.tailRowGroups().map { .rows($0, scan.conditions) }[...]
                } else if !state.isHistoryTaken {
                    state.isHistoryTaken = true
                    state.waiting = try scan.historyParts()[...]
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
    let pageByteCountMax: Int
    let sessionIdleMicroseconds: Int64

    init(_ options: QueryOptions, _ cancellation: Cancellation) {
        self.cancellation = cancellation
        budget = QueryBudget(limit: options.memoryByteCountMax, memory: options.memory)
        pageByteCountMax = options.pageByteCountMax
        sessionIdleMicroseconds = options.sessionIdleMicroseconds
    }
}
