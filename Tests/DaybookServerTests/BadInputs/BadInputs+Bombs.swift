import DaybookTestSupport

/// What is small to send and large to hold, or just too large.
extension BadInputs {
    private static let whole = BadInput.whole

    private static func repeated(_ text: String, _ count: Int) -> String { String(repeating: text, count: count) }

    private static func packed(
        _ name: String, _ bytes: [UInt8], _ coding: String, _ status: Int, _ code: String,
        target: String = BadInput.command, type: String = "application/json"
    ) -> BadInput {
        BadInput(
            name,
            .body(bytes, target: target, fields: ["Content-Type: \(type)", "Content-Encoding: \(coding)"]), status, code
        )
    }

    private static let deep = repeated("{\"a\":", 9) + "1" + repeated("}", 9)
    private static let spaces = [UInt8](repeating: 0x20, count: 10 << 20 | 1)
    /// 80 lines of 100,000 letters.
    private static let lines = Array(repeated(repeated("x", 99_999) + "\n", 80).utf8)
    private static let command = Array("{\(whole)}".utf8)

    static let bombs: [BadInput] = [
        .broken("arrays in arrays without an end", "{\"context\":" + repeated("[", 100_000)),
        .broken("arrays in arrays, all closed", "{\"x\":" + repeated("[", 2_000) + repeated("]", 2_000) + "}"),
        .broken("objects in objects without an end", repeated("{\"a\":", 50_000)),
        .broken("a body that is only open brackets", repeated("[", 100_000)),
        .command("objects in objects below a context", "\"context\":\(deep)", "context.a.a.a.a.a.a.a.a"),
        .command(
            "arrays in arrays below a context", "\"context\":{\"a\":\(repeated("[", 8))\(repeated("]", 8))}",
            "context.a[0][0][0][0][0][0][0]"),
        .command(
            "too many keys in a context", "\"context\":{\((0...50).map { "\"k\($0)\":0" }.joined(separator: ","))}",
            "context"),
        .command(
            "too many keys below a context",
            "\"context\":{\"a\":{\((0...50).map { "\"k\($0)\":0" }.joined(separator: ","))}}", "context.a"),
        .command("too long a text in a context", "\"context\":{\"a\":\"\(repeated("x", 8_193))\"}", "context.a"),
        .command(
            "too long a context",
            "\"context\":{\((0..<9).map { "\"k\($0)\":\"\(repeated("x", 8_000))\"" }.joined(separator: ","))}",
            "context"),
        .command(
            "too long a context of escapes",
            "\"context\":{\"a\":[\(Array(repeating: "\"\(repeated("\\u0001", 1_300))\"", count: 9).joined(separator: ","))]}",
            "context"),
        .command("too long an error message", "\"error_message\":\"\(repeated("é", 4_097))\"", "error_message"),
        .command("too long a user", "\"user_id\":\"\(repeated("u", 129))\"", "user_id"),
        .command("too long a session", "\"session_id\":\"\(repeated("s", 129))\"", "session_id"),
        .wrong(
            "too long a name",
            "{\"command_name\":\"\(repeated("n", 256))\",\"execution_time_ms\":1,\"status\":\"success\"}",
            "command_name"),
        .wrong(
            "too long a unit", "{\"metric_type\":\"a\",\"value\":1,\"unit\":\"\(repeated("u", 129))\"}", "unit",
            BadInput.productivity),
        .wrong(
            "ten thousand fields that nobody knows", "{\((0..<10_000).map { "\"k\($0)\":0" }.joined(separator: ","))}",
            "k0"),
        .wrong(
            "a name of a hundred thousand letters", "{\(whole),\"\(repeated("k", 100_000))\":1}",
            repeated("k", 64) + "…"),
        .wrong(
            "a number of a hundred thousand digits",
            "{\"command_name\":\"a\",\"execution_time_ms\":\(repeated("9", 100_000)),\"status\":\"success\"}",
            "execution_time_ms"),
        .wrong(
            "a batch of 1,001",
            "{\"command_executions\":[\(Array(repeating: "{\(whole)}", count: 1_001).joined(separator: ","))]}", "body",
            BadInput.batch),
        .wrong(
            "a batch of 100,000 numbers",
            "{\"command_executions\":[\(Array(repeating: "1", count: 100_000).joined(separator: ","))]}",
            "command_executions[0]",
            BadInput.batch),
        .wrong(
            "a batch of empty objects",
            "{\"agent_interactions\":[\(Array(repeating: "{}", count: 500).joined(separator: ","))]}",
            "agent_interactions[0].agent_name", BadInput.batch),
        BadInput("a body of 10 MiB and one byte", .body(spaces, target: BadInput.command), 413, "payload_too_large"),
        BadInput("a batch of 10 MiB and one byte", .body(spaces, target: BadInput.batch), 413, "payload_too_large"),
        .raw(
            "a body that is announced with 100 GB",
            "POST \(BadInput.command) HTTP/1.1\r\nHost: a\r\nAuthorization: Bearer KEY\r\nContent-Type: application/json\r\nContent-Length: 100000000000\r\n\r\n",
            413, "payload_too_large"),
        .raw(
            "a question with a body of 2 MiB announced",
            "GET /api/v1/metrics/commands HTTP/1.1\r\nHost: a\r\nAuthorization: Bearer KEY\r\nContent-Length: 2097152\r\n\r\n",
            413, "payload_too_large"),
        BadInput(
            "a key with a body of 70,000 bytes", .body(Array(repeated(" ", 70_000).utf8), target: "/api/v1/keys"), 413,
            "payload_too_large"),
        packed("gzip that becomes 10 MiB and one byte", Packer.gzip(spaces), "gzip", 413, "payload_too_large"),
        packed("gzip of gzip that becomes 10 MiB", Packer.gzip(Packer.gzip(spaces)), "gzip", 400, "invalid_json"),
        packed("LZ4 that becomes 10 MiB and one byte", Packer.lz4(spaces), "lz4", 413, "payload_too_large"),
        packed(
            "an import of gzip that becomes 8 MB of one letter", Packer.gzip(lines), "gzip", 413, "payload_too_large",
            target: "/api/v1/metrics/import", type: "application/x-ndjson"),
        packed(
            "an import of LZ4 with blocks of 4 MiB", Packer.lz4(lines, blockSize: 7), "lz4", 415,
            "unsupported_media_type", target: "/api/v1/metrics/import", type: "application/x-ndjson"),
        packed("gzip that is plain text", command, "gzip", 400, "bad_request"),
        packed("gzip that breaks off", Array(Packer.gzip(command).dropLast(4)), "gzip", 400, "bad_request"),
        packed(
            "gzip with a wrong checksum", Packer.gzip(command).dropLast(8) + [0, 0, 0, 0, 0, 0, 0, 0], "gzip", 400,
            "bad_request"),
        packed("gzip with more behind it", Packer.gzip(command) + command, "gzip", 400, "bad_request"),
        packed("gzip that is only a head", [0x1F, 0x8B, 8, 0, 0, 0, 0, 0, 0, 3], "gzip", 400, "bad_request"),
        packed("gzip of nothing", Packer.gzip([]), "gzip", 400, "invalid_json"),
        packed(
            "gzip that holds a bad event", Packer.gzip(Array("{\"command_name\":1}".utf8)), "gzip", 400,
            "validation_failed"),
        packed("LZ4 that is plain text", command, "lz4", 400, "bad_request"),
        packed("LZ4 that is gzip", Packer.gzip(command), "lz4", 400, "bad_request"),
        packed("LZ4 that breaks off", Array(Packer.lz4(command).dropLast(5)), "lz4", 400, "bad_request"),
        packed("LZ4 that is only a head", [0x04, 0x22, 0x4D, 0x18], "lz4", 400, "bad_request"),
        packed("LZ4 of the old format", [0x02, 0x21, 0x4C, 0x18, 1, 0, 0, 0, 0x10, 0x61], "lz4", 400, "bad_request"),
    ]
}
