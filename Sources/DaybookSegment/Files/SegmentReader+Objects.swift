internal import DaybookEvent
internal import DaybookFormat

/// Whole objects of single rows, put together from the columns of their attributes: what a page of a list needs.
extension SegmentReader {
    func sparseObjects(
        _ rows: [Int], _ flags: [UInt16], _ directory: RowGroupDirectory, _ column: ColumnNumber, _ flag: EventFlags
    ) throws(SegmentError) -> ByteColumn {
        let layout = try objectLayout(of: column, directory)
        let rest = try sparseStrings(rows, flags, directory, column, flag, mayBeMissing: true)
        var result = RebuiltObjects(rowCount: rows.count)
        var first = 0
        while first < rows.count {
            let unit = rows[first] / SegmentLimits.pageRowCountMax
            let start = unit * SegmentLimits.pageRowCountMax
            var end = first
            while end < rows.count, rows[end] < start + SegmentLimits.pageRowCountMax { end += 1 }
            let (columns, firstRow) = try attributeColumns(unit, layout, rows[first]...rows[end - 1], directory)
            var rebuilder = ObjectRebuilder(layout, columns, rowCount: end - first)
            do throws(FormatError) {
                try rebuilder.append(
                    rest, from: first, flags[first..<end], flag, positions: rows[first..<end].map { $0 - firstRow },
                    to: &result)
            } catch {
                throw file.damage(at: directory.column(column)?.offset ?? 0, error)
            }
            first = end
        }
        return result.column()
    }

    /// Attributes of a unit, and the row at which they begin. Where the unit is damaged, its other pages still give
    /// theirs: then only the wanted rows are there.
    private func attributeColumns(
        _ unit: Int, _ layout: ObjectLayout, _ wanted: ClosedRange<Int>, _ directory: RowGroupDirectory
    ) throws(SegmentError) -> (columns: [AttributeColumn], firstRow: Int) {
        let descriptors = layout.parts.map(\.descriptor)
        do throws(SegmentError) {
            return (try attributeColumns(unit, descriptors, directory), unit * SegmentLimits.pageRowCountMax)
        } catch {
            guard case .corrupt = error else { throw error }
            var reader = try RowGroupReader(
                self, directory, rows: Range(wanted), columns: descriptors, tables: [:])
            var columns: [AttributeColumn] = []
            for descriptor in descriptors { columns.append(try reader.attributeColumn(descriptor)) }
            return (columns, wanted.lowerBound)
        }
    }

    /// Attributes of one unit of a row group, out of the cache where they are there.
    func attributeColumns(
        _ unit: Int, _ descriptors: [ColumnDescriptor], _ directory: RowGroupDirectory
    ) throws(SegmentError) -> [AttributeColumn] {
        let rowGroup = directory.rowGroup
        let keys = descriptors.map {
            PageCache.Key(owner: owner, rowGroup: rowGroup, page: unit, kind: PageCache.Key.attribute($0))
        }
        var columns: [AttributeColumn] = []
        columns.reserveCapacity(keys.count)
        var missing: [Int] = []
        for (index, piece) in (pages?.find(keys) ?? Array(repeating: nil, count: keys.count)).enumerated() {
            if case .attribute(let column)? = piece {
                columns.append(column)
            } else {
                columns.append(.none)
                missing.append(index)
            }
        }
        guard !missing.isEmpty else { return columns }
        let start = unit * SegmentLimits.pageRowCountMax
        let rows = start..<min(start + SegmentLimits.pageRowCountMax, directory.rowCount)
        let tables = attributeTables(missing.map { descriptors[$0] }, rowGroup)
        var reader = try RowGroupReader(
            self, directory, rows: rows, columns: missing.map { descriptors[$0] }, tables: tables)
        for index in missing {
            let read = try reader.attributeColumn(descriptors[index])
            let column = keepTable(of: read, descriptors[index], rowGroup)
            columns[index] = column
            if case .attribute(let kept)? = pages?.insert(keys[index], .attribute(column)) { columns[index] = kept }
        }
        return columns
    }

    /// The dictionaries of attributes that the cache has.
    func attributeTables(_ descriptors: [ColumnDescriptor], _ rowGroup: Int) -> [UInt16: StringTable] {
        guard let pages else { return [:] }
        let coded = descriptors.filter { $0.shape == ColumnNumber.Shape.code.rawValue }
        guard !coded.isEmpty else { return [:] }
        var tables: [UInt16: StringTable] = [:]
        let keys = coded.map { tableKey($0, rowGroup) }
        for (descriptor, piece) in zip(coded, pages.find(keys)) {
            if case .table(let table)? = piece { tables[descriptor.number] = table }
        }
        return tables
    }

    /// Keeps the dictionary of a column that was decoded, and makes the column point to the kept object.
    func keepTable(
        of column: AttributeColumn, _ descriptor: ColumnDescriptor, _ rowGroup: Int
    ) -> AttributeColumn {
        guard case .codes(let codes) = column.values,
            case .table(let kept)? = pages?.insert(tableKey(descriptor, rowGroup), .table(codes.table)),
            kept !== codes.table
        else { return column }
        return AttributeColumn(
            values: .codes(CodeColumn(table: kept, codes: codes.codes)), present: nil, mayBeInRest: column.mayBeInRest)
    }

    private func tableKey(_ descriptor: ColumnDescriptor, _ rowGroup: Int) -> PageCache.Key {
        PageCache.Key(
            owner: owner, rowGroup: rowGroup, page: 0, kind: PageCache.Key.table(ofAttribute: descriptor.number))
    }
}

extension AttributeColumn {
    /// A copy of some rows. Dictionaries are shared.
    func gathering(_ rows: [Int]) -> AttributeColumn {
        let values: Values =
            switch values {
            case .none: .none
            case .codes(let column): .codes(CodeColumn(table: column.table, codes: rows.map { column.codes[$0] }))
            case .strings(let column): .strings(column.gathering(rows))
            case .signed(let values): .signed(rows.map { values[$0] })
            case .unsigned(let values): .unsigned(rows.map { values[$0] })
            case .numbers(let values): .numbers(rows.map { values[$0] })
            case .booleans(let values): .booleans(rows.map { values[$0] })
            }
        return AttributeColumn(
            values: values, present: present.map { all in rows.map { all[$0] } }, mayBeInRest: mayBeInRest)
    }

    /// Memory in use, about. A dictionary is counted where it is kept alone.
    var byteCount: Int {
        let payload =
            switch values {
            case .none: 0
            case .codes(let column): 4 * column.codes.count
            case .strings(let column): column.byteCount
            case .signed(let values): 8 * values.count
            case .unsigned(let values): 8 * values.count
            case .numbers(let values): 8 * values.count
            case .booleans(let values): values.count
            }
        return payload + (present?.count ?? 0)
    }
}
