internal import DaybookFormat

extension SegmentReader {
    /// The attributes that have a column in some row group of the segment. Nothing is read.
    package var attributes: [SegmentAttribute] { footer.attributes }

    /// Precondition: a column of a directory that was checked.
    func attribute(_ descriptor: ColumnDescriptor) -> SegmentAttribute {
        footer.attributes[Int(descriptor.number - SegmentAttribute.firstColumnNumber)]
    }

    /// The attributes that have a column in one row group, with the column.
    package func attributeColumns(
        rowGroup: Int
    ) throws(SegmentError) -> [(attribute: SegmentAttribute, column: ColumnDescriptor)] {
        var result: [(attribute: SegmentAttribute, column: ColumnDescriptor)] = []
        for column in try directory(rowGroup: rowGroup).columns where column.isAttribute {
            result.append((attribute(column), column))
        }
        return result
    }

    /// Every attribute column has a name of its own, and a shape that its kind allows.
    func checkAttributes(_ directory: RowGroupDirectory) throws(FormatError) {
        var names: Set<AttributeName> = []
        for column in directory.columns where column.isAttribute {
            guard Int(column.number - SegmentAttribute.firstColumnNumber) < footer.attributes.count else {
                throw .invalid("attribute without a name")
            }
            guard let shape = ColumnNumber.Shape(rawValue: column.shape), attribute(column).kind.allows(shape) else {
                throw .invalid("column shape")
            }
            guard names.insert(attribute(column).name).inserted else { throw .invalid("attribute twice") }
        }
    }

    /// The attribute columns of a row group that belong to one object.
    func attributes(of root: AttributeName.Root, _ directory: RowGroupDirectory) -> [ColumnDescriptor] {
        directory.columns.filter { $0.isAttribute && attribute($0).name.root == root }
    }

    /// How the objects that stand in `column` are put together; of no parts for other columns.
    func objectLayout(
        of column: ColumnNumber, _ directory: RowGroupDirectory
    ) throws(SegmentError) -> ObjectLayout {
        guard let root = AttributeName.Root.allCases.first(where: { $0.restColumn == column }) else {
            return ObjectLayout([])
        }
        return try objectLayout(of: root, rowGroup: directory.rowGroup)
    }

    /// Nil when the row group has no column of the attribute.
    func descriptor(_ name: AttributeName, _ directory: RowGroupDirectory) -> ColumnDescriptor? {
        directory.columns.first { $0.isAttribute && attribute($0).name == name }
    }

    /// The selected columns of some rows of a row group, and chosen attributes. What is left of the objects is read
    /// only where an attribute may be there too. Precondition: the rows exist.
    package func read(
        rowGroup: Int, rows: Range<Int>, _ selection: ColumnSelection, attributes: [AttributeName]
    ) throws(SegmentError) -> (batch: ColumnBatch, attributes: AttributeBatch) {
        (
            try read(rowGroup: rowGroup, rows: rows, selection),
            try readAttributes(rowGroup: rowGroup, rows: rows, attributes)
        )
    }

    /// Chosen attributes alone. Precondition: the rows exist.
    package func readAttributes(
        rowGroup: Int, rows: Range<Int>, _ names: [AttributeName]
    ) throws(SegmentError) -> AttributeBatch {
        let directory = try directory(rowGroup: rowGroup)
        let descriptors = names.compactMap { descriptor($0, directory) }
        if descriptors.count == names.count, !descriptors.contains(where: \.isAlsoInRest),
            let columns = try keptColumns(descriptors, rows, directory)
        {
            return AttributeBatch(columns: columns, objectRest: nil, argumentsRest: nil)
        }
        var reader = try RowGroupReader(
            self, directory, rows: rows, attributes: names, tables: attributeTables(descriptors, rowGroup))
        var found = try reader.attributeBatch()
        for (index, name) in names.enumerated() {
            guard let descriptor = descriptor(name, directory) else { continue }
            found.columns[index] = keepTable(of: found.columns[index], descriptor, rowGroup)
        }
        return found
    }

    /// Out of the cache, where there is one and the rows are of one unit; nil when the unit is damaged somewhere.
    private func keptColumns(
        _ descriptors: [ColumnDescriptor], _ rows: Range<Int>, _ directory: RowGroupDirectory
    ) throws(SegmentError) -> [AttributeColumn]? {
        let unit = rows.lowerBound / SegmentLimits.pageRowCountMax
        let start = unit * SegmentLimits.pageRowCountMax
        let end = min(start + SegmentLimits.pageRowCountMax, directory.rowCount)
        guard pages != nil, !rows.isEmpty, rows.upperBound <= end else { return nil }
        do throws(SegmentError) {
            let columns = try attributeColumns(unit, descriptors, directory)
            if rows == start..<end { return columns }
            let local = rows.map { $0 - start }
            return columns.map { $0.gathering(local) }
        } catch {
            guard case .corrupt = error else { throw error }
            return nil
        }
    }
}
