@testable import DaybookEvent

/// The table of bodies that must be refused.
enum BadBodies {
    private static let command = #""command_name":"a","execution_time_ms":1,"status":"success""#
    private static let agent = #""agent_name":"a","interaction_type":"tool_call","processing_time_ms":1,"success":true"#

    static let syntax: [BadBody] = [
        BadBody(.commandExecution, "", .invalidJSON, ["body"], "empty"),
        BadBody(.commandExecution, "   ", .invalidJSON, ["body"], "ends too early at byte 3"),
        BadBody(.commandExecution, "{", .invalidJSON, ["body"], "at byte 1"),
        BadBody(.commandExecution, "\u{FEFF}{}", .invalidJSON, ["body"], "at byte 0"),
        BadBody(.commandExecution, "{\(command)} x", .invalidJSON, ["body"], "nothing more"),
        BadBody(.commandExecution, "{\(command)}{}", .invalidJSON, ["body"], "nothing more"),
        BadBody(.commandExecution, "{\(command),}", .invalidJSON, ["body"], "a name in quotes"),
        BadBody(.commandExecution, "{\(command) \"id\":1}", .invalidJSON, ["body"], "',' or '}'"),
        BadBody(.commandExecution, "{\(command),\"status\":\"error\"}", .invalidJSON, ["body"], "twice"),
        BadBody(.commandExecution, "{\(command),\"\\u0073tatus\":\"error\"}", .invalidJSON, ["body"], "twice"),
        BadBody(.commandExecution, "{\(command),\"id\":null,\"id\":null}", .invalidJSON, ["body"], "twice"),
        BadBody(.commandExecution, "{\(command),\"x\":1,\"x\":2}", .invalidJSON, ["body"], "twice"),
        BadBody(.commandExecution, "{\(command),\"context\":{\"a\":1,\"a\":1}}", .invalidJSON, ["body"], "twice"),
        BadBody(
            .commandExecution, "{\"execution_time_ms\":NaN}", .invalidJSON, ["body"], "a value was expected at byte 21"),
        BadBody(.commandExecution, "{\"execution_time_ms\":Infinity}", .invalidJSON, ["body"], "a value"),
        BadBody(.commandExecution, "{\"execution_time_ms\":01}", .invalidJSON, ["body"], "leading zeros"),
        BadBody(.commandExecution, "{\"execution_time_ms\":-}", .invalidJSON, ["body"], "a value"),
        BadBody(.commandExecution, "{\"execution_time_ms\":1.}", .invalidJSON, ["body"], "a digit"),
        BadBody(.commandExecution, "{\"command_name\":\"a\nb\"}", .invalidJSON, ["body"], "control character"),
        BadBody(.commandExecution, "{\"command_name\":\"\\q\"}", .invalidJSON, ["body"], "escape"),
        BadBody(.commandExecution, "{\"command_name\":\"\\ud800\"}", .invalidJSON, ["body"], "surrogate"),
        BadBody(.commandExecution, "{\"command_name\":\"\\udc00x\"}", .invalidJSON, ["body"], "surrogate"),
        BadBody(.commandExecution, "{\"command_name\":\"a", .invalidJSON, ["body"], "inside a string"),
        BadBody(.commandExecution, "{\"command_name\":nulL}", .invalidJSON, ["body"], "a value"),
        BadBody(.commandExecution, "{\"zzz\":[1,{\"a\":]}", .invalidJSON, ["body"], "a value"),
        BadBody(
            .commandExecution, "{\"zzz\":" + String(repeating: "[", count: 1_100), .invalidJSON, ["body"], "1000 levels"
        ),
    ]

