internal import DaybookFormat

/// Where a page stands and what it holds.
package struct PageDescriptor: Equatable, Sendable {
    /// Of the page's header, from the start of the file.
    package var offset: UInt64
    /// Position in the row group, or in the dictionary, of the first row.
    package var firstRow: Int
    package var rowCount: Int
    /// Without the page header.
    package var storedByteCount: Int
    package var checksum: UInt32
    package var zone: ColumnZone

    package var rows: Range<Int> { firstRow..<firstRow + rowCount }
    /// With the page header.
    package var byteCount: Int { PageHeader.byteCount + storedByteCount }
}

/// One column of a row group.
package struct ColumnDescriptor: Equatable, Sendable {
    /// A number that this code does not know is skipped.
    package var number: UInt16
    package var shape: UInt8
    package var offset: UInt64
    /// All pages of the column, the dictionary's first.
    package var byteCount: Int
    package var zone: ColumnZone
    package var dictionaryPages: [PageDescriptor]
    package var pages: [PageDescriptor]
    /// Of an attribute: scalars of its path stand in the rest of some objects, too.
    package var isAlsoInRest = false

    package var isAttribute: Bool { SegmentAttribute.columnNumbers.contains(number) }
    package var dictionaryEntryCount: Int { dictionaryPages.reduce(0) { $0 + $1.rowCount } }
}

/// The table of contents of a row group: the page behind its last column.
package struct RowGroupDirectory: Equatable, Sendable {
    package var rowGroup: Int
    package var rowCount: Int
    package var columns: [ColumnDescriptor]

    package func column(_ number: ColumnNumber) -> ColumnDescriptor? {
        columns.first { $0.number == number.rawValue }
    }

    func encoded() -> [UInt8] {
        var bytes: [UInt8] = []
        bytes.append(varint: UInt64(rowGroup))
        bytes.append(varint: UInt64(rowCount))
        bytes.append(varint: UInt64(columns.count))
        for column in columns {
            let description = column.encoded()
            bytes.append(varint: UInt64(column.number))
            bytes.append(varint: UInt64(description.count))
            bytes.append(contentsOf: description)
        }
        return bytes
    }

    init(rowGroup: Int, rowCount: Int, columns: [ColumnDescriptor]) {
        self.rowGroup = rowGroup
        self.rowCount = rowCount
        self.columns = columns
    }

    /// Every column that this code knows lies in `body` and has all its rows.
    init(reading bytes: RawSpan, body: Range<UInt64>) throws(FormatError) {
        var reader = ByteReader()
        rowGroup = try reader.count(bytes, max: SegmentLimits.rowGroupCountMax)
        rowCount = try reader.count(bytes, max: SegmentLimits.rowGroupRowCountMax)
        let columnCount = try reader.count(bytes, max: 1 << 15)
        columns = []
        for _ in 0..<columnCount {
            let number = UInt16(try reader.count(bytes, max: Int(PageHeader.dictionaryBit) - 1))
            let description = try reader.lengthPrefixedRange(bytes)
            guard number > columns.last?.number ?? 0 || columns.allSatisfy({ $0.number != number }) else {
                throw .invalid("column number")
            }
            let known = ColumnNumber(rawValue: number)
            guard known != nil || SegmentAttribute.columnNumbers.contains(number) else { continue }
            let column = try ColumnDescriptor(
                reading: bytes.extracting(description), number, known?.shape, rowCount: rowCount, body: body)
            columns.append(column)
        }
        guard reader.isAtEnd(bytes) else { throw .invalid("directory length") }
    }
}

extension ColumnDescriptor {
    fileprivate func encoded() -> [UInt8] {
        var bytes: [UInt8] = [shape]
        bytes.append(varint: offset)
        bytes.append(varint: UInt64(byteCount))
        zone.append(to: &bytes)
        for list in [dictionaryPages, pages] {
            bytes.append(varint: UInt64(list.count))
            for page in list {
                bytes.append(varint: UInt64(page.rowCount))
                bytes.append(varint: UInt64(page.storedByteCount))
                bytes.append(littleEndian: page.checksum)
                page.zone.append(to: &bytes, from: zone.min)
            }
        }
        if isAttribute { bytes.append(isAlsoInRest ? Self.alsoInRestFlag : 0) }
        return bytes
    }

    private static let alsoInRestFlag: UInt8 = 1

    /// - Parameter expected: the shape that the column must have; nil of an attribute, whose kind says it.
    fileprivate init(
        reading bytes: RawSpan, _ number: UInt16, _ expected: ColumnNumber.Shape?, rowCount: Int, body: Range<UInt64>
    ) throws(FormatError) {
        var reader = ByteReader()
        self.number = number
        shape = try reader.uint8(bytes)
        guard shape == expected?.rawValue ?? shape else { throw .invalid("column shape") }
        offset = try reader.varint(bytes)
        byteCount = try reader.count(bytes, max: Int(Int32.max))
        let (end, overflow) = offset.addingReportingOverflow(UInt64(byteCount))
        guard !overflow, offset >= body.lowerBound, end <= body.upperBound else { throw .invalid("column offset") }
        zone = try ColumnZone(&reader, bytes)
        var next = offset
        let entryCountMax = shape == ColumnNumber.Shape.code.rawValue ? SegmentLimits.rowGroupRowCountMax : 0
        dictionaryPages = try Self.pages(&reader, bytes, &next, rowCountMax: entryCountMax, origin: zone.min)
        pages = try Self.pages(&reader, bytes, &next, rowCountMax: rowCount, origin: zone.min)
        guard pages.last?.rows.upperBound ?? 0 == rowCount else { throw .invalid("column row count") }
        guard next == end else { throw .invalid("column length") }
        if expected == nil { isAlsoInRest = try reader.uint8(bytes) & Self.alsoInRestFlag != 0 }
        // What a later minor version adds to a descriptor stands behind this and is skipped.
    }

    private static func pages(
        _ reader: inout ByteReader, _ bytes: RawSpan, _ offset: inout UInt64, rowCountMax: Int, origin: UInt64
    ) throws(FormatError) -> [PageDescriptor] {
        let pageCount = try reader.count(bytes, max: rowCountMax)
        var pages: [PageDescriptor] = []
        var firstRow = 0
        for _ in 0..<pageCount {
            let rowCount = try reader.count(bytes, max: SegmentLimits.pageRowCountMax)
            let storedByteCount = try reader.count(bytes, max: SegmentLimits.pageByteCountMax)
            let checksum = try reader.uint32(bytes)
            let zone = try ColumnZone(&reader, bytes, from: origin)
            guard rowCount >= 1, rowCount <= rowCountMax - firstRow else { throw .invalid("page row count") }
            let page = PageDescriptor(
                offset: offset, firstRow: firstRow, rowCount: rowCount, storedByteCount: storedByteCount,
                checksum: checksum, zone: zone)
            pages.append(page)
            firstRow += rowCount
            offset += UInt64(page.byteCount)
        }
        return pages
    }
}
