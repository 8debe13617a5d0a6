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
    /// Bit i: page i may hold what is wanted.
    private let pageBits: UInt8

    init(_ reader: SegmentReader, _ rowGroup: Int, pageBits: UInt8 = .max) {
        self.pageBits = pageBits
        origin = .segment(reader, rowGroup: rowGroup)
        zone = reader.zone(rowGroup: rowGroup)
    }

    init(_ chunk: TailChunk) {
        pageBits = .max
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
            var pages: [RowPage] = []
            var first = 0
            for (page, zone) in try reader.pageZones(rowGroup: rowGroup).enumerated() {
                if page >= 8 || pageBits >> UInt8(page) & 1 == 1 {
                    pages.append(RowPage(group: self, rows: first..<first + zone.rowCount, zone: zone))
                }
                first += zone.rowCount
            }
            return pages
        } catch {
            guard DamageLog.isDamage(error) else { throw error }
            damage.note(error, file: reader.path, rowGroup: rowGroup, rows: 0..<rowCount)
            return []
        }
    }

    /// What is wanted, possibly more, of some rows; of a chunk of the tail always all rows. Precondition: a chunk of the
    /// tail has these columns.
    func read(_ rows: Range<Int>, _ selection: RowSelection) throws -> RowBatch {
        switch origin {
        case .segment(let reader, let rowGroup):
            try RowBatch(reader, rowGroup: rowGroup, rows: rows, selection)
        case .tail(let batch): RowBatch(batch)
        }
    }
}

/// Rows that are looked at together: those of one page of every narrow column.
struct RowPage: Sendable {
    let group: RowGroup
    /// Positions in the row group.
    let rows: Range<Int>
    let zone: Zone

    func read(_ selection: RowSelection) throws -> RowBatch { try group.read(rows, selection) }

    /// What damage leaves of the page: batches and where their first rows stand. Each damaged page of a column costs its
    /// own rows, and is told.
    func readable(_ selection: RowSelection, _ damage: DamageLog) throws -> [(batch: RowBatch, firstRow: Int)] {
        guard case .segment(let reader, let rowGroup) = group.origin else { return [(try read(selection), 0)] }
        var pieces: [(batch: RowBatch, firstRow: Int)] = []
        var waiting = [rows]
        while let part = waiting.popLast() {
            do {
                pieces.append((try group.read(part, selection), part.lowerBound))
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