    static let commands: [BadBody] = [
        BadBody(.commandExecution, "[]", .validationFailed, ["body"], "an object"),
        BadBody(.commandExecution, "\"x\"", .validationFailed, ["body"], "an object"),
        BadBody(
            .commandExecution, "{}", .validationFailed, ["command_name", "execution_time_ms", "status"], "required"),
        BadBody(
            .commandExecution, #"{"command_name":null,"execution_time_ms":1,"status":"success"}"#, .validationFailed,
            ["command_name"], "required"),
        BadBody(
            .commandExecution, #"{"command_name":"a b","execution_time_ms":"1","status":"done"}"#, .validationFailed,
            ["command_name", "execution_time_ms", "status"], "1 to 255"),
        BadBody(
            .commandExecution, "{\"command_name\":\"\",\"execution_time_ms\":1,\"status\":\"success\"}",
            .validationFailed,
            ["command_name"], "1 to 255"),
        BadBody(
            .commandExecution,
            "{\"command_name\":\"\(String(repeating: "x", count: 256))\",\"execution_time_ms\":1,\"status\":\"error\"}",
            .validationFailed, ["command_name"], "255"),
        BadBody(
            .commandExecution, #"{"command_name":"a","execution_time_ms":-0.0000001,"status":"success"}"#,
            .validationFailed, ["execution_time_ms"], "from 0 to 3600000"),
        BadBody(
            .commandExecution,
            #"{"command_name":"a","execution_time_ms":3600000.0000000000000000001,"status":"success"}"#,
            .validationFailed, ["execution_time_ms"], "3600000"),
        BadBody(
            .commandExecution, #"{"command_name":"a","execution_time_ms":1e999999999999,"status":"success"}"#,
            .validationFailed, ["execution_time_ms"], "3600000"),
        BadBody(
            .commandExecution, #"{"command_name":"a","execution_time_ms":true,"status":"success"}"#,
            .validationFailed, ["execution_time_ms"], "a number"),
        BadBody(
            .commandExecution, #"{"command_name":"a","execution_time_ms":1,"status":"active"}"#, .validationFailed,
            ["status"], "success, error, timeout or cancelled"),
        BadBody(.commandExecution, "{\(command),\"user_id\":\"a b\"}", .validationFailed, ["user_id"], "1 to 128"),
        BadBody(.commandExecution, "{\(command),\"user_id\":7}", .validationFailed, ["user_id"], "a string"),
        BadBody(.commandExecution, "{\(command),\"session_id\":\"a b\"}", .validationFailed, ["session_id"], "visible"),
        BadBody(.commandExecution, "{\(command),\"session_id\":\"\"}", .validationFailed, ["session_id"], "visible"),
        BadBody(.commandExecution, "{\(command),\"id\":\"7\"}", .validationFailed, ["id"], "UUID"),
        BadBody(
            .commandExecution, "{\(command),\"timestamp\":\"yesterday\"}", .validationFailed, ["timestamp"], "RFC 3339"),
        BadBody(.commandExecution, "{\(command),\"timestamp\":true}", .validationFailed, ["timestamp"], "epoch"),
        BadBody(.commandExecution, "{\(command),\"timestamp\":1e30}", .validationFailed, ["timestamp"], "year"),
        BadBody(
            .commandExecution, "{\(command),\"timestamp\":\"2026-06-02T00:00:00.000001Z\"}", .validationFailed,
            ["timestamp"], "24 hours"),
        BadBody(
            .commandExecution, "{\(command),\"error_message\":\"\(String(repeating: "é", count: 4_097))\"}",
            .validationFailed, ["error_message"], "8192"),
        BadBody(.commandExecution, "{\(command),\"extra\":{\"a\":1}}", .validationFailed, ["extra"], "known"),
        BadBody(
            .commandExecution, "{\(command),\"created_at\":1,\"sequence\":1,\"type\":\"command_execution\"}",
            .validationFailed, ["created_at", "sequence", "type"], "known"),
        BadBody(.commandExecution, "{\(command),\"metadata\":{}}", .validationFailed, ["metadata"], "known"),
        BadBody(
            .commandExecution, "{\(command),\"organization_id\":\"other\"}", .forbidden, ["organization_id"],
            "credential"),
        BadBody(
            .commandExecution, "{\(command),\"organization_id\":1}", .validationFailed, ["organization_id"], "a string"),
        BadBody(
            .commandExecution, "{\"organization_id\":\"other\",\"command_name\":\"a\"}", .forbidden,
            ["organization_id", "execution_time_ms", "status"], "credential"),
    ]

    static let agents: [BadBody] = [
        BadBody(
            .agentInteraction, "{}", .validationFailed,
            ["agent_name", "interaction_type", "processing_time_ms", "success"], "required"),
        BadBody(
            .agentInteraction, "{\(agent),\"status\":\"error\"}", .validationFailed, ["status"], "contradicts success"),
        BadBody(
            .agentInteraction, "{\(agent),\"execution_time_ms\":2}", .validationFailed, ["execution_time_ms"],
            "contradicts"),
        BadBody(.agentInteraction, "{\(agent),\"input_tokens\":-1}", .validationFailed, ["input_tokens"], "integer"),
        BadBody(.agentInteraction, "{\(agent),\"input_tokens\":1.5}", .validationFailed, ["input_tokens"], "integer"),
        BadBody(
            .agentInteraction, "{\(agent),\"output_tokens\":18446744073709551616}", .validationFailed,
            ["output_tokens"], "18446744073709551615"),
        BadBody(
            .agentInteraction, "{\(agent),\"output_tokens\":\"5\"}", .validationFailed, ["output_tokens"], "a number"),
        BadBody(
            .agentInteraction,
            #"{"agent_name":"a","interaction_type":"Tool","processing_time_ms":1,"success":"yes"}"#, .validationFailed,
            ["interaction_type", "success"], "1 to 64"),
        BadBody(
            .agentInteraction, #"{"agent_name":"a","interaction_type":"1a","processing_time_ms":1,"status":"active"}"#,
            .validationFailed, ["interaction_type", "status"], "the first a letter"),
        BadBody(.agentInteraction, "{\(agent),\"context\":{}}", .validationFailed, ["context"], "known"),
    ]

