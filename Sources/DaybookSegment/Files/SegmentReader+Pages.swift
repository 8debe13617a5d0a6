internal import DaybookFormat

/// What is known of the rows of one page of a column.
package struct PageZone: Sendable, Equatable {
    /// Positions in the row group.
    package var rows: Range<Int>
    package var zone: ColumnZone
}

extension SegmentReader {
    /// A read of everything over more rows than this is a copy (a replay, an export), not a question: it takes what the
    /// cache has, and leaves nothing in it.
    private static let copyRowCountMin = 1_024

    /// The zones of the pages of one column, in order; empty when the family does not have it. Nothing is decoded.
    package func pageZones(rowGroup: Int, _ column: ColumnNumber) throws(SegmentError) -> [PageZone] {
        let descriptor = try directory(rowGroup: rowGroup).column(column)
        return (descriptor?.pages ?? []).map { PageZone(rows: $0.rows, zone: $0.zone) }
    }

    /// The dictionary of a code column of a row group: the object that `read` puts into batches, as long as it is cached.
    /// Precondition: a code column that the family has.
    package func table(rowGroup: Int, _ column: ColumnNumber) throws(SegmentError) -> StringTable {
        precondition(column.shape == .code)
        let directory = try directory(rowGroup: rowGroup)
        var tables: [ColumnNumber: StringTable] = [:]
        findTables([column], rowGroup, &tables)
        if let known = tables[column] { return known }
        var reader = try RowGroupReader(self, directory, dictionaryOf: column)
        return keep(try reader.table(column), column, rowGroup)
    }

    /// The selected columns of single rows of a row group: only the pages that hold them are read, of wide columns too.
    /// Precondition: the rows exist and ascend.
    package func read(
        rowGroup: Int, rowsAt rows: [Int], _ selection: ColumnSelection
    ) throws(SegmentError) -> ColumnBatch {
        let rowCount = footer.rowGroups[rowGroup].rowCount
        precondition(rows.first ?? 0 >= 0 && rows.last ?? -1 < rowCount)
        precondition(zip(rows, rows.dropFirst()).allSatisfy { $0 < $1 })
        var batch = ColumnBatch(
            family: family, schemaVersion: schemaVersion, rowCount: rows.count, selection: selection)
        guard !rows.isEmpty else { return batch }
        let directory = try directory(rowGroup: rowGroup)
        let parts = PagePart.parts(of: family, selection)
        var tables: [ColumnNumber: StringTable] = [:]
        var first = 0
        while first < rows.count {
            let unit = rows[first] / SegmentLimits.pageRowCountMax
            let start = unit * SegmentLimits.pageRowCountMax
            var end = first
            while end < rows.count, rows[end] < start + SegmentLimits.pageRowCountMax { end += 1 }
            let local = rows[first..<end].map { $0 - start }
            try append(unit, .rows(local), of: directory, parts, &tables, to: &batch)
            first = end
        }
        let strings = try sparseStrings(rows, batch.flags, directory, selection)
        batch.errorMessages = strings[.errorMessage]
        batch.arguments = strings[.arguments]
        batch.objects = strings[.object]
        let rest = beyondParts(selection).subtracting([.errorMessage, .arguments, .object])
        if !rest.isEmpty, let last = rows.last {
            // Few rows have these columns; they are read with everything that stands between the wanted ones.
            var reader = try RowGroupReader(self, directory, rows: rows[0]..<last + 1, rest)
            batch.gatherRest(of: try reader.batch(), at: rows.map { $0 - rows[0] })
        }
        return batch
    }

    /// The selected columns of a range of rows, unit by unit out of the cache where that pays.
    func readThroughCache(
        rowGroup: Int, rows: Range<Int>, _ selection: ColumnSelection
    ) throws(SegmentError) -> ColumnBatch {
        let directory = try directory(rowGroup: rowGroup)
        let isCopy = selection == .all && rows.count > Self.copyRowCountMin
        guard pages != nil, !rows.isEmpty, !isCopy, !selection.isDisjoint(with: PagePart.selection) else {
            var reader = try RowGroupReader(self, directory, rows: rows, selection)
            return try reader.batch()
        }
        var batch = ColumnBatch(
            family: family, schemaVersion: schemaVersion, rowCount: rows.count, selection: selection)
        let parts = PagePart.parts(of: family, selection)
        var tables: [ColumnNumber: StringTable] = [:]
        var start = rows.lowerBound
        while start < rows.upperBound {
            let unit = start / SegmentLimits.pageRowCountMax
            let all = unitRows(unit, directory)
            let wanted = all.clamped(to: rows)
            let pick: RowPick =
                wanted == all ? .all : .range(wanted.lowerBound - all.lowerBound..<wanted.upperBound - all.lowerBound)
            try append(unit, pick, of: directory, parts, &tables, to: &batch)
            start = wanted.upperBound
        }
        let rest = beyondParts(selection)
        if !rest.isEmpty {
            var reader = try RowGroupReader(self, directory, rows: rows, rest)
            batch.adoptRest(of: try reader.batch())
        }
        return batch
    }

    /// What is selected of the family's columns that no unit of the cache holds.
    private func beyondParts(_ selection: ColumnSelection) -> ColumnSelection {
        let own = ColumnNumber.columns(of: family).reduce(into: ColumnSelection()) { $0.formUnion($1.selection) }
        return selection.intersection(own).subtracting(PagePart.selection)
    }

    private func unitRows(_ unit: Int, _ directory: RowGroupDirectory) -> Range<Int> {
        let start = unit * SegmentLimits.pageRowCountMax
        return start..<min(start + SegmentLimits.pageRowCountMax, directory.rowCount)
    }

