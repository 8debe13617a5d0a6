internal import DaybookFormat

/// What stands before every page. Spec: docs/format/segment.md, "Page".
struct PageHeader: Equatable, Sendable {
    static let byteCount = 28
    /// Set in the column number of the pages of a row group's dictionary.
    static let dictionaryBit: UInt16 = 0x8000
    private static let compressedFlag: UInt8 = 1

    /// CRC-32C of the header behind this field and of the stored payload.
    var checksum: UInt32 = 0
    var encoding: PageEncoding
    var isCompressed: Bool
    var column: UInt16
    var rowGroup: UInt32
    /// Position in the row group of the first row, or of the first entry of a dictionary.
    var firstRow: UInt32
    var rowCount: UInt16
    var encodedByteCount: UInt32
    var storedByteCount: UInt32

    /// Appends the header and `payload`, and returns the checksum.
    @discardableResult
    func append(to bytes: inout [UInt8], payload: [UInt8]) -> UInt32 {
        precondition(payload.count == Int(storedByteCount))
        let start = bytes.count
        bytes.append(littleEndian: UInt32(0))
        bytes.append(encoding.rawValue)
        bytes.append(isCompressed ? Self.compressedFlag : 0)
        bytes.append(littleEndian: column)
        bytes.append(littleEndian: rowGroup)
        bytes.append(littleEndian: firstRow)
        bytes.append(littleEndian: rowCount)
        bytes.append(littleEndian: UInt16(0))
        bytes.append(littleEndian: encodedByteCount)
        bytes.append(littleEndian: storedByteCount)
        bytes.append(contentsOf: payload)
        let end = bytes.count
        let checksum = bytes.withRawSpan { crc32c($0.extracting(start + 4..<end)) }
        bytes.store(littleEndian: checksum, at: start)
        return checksum
    }

    /// Reads a header and checks the page that begins at `offset` against its checksum.
    init(verifying bytes: RawSpan, at offset: Int) throws(FormatError) {
        try self.init(reading: bytes, at: offset)
        let (end, overflow) = (offset + Self.byteCount).addingReportingOverflow(Int(storedByteCount))
        guard !overflow, end <= bytes.byteCount else {
            throw .truncated(needed: Int(storedByteCount), found: bytes.byteCount - offset - Self.byteCount)
        }
        let found = crc32c(bytes.extracting(offset + 4..<end))
        guard checksum == found else { throw .checksum(expected: checksum, found: found) }
    }

    init(reading bytes: RawSpan, at offset: Int) throws(FormatError) {
        var reader = ByteReader(at: offset)
        checksum = try reader.uint32(bytes)
        guard let encoding = PageEncoding(rawValue: try reader.uint8(bytes)) else { throw .invalid("page encoding") }
        self.encoding = encoding
        let flags = try reader.uint8(bytes)
        guard flags & ~Self.compressedFlag == 0 else { throw .invalid("page flags") }
        isCompressed = flags & Self.compressedFlag != 0
        column = try reader.uint16(bytes)
        rowGroup = try reader.uint32(bytes)
        firstRow = try reader.uint32(bytes)
        rowCount = try reader.uint16(bytes)
        guard Int(rowCount) <= SegmentLimits.pageRowCountMax else { throw .invalid("page row count") }
        guard try reader.uint16(bytes) == 0 else { throw .invalid("page reserved field") }
        encodedByteCount = try reader.uint32(bytes)
        storedByteCount = try reader.uint32(bytes)
        guard Int(encodedByteCount) <= SegmentLimits.pageByteCountMax,
            isCompressed ? storedByteCount < encodedByteCount : storedByteCount == encodedByteCount
        else { throw .invalid("page length") }
    }

    init(
        encoding: PageEncoding, isCompressed: Bool = false, column: UInt16, rowGroup: UInt32, firstRow: UInt32,
        rowCount: Int, encodedByteCount: Int, storedByteCount: Int
    ) {
        precondition(rowCount >= 0 && rowCount <= SegmentLimits.pageRowCountMax)
        precondition(encodedByteCount <= SegmentLimits.pageByteCountMax)
        self.encoding = encoding
        self.isCompressed = isCompressed
        self.column = column
        self.rowGroup = rowGroup
        self.firstRow = firstRow
        self.rowCount = UInt16(rowCount)
        self.encodedByteCount = UInt32(encodedByteCount)
        self.storedByteCount = UInt32(storedByteCount)
    }
}
