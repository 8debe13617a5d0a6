import DaybookEvent
import DaybookFormat
import DaybookQuery
import DaybookSegment
import DaybookStore
import Testing

@testable import DaybookExport

/// An organization that has sealed nothing yet.
private struct TailSource: EventSource {
    var groups: [(header: GroupHeader, record: [UInt8])] = []
    var lastSequence: UInt64 { groups.last?.header.lastSequence ?? 0 }
    var segments: [SegmentReference] { [] }

    /// Appends one group with one event for each body line.
    init(_ lines: [String], arrival: Timestamp) {
        let context = EventParser.Context(
            arrival: arrival, organization: OrganizationID("acme")!, defaultUser: Array("owner".utf8),
            mayNameAnyUser: true,
            randomness: { (1, 2) })
        for line in lines {
            var group = GroupBuilder(log: LogID(16), arrival: arrival)
            _ = Array(line.utf8).withRawSpan {
                EventParser.parse($0, kind: .importLine, context: context, into: &group)
            }
            group.seal(firstSequence: lastSequence + 1, durableThrough: lastSequence)
            groups.append((group.header, group.bytes))
        }
    }

    func open(_ segment: SegmentReference) throws -> SegmentReader { preconditionFailure("there are no segments") }

    func forEachTailGroup(from first: UInt64, _ body: (GroupHeader, RawSpan) throws -> Bool) throws {
        for group in groups where group.header.lastSequence >= first {
            guard try group.record.withRawSpan({ (record: RawSpan) throws in try body(group.header, record) }) else {
                return
            }
        }
    }
}

struct EventExportTests {
    private static let command =
        #"{"type":"command_execution","id":"00000000-0000-7000-8000-000000000001","user_id":"mira","command_name":"run_tests","#
        + #""execution_time_ms":12.5,"status":"success","timestamp":"2026-06-15T09:00:00Z"}"#
    private static let agent =
        #"{"type":"agent_interaction","id":"00000000-0000-7000-8000-000000000002","user_id":"mira","agent_name":"debugger","#
        + #""interaction_type":"response","processing_time_ms":3,"success":true,"timestamp":"2026-06-15T10:00:00Z"}"#
    private static let session =
        #"{"type":"session_change","change":"started","id":"00000000-0000-7000-8000-000000000003","user_id":"mira","#
        + #""session_id":"s-1","timestamp":"2026-06-15T11:00:00Z"}"#

    private let source = TailSource(
        [command, agent, session], arrival: Timestamp(microseconds: 1_781_600_000_000_000))

    private func lines(_ format: EventExport.Format = .ndjson, _ change: (inout EventSelection) -> Void = { _ in })
        throws
        -> [String]
    {
        var selection = EventSelection()
        change(&selection)
        var bytes: [UInt8] = []
        let count = try EventExport(format, organization: OrganizationID("acme")!, selection: selection).run(source) {
            piece, _ in bytes.append(contentsOf: piece)
        }
        let lines = String(decoding: bytes, as: UTF8.self).split(whereSeparator: \.isNewline).map(String.init)
        #expect(lines.count == Int(count) + (format == .csv ? 1 : 0))
        return lines
    }

    @Test func everyEventIsALineInSequenceOrder() throws {
        let all = try lines()
        #expect(all.count == 3)
        for (line, sequence) in zip(all, 1...) { #expect(line.contains("\"sequence\":\(sequence),")) }
        #expect(
            all[0].hasPrefix(#"{"type":"command_execution","sequence":1,"id":"00000000-0000-7000-8000-000000000001""#))
    }

    @Test func sequencesAreInclusive() throws {
        let some = try lines {
            $0.from = .sequence(2)
            $0.to = .sequence(2)
        }
        #expect(some.count == 1)
        #expect(some.first?.contains("\"agent_name\":\"debugger\"") == true)
    }

    @Test func timesAreHalfOpen() throws {
        let some = try lines {
            $0.from = LogPosition("2026-06-15T09:00:00Z")
            $0.to = LogPosition("2026-06-15T11:00:00Z")
        }
        #expect(some.count == 2)
    }

    @Test func familiesAndNamesSelect() throws {
        #expect(try lines { $0.families = [.sessionChange] }.count == 1)
        #expect(try lines { $0.name = "s-1" }.count == 1)
        #expect(try lines { $0.name = "run_tests" }.count == 1)
        #expect(try lines { $0.name = "nobody" }.isEmpty)
    }

    @Test func csvHasAHeaderAndTheRowsOfItsFamily() throws {
        let rows = try lines(.csv) { $0.families = [.commandExecution] }
        #expect(rows.count == 2)
        #expect(rows[0].hasPrefix("sequence,id,organization_id,user_id,"))
        #expect(rows[1].hasPrefix("1,00000000-0000-7000-8000-000000000001,acme,mira,"))
    }
}
