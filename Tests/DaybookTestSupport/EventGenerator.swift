import DaybookFormat

/// One event as the log holds it.
package struct GeneratedEvent: Sendable, Equatable {
    package var family: Family
    package var sequence: UInt64
    package var arrival: Timestamp
    package var encoding: [UInt8]
}

/// Random canonical encodings of schema version 1, written byte by byte as docs/format/event.md says and not by the code
/// under test. The same seed gives the same events.
package struct EventGenerator: Sendable {
    package enum Style: Sendable {
        /// What developers' tools send: few names, sessions, similar objects.
        case realistic
        /// Whatever the format allows: extremes, empty strings, every combination of optional fields.
        case wild
    }

    package static let schemaVersion: UInt8 = 1

    var random: SeededRandom
    private let style: Style
    private var nextSequence: UInt64
    /// Microseconds since 1970.
    private(set) var now: Int64 = 1_780_000_000_000_000
    var sessions: [String] = []

    package init(seed: UInt64, style: Style = .wild, firstSequence: UInt64 = 1) {
        random = SeededRandom(seed: seed)
        self.style = style
        nextSequence = firstSequence
    }

    /// The next event, of a random family.
    package mutating func next() -> GeneratedEvent {
        next(Family.ofOrganizations[random.below(Family.ofOrganizations.count)])
    }

    /// The next event, of this family. Events of one batch share their arrival.
    package mutating func next(_ family: Family) -> GeneratedEvent {
        if random.oneIn(style == .wild ? 10 : 50) { now += Int64(random.below(400_000)) }
        let encoding = style == .wild ? wildEncoding(family) : realisticEncoding(family)
        defer { nextSequence += 1 }
        return GeneratedEvent(
            family: family, sequence: nextSequence, arrival: Timestamp(microseconds: now), encoding: encoding)
    }

    /// Later events happen from this moment on.
    package mutating func setTime(_ time: Timestamp) { now = time.microseconds }

    /// Leaves out sequences, as events of other families do.
    package mutating func skip(_ count: Int) { nextSequence += UInt64(count) }

    /// The 36 bytes that every encoding begins with.
    static func head(
        flags: UInt16, status: UInt8, id: (UInt64, UInt64), time: Int64, duration: UInt64
    ) -> [UInt8] {
        var bytes: [UInt8] = []
        bytes.append(littleEndian: flags)
        bytes.append(status)
        bytes.append(0)
        bytes.append(littleEndian: id.0.byteSwapped)
        bytes.append(littleEndian: id.1.byteSwapped)
        bytes.append(littleEndian: time)
        bytes.append(littleEndian: duration)
        return bytes
    }
}