    /// Appends the picked rows of one unit. What the cache lacks is decoded, checked as a whole, and kept.
    private func append(
        _ unit: Int, _ pick: RowPick, of directory: RowGroupDirectory, _ parts: [PagePart],
        _ tables: inout [ColumnNumber: StringTable], to batch: inout ColumnBatch
    ) throws(SegmentError) {
        let keys = parts.map { part in
            PageCache.Key(owner: owner, rowGroup: directory.rowGroup, page: unit, kind: PageCache.Key.kind(part))
        }
        var pieces = pages?.find(keys) ?? [PagePiece?](repeating: nil, count: parts.count)
        var missing: ColumnSelection = []
        var dictionaries: [ColumnNumber] = []
        var lacksFlags = false
        for (index, part) in parts.enumerated() where pieces[index] == nil {
            missing.formUnion(part.selection)
            if part == .flags { lacksFlags = true }
            if part.column.shape == .code { dictionaries.append(part.column) }
        }
        if !missing.isEmpty || lacksFlags {
            findTables(dictionaries, directory.rowGroup, &tables)
            var reader = try RowGroupReader(
                self, directory, rows: unitRows(unit, directory), missing, tables: tables, readsFlags: lacksFlags)
            let decoded = keepTables(of: try reader.batch(), dictionaries, directory.rowGroup, &tables)
            for (index, part) in parts.enumerated() where pieces[index] == nil {
                guard let piece = decoded.piece(part) else { preconditionFailure("a part was not read") }
                pieces[index] = pages?.insert(keys[index], piece) ?? piece
            }
        }
        let seam = batch.sequences.count
        for (part, piece) in zip(parts, pieces) {
            if let piece { batch.append(piece, part, pick) }
        }
        // Each unit was checked when it was decoded; that this one goes on where the last one ended was not.
        guard seam == 0 || seam == batch.sequences.count || batch.sequences[seam - 1] < batch.sequences[seam] else {
            throw file.damage(at: directory.column(.sequence)?.offset ?? 0, .invalid("sequence"))
        }
    }

    /// Adds what the cache has of the wanted dictionaries.
    private func findTables(
        _ columns: [ColumnNumber], _ rowGroup: Int, _ tables: inout [ColumnNumber: StringTable]
    ) {
        let wanted = columns.filter { tables[$0] == nil }
        guard let pages, !wanted.isEmpty else { return }
        let keys = wanted.map {
            PageCache.Key(owner: owner, rowGroup: rowGroup, page: 0, kind: PageCache.Key.table(of: $0))
        }
        for (column, piece) in zip(wanted, pages.find(keys)) {
            if case .table(let table)? = piece { tables[column] = table }
        }
    }

    private func keep(_ table: StringTable, _ column: ColumnNumber, _ rowGroup: Int) -> StringTable {
        let key = PageCache.Key(owner: owner, rowGroup: rowGroup, page: 0, kind: PageCache.Key.table(of: column))
        guard case .table(let kept)? = pages?.insert(key, .table(table)) else { return table }
        return kept
    }

    /// Keeps the dictionaries that were decoded with a unit, and makes its columns point to the kept objects.
    private func keepTables(
        of decoded: ColumnBatch, _ columns: [ColumnNumber], _ rowGroup: Int,
        _ tables: inout [ColumnNumber: StringTable]
    ) -> ColumnBatch {
        var batch = decoded
        for column in columns where tables[column] == nil {
            let codes = decoded.codeColumn(column)
            let kept = keep(codes.table, column, rowGroup)
            tables[column] = kept
            if kept !== codes.table { batch.replace(column, CodeColumn(table: kept, codes: codes.codes)) }
        }
        return batch
    }
}

extension RowGroupDirectory {
    /// The zones of the narrow columns for each unit.
    var unitZones: [Zone] {
        let starts = stride(from: 0, to: rowCount, by: SegmentLimits.pageRowCountMax)
        let columns = [ColumnNumber.sequence, .timestamp, .arrival, .duration, .status].map { column($0) }
        return starts.map { start in
            let rows = start..<min(start + SegmentLimits.pageRowCountMax, rowCount)
            let zones = zip(columns, [false, true, true, false, false]).map { column, signed in
                ColumnZone(of: column?.pages.filter { $0.rows.overlaps(rows) } ?? [], signed: signed)
            }
            return Zone(
                rowCount: rows.count, sequenceMin: zones[0].min, sequenceMax: zones[0].max,
                timestampMin: Int64(bitPattern: zones[1].min), timestampMax: Int64(bitPattern: zones[1].max),
                arrivalMin: Int64(bitPattern: zones[2].min), arrivalMax: Int64(bitPattern: zones[2].max),
                durationMin: zones[3].min, durationMax: zones[3].max, statusMin: UInt8(clamping: zones[4].min),
                statusMax: UInt8(clamping: zones[4].max))
        }
    }

    /// About, with the arrays' own needs.
    var memoryByteCount: Int {
        columns.reduce(64) { sum, column in
            sum + MemoryLayout<ColumnDescriptor>.stride + 64
                + MemoryLayout<PageDescriptor>.stride * (column.pages.count + column.dictionaryPages.count)
        }
    }
}

extension ColumnZone {
    /// What several pages hold together.
    fileprivate init(of pages: [PageDescriptor], signed: Bool) {
        self.init()
        guard let first = pages.first else { return }
        self = first.zone
        for page in pages.dropFirst() { merge(page.zone, signed: signed) }
    }
}
