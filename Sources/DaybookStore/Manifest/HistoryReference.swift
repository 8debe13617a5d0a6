package import DaybookFormat
internal import DaybookRollup

/// A history file as the manifest names it: rollups of hours and days of events that have expired. It speaks for some of
/// the events of one family in a range of sequences; no two files speak for the same event.
package struct HistoryReference: Sendable, Equatable {
    package var family: Family
    package var firstSequence: UInt64
    package var lastSequence: UInt64
    /// Events that it counts.
    package var eventCount: UInt64
    package var timestampMin: Timestamp
    package var timestampMax: Timestamp
    /// Length of the file.
    package var byteCount: UInt64
    /// The CRC-32C of the whole file.
    package var checksum: UInt32
    /// Name inside the organization's folder.
    package var path: String

    package init(
        family: Family, firstSequence: UInt64, lastSequence: UInt64, eventCount: UInt64, timestampMin: Timestamp,
        timestampMax: Timestamp, byteCount: UInt64, checksum: UInt32, path: String
    ) {
        self.family = family
        self.firstSequence = firstSequence
        self.lastSequence = lastSequence
        self.eventCount = eventCount
        self.timestampMin = timestampMin
        self.timestampMax = timestampMax
        self.byteCount = byteCount
        self.checksum = checksum
        self.path = path
    }
}

extension HistoryReference {
    /// Bytes of an encoded reference without its name.
    static let fixedByteCount = 53

    func append(to bytes: inout [UInt8]) {
        bytes.append(family.rawValue)
        bytes.append(littleEndian: firstSequence)
        bytes.append(littleEndian: lastSequence)
        bytes.append(littleEndian: eventCount)
        bytes.append(littleEndian: timestampMin.microseconds)
        bytes.append(littleEndian: timestampMax.microseconds)
        bytes.append(littleEndian: byteCount)
        bytes.append(littleEndian: checksum)
        bytes.append(lengthPrefixed: path)
    }

    /// Reads the fields; whether they make sense together is for the manifest's invariants to say.
    init(_ reader: inout ByteReader, _ bytes: RawSpan) throws(FormatError) {
        guard let family = Family(rawValue: try reader.uint8(bytes)) else { throw .invalid("history family") }
        self.init(
            family: family, firstSequence: try reader.uint64(bytes), lastSequence: try reader.uint64(bytes),
            eventCount: try reader.uint64(bytes), timestampMin: Timestamp(microseconds: try reader.int64(bytes)),
            timestampMax: Timestamp(microseconds: try reader.int64(bytes)), byteCount: try reader.uint64(bytes),
            checksum: try reader.uint32(bytes), path: "")
        path = bytes.text(try reader.lengthPrefixedRange(bytes))
    }

    /// Order of history files in a manifest. Those of one range and family differ in their revision.
    static func precedes(_ left: HistoryReference, _ right: HistoryReference) -> Bool {
        (left.firstSequence, left.lastSequence, left.family.rawValue, left.revision)
            < (right.firstSequence, right.lastSequence, right.family.rawValue, right.revision)
    }

    var revision: UInt16 {
        guard case .history(_, _, _, let revision)? = FileKind(name: path) else { return 0 }
        return revision
    }

    /// Whether each field is possible, and the name states range and family.
    var isPossible: Bool {
        guard case .history(firstSequence, lastSequence, family, _)? = FileKind(name: path) else { return false }
        return RollupPolicy.covers(family) && firstSequence >= 1 && firstSequence <= lastSequence
            && lastSequence < .max && eventCount >= 1 && eventCount <= lastSequence - firstSequence + 1
            && timestampMin <= timestampMax && (1...SegmentReference.byteCountMax).contains(byteCount)
    }
}
