/// Which values of the free-form objects a writer gives columns of their own.
package struct AttributePolicy: Sendable, Equatable {
    /// A path needs values of one kind in so many rows of a row group, and in one of a hundred; nil: none gets a column.
    let rowCountMin: Int?

    /// Below this many rows a column's pages and descriptions cost more than they save.
    package static let columns = AttributePolicy(rowCountMin: 32)
    package static let none = AttributePolicy(rowCountMin: nil)

    static func columns(from rowCountMin: Int) -> AttributePolicy { AttributePolicy(rowCountMin: rowCountMin) }

    /// Nil: no path gets a column.
    func threshold(rowCount: Int) -> Int? { rowCountMin.map { max(1, $0, (rowCount + 99) / 100) } }
}
