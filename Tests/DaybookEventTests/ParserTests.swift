@testable import DaybookEvent
import DaybookFormat
import Testing

/// What bodies become.
struct ParserTests {
    @Test func theExamplesOfTheRequestDocumentsAreAccepted() throws {
        let bodies: [(EventParser.Kind, String)] = [
            (
                .commandExecution,
                #"{"command_name":"claude_code_generate","command_args":{"language":"typescript","framework":"express"},"execution_time_ms":1250,"status":"success","context":{"project_type":"web_service","complexity":"medium"}}"#
            ),
            (
                .commandExecution,
                #"{"user_id":"uuid","command_name":"plan-product","execution_time_ms":1500,"status":"success","context":{"session_id":"session-123"}}"#
            ),
            (
                .agentInteraction,
                #"{"agent_name":"frontend-developer","interaction_type":"tool_call","input_tokens":450,"output_tokens":1200,"processing_time_ms":3400,"success":true,"metadata":{"task":"component_generation","complexity_score":7.5}}"#
            ),
            (
                .agentInteraction,
                #"{"user_id":"uuid","agent_name":"frontend-developer","interaction_type":"code_generation","execution_time_ms":3000,"status":"success","input_tokens":500,"output_tokens":1200}"#
            ),
            (.sessionStart, #"{"context":{}}"#),
            (
                .sessionUpdate(sessionID: Array("s".utf8)),
                #"{"commands_executed":3,"agents_used":["agent1","agent2"],"context":{}}"#
            ),
            (
                .productivityMetric,
                #"{"metric_type":"completion_rate","value":8.5,"unit":"string","period_start":"2025-09-08T00:00:00Z","period_end":"2025-09-08T23:59:59Z","dimensions":{}}"#
            ),
        ]
        for (kind, body) in bodies { #expect(try Parsing.accepted(body, kind).count == 1) }
    }

    @Test(
        arguments: [
            ("0", 0), ("-0", 0), ("-0.0e5", 0), ("1250", 1_250_000_000), ("0.5", 500_000), ("12.000001", 12_000_001),
            ("0.0000005", 0), ("0.0000015", 2), ("0.0000025", 2), ("0.00000250000000000000000000000001", 3),
            ("0.0000005000000000000000000000000001", 1), ("0.0000004999999999999999999999999", 0), ("1e-6", 1),
            ("1e-7", 0),
            ("1e-999999999999", 0), ("3600000", 3_600_000_000_000), ("3.6e6", 3_600_000_000_000),
            ("36000000000e-4", 3_600_000_000_000),
            ("3599999.9999999", 3_600_000_000_000), ("1234567.891011", 1_234_567_891_011),
        ] as [(String, UInt64)])
    func millisecondsBecomeNanosecondsRoundedHalfToEven(text: String, nanoseconds: UInt64) throws {
        let body = "{\"command_name\":\"a\",\"status\":\"success\",\"execution_time_ms\":\(text)}"
        let event = try #require(try Parsing.accepted(body, .commandExecution).first)
        #expect(try event.fields().durationNanoseconds == nanoseconds)
    }

    @Test(
        arguments: [
            ("0", 0), ("1757327415234", 1_757_327_415_234_000), ("1757327415234.5678", 1_757_327_415_234_567),
            ("-0.0001", -1), ("-1", -1_000), ("-1.5", -1_500), ("1.7e12", 1_700_000_000_000_000),
            ("\"1970-01-01T01:00:00+01:00\"", 0), ("\"\\u0031970-01-01T00:00:00.000001Z\"", 1),
            ("-62135596800000", -62_135_596_800_000_000), ("1e-30", 0), ("-1e-30", -1),
        ] as [(String, Int64)])
    func timesComeAsTextOrEpochMilliseconds(text: String, microseconds: Int64) throws {
        let body = "{\"command_name\":\"a\",\"status\":\"success\",\"execution_time_ms\":1,\"timestamp\":\(text)}"
        let event = try #require(try Parsing.accepted(body, .commandExecution).first)
        #expect(try event.fields().timestamp.microseconds == microseconds)
    }

    @Test func timesUpTo24HoursAheadAreAccepted() throws {
        let body = #"{"command_name":"a","status":"success","execution_time_ms":1,"timestamp":"2026-06-02T00:00:00Z"}"#
        #expect(try Parsing.accepted(body, .commandExecution).count == 1)
    }

    @Test func aMissingTimeIsThatOfArrival() throws {
        let event = try #require(
            try Parsing.accepted(#"{"command_name":"a","status":"error","execution_time_ms":1}"#, .commandExecution)
                .first)
        #expect(try event.fields().timestamp == Parsing.arrival)
        #expect(try event.text(.user) == "owner")
        #expect(try event.fields().id == EventID(version7At: Parsing.arrival, random: 0x1234, 0x5678 << 2))
    }

    @Test func theSessionIsTakenFromTheObjectWhenTheTopNamesNone() throws {
        func session(_ members: String) throws -> String? {
            let body = "{\"command_name\":\"a\",\"status\":\"success\",\"execution_time_ms\":1,\(members)}"
            return try #require(try Parsing.accepted(body, .commandExecution).first).text(.session)
        }
        #expect(try session(#""context":{"session_id":"s-1"}"#) == "s-1")
        #expect(try session(#""context":{"session_id":"s\u002d2"}"#) == "s-2")
        #expect(try session(#""context":{"session_id":"inner"},"session_id":"outer""#) == "outer")
        #expect(try session(#""context":{"session_id":"inner"},"session_id":null"#) == "inner")
        #expect(try session(#""context":{"session_id":7}"#) == nil)
        #expect(try session(#""context":{"session_id":"a b"}"#) == nil)
        #expect(try session(#""context":{"x":{"session_id":"deep"}}"#) == nil)
        #expect(try session(#""command_args":{"session_id":"args"}"#) == nil)
    }

    @Test(arguments: [
        (#""success":true"#, EventStatus.success), (#""success":false"#, .error), (#""status":"timeout""#, .timeout),
        (#""success":false,"status":"cancelled""#, .cancelled), (#""status":"success","success":true"#, .success),
        (#""success":null,"status":"error""#, .error),
    ])
    func agentsTellTheirStatusInEitherWay(members: String, status: EventStatus) throws {
        let body = "{\"agent_name\":\"a\",\"interaction_type\":\"t\",\"execution_time_ms\":1,\(members)}"
        let event = try #require(try Parsing.accepted(body, .agentInteraction).first)
        #expect(try event.fields().status == status.rawValue)
    }

    @Test func droppedKeysAreNamed() throws {
        let body =
            #"{"command_name":"a","status":"success","execution_time_ms":1,"context":{"a":[{"constructor":1}],"__proto__":{}},"command_args":{"prototype":0}}"#
        let summary = try Parsing.summary(body, .commandExecution)
        #expect(summary.droppedKeys == ["context.a[0].constructor", "context.__proto__", "command_args.prototype"])
    }

    // MARK: Sessions

    @Test func aStartedSessionWithoutANameGetsThatOfItsEvent() throws {
        let (result, events) = try Parsing.parse(Array("{}".utf8), .sessionStart)
        guard case .accepted(let summary) = result, let event = events.first else {
            throw Parsing.Refused(result: result)
        }
        #expect(summary.sessionID == summary.firstID.description)
        #expect(try event.text(.name) == summary.sessionID)
        #expect(try event.fields().status == SessionChangeKind.started.rawValue)
    }

    @Test(arguments: [
        ("active", SessionChangeKind.updated, false), ("completed", .ended, false), ("abandoned", .ended, true),
    ])
    func aStatusThatEndsMakesAnEndedChange(status: String, kind: SessionChangeKind, isAbandoned: Bool) throws {
        let kindOfBody = EventParser.Kind.sessionUpdate(sessionID: Array("s".utf8))
        let event = try #require(try Parsing.accepted("{\"status\":\"\(status)\"}", kindOfBody).first)
        #expect(try event.fields().status == kind.rawValue)
        #expect(try event.fields().flags.contains(.abandoned) == isAbandoned)
    }

    @Test func aWholeSessionIsStoredAsItsChanges() throws {
        let body =
            #"{"user_sessions":[{"id":"s-1","session_start":1000,"session_end":"1970-01-01T00:00:03Z","total_duration_ms":2000,"commands_executed":4,"agents_used":["x"],"productivity_score":80,"context":{"a":1},"status":"completed","created_at":0,"updated_at":5000},{"session_start":7000},{"id":"s-3","session_start":8000,"commands_executed":1,"status":"active","updated_at":9000},{"id":"s-4","session_start":9000,"status":"abandoned"}],"timestamp":10000}"#
        let events = try Parsing.accepted(body, .batch)
        let fields = try events.map { try $0.fields() }
        #expect(fields.map(\.status) == [1, 3, 1, 1, 2, 1, 3])
        let seconds = fields.map { $0.timestamp.microseconds / 1_000_000 }
        #expect(seconds == [1, 3, 7, 8, 9, 9, 10])
        #expect(try events[0].text(.object) == #"{"a":1}"#)
        #expect(fields[0].commandsExecuted == nil)
        #expect(fields[1].commandsExecuted == 4)
        #expect(fields[1].durationNanoseconds == 2_000_000_000)
        #expect(fields[1].productivityScore == .unsigned(80))
        #expect(try events[2].text(.name) == fields[2].id.description)
        #expect(fields[6].flags.contains(.abandoned))
        #expect(try Parsing.summary(body, .batch).userSessions == 4)
    }

    // MARK: Batches

    private static let items = [
        "command_executions": #"[{"command_name":"c","execution_time_ms":1,"status":"success"}]"#,
        "agent_interactions": #"[{"agent_name":"a","interaction_type":"t","processing_time_ms":1,"success":true}]"#,
        "productivity_metrics":
            #"[{"metric_type":"m","value":1},{"metric_type":"n","value":1,"period_end":2000},{"metric_type":"o","value":1,"timestamp":3000}]"#,
        "timestamp": "1000",
    ]

    @Test(arguments: [
        ["timestamp", "command_executions", "agent_interactions", "productivity_metrics"],
        ["productivity_metrics", "agent_interactions", "command_executions", "timestamp"],
        ["agent_interactions", "timestamp", "productivity_metrics", "command_executions"],
    ])
    func aBatchIsStoredInTheOrderOfItsBody(order: [String]) throws {
        let body = "{" + order.map { "\"\($0)\":\(Self.items[$0] ?? "")" }.joined(separator: ",") + "}"
        let events = try Parsing.accepted(body, .batch)
        let families: [String: [Family]] = [
            "command_executions": [.commandExecution], "agent_interactions": [.agentInteraction],
            "productivity_metrics": [.productivityMetric, .productivityMetric, .productivityMetric],
        ]
        #expect(events.map(\.family) == order.flatMap { families[$0] ?? [] })
        for event in events {
            let name = try event.text(.name)
            let expected: Int64 = name == "n" ? 2_000_000 : name == "o" ? 3_000_000 : 1_000_000
            #expect(try event.fields().timestamp.microseconds == expected)
        }
    }

    @Test func idsOfABatchAscend() throws {
        let item = #"{"command_name":"c","execution_time_ms":1,"status":"success"}"#
        let body = "{\"command_executions\":[\(Array(repeating: item, count: 1_000).joined(separator: ","))]}"
        let ids = try Parsing.accepted(body, .batch).map { try $0.fields().id.description }
        #expect(ids.count == 1_000)
        #expect(Set(ids).count == 1_000)
        #expect(ids == ids.sorted())
        #expect(try Parsing.summary(body, .batch).firstID.description == ids[0])
    }

    @Test func aRefusedSingleBodyLeavesTheGroupAlone() {
        var group = GroupBuilder(log: LogID(3), arrival: Parsing.arrival)
        let before = group.bytes
        for body in [
            #"{"type":"command_execution"}"#, #"{"command_name":"a","execution_time_ms":1,"status":"success"}x"#,
        ] {
            for kind in [EventParser.Kind.importLine, .commandExecution] {
                _ = Array(body.utf8).withRawSpan {
                    EventParser.parse($0, kind: kind, context: Parsing.context(), into: &group)
                }
            }
        }
        #expect(group.bytes == before)
    }
}
