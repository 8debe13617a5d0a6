internal import DaybookFormat

/// Why events are not there any more. The raw value is on disk: never renumber.
package enum AbsenceReason: UInt8, Sendable, CaseIterable {
    /// Bytes of the log were damaged and set aside.
    case logDamaged = 1
    /// Sequences were known to be durable, and no log held them.
    case logMissing = 2
    /// The manifest was rebuilt, and no segment held them.
    case segmentMissing = 3
    /// A segment, or pages of it, were damaged beyond reading.
    case segmentDamaged = 4
    /// The events outlived the retention of their family.
    case expired = 5
    /// The events of a user who is to be forgotten.
    case erased = 6

    /// Nobody wanted the events gone.
    package var isLoss: Bool { self != .expired && self != .erased }
}

/// Events of a range that are gone for ever: all of them where the range has no segments, else `eventCount` of them.
package struct Absence: Sendable, Equatable {
    package var range: ClosedRange<UInt64>
    package var eventCount: UInt64
    package var reason: AbsenceReason

    package init(range: ClosedRange<UInt64>, eventCount: UInt64, reason: AbsenceReason) {
        self.range = range
        self.eventCount = eventCount
        self.reason = reason
    }
}

extension Absence {
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
        guard let reason = AbsenceReason(rawValue: try reader.uint8(bytes)) else { throw .invalid("absence reason") }
        self.init(range: range, eventCount: eventCount, reason: reason)
    }

    /// Order of absences in a manifest: by sequence, the reasons of a range in order of their numbers.
    static func precedes(_ left: Absence, _ right: Absence) -> Bool {
        (left.range.lowerBound, left.range.upperBound, left.reason.rawValue)
            < (right.range.lowerBound, right.range.upperBound, right.reason.rawValue)
    }
}

extension Sequence<Absence> {
    /// Events by reason; a sum beyond any count saturates.
    func eventCounts() -> [AbsenceReason: UInt64] {
        reduce(into: [:]) { counts, absence in
            let (sum, overflow) = counts[absence.reason, default: 0].addingReportingOverflow(absence.eventCount)
            counts[absence.reason] = overflow ? .max : sum
        }
    }
}

extension ClosedRange<UInt64> {
    /// Number of sequences in a range that starts at 1 or later.
    var sequenceCount: UInt64 { upperBound - lowerBound + 1 }

    init(sequences reader: inout ByteReader, _ bytes: RawSpan) throws(FormatError) {
        let first = try reader.uint64(bytes)
        let last = try reader.uint64(bytes)
        guard first >= 1, first <= last, last < .max else { throw .invalid("range of sequences") }
        self = first...last
    }
}
