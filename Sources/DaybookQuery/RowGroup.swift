internal import DaybookFormat
internal import DaybookSegment
internal import DaybookStore

/// Some thousand rows of one family that are read together: a row group of a segment, or a batch of the tail.
struct RowGroup {
    enum Origin {
        case segment(SegmentReader, rowGroup: Int)
        case tail(ColumnBatch)
    }

    let origin: Origin
    let rowCount: Int
    let sequenceMin: UInt64
    let sequenceMax: UInt64
    /// Microseconds.
    let timestampMin: Int64
    let timestampMax: Int64
    /// Nanoseconds.
    let durationMin: UInt64
    let durationMax: UInt64
    let statusMin: UInt8
    let statusMax: UInt8

    init(_ reader: SegmentReader, _ rowGroup: Int) {
        let zone = reader.zone(rowGroup: rowGroup)
        origin = .segment(reader, rowGroup: rowGroup)
        rowCount = zone.rowCount
        sequenceMin = zone.sequenceMin
        sequenceMax = zone.sequenceMax
        timestampMin = zone.timestampMin
        timestampMax = zone.timestampMax
        durationMin = zone.durationMin
        durationMax = zone.durationMax
        statusMin = zone.statusMin
        statusMax = zone.statusMax
    }

    init(_ chunk: TailChunk) { self.init(chunk.batch, chunk.zone) }

    /// Precondition: at least one row, all columns.
    init(_ batch: ColumnBatch) { self.init(batch, Zone(batch)) }

    private init(_ batch: ColumnBatch, _ zone: Zone) {
        origin = .tail(batch)
        rowCount = zone.rowCount
        sequenceMin = zone.sequenceMin
        sequenceMax = zone.sequenceMax
        timestampMin = zone.timestampMin
        timestampMax = zone.timestampMax
        durationMin = zone.durationMin
        durationMax = zone.durationMax
        statusMin = zone.statusMin
        statusMax = zone.statusMax
    }

    /// The selected columns, possibly more.
    func read(_ selection: ColumnSelection) throws -> ColumnBatch {
        switch origin {
        case .segment(let reader, let rowGroup): try reader.read(rowGroup: rowGroup, selection)
        case .tail(let batch): batch
        }
    }

    /// All columns of some rows, and the row of the batch that the first of them is.
    func readAll(rows: Range<Int>) throws -> (batch: ColumnBatch, firstRow: Int) {
        switch origin {
        case .segment(let reader, let rowGroup):
            (try reader.read(rowGroup: rowGroup, rows: rows, .all), rows.lowerBound)
        case .tail(let batch): (batch, 0)
        }
    }
}

/// The row groups of one family that may hold what a query wants.
struct Scan {
    let source: any EventSource
    let family: Family
    let range: TimeRange
    let asOfSequence: UInt64
    let filter: RowFilter
    let cancellation: Cancellation
    /// The tail, where it is at hand already.
    var tail: [ColumnBatch]?

    /// Segments by reference alone; nothing is opened.
    var segments: [SegmentReference] {
        source.segments.filter { segment in
            segment.family == family && segment.rowCount > 0 && segment.firstSequence <= asOfSequence
                && range.overlaps(
                    from: segment.timestampMin.microseconds, through: segment.timestampMax.microseconds)
        }
    }

    func rowGroups(of segment: SegmentReference) throws -> [RowGroup] {
        let reader = try source.open(segment)
        return (0..<reader.rowGroupCount).map { RowGroup(reader, $0) }.filter(mayMatch)
    }

    func tailRowGroups() throws -> [RowGroup] {
        if let tail { return tail.filter { $0.rowCount > 0 }.map { RowGroup($0) }.filter(mayMatch) }
        return try source.tailChunks(of: family, through: asOfSequence, .all).map { RowGroup($0) }.filter(mayMatch)
    }

    func mayMatch(_ group: RowGroup) -> Bool {
        group.sequenceMin <= asOfSequence && range.overlaps(from: group.timestampMin, through: group.timestampMax)
            && filter.mayMatch(group)
    }

    /// Every row group in sequence order, one in memory at a time.
    func forEachRowGroup(_ body: (RowGroup) throws -> Void) throws {
        for segment in segments {
            for group in try rowGroups(of: segment) {
                try cancellation.check()
                try body(group)
            }
        }
        for group in try tailRowGroups() {
            try cancellation.check()
            try body(group)
        }
    }
}