    static let objects: [BadBody] = [
        BadBody(.commandExecution, "{\(command),\"context\":[]}", .validationFailed, ["context"], "an object"),
        BadBody(
            .commandExecution, "{\(command),\"command_args\":\"x\"}", .validationFailed, ["command_args"], "an object"),
        BadBody(
            .commandExecution, "{\(command),\"context\":{\"a\":1e400}}", .validationFailed, ["context.a"], "too large"),
        BadBody(
            .commandExecution, "{\(command),\"context\":{\"a\":[0,{\"b.c\":[1e309,-1e309]}]}}", .validationFailed,
            ["context.a[1].b.c[0]", "context.a[1].b.c[1]"], "too large"),
        BadBody(
            .commandExecution, "{\(command),\"context\":{\"a\":\"\(String(repeating: "x", count: 8_193))\"}}",
            .validationFailed, ["context.a"], "8 KiB"),
        BadBody(
            .commandExecution,
            "{\(command),\"context\":{\"m\":{\((0...50).map { "\"\($0)\":0" }.joined(separator: ","))}}}",
            .validationFailed, ["context.m"], "50 keys"),
        BadBody(
            .commandExecution,
            "{\(command),\"context\":{\((0...50).map { "\"\($0)\":0" }.joined(separator: ","))},\"id\":1}",
            .validationFailed, ["context", "id"], "50 keys"),
        BadBody(
            .commandExecution,
            "{\(command),\"context\":\(String(repeating: "{\"a\":", count: 9))1\(String(repeating: "}", count: 9))}",
            .validationFailed, ["context.a.a.a.a.a.a.a.a"], "8 levels"),
        BadBody(
            .commandExecution,
            "{\(command),\"context\":{\"a\":[\((0..<9).map { _ in "\"\(String(repeating: "x", count: 8_000))\"" }.joined(separator: ","))]}}",
            .validationFailed, ["context"], "64 KiB"),
        BadBody(.agentInteraction, "{\(agent),\"metadata\":7}", .validationFailed, ["metadata"], "an object"),
        BadBody(
            .batch, "{\"command_executions\":[{\(command)},{\(command),\"context\":{\"model\":-1e999}}]}",
            .validationFailed, ["command_executions[1].context.model"], "too large"),
    ]

    static let metrics: [BadBody] = [
        BadBody(.productivityMetric, "{}", .validationFailed, ["metric_type", "value"], "required"),
        BadBody(
            .productivityMetric, #"{"metric_type":"Bad","value":"1","unit":5,"dimensions":[]}"#, .validationFailed,
            ["metric_type", "value", "unit", "dimensions"], "1 to 64"),
        BadBody(.productivityMetric, #"{"metric_type":"a","value":1e309}"#, .validationFailed, ["value"], "too large"),
        BadBody(
            .productivityMetric,
            #"{"metric_type":"a","value":1,"period_start":"2025-01-02T00:00:00Z","period_end":"2025-01-01T00:00:00Z"}"#,
            .validationFailed, ["period_start"], "later"),
        BadBody(
            .productivityMetric, #"{"metric_type":"a","value":1,"period_end":"2027-01-01T00:00:00Z"}"#,
            .validationFailed,
            ["period_end"], "24 hours"),
        BadBody(
            .productivityMetric,
            "{\"metric_type\":\"a\",\"value\":1,\"unit\":\"\(String(repeating: "x", count: 129))\"}",
            .validationFailed, ["unit"], "128"),
        BadBody(
            .productivityMetric, #"{"metric_type":"a","value":1,"session_id":"s"}"#, .validationFailed, ["session_id"]),
    ]

    static let sessions: [BadBody] = [
        BadBody(.sessionStart, #"{"status":"active"}"#, .validationFailed, ["status"], "known"),
        BadBody(.sessionStart, #"{"session_id":"a\tb"}"#, .validationFailed, ["session_id"], "visible"),
        BadBody(.sessionEnd(sessionID: nil), "{}", .validationFailed, ["session_id"], "required"),
        BadBody(
            .sessionEnd(sessionID: Array("s".utf8)), #"{"session_id":"t"}"#, .validationFailed, ["session_id"], "path"),
        BadBody(.sessionUpdate(sessionID: Array("a b".utf8)), "{}", .validationFailed, ["session_id"], "visible"),
        BadBody(.sessionUpdate(sessionID: []), "{}", .validationFailed, ["session_id"], "visible"),
        BadBody(
            .sessionUpdate(sessionID: Array("s".utf8)),
            #"{"commands_executed":-1,"agents_used":"x","productivity_score":100.5,"status":"error"}"#,
            .validationFailed,
            ["commands_executed", "agents_used", "productivity_score", "status"], "integer"),
        BadBody(
            .sessionUpdate(sessionID: Array("s".utf8)), #"{"agents_used":["a","b c",7],"productivity_score":-1}"#,
            .validationFailed, ["agents_used[1]", "agents_used[2]", "productivity_score"], "1 to 255"),
        BadBody(
            .sessionUpdate(sessionID: Array("s".utf8)),
            "{\"agents_used\":[\(Array(repeating: "\"a\"", count: 257).joined(separator: ","))]}", .validationFailed,
            ["agents_used"], "256"),
    ]

    static let batches: [BadBody] = [
        BadBody(.batch, "{}", .validationFailed, ["body"], "no events"),
        BadBody(.batch, #"{"command_executions":[]}"#, .validationFailed, ["body"], "no events"),
        BadBody(.batch, #"{"command_executions":{}}"#, .validationFailed, ["command_executions", "body"], "an array"),
        BadBody(.batch, #"{"command_executions":[1]}"#, .validationFailed, ["command_executions[0]"], "an object"),
        BadBody(
            .batch, "{\"command_executions\":[{\(command)}],\"events\":[]}", .validationFailed, ["events"], "known"),
        BadBody(
            .batch, "{\"command_executions\":[{\(command)}],\"command_executions\":[]}", .invalidJSON, ["body"], "twice"
        ),
        BadBody(
            .batch, "{\"command_executions\":[{\(command)}],\"timestamp\":\"x\"}", .validationFailed, ["timestamp"]),
        BadBody(
            .batch, "{\"agent_interactions\":[{\(agent)},{\(agent),\"x\":1}],\"productivity_metrics\":[{}]}",
            .validationFailed,
            ["agent_interactions[1].x", "productivity_metrics[0].metric_type", "productivity_metrics[0].value"]),
        BadBody(
            .batch,
            "{\"command_executions\":[\(Array(repeating: "{\(command)}", count: 1_001).joined(separator: ","))]}",
            .validationFailed, ["body"], "1001 events, more than the 1000"),
        BadBody(.batch, #"{"user_sessions":[{"id":"s"}]}"#, .validationFailed, ["user_sessions[0].session_start"]),
        BadBody(
            .batch, #"{"user_sessions":[{"id":"a b","session_start":0,"session_end":-1,"status":"error"}]}"#,
            .validationFailed,
            ["user_sessions[0].id", "user_sessions[0].status", "user_sessions[0].session_end"]),
        BadBody(
            .batch,
            #"{"user_sessions":[{"session_start":0,"session_end":1,"status":"active","total_duration_ms":-1}]}"#,
            .validationFailed, ["user_sessions[0].total_duration_ms", "user_sessions[0].session_end"]),
    ]

    static let imports: [BadBody] = [
        BadBody(.importLine, "{\(command)}", .validationFailed, ["type"], "required"),
        BadBody(.importLine, "{\"type\":\"span\",\(command)}", .validationFailed, ["type"]),
        BadBody(
            .importLine, "{\"metadata\":{},\"type\":\"command_execution\",\(command)}", .validationFailed, ["metadata"],
            "of this type"),
        BadBody(
            .importLine, "{\"type\":\"command_execution\",\(command),\"organization_id\":\"other\"}", .forbidden,
            ["organization_id"]),
        BadBody(.importLine, #"{"type":"session_change"}"#, .validationFailed, ["change", "session_id"], "required"),
        BadBody(
            .importLine, #"{"type":"session_change","change":"begun","session_id":"s"}"#, .validationFailed, ["change"]),
        BadBody(
            .importLine, #"{"type":"session_change","change":"updated","session_id":"s","status":"completed"}"#,
            .validationFailed, ["status"], "contradicts change"),
        BadBody(
            .importLine, #"{"type":"session_change","change":"started","session_id":"s","total_duration_ms":1}"#,
            .validationFailed, ["total_duration_ms"]),
        BadBody(
            .importLine, "{\"type\":\"command_execution\",\(command),\"sequence\":-1}", .validationFailed, ["sequence"]),
    ]
}
