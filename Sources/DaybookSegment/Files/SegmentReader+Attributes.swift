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

    /// The selected columns of some rows of a row group, and chosen attributes. What is left of the objects is read
    /// only where an attribute may be there too. Precondition: the rows exist.
    package func read(
        rowGroup: Int, rows: Range<Int>, _ selection: ColumnSelection, attributes: [AttributeName]
    ) throws(SegmentError) -> (batch: ColumnBatch, attributes: AttributeBatch) {
        precondition(rows.lowerBound >= 0 && rows.upperBound <= footer.rowGroups[rowGroup].rowCount)
        var reader = try RowGroupReader(
            self, try directory(rowGroup: rowGroup), rows: rows, selection, attributes: attributes)
        return (try reader.batch(), try reader.attributeBatch())
    }
}
