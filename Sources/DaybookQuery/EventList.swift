internal import DaybookEvent
internal import DaybookFormat
internal import DaybookSegment
internal import DaybookStore

/// One page of a list. The first pass reads only time, sequence and what the filter needs, newest row groups first, and
/// stops where the zones show that nothing better can follow; the second reads the rows of the page completely.
struct EventList {
    /// Where a row group can be found again. Segments are opened anew, so that a long list holds no descriptors.
    private enum Place {
        case segment(SegmentReference, rowGroup: Int)
        case tail(RowGroup)
    }

    private let query: ListQuery
    private let scan: Scan
    private let after: Cursor.Position?
    private var hits: BestHits
    private var places: [Place] = []
    private(set) var events: [ListedEvent] = []
    private(set) var last: Cursor.Position?
    private(set) var hasMore = false
    private(set) var scannedRowCount = 0

    init(
        _ query: ListQuery, _ source: any EventSource, _ page: Cursor, after: Cursor.Position?,
        _ cancellation: Cancellation
    ) {
        self.query = query
        self.after = after
        // One more than the page tells whether another page follows.
        hits = BestHits(capacity: query.limit + 1, order: query.order)
        var range = page.range
        if let after {
            switch query.order {
            case .newestFirst:
                range.end = min(range.end, Timestamp(microseconds: after.primary).adding(microseconds: 1))
            case .oldestFirst: range.start = max(range.start, Timestamp(microseconds: after.primary))
            }
        }
        scan = Scan(
            source: source, family: query.family, range: range, asOfSequence: page.asOfSequence,
            filter: RowFilter(query.filter, family: query.family), cancellation: cancellation)
    }

    mutating func run() throws {
        guard scan.range.start < scan.range.end else { return }
        try searchTail()
        try searchSegments()
        var sorted = hits.sorted()
        hasMore = sorted.count > query.limit
        if hasMore { sorted.removeLast() }
        last = sorted.last?.position
        events = try read(sorted)
    }

    private mutating func searchTail() throws {
        for group in try scan.tailRowGroups() where mayImprove(group.timestampMin, group.timestampMax) {
            try scan.cancellation.check()
            places.append(.tail(group))
            try search(group)
        }
    }

    private mutating func searchSegments() throws {
        let segments = scan.segments.sorted { left, right in
            query.order == .newestFirst
                ? left.timestampMax > right.timestampMax : left.timestampMin < right.timestampMin
        }
        for segment in segments {
            guard mayImprove(segment.timestampMin.microseconds, segment.timestampMax.microseconds) else { return }
            try scan.cancellation.check()
            let reader = try scan.source.open(segment)
            let groups = (0..<reader.rowGroupCount).map { ($0, RowGroup(reader, $0)) }
                .filter { scan.mayMatch($0.1) }
                .sorted { left, right in
                    query.order == .newestFirst
                        ? left.1.timestampMax > right.1.timestampMax : left.1.timestampMin < right.1.timestampMin
                }
            for (rowGroup, group) in groups where mayImprove(group.timestampMin, group.timestampMax) {
                places.append(.segment(segment, rowGroup: rowGroup))
                try search(group)
            }
        }
    }

    /// Whether a row of such times can come before the last of the hits so far.
    private func mayImprove(_ timestampMin: Int64, _ timestampMax: Int64) -> Bool {
        guard let worst = hits.worst else { return true }
        return query.order == .newestFirst ? timestampMax >= worst.primary : timestampMin <= worst.primary
    }

    private mutating func search(_ group: RowGroup) throws {
        var selection = scan.filter.selection(for: group, scan.range, asOfSequence: scan.asOfSequence)
        selection.formUnion([.time, .sequence])
        let batch = try group.read(selection)
        scannedRowCount += batch.rowCount
        let grouping = RowGrouping(
            rowCount: batch.rowCount,
            mask: scan.filter.mask(batch, of: group, scan.range, asOfSequence: scan.asOfSequence))
        for row in 0..<batch.rowCount where grouping.combinations[row] >= 0 {
            let time = batch.timestamps[row]
            if !mayImprove(time, time) { continue }
            let position = Cursor.Position(primary: time, sequence: batch.sequences[row])
            if let after, !BestHits.precedes(after, position, in: query.order) { continue }
            hits.offer(BestHits.Hit(position: position, place: places.count - 1, row: row))
        }
    }

    /// The events of `hits`, in their order. Rows that lie in one page of a row group are read together.
    private func read(_ hits: [BestHits.Hit]) throws -> [ListedEvent] {
        var found = [ListedEvent?](repeating: nil, count: hits.count)
        let byPlace = hits.indices.sorted { left, right in
            (hits[left].place, hits[left].row) < (hits[right].place, hits[right].row)
        }
        var position = 0
        while position < byPlace.count {
            let first = hits[byPlace[position]]
            var end = position
            while end < byPlace.count, hits[byPlace[end]].place == first.place,
                hits[byPlace[end]].row / SegmentLimits.pageRowCountMax == first.row / SegmentLimits.pageRowCountMax
            {
                end += 1
            }
            let lastRow = hits[byPlace[end - 1]].row
            let (batch, firstRow) = try rowGroup(at: first.place).readAll(rows: first.row..<lastRow + 1)
            for index in byPlace[position..<end] {
                let row = hits[index].row - firstRow
                var event = ListedEvent(
                    family: batch.family, schemaVersion: batch.schemaVersion, sequence: batch.sequences[row],
                    arrival: Timestamp(microseconds: batch.arrivals[row]), encoding: [])
                batch.appendEncoding(row: row, to: &event.encoding)
                found[index] = event
            }
            position = end
        }
        return found.compactMap { $0 }
    }

    private func rowGroup(at place: Int) throws -> RowGroup {
        switch places[place] {
        case .segment(let segment, let rowGroup): RowGroup(try scan.source.open(segment), rowGroup)
        case .tail(let group): group
        }
    }
}
