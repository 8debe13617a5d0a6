package import DaybookEvent
package import DaybookFormat
internal import DaybookSegment
package import DaybookStore

/// One stored event, beside its encoding.
package struct StoredEvent: Sendable {
    package var family: Family
    package var schemaVersion: UInt8
    package var sequence: UInt64
    package var arrival: Timestamp
}

/// Hands out every event of a snapshot in sequence order: the segments of each sealed range merged, then the tail.
/// One row group a family is in memory at a time.
package struct EventReplay {
    private let snapshot: OrganizationSnapshot
    private let selection: EventSelection

    package init(_ snapshot: OrganizationSnapshot, _ selection: EventSelection = EventSelection()) {
        self.snapshot = snapshot
        self.selection = selection
    }

    /// Calls `body` with each selected event until it returns false. The encoding is lent for the call.
    ///
    /// Complexity: O(selected rows) decoded, plus what shares a row group or the tail with them.
    package func forEachEvent(_ body: (StoredEvent, EventFields, RawSpan) throws -> Bool) throws {
        let last = min(selection.lastSequence, snapshot.lastSequence)
        guard selection.firstSequence <= last else { return }
        var sealedThrough: UInt64 = 0
        for range in sealedRanges() {
            sealedThrough = max(sealedThrough, range.last)
            guard range.last >= selection.firstSequence, range.first <= last else { continue }
            guard try replay(range.segments, through: last, body) else { return }
        }
        try replayTail(from: max(selection.firstSequence, sealedThrough + 1), through: last, body)
    }

    // MARK: - Segments

    private struct SealedRange {
        var first: UInt64
        var last: UInt64
        var segments: [SegmentReference]
    }

    /// Segments that share sequences must be merged: those of the families of one sealed range.
    private func sealedRanges() -> [SealedRange] {
        let segments = snapshot.segments.sorted {
            ($0.firstSequence, $0.lastSequence) < ($1.firstSequence, $1.lastSequence)
        }
        var ranges: [SealedRange] = []
        for segment in segments {
            if let current = ranges.last, segment.firstSequence <= current.last {
                ranges[ranges.count - 1].last = max(current.last, segment.lastSequence)
                ranges[ranges.count - 1].segments.append(segment)
            } else {
                ranges.append(
                    SealedRange(first: segment.firstSequence, last: segment.lastSequence, segments: [segment]))
            }
        }
        return ranges
    }

    private func replay(
        _ segments: [SegmentReference], through last: UInt64, _ body: (StoredEvent, EventFields, RawSpan) throws -> Bool
    ) throws -> Bool {
        var sources: [SegmentRows] = []
        for segment in segments where selection.takes(segment.family) && segment.rowCount > 0 {
            var rows = SegmentRows(try snapshot.open(segment))
            try rows.skip(below: selection.firstSequence)
            if rows.sequence != nil { sources.append(rows) }
        }
        var encoding: [UInt8] = []
        while let next = sources.indices.min(by: { sources[$0].order < sources[$1].order }) {
            guard let event = sources[next].event, event.sequence <= last else { return true }
            encoding.removeAll(keepingCapacity: true)
            sources[next].appendEncoding(to: &encoding)
            guard try encoding.withRawSpan({ bytes in try deliver(event, bytes, body) }) else { return false }
            try sources[next].advance()
        }
        return true
    }

    // MARK: - Tail

    private func replayTail(
        from first: UInt64, through last: UInt64, _ body: (StoredEvent, EventFields, RawSpan) throws -> Bool
    ) throws {
        guard first <= last else { return }
        try snapshot.forEachTailGroup(from: first) { header, record in
            var entries = GroupEntries(of: header)
            while let entry = try entries.next(record) {
                if entry.sequence > last { return false }
                guard entry.sequence >= first, selection.takes(entry.family) else { continue }
                let event = StoredEvent(
                    family: entry.family, schemaVersion: entry.schemaVersion, sequence: entry.sequence,
                    arrival: header.arrival)
                guard try deliver(event, record.extracting(entry.encoding), body) else { return false }
            }
            return true
        }
    }

    private func deliver(
        _ event: StoredEvent, _ encoding: RawSpan, _ body: (StoredEvent, EventFields, RawSpan) throws -> Bool
    ) throws -> Bool {
        let fields = try EventFields(family: event.family, schemaVersion: event.schemaVersion, reading: encoding)
        guard selection.takes(fields, encoding) else { return true }
        return try body(event, fields, encoding)
    }
}

/// The rows of one segment, one after the other.
private struct SegmentRows {
    private let reader: SegmentReader
    private var batch: ColumnBatch?
    private var rowGroup = -1
    private var row = 0

    init(_ reader: SegmentReader) { self.reader = reader }

    /// Of the row at hand; nil behind the last.
    var sequence: UInt64? { batch.map { $0.sequences[row] } }

    /// Ended ones come last.
    var order: UInt64 { sequence ?? .max }

    var event: StoredEvent? {
        batch.map {
            StoredEvent(
                family: $0.family, schemaVersion: $0.schemaVersion, sequence: $0.sequences[row],
                arrival: Timestamp(microseconds: $0.arrivals[row]))
        }
    }

    func appendEncoding(to bytes: inout [UInt8]) { batch?.appendEncoding(row: row, to: &bytes) }

    mutating func advance() throws {
        row += 1
        if let batch, row < batch.rowCount { return }
        try loadNext()
    }

    /// Goes to the first row of at least `first` without decoding the row groups before it.
    mutating func skip(below first: UInt64) throws {
        while rowGroup + 1 < reader.rowGroupCount, reader.zone(rowGroup: rowGroup + 1).sequenceMax < first {
            rowGroup += 1
        }
        try loadNext()
        while let sequence, sequence < first { try advance() }
    }

    private mutating func loadNext() throws {
        rowGroup += 1
        row = 0
        batch = rowGroup < reader.rowGroupCount ? try reader.read(rowGroup: rowGroup, .all) : nil
    }
}
