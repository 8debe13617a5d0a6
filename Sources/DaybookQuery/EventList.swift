internal import DaybookEvent
internal import DaybookFormat
internal import DaybookRollup
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

    /// Events that are decoded at once: more than a usual page, and with the largest possible ones about half of what a
    /// query may hold.
    private static let readCountMax = 128

    private let query: ListQuery
    private let pageByteCountMax: Int
    private let scan: Scan
    private let after: Cursor.Position?
    private var hits: BestHits
    private var places: [Place] = []
    private var selector = RowSelector()
    private var wanted = WantedCodes()
    private(set) var events: [ListedEvent] = []
    private(set) var last: Cursor.Position?
    private(set) var hasMore = false
    private(set) var scannedRowCount = 0

    init(
        _ query: ListQuery, _ source: any EventSource, _ page: Cursor, after: Cursor.Position?,
        _ context: QueryContext
    ) {
        self.query = query
        self.after = after
        pageByteCountMax = context.pageByteCountMax
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
        let filter = RowFilter(query.filter)
        scan = Scan(
            source, query.family, filter, range, asOfSequence: page.asOfSequence, context,
            tailSelection: filter.selection.union([.time, .sequence]).wholeObjects)
    }

    mutating func run() throws {
        guard scan.conditions.range.start < scan.conditions.range.end else { return }
        for group in inOrder(try scan.tailRowGroups(), \.zone) where mayImprove(group.zone) {
            places.append(.tail(group))
            try search(group)
        }
        try searchSegments()
        var sorted = hits.sorted()
        hasMore = sorted.count > query.limit
        if hasMore { sorted.removeLast() }
        let page = try read(sorted)
        if page.end < sorted.count {
            hasMore = true
            sorted.removeSubrange(page.end...)
        }
        last = sorted.last?.position
        events = page.list
    }

    private mutating func searchSegments() throws {
        let segments = scan.segments.sorted { left, right in
            query.order == .newestFirst
                ? left.timestampMax > right.timestampMax : left.timestampMin < right.timestampMin
        }
        for segment in segments {
            guard mayImprove(segment.timestampMin.microseconds, segment.timestampMax.microseconds) else { return }
            try scan.cancellation.check()
            for group in inOrder(try scan.rowGroups(of: segment), \.zone) where mayImprove(group.zone) {
                guard case .segment(_, let rowGroup) = group.origin else { continue }
                places.append(.segment(segment, rowGroup: rowGroup))
                try search(group)
            }
        }
    }

    /// Those first that can hold what comes first in the list.
    private func inOrder<Part>(_ parts: [Part], _ zone: (Part) -> Zone) -> [Part] {
        parts.sorted { left, right in
            query.order == .newestFirst
                ? zone(left).timestampMax > zone(right).timestampMax
                : zone(left).timestampMin < zone(right).timestampMin
        }
    }

    private func mayImprove(_ zone: Zone) -> Bool { mayImprove(zone.timestampMin, zone.timestampMax) }

    /// Whether a row of such times can come before the last of the hits so far.
    private func mayImprove(_ timestampMin: Int64, _ timestampMax: Int64) -> Bool {
        guard let worst = hits.worst else { return true }
        return query.order == .newestFirst ? timestampMax >= worst.primary : timestampMin <= worst.primary
    }

    private mutating func search(_ group: RowGroup) throws {
        let pages = try group.pages(scan.damage).filter { scan.conditions.mayMatch($0.zone) }
        for page in inOrder(pages, \.zone) where mayImprove(page.zone) {
            try scan.cancellation.check()
            let selection = scan.conditions.selection(for: page.zone).union([.time, .sequence])
            do {
                search(try page.read(selection), page.zone, firstRow: page.rows.lowerBound)
            } catch {
                guard DamageLog.isDamage(error) else { throw error }
                for piece in try page.readable(selection, scan.damage) {
                    search(piece.batch, page.zone, firstRow: piece.firstRow)
                }
            }
        }
    }

    private mutating func search(_ read: RowBatch, _ zone: Zone, firstRow: Int) {
        let batch = read.columns
        scannedRowCount += batch.rowCount
        switch scan.conditions.select(read, zone, &selector, &wanted) {
        case .none: return
        case .all: for row in 0..<batch.rowCount { offer(row, batch, firstRow) }
        case .some:
            for position in selector.positions { offer(Int(position), batch, firstRow) }
        }
    }

    private mutating func offer(_ row: Int, _ batch: ColumnBatch, _ firstRow: Int) {
        let time = batch.timestamps[row]
        guard mayImprove(time, time) else { return }
        let position = Cursor.Position(primary: time, sequence: batch.sequences[row])
        if let after, !BestHits.precedes(after, position, in: query.order) { return }
        hits.offer(BestHits.Hit(position: position, place: places.count - 1, row: firstRow + row))
    }

    /// The events of `hits`, in their order, as many as fit a page.
    private func read(_ hits: [BestHits.Hit]) throws -> EventPage {
        var page = EventPage(count: hits.count, byteCountMax: pageByteCountMax)
        // What was found on the way, and the page in its three forms: encodings, text, and the buffer that is sent.
        var paid = 0
        let foundByteCount = hits.count * MemoryLayout<BestHits.Hit>.stride + places.count * MemoryLayout<Place>.stride
        try scan.budget.charge(foundByteCount, paid: &paid)
        for start in stride(from: 0, to: hits.count, by: Self.readCountMax) where page.wants(start) {
            try read(hits, start..<min(start + Self.readCountMax, hits.count), into: &page)
            try scan.budget.charge(foundByteCount + 3 * page.byteCount, paid: &paid)
        }
        return page
    }

    /// Those of one row group are read together; of its pages only theirs.
    private func read(_ hits: [BestHits.Hit], _ range: Range<Int>, into page: inout EventPage) throws {
        let byPlace = range.sorted { left, right in
            (hits[left].place, hits[left].row) < (hits[right].place, hits[right].row)
        }
        var position = 0
        while position < byPlace.count {
            try scan.cancellation.check()
            let place = hits[byPlace[position]].place
            var end = position
            while end < byPlace.count, hits[byPlace[end]].place == place { end += 1 }
            let indexes = byPlace[position..<end].filter { page.wants($0) }
            position = end
            try read(rows: indexes.map { hits[$0].row }, of: place) { number, event in
                if page.wants(indexes[number]) { page.keep(event, at: indexes[number]) }
            }
        }
    }

    /// The events of some rows, ascending, with their numbers among these; without those that damage has taken since they
    /// were found.
    private func read(rows: [Int], of place: Int, _ take: (Int, ListedEvent) -> Void) throws {
        guard !rows.isEmpty else { return }
        switch places[place] {
        case .tail(let group):
            guard case .tail(let batch) = group.origin else { return }
            if batch.selection == .all {
                for (number, row) in rows.enumerated() { take(number, Self.event(batch, row)) }
            } else {
                try scan.source.forEachTailEvent(of: query.family, at: rows.map { batch.sequences[$0] }, take)
            }
        case .segment(let segment, let rowGroup):
            let reader = try scan.source.open(segment)
            do {
                let batch = try reader.read(rowGroup: rowGroup, rowsAt: rows, .all)
                try forEachEvent(of: batch, take)
                return
            } catch {
                guard DamageLog.isDamage(error) else { throw error }
            }
            for (number, row) in rows.enumerated() {
                do {
                    take(number, Self.event(try reader.read(rowGroup: rowGroup, rowsAt: [row], .all), 0))
                } catch {
                    guard DamageLog.isDamage(error) else { throw error }
                    scan.damage.note(error, in: row..<row + 1, reader, rowGroup)
                }
            }
        }
    }

    /// The events of a batch, which is paid for as long as it is there.
    private func forEachEvent(of batch: ColumnBatch, _ take: (Int, ListedEvent) -> Void) throws {
        var paid = 0
        defer { scan.budget.release(paid) }
        try scan.budget.charge((0..<batch.rowCount).reduce(0) { $0 + batch.encodingByteCount(row: $1) }, paid: &paid)
        for row in 0..<batch.rowCount { take(row, Self.event(batch, row)) }
    }

    private static func event(_ batch: ColumnBatch, _ row: Int) -> ListedEvent {
        var event = ListedEvent(
            family: batch.family, schemaVersion: batch.schemaVersion, sequence: batch.sequences[row],
            arrival: Timestamp(microseconds: batch.arrivals[row]), encoding: [])
        event.encoding.reserveCapacity(batch.encodingByteCount(row: row))
        batch.appendEncoding(row: row, to: &event.encoding)
        return event
    }
}
