internal import DaybookEvent
package import DaybookFormat
internal import DaybookSegment
internal import DaybookStore

/// Which events a replay gives.
package struct ReplayFilter: Sendable {
    package var families = Set(Family.ofOrganizations)
    /// Command names, agent names, metric types as UTF-8; empty for all. Session changes have none and drop out.
    package var names: Set<[UInt8]> = []
    package var firstSequence: UInt64 = 1
    /// Inclusive. Beyond the last visible sequence it means up to there.
    package var lastSequence = UInt64.max
    /// Of event times.
    package var range = TimeRange.all

    package init() {}
}

/// Every event of an organization in sequence order: out of the segments of all families, merged, then out of the tail.
/// Memory is bounded: a page of rows for each family, or about a MiB of the tail.
package struct ReplayCursor {
    private let source: any EventSource
    private let filter: ReplayFilter
    private let cancellation: Cancellation
    private var streams: [SegmentStream]
    private var tail: [ListedEvent] = []
    private var tailPosition = 0
    /// Nil when the tail is read to its end.
    private var nextTailSequence: UInt64?

    /// Bytes of the tail that are taken at a time, or one group if that is larger.
    private static let tailByteCount = 1 << 20

    package init(_ source: any EventSource, _ filter: ReplayFilter, cancellation: Cancellation = Cancellation()) {
        var filter = filter
        filter.lastSequence = min(filter.lastSequence, source.lastSequence)
        self.source = source
        self.filter = filter
        self.cancellation = cancellation
        streams = Family.ofOrganizations.filter { filter.families.contains($0) }
            .map { SegmentStream(source, $0, filter) }
        nextTailSequence = filter.firstSequence
    }

    /// The next event; nil at the end.
    package mutating func next() throws -> ListedEvent? {
        var best: Int?
        var bestSequence = UInt64.max
        for position in streams.indices {
            if let sequence = try streams[position].nextSequence(cancellation), sequence < bestSequence {
                best = position
                bestSequence = sequence
            }
        }
        if let best { return streams[best].take() }
        if tailPosition == tail.count { try fillTail() }
        guard tailPosition < tail.count else { return nil }
        defer { tailPosition += 1 }
        return tail[tailPosition]
    }

    private mutating func fillTail() throws {
        tail.removeAll(keepingCapacity: true)
        tailPosition = 0
        while tail.isEmpty, let first = nextTailSequence {
            try cancellation.check()
            nextTailSequence = nil
            var byteCount = 0
            try source.forEachTailGroup(from: first) { header, record in
                guard header.firstSequence <= filter.lastSequence else { return false }
                guard byteCount < Self.tailByteCount else {
                    nextTailSequence = max(first, header.firstSequence)
                    return false
                }
                byteCount += header.byteCount
                try collect(header, record, from: first)
                return true
            }
        }
    }

    private mutating func collect(_ header: GroupHeader, _ record: RawSpan, from first: UInt64) throws {
        var entries = GroupEntries(of: header)
        while let entry = try entries.next(record) {
            guard entry.sequence >= first, entry.sequence <= filter.lastSequence,
                filter.families.contains(entry.family)
            else { continue }
            let encoding = record.extracting(entry.encoding)
            if !filter.names.isEmpty || filter.range != .all {
                let fields = try EventFields(
                    family: entry.family, schemaVersion: entry.schemaVersion, reading: encoding)
                guard filter.range.contains(fields.timestamp.microseconds) || filter.range == .all else { continue }
                if !filter.names.isEmpty {
                    guard entry.family != .sessionChange, filter.names.contains(encoding.toArray(fields.name)) else {
                        continue
                    }
                }
            }
            tail.append(
                ListedEvent(
                    family: entry.family, schemaVersion: entry.schemaVersion, sequence: entry.sequence,
                    arrival: header.arrival, encoding: encoding.toArray()))
        }
    }
}

/// The sealed events of one family in sequence order, a page of rows at a time.
private struct SegmentStream {
    private let source: any EventSource
    private let filter: ReplayFilter
    private let segments: [SegmentReference]
    private var nextSegment = 0
    private var reader: SegmentReader?
    private var rowGroup = 0
    private var firstRow = 0
    private var batch: ColumnBatch?
    /// Rows of `batch` that are wanted, last first.
    private var rows: [Int] = []

    init(_ source: any EventSource, _ family: Family, _ filter: ReplayFilter) {
        self.source = source
        self.filter = filter
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
        guard let open = reader else {
            guard nextSegment < segments.count else { return false }
            reader = try source.open(segments[nextSegment])
            nextSegment += 1
            rowGroup = 0
            firstRow = 0
            return true
        }
        guard rowGroup < open.rowGroupCount else {
            reader = nil
            batch = nil
            return true
        }
        let zone = open.zone(rowGroup: rowGroup)
        let isWanted =
            zone.sequenceMax >= filter.firstSequence && zone.sequenceMin <= filter.lastSequence
            && filter.range.overlaps(from: zone.timestampMin, through: zone.timestampMax)
        guard isWanted, firstRow < zone.rowCount else {
            rowGroup += 1
            firstRow = 0
            return true
        }
        let page = firstRow..<min(firstRow + SegmentLimits.pageRowCountMax, zone.rowCount)
        firstRow = page.upperBound
        let read = try open.read(rowGroup: rowGroup, rows: page, .all)
        rows = wantedRows(of: read).reversed()
        batch = read
        return true
    }

    private func wantedRows(of batch: ColumnBatch) -> [Int] {
        var isNameWanted: [Bool]?
        if !filter.names.isEmpty {
            guard let table = batch.names?.table else { return [] }
            isNameWanted = (0..<UInt32(table.count)).map {
                filter.names.contains(Array(table.bytes[table.range(of: $0)]))
            }
        }
        return (0..<batch.rowCount).filter { row in
            guard batch.sequences[row] >= filter.firstSequence, batch.sequences[row] <= filter.lastSequence,
                filter.range == .all || filter.range.contains(batch.timestamps[row])
            else { return false }
            guard let isNameWanted, let codes = batch.names?.codes else { return true }
            return codes[row] < isNameWanted.count && isNameWanted[Int(codes[row])]
        }
    }
}
