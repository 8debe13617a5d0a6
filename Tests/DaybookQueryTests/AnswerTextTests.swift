import DaybookEvent
import DaybookFormat
import DaybookTestSupport
import Testing

@testable import DaybookQuery

@Suite struct AnswerTextTests {
    private let time = Timestamp(microseconds: 1_780_000_000_000_000)

    private func command(_ name: String, milliseconds: UInt64, status: EventStatus, at time: Timestamp) -> [UInt8] {
        var encoder = EventEncoder(family: .commandExecution)
        encoder.timestamp = time
        encoder.durationNanoseconds = milliseconds * 1_000_000
        encoder.status = status.rawValue
        var bytes: [UInt8] = []
        encoder.appendFixedPart(to: &bytes)
        bytes.append(lengthPrefixed: "ann")
        bytes.append(lengthPrefixed: name)
        return bytes
    }

    private func source(_ encodings: [(Family, [UInt8])]) throws -> SplitSource {
        var model = ModelStore()
        for (family, encoding) in encodings {
            try model.append(family, sequence: model.lastSequence + 1, arrival: time, encoding: encoding)
        }
        var random = SeededRandom(seed: 1)
        return try SplitSource(model.events, sealedThrough: 0, &random)
    }

    private func text(_ append: (inout JSONWriter) throws -> Void) rethrows -> String {
        var writer = JSONWriter()
        try append(&writer)
        return String(decoding: writer.toArray(), as: UTF8.self)
    }

    @Test func anAggregateItemHasEveryFieldOfTheContract() throws {
        let source = try source([
            (.commandExecution, command("build", milliseconds: 10, status: .success, at: time)),
            (.commandExecution, command("build", milliseconds: 20, status: .success, at: time)),
            (.commandExecution, command("build", milliseconds: 25, status: .error, at: time)),
        ])
        let start = time.adding(microseconds: -60_000_000)
        var query = AggregateQuery(
            family: .commandExecution, range: TimeRange(start: start, end: time.adding(microseconds: 1)))
        query.groupBy = [.init("command_name", .name), .init("team_id", .team)]
        query.percentiles = [.init(wholePercent: 100)]
        let answer = try query.answer(from: source, now: time)
        #expect(
            text { answer.appendItems(to: &$0) } == """
                [{"bucket_start":"2026-05-28T20:25:40.000000Z","bucket_end":"2026-05-28T20:26:40.000001Z","partial":true,\
                "group":{"command_name":"build","team_id":null},"count":3,"success_count":2,"error_count":1,\
                "timeout_count":0,"cancelled_count":0,"success_rate":0.666666667,\
                "execution_time_ms":{"sum":55,"avg":18.333333333,"min":10,"max":25,"p100":25},\
                "input_tokens":0,"output_tokens":0}]
                """)
        #expect(text { answer.appendPagination(to: &$0) } == #"{"next_cursor":null,"has_more":false}"#)
    }

    @Test func aSessionIsPrintedInItsPresentState() throws {
        let source = try source([
            (.sessionChange, TestEvents.sessionChange(.started, "s-1", number: 1, at: time)),
            (.sessionChange, TestEvents.sessionChange(.ended, "s-1", number: 2, at: time.adding(microseconds: 1_500))),
        ])
        let answer = try ListQuery(family: .sessionChange, range: .all).answer(from: source, now: time)
        let organization = try #require(OrganizationID("acme"))
        let printed = try text { try answer.appendItems(organization: organization, to: &$0) }
        #expect(
            printed == """
                [{"id":"s-1","organization_id":"acme","user_id":"owner","session_start":"2026-05-28T20:26:40.000000Z",\
                "session_end":"2026-05-28T20:26:40.001500Z","total_duration_ms":1.5,"commands_executed":0,\
                "agents_used":[],"productivity_score":null,"context":{},"status":"completed",\
                "created_at":"2026-05-28T20:26:40.000000Z","updated_at":"2026-05-28T20:26:40.000000Z"}]
                """)
    }

    @Test func everyAnswerIsJSON() throws {
        var scenario = Scenario(seed: 71)
        try scenario.append(300)
        scenario.seal()
        let source = try scenario.source()
        let organization = try #require(OrganizationID("acme"))
        for family in Family.ofOrganizations {
            var query = AggregateQuery(family: family, range: .all)
            query.groupBy = [.init("weird \"name\"", scenario.events.random.dimension(of: family))]
            let aggregate = try query.answer(from: source, now: scenario.now)
            let items = try ParsedJSON(parsing: Array(text { aggregate.appendItems(to: &$0) }.utf8))
            #expect(items.elements?.count == aggregate.items.count)
            let list = try ListQuery(family: family, range: .all).answer(from: source, now: scenario.now)
            let events = try ParsedJSON(
                parsing: Array(try text { try list.appendItems(organization: organization, to: &$0) }.utf8))
            #expect(events.elements?.count == list.items.count)
        }
    }
}
