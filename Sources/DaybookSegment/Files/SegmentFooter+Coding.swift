internal import DaybookFormat

extension SegmentFooter {
    func encoded() -> [UInt8] {
        precondition(root.count == Self.rootByteCount)
        var bytes: [UInt8] = []
        bytes.append(littleEndian: log.rawValue)
        bytes.append(family.rawValue)
        bytes.append(schemaVersion)
        bytes.append(littleEndian: UInt16(0))
        bytes.append(littleEndian: firstSequence)
        bytes.append(littleEndian: lastSequence)
        bytes.append(contentsOf: root)
        bytes.append(varint: UInt64(rowCount))
        Self.append(zones, to: &bytes)
        bytes.append(varint: UInt64(rowGroups.count))
        for group in rowGroups {
            bytes.append(varint: group.directoryOffset)
            bytes.append(varint: UInt64(group.directoryByteCount))
            bytes.append(littleEndian: group.directoryChecksum)
            bytes.append(varint: UInt64(group.rowCount))
            Self.append(group.zones, to: &bytes)
        }
        return bytes
    }

    /// - Parameter end: where the footer's page begins; all row groups lie before it.
    init(reading bytes: RawSpan, end: UInt64) throws(FormatError) {
        var reader = ByteReader()
        log = LogID(try reader.uint64(bytes))
        guard let family = Family(rawValue: try reader.uint8(bytes)), Family.ofOrganizations.contains(family) else {
            throw .invalid("segment family")
        }
        self.family = family
        schemaVersion = try reader.uint8(bytes)
        guard try reader.uint16(bytes) == 0 else { throw .invalid("segment footer reserved field") }
        firstSequence = try reader.uint64(bytes)
        lastSequence = try reader.uint64(bytes)
        guard firstSequence <= lastSequence else { throw .invalid("segment sequences") }
        root = bytes.toArray(try reader.range(Self.rootByteCount, bytes))
        rowCount = try reader.count(bytes, max: SegmentLimits.rowGroupCountMax * SegmentLimits.rowGroupRowCountMax)
        zones = try Self.zones(&reader, bytes)
        let groupCount = try reader.count(bytes, max: SegmentLimits.rowGroupCountMax)
        rowGroups = []
        var start = UInt64(SegmentHeader.byteCount)
        var rows = 0
        for _ in 0..<groupCount {
            let group = try RowGroupEntry(
                directoryOffset: try reader.varint(bytes),
                directoryByteCount: try reader.count(
                    bytes, max: PageHeader.byteCount + SegmentLimits.pageByteCountMax),
                directoryChecksum: try reader.uint32(bytes),
                rowCount: try reader.count(bytes, max: SegmentLimits.rowGroupRowCountMax),
                zones: Self.zones(&reader, bytes))
            let (groupEnd, overflow) = group.directoryOffset.addingReportingOverflow(UInt64(group.directoryByteCount))
            guard !overflow, group.directoryOffset >= start, groupEnd <= end, group.rowCount >= 1,
                group.directoryByteCount >= PageHeader.byteCount
            else { throw .invalid("row group offset") }
            start = groupEnd
            rows += group.rowCount
            rowGroups.append(group)
        }
        guard rows == rowCount else { throw .invalid("segment row count") }
        // What a later minor version adds to the footer stands behind this and is skipped.
    }

    private static func append(_ zones: [NumberedZone], to bytes: inout [UInt8]) {
        bytes.append(varint: UInt64(zones.count))
        for entry in zones {
            bytes.append(varint: UInt64(entry.number))
            bytes.append(entry.shape)
            entry.zone.append(to: &bytes)
        }
    }

    private static func zones(_ reader: inout ByteReader, _ bytes: RawSpan) throws(FormatError) -> [NumberedZone] {
        let count = try reader.count(bytes, max: 1 << 15)
        var zones: [NumberedZone] = []
        for _ in 0..<count {
            let number = UInt16(try reader.count(bytes, max: Int(PageHeader.dictionaryBit) - 1))
            let shape = try reader.uint8(bytes)
            zones.append(NumberedZone(number: number, shape: shape, zone: try ColumnZone(&reader, bytes)))
        }
        return zones
    }
}
