internal import DaybookFormat
internal import DaybookSegment
internal import DaybookStore

/// The sealed events of one family in sequence order, a page of rows at a time.
struct SegmentStream {
    private let source: any EventSource
    private let filter: ReplayFilter
    private let segments: [SegmentReference]
    private let visibility: RowVisibility
    private let damage: DamageLog
    private var nextSegment = 0
    private var reader: SegmentReader?
    private var rowGroup = 0
    private var firstRow = 0
    /// What was read and not looked at yet, last first: more than one batch only where damage lies between them.
    private var pieces: [ColumnBatch] = []
    private var batch: ColumnBatch?
    /// Rows of `batch` that are wanted, last first.
    private var rows: [Int] = []

    init(_ source: any EventSource, _ family: Family, _ filter: ReplayFilter, _ damage: DamageLog) {
        self.source = source
        self.filter = filter
        self.damage = damage
        visibility = source.visibility(of: family)
        segments = source.segments
            .filter { segment in
                segment.family == family && segment.rowCount > 0 && segment.lastSequence >= filter.firstSequence
                    && segment.firstSequence <= filter.lastSequence
                    && filter.range.overlaps(
                        from: segment.timestampMin.microseconds, through: segment.timestampMax.microseconds)
            }
            .sorted { $0.firstSequence < $1.firstSequence }
    }

    /// The sequence of the next event; reads on when it must.
    mutating func nextSequence(_ cancellation: Cancellation) throws -> UInt64? {
        while rows.isEmpty {
            try cancellation.check()
            guard try readPage() else { return nil }
        }
        guard let batch, let row = rows.last else { return nil }
        return batch.sequences[row]
    }

    /// Precondition: `nextSequence` has just given one.
    mutating func take() -> ListedEvent? {
        guard let batch, let row = rows.popLast() else { return nil }
        var event = ListedEvent(
            family: batch.family, schemaVersion: batch.schemaVersion, sequence: batch.sequences[row],
            arrival: Timestamp(microseconds: batch.arrivals[row]), encoding: [])
        batch.appendEncoding(row: row, to: &event.encoding)
        return event
    }

    /// Reads the next rows; false when there are no more.
    private mutating func readPage() throws -> Bool {
        if let next = pieces.popLast() {
            rows = wantedRows(of: next).reversed()
            batch = next
            return true
        }
        guard let open = reader else {
            guard nextSegment < segments.count else { return false }
            try open(segments[nextSegment])
            nextSegment += 1
            return true
        }
        guard rowGroup < open.rowGroupCount else {
            reader = nil
            batch = nil
            return true
        }
        let zone = open.zone(rowGroup: rowGroup)
        let isWanted =
            !visibility.hidesAll(zone) && zone.sequenceMax >= filter.firstSequence
            && zone.sequenceMin <= filter.lastSequence
            && filter.range.overlaps(from: zone.timestampMin, through: zone.timestampMax)
        guard isWanted, firstRow < zone.rowCount else {
            rowGroup += 1
            firstRow = 0
            return true
        }
        let rows = firstRow..<min(firstRow + SegmentLimits.pageRowCountMax, zone.rowCount)
        firstRow = rows.upperBound
        if filter.skipsDamage {
            let page = RowPage(group: RowGroup(open, rowGroup), rows: rows, zone: zone)
            pieces = try page.readable(RowSelection(.all), damage).map { $0.batch.columns }.reversed()
        } else {
            pieces = [try open.read(rowGroup: rowGroup, rows: rows, .all)]
        }
        return true
    }

    private mutating func open(_ segment: SegmentReference) throws {
        rowGroup = 0
        firstRow = 0
        do {
            reader = try source.open(segment)
        } catch {
            guard filter.skipsDamage, DamageLog.isDamage(error) else { throw error }
            damage.note(error, file: segment.path, rowGroup: nil, rows: 0..<segment.rowCount)
        }
    }

    private func wantedRows(of batch: ColumnBatch) -> [Int] {
        var isNameWanted: [Bool]?
        if !filter.names.isEmpty {
            guard let table = batch.names?.table else { return [] }
            isNameWanted = (0..<UInt32(table.count)).map {
                filter.names.contains(Array(table.bytes[table.range(of: $0)]))
            }
        }
        let isErased = visibility.erasedRows(of: batch)
        return (0..<batch.rowCount).filter { row in
            guard isErased?[row] != true, batch.sequences[row] >= filter.firstSequence,
                batch.sequences[row] <= filter.lastSequence,
                filter.range == .all || filter.range.contains(batch.timestamps[row]),
                visibility.shows(timestamp: batch.timestamps[row], arrival: batch.arrivals[row])
            else { return false }
            guard let isNameWanted, let codes = batch.names?.codes else { return true }
            return codes[row] < isNameWanted.count && isNameWanted[Int(codes[row])]
        }
    }
}
