internal import DaybookFormat

/// Why sequences are gone for ever. The raw value is on disk: never renumber.
package enum LossReason: UInt8, Sendable, CaseIterable {
    /// Bytes of the log were damaged and set aside.
    case logDamaged = 1
    /// Sequences were known to be durable, and no log held them.
    case logMissing = 2
    /// The manifest was rebuilt, and no segment held them.
    case segmentMissing = 3
    /// A segment was damaged beyond reading.
    case segmentDamaged = 4
}

/// Sequences of which events are lost: all of them where the range has no segments, else `eventCount` of them.
package struct LostRange: Sendable, Equatable {
    package var range: ClosedRange<UInt64>
    package var eventCount: UInt64
    package var reason: LossReason

    package init(range: ClosedRange<UInt64>, eventCount: UInt64, reason: LossReason) {
        self.range = range
        self.eventCount = eventCount
        self.reason = reason
    }
}

extension LostRange {
    static let byteCount = 25

    func append(to bytes: inout [UInt8]) {
        bytes.append(littleEndian: range.lowerBound)
        bytes.append(littleEndian: range.upperBound)
        bytes.append(littleEndian: eventCount)
        bytes.append(reason.rawValue)
    }

    init(_ reader: inout ByteReader, _ bytes: RawSpan) throws(FormatError) {
        let range = try ClosedRange(sequences: &reader, bytes)
        let eventCount = try reader.uint64(bytes)
        guard let reason = LossReason(rawValue: try reader.uint8(bytes)) else { throw .invalid("loss reason") }
        self.init(range: range, eventCount: eventCount, reason: reason)
    }
}

extension ClosedRange<UInt64> {
    /// Number of sequences in a range that starts at 1 or later.
    var sequenceCount: UInt64 { upperBound - lowerBound + 1 }

    init(sequences reader: inout ByteReader, _ bytes: RawSpan) throws(FormatError) {
        let first = try reader.uint64(bytes)
        let last = try reader.uint64(bytes)
        guard first >= 1, first <= last else { throw .invalid("range of sequences") }
        self = first...last
    }
}
