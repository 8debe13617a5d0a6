internal import DaybookEvent
internal import DaybookFormat

extension SegmentCheck {
    /// Every attribute lies inside its zone, and stands in the rest only where its column says so. That objects can be
    /// put together again has been seen by then.
    ///
    /// - Parameter batch: all columns of the row group.
    static func checkAttributes(
        _ segment: SegmentReader, _ rowGroup: Int, _ batch: ColumnBatch
    ) throws(SegmentError) {
        let rowCount = batch.rowCount
        for (attribute, descriptor) in try segment.attributeColumns(rowGroup: rowGroup) {
            let found = try segment.read(rowGroup: rowGroup, rows: 0..<rowCount, [], attributes: [attribute.name])
            guard let column = found.attributes.columns.first,
                agrees(column, descriptor.zone, rowCount: rowCount)
            else { throw segment.file.damage(at: descriptor.offset, .invalid("zone")) }
            guard !column.mayBeInRest else { continue }
            guard !holdsMore(attribute.name, column, batch) else {
                throw segment.file.damage(at: descriptor.offset, .invalid("attribute in the rest"))
            }
        }
    }

    private static func agrees(_ column: AttributeColumn, _ zone: ColumnZone, rowCount: Int) -> Bool {
        let missingCount = (0..<rowCount).count { !column.isPresent($0) }
        guard missingCount == zone.missingCount else { return false }
        guard missingCount < rowCount else { return zone.min == 0 && zone.max == 0 }
        func ends<T: Comparable>(_ values: [T], _ word: (T) -> UInt64) -> Bool {
            var low: T?
            var high: T?
            for row in values.indices where column.isPresent(row) {
                low = low.map { min($0, values[row]) } ?? values[row]
                high = high.map { max($0, values[row]) } ?? values[row]
            }
            return low.map(word) == zone.min && high.map(word) == zone.max
        }
        switch column.values {
        case .none, .codes, .strings: return true
        case .signed(let values): return ends(values) { UInt64(bitPattern: $0) }
        case .unsigned(let values): return ends(values) { $0 }
        case .numbers(let values): return ends(values) { $0.bitPattern }
        case .booleans(let values): return ends(values.map { $0 ? 1 : 0 }) { $0 }
        }
    }

    /// Whether some row has a scalar of that path that the column does not have.
    private static func holdsMore(_ name: AttributeName, _ column: AttributeColumn, _ batch: ColumnBatch) -> Bool {
        guard let objects = name.root == .object ? batch.objects : batch.arguments else { return false }
        let path = name.keys.map { key in
            var escaped: [UInt8] = []
            CanonicalScanner.appendEscaped(key, to: &escaped)
            return escaped
        }
        return (0..<batch.rowCount).contains { row in
            !column.isPresent(row)
                && objects.withBytes(row) { object in
                    guard let value = CanonicalScanner.find(path, in: object), !value.isEmpty else { return false }
                    let first = object.toArray(value.lowerBound..<value.lowerBound + 1)[0]
                    return ![UInt8(ascii: "n"), UInt8(ascii: "{"), UInt8(ascii: "[")].contains(first)
                }
        }
    }
}
