package import DaybookFormat

/// One sealed segment as the manifest names it: the rows of one family in one range of sequences.
package struct SegmentReference: Sendable, Equatable {
    package var family: Family
    package var firstSequence: UInt64
    package var lastSequence: UInt64
    /// Rows of this family; other families hold the rest of the range.
    package var rowCount: Int
    package var timestampMin: Timestamp
    package var timestampMax: Timestamp
    /// When the newest of the rows arrived; `.max` when nobody knows.
    package var arrivalMax: Timestamp
    /// Name inside the organization's folder.
    package var path: String
    /// Length of the file.
    package var byteCount: UInt64
    /// The CRC-32C in the segment's footer: tells this file from another of the same name.
    package var footerChecksum: UInt32
    /// Length of the rollup file beside the segment; 0 when none is stored.
    package var rollupByteCount: UInt64
    /// The CRC-32C in the rollup file; 0 when none is stored.
    package var rollupChecksum: UInt32

    package init(
        family: Family, firstSequence: UInt64, lastSequence: UInt64, rowCount: Int, timestampMin: Timestamp,
        timestampMax: Timestamp, path: String, byteCount: UInt64, footerChecksum: UInt32,
        arrivalMax: Timestamp = Timestamp(microseconds: .max), rollupByteCount: UInt64 = 0, rollupChecksum: UInt32 = 0
    ) {
        self.family = family
        self.firstSequence = firstSequence
        self.lastSequence = lastSequence
        self.rowCount = rowCount
        self.timestampMin = timestampMin
        self.timestampMax = timestampMax
        self.path = path
        self.byteCount = byteCount
        self.footerChecksum = footerChecksum
        self.arrivalMax = arrivalMax
        self.rollupByteCount = rollupByteCount
        self.rollupChecksum = rollupChecksum
    }
}

extension SegmentReference {
    /// Bytes of an encoded reference without its name.
    static let fixedByteCount = 73

    func append(to bytes: inout [UInt8]) {
        bytes.append(family.rawValue)
        bytes.append(littleEndian: firstSequence)
        bytes.append(littleEndian: lastSequence)
        bytes.append(littleEndian: UInt64(rowCount))
        bytes.append(littleEndian: timestampMin.microseconds)
        bytes.append(littleEndian: timestampMax.microseconds)
        bytes.append(littleEndian: arrivalMax.microseconds)
        bytes.append(littleEndian: byteCount)
        bytes.append(littleEndian: footerChecksum)
        bytes.append(littleEndian: rollupByteCount)
        bytes.append(littleEndian: rollupChecksum)
        bytes.append(lengthPrefixed: path)
    }

    /// Reads the fields; whether they make sense together is for the manifest's invariants to say.
    init(_ reader: inout ByteReader, _ bytes: RawSpan) throws(FormatError) {
        guard let family = Family(rawValue: try reader.uint8(bytes)) else { throw .invalid("segment family") }
        let firstSequence = try reader.uint64(bytes)
        let lastSequence = try reader.uint64(bytes)
        guard let rowCount = Int(exactly: try reader.uint64(bytes)) else { throw .invalid("segment row count") }
        let timestampMin = Timestamp(microseconds: try reader.int64(bytes))
        let timestampMax = Timestamp(microseconds: try reader.int64(bytes))
        let arrivalMax = Timestamp(microseconds: try reader.int64(bytes))
        self.init(
            family: family, firstSequence: firstSequence, lastSequence: lastSequence, rowCount: rowCount,
            timestampMin: timestampMin, timestampMax: timestampMax, path: "", byteCount: try reader.uint64(bytes),
            footerChecksum: try reader.uint32(bytes), arrivalMax: arrivalMax,
            rollupByteCount: try reader.uint64(bytes), rollupChecksum: try reader.uint32(bytes))
        path = bytes.text(try reader.lengthPrefixedRange(bytes))
    }

    /// Order of segments in a manifest: by sequence, the families of a range in order of their numbers.
    static func precedes(_ left: SegmentReference, _ right: SegmentReference) -> Bool {
        (left.firstSequence, left.lastSequence, left.family.rawValue)
            < (right.firstSequence, right.lastSequence, right.family.rawValue)
    }
}
