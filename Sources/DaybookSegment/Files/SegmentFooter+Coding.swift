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
        if !attributes.isEmpty { Self.append(attributes, to: &bytes) }
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
        // Without attributes the footer ends here.
        attributes = reader.isAtEnd(bytes) ? [] : try Self.attributes(&reader, bytes, of: family)
        // What a later minor version adds to the footer stands behind this and is skipped.
    }

    private static func append(_ attributes: [SegmentAttribute], to bytes: inout [UInt8]) {
        bytes.append(varint: UInt64(attributes.count))
        for attribute in attributes {
            bytes.append(attribute.name.root.rawValue)
            bytes.append(attribute.kind.rawValue)
            bytes.append(varint: UInt64(attribute.name.keys.count))
            for key in attribute.name.keys {
                bytes.append(varint: UInt64(key.count))
                bytes.append(contentsOf: key)
            }
        }
    }

    private static func attributes(
        _ reader: inout ByteReader, _ bytes: RawSpan, of family: Family
    ) throws(FormatError) -> [SegmentAttribute] {
        let count = try reader.count(bytes, max: SegmentLimits.attributeCountMax)
        var attributes: [SegmentAttribute] = []
        for _ in 0..<count {
            guard let root = AttributeName.Root(rawValue: try reader.uint8(bytes)),
                root == .object || family == .commandExecution
            else { throw .invalid("attribute object") }
            guard let kind = AttributeKind(rawValue: try reader.uint8(bytes)) else { throw .invalid("attribute kind") }
            let keyCount = try reader.count(bytes, max: SegmentLimits.attributeDepthMax)
            var keys: [[UInt8]] = []
            var byteCount = 0
            for _ in 0..<keyCount {
                let key = try reader.lengthPrefixedRange(bytes)
                byteCount += key.count
                guard byteCount <= SegmentLimits.attributePathByteCountMax else { throw .invalid("attribute path") }
                keys.append(bytes.toArray(key))
            }
            guard !keys.isEmpty else { throw .invalid("attribute path") }
            attributes.append(SegmentAttribute(name: AttributeName(root: root, keys: keys), kind: kind))
        }
        return attributes
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
