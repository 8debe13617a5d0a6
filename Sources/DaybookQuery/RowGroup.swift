internal import DaybookFormat
internal import DaybookSegment
internal import DaybookStore

/// Rows of one family that share their dictionaries: a row group of a segment, or a chunk of the tail.
struct RowGroup: Sendable {
    enum Origin: Sendable {
        case segment(SegmentReader, rowGroup: Int)
        case tail(ColumnBatch)
    }

    let origin: Origin
    let zone: Zone

    init(_ reader: SegmentReader, _ rowGroup: Int) {
        origin = .segment(reader, rowGroup: rowGroup)
        zone = reader.zone(rowGroup: rowGroup)
    }

    init(_ chunk: TailChunk) {
        origin = .tail(chunk.batch)
        zone = chunk.zone
    }

    var rowCount: Int { zone.rowCount }

    /// The pages in order; none when what says where they are is damaged.
    func pages(_ damage: DamageLog) throws -> [RowPage] {
        guard case .segment(let reader, let rowGroup) = origin else {
            return [RowPage(group: self, rows: 0..<rowCount, zone: zone)]
        }
        do {
            var first = 0
            return try reader.pageZones(rowGroup: rowGroup).map { zone in
                defer { first += zone.rowCount }
                return RowPage(group: self, rows: first..<first + zone.rowCount, zone: zone)
            }
        } catch {
            guard DamageLog.isDamage(error) else { throw error }
            damage.note(error, file: reader.path, rowGroup: rowGroup, rows: 0..<rowCount)
            return []
        }
    }

    /// The selected columns, possibly more, of some rows; of a chunk of the tail always all rows. Precondition: a chunk of
    /// the tail has these columns.
    func read(_ rows: Range<Int>, _ selection: ColumnSelection) throws -> ColumnBatch {
        switch origin {
        case .segment(let reader, let rowGroup): try reader.read(rowGroup: rowGroup, rows: rows, selection)
        case .tail(let batch): batch
        }
    }
}

/// Rows that are looked at together: those of one page of every narrow column.
struct RowPage: Sendable {
    let group: RowGroup
    /// Positions in the row group.
    let rows: Range<Int>
    let zone: Zone

    func read(_ selection: ColumnSelection) throws -> ColumnBatch { try group.read(rows, selection) }

    /// What damage leaves of the page: batches and where their first rows stand. Each damaged page of a column costs its
    /// own rows, and is told.
    func readable(_ selection: ColumnSelection, _ damage: DamageLog) throws -> [(batch: ColumnBatch, firstRow: Int)] {
        guard case .segment(let reader, let rowGroup) = group.origin else { return [(try read(selection), 0)] }
        var pieces: [(batch: ColumnBatch, firstRow: Int)] = []
        var waiting = [rows]
        while let part = waiting.popLast() {
            do {
                pieces.append((try reader.read(rowGroup: rowGroup, rows: part, selection), part.lowerBound))
            } catch {
                guard DamageLog.isDamage(error) else { throw error }
                let lost = damage.note(error, in: part, reader, rowGroup).clamped(to: part)
                if lost.upperBound < part.upperBound { waiting.append(lost.upperBound..<part.upperBound) }
                if part.lowerBound < lost.lowerBound { waiting.append(part.lowerBound..<lost.lowerBound) }
            }
        }
        return pieces
    }
}
