@testable import DaybookEvent
import DaybookFormat

/// One stored event, as the tests look at it.
struct StoredEvent: Equatable {
    var family: Family
    var encoding: [UInt8]

    func fields() throws -> EventFields {
        try encoding.withRawSpan { (bytes) throws(FormatError) in
            try EventFields(family: family, schemaVersion: 1, reading: bytes)
        }
    }

    func text(_ string: EventString) throws -> String? {
        guard let range = try fields().range(of: string) else { return nil }
        return String(decoding: encoding[range], as: UTF8.self)
    }

    /// As replay prints it.
    func printed(sequence: UInt64 = 7) throws -> [UInt8] {
        var bytes: [UInt8] = []
        try encoding.withRawSpan { (span) throws(FormatError) in
            try EventPrinter.append(
                family: family, schemaVersion: 1, encoding: span, sequence: sequence, arrival: Parsing.arrival,
                organization: Parsing.organization, to: &bytes)
        }
        return bytes
    }
}

/// A parse with everything that a server would bring along.
enum Parsing {
    /// 2026-06-01T00:00:00Z.
    static let arrival = Timestamp(microseconds: 1_780_272_000_000_000)
    static let organization = OrganizationID("acme")!

    static func context(mayNameAnyUser: Bool = true) -> EventParser.Context {
        EventParser.Context(
            arrival: arrival, organization: organization, defaultUser: Array("owner".utf8),
            mayNameAnyUser: mayNameAnyUser, randomness: { (0x1234, 0x5678 << 2) })
    }

    static func parse(
        _ body: [UInt8], _ kind: EventParser.Kind, _ context: EventParser.Context = context()
    ) throws -> (result: EventParser.Result, events: [StoredEvent]) {
        var group = GroupBuilder(log: LogID(3), arrival: arrival)
        let result = body.withRawSpan { EventParser.parse($0, kind: kind, context: context, into: &group) }
        guard case .accepted = result else { return (result, []) }
        group.seal(firstSequence: 1, durableThrough: 0)
        return (result, try events(of: group.bytes))
    }

    private static func events(of record: [UInt8]) throws -> [StoredEvent] {
        try record.withRawSpan { (bytes) throws(FormatError) in
            let header = try GroupHeader(verifying: bytes)
            var entries = GroupEntries(of: header)
            var events: [StoredEvent] = []
            while let entry = try entries.next(bytes) {
                events.append(StoredEvent(family: entry.family, encoding: bytes.toArray(entry.encoding)))
            }
            return events
        }
    }

    /// The events of a body that must be accepted.
    static func accepted(_ body: String, _ kind: EventParser.Kind) throws -> [StoredEvent] {
        let (result, events) = try parse(Array(body.utf8), kind)
        guard case .accepted = result else { throw Refused(result: result) }
        return events
    }

    static func summary(_ body: String, _ kind: EventParser.Kind) throws -> EventParser.Summary {
        let (result, _) = try parse(Array(body.utf8), kind)
        guard case .accepted(let summary) = result else { throw Refused(result: result) }
        return summary
    }

    struct Refused: Error, CustomStringConvertible {
        var result: EventParser.Result
        var description: String { "\(result)" }
    }
}
