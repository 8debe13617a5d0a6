internal import DaybookFormat
internal import DaybookSystem

/// Writes one row group, column by column. Keeps its scratch memory between row groups.
struct RowGroupWriter {
    private var integers = IntegerPageEncoder()
    private var strings = BytePageEncoder()
    var attributes = AttributePageEncoder()
    var shredder = ObjectShredder()
    /// The attributes of the segment so far.
    var schema = AttributeSchema()
    var values: [UInt64] = []
    var payload: [UInt8] = []

    /// Integers that LZ4 makes only a little smaller are stored as they are: they are read far more often than written.
    static let integerSavingDivisor = 8
    private static let stringSavingDivisor = 32

    /// Appends the pages and the directory. Precondition: `batch` has all columns and at least one row.
    mutating func append(
        _ batch: ColumnBatch, rowGroup: Int, _ policy: AttributePolicy, to output: inout PageOutput
    ) throws(DiskError) -> RowGroupEntry {
        precondition(batch.rowCount >= 1 && batch.rowCount <= SegmentLimits.rowGroupRowCountMax)
        precondition(batch.selection == .all)
        var directory = RowGroupDirectory(rowGroup: rowGroup, rowCount: batch.rowCount, columns: [])
        var zones: [NumberedZone] = []
        for column in ColumnNumber.columns(of: batch.family) {
            let rest = try appendAttributes(batch, column, rowGroup, policy, &directory, &output)
            let start = output.offset
            var descriptor = ColumnDescriptor(
                number: column.rawValue, shape: column.shape.rawValue, offset: start, byteCount: 0, zone: ColumnZone(),
                dictionaryPages: [], pages: [])
            switch column.shape {
            case .unsigned, .signed: try appendIntegers(batch, column, rowGroup, &descriptor, &output)
            case .code: try appendCodes(batch.codeColumn(column), rowGroup, &descriptor, &output)
            case .number: preconditionFailure("only attributes are numbers")
            case .bytes: try appendStrings(rest ?? batch.byteColumn(column), rowGroup, &descriptor, &output)
            }
            descriptor.byteCount = Int(output.offset - start)
            directory.columns.append(descriptor)
            zones.append(NumberedZone(number: column.rawValue, shape: column.shape.rawValue, zone: descriptor.zone))
        }
        let page = try output.appendPage(
            .directory, column: 0, rowGroup: rowGroup, rows: 0..<0, payload: directory.encoded(), zone: ColumnZone(),
            savingDivisor: Self.stringSavingDivisor)
        return RowGroupEntry(
            directoryOffset: page.offset, directoryByteCount: page.byteCount, directoryChecksum: page.checksum,
            rowCount: batch.rowCount, zones: zones)
    }

    /// Of a column of objects, writes the attributes and returns what is left of it; nil of other columns.
    private mutating func appendAttributes(
        _ batch: ColumnBatch, _ column: ColumnNumber, _ rowGroup: Int, _ policy: AttributePolicy,
        _ directory: inout RowGroupDirectory, _ output: inout PageOutput
    ) throws(DiskError) -> ByteColumn? {
        guard let root = AttributeName.Root.allCases.first(where: { $0.restColumn == column }) else { return nil }
        return try appendObjects(batch.byteColumn(column), root, rowGroup, policy, &directory, &output)
    }

    static func pageRows(_ rowCount: Int) -> [Range<Int>] {
        stride(from: 0, to: rowCount, by: SegmentLimits.pageRowCountMax).map {
            $0..<min($0 + SegmentLimits.pageRowCountMax, rowCount)
        }
    }

    private mutating func appendIntegers(
        _ batch: ColumnBatch, _ column: ColumnNumber, _ rowGroup: Int, _ descriptor: inout ColumnDescriptor,
        _ output: inout PageOutput
    ) throws(DiskError) {
        for rows in Self.pageRows(batch.rowCount) {
            batch.copyIntegers(column, rows: rows, to: &values)
            try appendValues(
                rows, missingCount: 0, rowGroup, signed: column.shape == .signed, patches: column.isTime,
                zone: column == .identifierTime ? batch.identifierZone(rows) : nil, &descriptor, &output)
        }
    }

    mutating func appendCodes(
        _ column: CodeColumn, _ rowGroup: Int, _ descriptor: inout ColumnDescriptor, _ output: inout PageOutput
    ) throws(DiskError) {
        let (sorted, ranks) = column.table.sortedCodes(usedBy: column.codes)
        let dictionary = column.table.column(of: sorted)
        var first = 0
        while first < sorted.count {
            let end = BytePageEncoder.pageEnd(dictionary.offsets, from: first, to: sorted.count)
            payload.removeAll(keepingCapacity: true)
            let (encoding, zone) = strings.append(dictionary, rows: first..<end, to: &payload)
            let page = try output.appendPage(
                encoding, column: descriptor.number | PageHeader.dictionaryBit, rowGroup: rowGroup, rows: first..<end,
                payload: payload, zone: zone, savingDivisor: Self.stringSavingDivisor)
            descriptor.dictionaryPages.append(page)
            first = end
        }
        for rows in Self.pageRows(column.codes.count) {
            values.removeAll(keepingCapacity: true)
            var missingCount = 0
            for code in column.codes[rows] {
                if code == CodeColumn.missing {
                    missingCount += 1
                    values.append(0)
                } else {
                    values.append(UInt64(ranks[Int(code)]) + 1)
                }
            }
            try appendValues(rows, missingCount: missingCount, rowGroup, signed: false, &descriptor, &output)
        }
        descriptor.zone.distinctHint = sorted.count
    }

    /// Writes the page that `values` holds.
    /// - Parameter given: the zone, where it is not that of the values as they are written.
    private mutating func appendValues(
        _ rows: Range<Int>, missingCount: Int, _ rowGroup: Int, signed: Bool, patches: Bool = false,
        zone given: ColumnZone? = nil, _ descriptor: inout ColumnDescriptor, _ output: inout PageOutput
    ) throws(DiskError) {
        payload.removeAll(keepingCapacity: true)
        var (encoding, zone) = unsafe values.withUnsafeBufferPointer {
            unsafe integers.append($0, signed: signed, patches: patches, to: &payload)
        }
        if let given { zone = given }
        zone.missingCount = missingCount
        let page = try output.appendPage(
            encoding, column: descriptor.number, rowGroup: rowGroup, rows: rows, payload: payload, zone: zone,
            savingDivisor: Self.integerSavingDivisor)
        if descriptor.pages.isEmpty { descriptor.zone = zone } else { descriptor.zone.merge(zone, signed: signed) }
        descriptor.pages.append(page)
    }

    mutating func appendStrings(
        _ column: ByteColumn, _ rowGroup: Int, _ descriptor: inout ColumnDescriptor, _ output: inout PageOutput
    ) throws(DiskError) {
        var first = 0
        while first < column.rowCount {
            let end = BytePageEncoder.pageEnd(column.offsets, from: first, to: column.rowCount)
            payload.removeAll(keepingCapacity: true)
            let (encoding, zone) = strings.append(column, rows: first..<end, to: &payload)
            let page = try output.appendPage(
                encoding, column: descriptor.number, rowGroup: rowGroup, rows: first..<end, payload: payload,
                zone: zone, savingDivisor: Self.stringSavingDivisor)
            if descriptor.pages.isEmpty { descriptor.zone = zone } else { descriptor.zone.merge(zone, signed: false) }
            descriptor.pages.append(page)
            first = end
        }
    }
}
