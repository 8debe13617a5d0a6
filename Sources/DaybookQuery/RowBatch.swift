internal import DaybookEvent
internal import DaybookFormat
internal import DaybookSegment

/// What is wanted of rows: columns, and single attributes of their free-form objects.
struct RowSelection: Sendable {
    var columns: ColumnSelection
    /// Distinct.
    private(set) var attributes: [AttributeName] = []

    init(_ columns: ColumnSelection = []) { self.columns = columns }

    init(_ path: PreparedPath) {
        columns = []
        attributes = [path.name]
    }

    var isEmpty: Bool { columns.isEmpty && attributes.isEmpty }

    mutating func formUnion(_ other: RowSelection) {
        columns.formUnion(other.columns)
        for name in other.attributes where !attributes.contains(name) { attributes.append(name) }
    }

    func union(_ other: RowSelection) -> RowSelection {
        var union = self
        union.formUnion(other)
        return union
    }

    func union(_ columns: ColumnSelection) -> RowSelection { union(RowSelection(columns)) }

    /// For rows whose attributes have no columns of their own.
    var wholeObjects: ColumnSelection {
        attributes.reduce(columns) { $0.union($1.root == .arguments ? .arguments : .object) }
    }
}

/// Some rows as they were read.
struct RowBatch: Sendable {
    let columns: ColumnBatch
    /// Nil where rows have their objects whole.
    private let attributes: AttributeBatch?
    private let names: [AttributeName]

    var rowCount: Int { columns.rowCount }

    /// Rows with their objects, such as those of the tail.
    init(_ columns: ColumnBatch) {
        self.columns = columns
        attributes = nil
        names = []
    }

    /// Some rows of a row group. Precondition: they exist.
    init(_ reader: SegmentReader, rowGroup: Int, rows: Range<Int>, _ selection: RowSelection) throws(SegmentError) {
        columns = try reader.read(rowGroup: rowGroup, rows: rows, selection.columns)
        names = selection.attributes
        attributes = names.isEmpty ? nil : try reader.readAttributes(rowGroup: rowGroup, rows: rows, names)
    }

    /// The values of an attribute. Precondition: it was selected.
    func values(of path: PreparedPath) -> AttributeValues {
        guard let attributes else {
            return AttributeValues(
                column: .none, rest: path.name.root == .arguments ? columns.arguments : columns.objects)
        }
        guard let position = names.firstIndex(of: path.name) else { preconditionFailure("not selected") }
        let column = attributes.columns[position]
        return AttributeValues(column: column, rest: column.mayBeInRest ? attributes.rest(path.name.root) : nil)
    }
}

/// The values of one attribute: in a column, or in what is left of the objects.
struct AttributeValues: Sendable {
    let column: AttributeColumn
    let rest: ByteColumn?

    /// The column that has every value there is; nil when there is none of this kind.
    var onlyCodes: CodeColumn? {
        guard rest == nil, case .codes(let codes) = column.values else { return nil }
        return codes
    }

    /// Replaces `text` by what a filter compares with and a group is called: a string's text, or the canonical text of
    /// another scalar. False when the row has no value.
    func read(_ row: Int, _ path: PreparedPath, into text: inout [UInt8]) -> Bool {
        text.removeAll(keepingCapacity: true)
        if column.isPresent(row) {
            column.appendText(row, to: &text)
            return true
        }
        guard let rest, rest.isPresent(row) else { return false }
        return rest.withBytes(row) { object in
            guard let value = CanonicalScanner.find(path.keys, in: object) else { return false }
            switch AttributeValue(object, value) {
            case .missing: return false
            case .scalar(let range): text.append(contentsOf: object.toArray(range))
            case .string(let range): CanonicalScanner.appendUnescaped(object, range, to: &text)
            }
            return true
        }
    }
}
