internal import DaybookFormat

/// The first bytes of a segment. Spec: docs/format/segment.md, "Header".
struct SegmentHeader: Equatable, Sendable {
    static let byteCount = 32
    static let magic: UInt32 = 0x5342_4444  // "DDBS" in the file
    static let version: UInt32 = 1

    var log: LogID
    var family: Family
    var schemaVersion: UInt8
    /// First sequence for which the file speaks.
    var firstSequence: UInt64

    func encoded() -> [UInt8] {
        var bytes: [UInt8] = []
        bytes.append(littleEndian: Self.magic)
        bytes.append(littleEndian: Self.version)
        bytes.append(littleEndian: log.rawValue)
        bytes.append(family.rawValue)
        bytes.append(schemaVersion)
        bytes.append(littleEndian: UInt16(0))
        bytes.append(littleEndian: firstSequence)
        bytes.append(littleEndian: crc32c(bytes))
        return bytes
    }

    init(log: LogID, family: Family, schemaVersion: UInt8, firstSequence: UInt64) {
        self.log = log
        self.family = family
        self.schemaVersion = schemaVersion
        self.firstSequence = firstSequence
    }

    init(reading bytes: RawSpan) throws(FormatError) {
        var reader = ByteReader()
        try reader.readMagic(Self.magic, version: Self.version, bytes)
        log = LogID(try reader.uint64(bytes))
        guard let family = Family(rawValue: try reader.uint8(bytes)), Family.ofOrganizations.contains(family) else {
            throw .invalid("segment family")
        }
        self.family = family
        schemaVersion = try reader.uint8(bytes)
        guard try reader.uint16(bytes) == 0 else { throw .invalid("segment header reserved field") }
        firstSequence = try reader.uint64(bytes)
        try reader.readChecksum(bytes)
    }
}

/// The last bytes of a segment: where the footer stands. Spec: docs/format/segment.md, "Trailer".
struct SegmentTrailer: Equatable, Sendable {
    static let byteCount = 24
    static let magic: UInt32 = 0x4542_4444  // "DDBE" in the file

    var footerOffset: UInt64
    /// With the page header.
    var footerByteCount: UInt32
    /// The checksum of the footer's page.
    var footerChecksum: UInt32

    func encoded() -> [UInt8] {
        var bytes: [UInt8] = []
        bytes.append(littleEndian: footerOffset)
        bytes.append(littleEndian: footerByteCount)
        bytes.append(littleEndian: footerChecksum)
        bytes.append(littleEndian: crc32c(bytes))
        bytes.append(littleEndian: Self.magic)
        return bytes
    }

    init(footerOffset: UInt64, footerByteCount: UInt32, footerChecksum: UInt32) {
        self.footerOffset = footerOffset
        self.footerByteCount = footerByteCount
        self.footerChecksum = footerChecksum
    }

    /// - Parameter fileByteCount: the footer ends exactly where the trailer begins.
    init(reading bytes: RawSpan, fileByteCount: UInt64) throws(FormatError) {
        var reader = ByteReader()
        footerOffset = try reader.uint64(bytes)
        footerByteCount = try reader.uint32(bytes)
        footerChecksum = try reader.uint32(bytes)
        let found = crc32c(bytes.extracting(0..<reader.offset))
        let expected = try reader.uint32(bytes)
        let magic = try reader.uint32(bytes)
        guard magic == Self.magic else { throw .badMagic(magic) }
        guard expected == found else { throw .checksum(expected: expected, found: found) }
        let (end, overflow) = footerOffset.addingReportingOverflow(UInt64(footerByteCount) + UInt64(Self.byteCount))
        guard !overflow, end == fileByteCount, footerOffset >= UInt64(SegmentHeader.byteCount),
            Int(footerByteCount) >= PageHeader.byteCount,
            Int(footerByteCount) <= PageHeader.byteCount + SegmentLimits.pageByteCountMax
        else { throw .invalid("footer offset") }
    }
}

/// A zone with the column that it is about.
struct NumberedZone: Equatable, Sendable {
    var number: UInt16
    var shape: UInt8
    var zone: ColumnZone
}

/// What the footer says of one row group.
struct RowGroupEntry: Equatable, Sendable {
    /// Of the directory's page.
    var directoryOffset: UInt64
    /// With the page header.
    var directoryByteCount: Int
    var directoryChecksum: UInt32
    var rowCount: Int
    var zones: [NumberedZone]
}

/// What a segment says of itself. Spec: docs/format/segment.md, "Footer".
struct SegmentFooter: Equatable, Sendable {
    static let rootByteCount = 32

    var log: LogID
    var family: Family
    var schemaVersion: UInt8
    var firstSequence: UInt64
    var lastSequence: UInt64
    var rowCount: Int
    /// Over the checksums of all pages before the footer.
    var root: [UInt8]
    var zones: [NumberedZone]
    var rowGroups: [RowGroupEntry]
    /// In the order of their column numbers, from 256.
    var attributes: [SegmentAttribute]

    func zone(_ column: ColumnNumber) -> ColumnZone? {
        zones.first { $0.number == column.rawValue }?.zone
    }

    func zone(_ column: ColumnNumber, rowGroup: Int) -> ColumnZone? {
        rowGroups[rowGroup].zones.first { $0.number == column.rawValue }?.zone
    }
}
