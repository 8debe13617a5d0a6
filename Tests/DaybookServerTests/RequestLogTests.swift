import DaybookControl
import DaybookFormat
import DaybookStore
import DaybookSystem
import DaybookTestSupport
import Foundation
import Testing

@testable import DaybookServer

/// The line that the log has for a request.
@Suite(.timeLimit(.minutes(15))) struct RequestLogTests {
    private struct Line {
        let fields: ParsedJSON
        func text(_ name: String) -> String? { fields[name]?.string }
        func number(_ name: String) -> Int? { fields[name]?.integer }
    }

    private func requestLines(_ log: CapturedLog) throws -> [Line] {
        try log.lines().map { Line(fields: try ParsedJSON(parsing: Array($0.utf8))) }
            .filter { $0.text("request_id") != nil }
    }

    private let event = #"{"command_name":"secret-body","execution_time_ms":9,"status":"success"}"#

    @Test func everyKindOfRequestHasItsLine() async throws {
        let log = CapturedLog(.debug)
        var replies: [Reply] = []
        try await TestServer.with(log: log) { server in
            replies = [
                try await server.request("POST", "/api/v1/metrics/command-execution", body: event),
                try await server.request(
                    "POST", "/api/metrics/commands", body: event, fields: ["X-Request-Id: mine", "Idempotency-Key: k"]),
                try await server.request("POST", "/api/v1/metrics/batch", body: "{"),
                try await server.request("PUT", "/api/v1/metrics/session/secret-session", body: "{}"),
                try await server.request("GET", "/api/v1/metrics/commands?user=secret-user"),
                try await server.request("GET", "/health/live"),
                try await server.request("GET", "/secret/path"),
                try await server.request("DELETE", "/api/v1/keys/secret-key"),
                try await server.request("GET", "/api/v1/metrics/agents", key: "dbk_secret-key"),
            ]
        }
        let lines = try requestLines(log)
        #expect(lines.map { $0.number("status") } == replies.map(\.status))
        #expect(lines.map { $0.text("request_id") } == replies.map { $0.fields["x-request-id"] })
        #expect(lines.map { $0.number("bytes") } == replies.map(\.body.count))
        #expect(
            lines.map { $0.text("route") } == [
                "/api/v1/metrics/command-execution", "/api/metrics/commands", "/api/v1/metrics/batch",
                "/api/v1/metrics/session/{}", "/api/v1/metrics/commands", "/health/live", "unknown",
                "/api/v1/keys/{}", "/api/v1/metrics/agents",
            ])
        #expect(
            lines.map { $0.text("method") } == ["POST", "POST", "POST", "PUT", "GET", "GET", "GET", "DELETE", "GET"])
        #expect(lines.map { $0.text("organization") } == Array(repeating: "acme", count: 8) + [nil])
        #expect(lines.allSatisfy { ($0.number("latency_microseconds") ?? -1) >= 0 })
        #expect(lines.allSatisfy { $0.text("level") == "debug" })
    }

    @Test func noLineHoldsASecretAPathOrABody() async throws {
        let log = CapturedLog(.trace)
        var key = ""
        try await TestServer.with(log: log) { server in
            key = server.key
            _ = try await server.request("POST", "/api/v1/metrics/command-execution", body: event)
            _ = try await server.request("PUT", "/api/v1/metrics/session/secret-session", body: "{}")
            _ = try await server.request("GET", "/api/v1/metrics/commands?user=secret-user")
            _ = try await server.request("GET", "/secret-path")
            _ = try await server.request("GET", "/api/v1/metrics/agents", key: "dbk_secret-key")
        }
        let text = log.lines().joined(separator: "\n")
        #expect(!text.contains("secret"))
        #expect(!text.contains(key))
        #expect(text.contains("request_id"))
    }

    @Test func aRequestThatCannotBeReadHasALine() async throws {
        let log = CapturedLog(.debug)
        try await TestServer.with(log: log) { server in
            let connection = try await server.connect()
            defer { connection.close() }
            try await connection.send("GET / HTTP/1.1\r\nHost: a\r\nContent-Length: x\r\n\r\n")
            #expect(try await connection.reply().status == 400)
        }
        let lines = try requestLines(log)
        #expect(lines.map { $0.number("status") } == [400])
    }

    @Test func atLevelInfoRequestsHaveNoLines() async throws {
        let log = CapturedLog(.info)
        try await TestServer.with(log: log) { server in
            _ = try await server.request("POST", "/api/v1/metrics/command-execution", body: event)
            _ = try await server.request("GET", "/health/live")
        }
        #expect(try requestLines(log).isEmpty)
    }

    @Test(arguments: [true, false])
    func aSlowRequestHasALineAtEveryLevel(isPlain: Bool) async throws {
        let log = CapturedLog(.warning)
        let clock = ManualClock.atPresent()
        var limits = TimeLimits.outOfReach
        limits.slowMilliseconds = 1_000
        var id: String?
        try await TestServer.with(timeLimits: limits, isGated: true, log: log, clock: clock) { server in
            #expect(
                try await server.request("POST", "/api/v1/metrics/command-execution", body: event).status == 201)
            let gate = try #require(server.gate)
            gate.close()
            let connection = try await server.connect()
            defer { connection.close() }
            try await connection.send(
                TestConnection.text(
                    "POST", "/api/v1/metrics/command-execution", body: event, key: server.key,
                    fields: ["traceparent: \(trace)"] + (isPlain ? [] : ["X-Request-Id: mine"])))
            await onThread { gate.waitForOne() }
            clock.advance(microseconds: 1_000_000)
            gate.open()
            let reply = try await connection.reply()
            #expect(reply.status == 201)
            id = reply.fields["x-request-id"]
        }
        let lines = try requestLines(log)
        #expect(lines.count == 1)
        #expect(lines.first?.text("level") == "warning")
        #expect(lines.first?.text("request_id") == id)
        #expect(lines.first?.text("organization") == "acme")
        #expect(lines.first?.text("route") == "/api/v1/metrics/command-execution")
        #expect(lines.first?.text("trace_id") == "4bf92f3577b34da6a3ce929d0e0e4736")
        #expect(lines.first?.number("latency_microseconds") == 1_000_000)
        #expect((lines.first?.number("bytes") ?? 0) > 0)
        #expect(!log.lines().joined().contains("secret"))
    }

    @Test func whatIsNotSlowOrNeverIsHasNoLine() async throws {
        for (slow, passed) in [(1_000, 999_999), (0, 3_000_000)] {
            let log = CapturedLog(.warning)
            let clock = ManualClock.atPresent()
            var limits = TimeLimits.outOfReach
            limits.slowMilliseconds = slow
            try await TestServer.with(timeLimits: limits, isGated: true, log: log, clock: clock) { server in
                let gate = try #require(server.gate)
                gate.close()
                let connection = try await server.connect()
                defer { connection.close() }
                try await connection.send(
                    TestConnection.text("POST", "/api/v1/metrics/command-execution", body: event, key: server.key))
                await onThread { gate.waitForOne() }
                clock.advance(microseconds: UInt64(passed))
                gate.open()
                #expect(try await connection.reply().status == 201)
            }
            #expect(try requestLines(log).isEmpty)
        }
    }

    @Test func whenEverythingFailsAFewLinesTellOfIt() async throws {
        let log = CapturedLog(.warning)
        let clock = ManualClock.atPresent()
        // An organization that is closed, because its manifest is none.
        let directory = try TemporaryDirectory()
        var folder = ""
        try await TestServer.with(directory) { folder = $0.root + "/" + Layout.folder(of: $0.organization.log) }
        try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
        try Data("no manifest".utf8).write(to: URL(fileURLWithPath: folder + "/manifest.dbm"))
        try await TestServer.with(directory, log: log, clock: clock) { server in
            let connection = try await server.connect()
            defer { connection.close() }
            for _ in 0..<30 {
                let reply = try await connection.request(
                    "POST", "/api/v1/metrics/command-execution", body: event, key: server.key)
                try reply.expect(503, "storage_unavailable")
            }
            clock.advance(microseconds: 1_000_000)
            _ = try await connection.request(
                "POST", "/api/v1/metrics/command-execution", body: event, key: server.key)
        }
        let lines = try requestLines(log)
        #expect(lines.count == TroubleLines.countMax + 1)
        #expect(lines.last?.number("omitted") == 30 - TroubleLines.countMax)
        #expect(lines.allSatisfy { $0.text("level") == "warning" && $0.number("status") == 503 })
        #expect(lines.allSatisfy { $0.text("code") == "storage_unavailable" && $0.text("organization") == "acme" })
    }

    private let trace = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"

    @Test func theTraceOfAClientIsInItsLineOnEveryWay() async throws {
        let log = CapturedLog(.debug)
        try await TestServer.with(log: log) { server in
            let connection = try await server.connect()
            defer { connection.close() }
            for (method, path, body) in [
                ("POST", "/api/v1/metrics/command-execution", event), ("POST", "/api/v1/metrics/import", event),
                ("PUT", "/api/v1/metrics/session/x", "{}"), ("GET", "/api/v1/metrics/commands", nil),
                ("GET", "/health/live", nil), ("GET", "/api/v1/keys", nil), ("GET", "/nowhere", nil),
            ] as [(String, String, String?)] {
                for fields in [["TraceParent: \(trace)"], [], ["traceparent: \(trace)", "traceparent: \(trace)"]] {
                    _ = try await connection.request(method, path, body: body, key: server.key, fields: fields)
                }
            }
        }
        let found = try requestLines(log).map { $0.text("trace_id") }
        #expect(found == Array(repeating: ["4bf92f3577b34da6a3ce929d0e0e4736", nil, nil], count: 7).flatMap(\.self))
    }

    @Test func theLevelIsChangedThroughTheAdminSocketWhileTheServerRuns() async throws {
        let log = CapturedLog(.info)
        try await TestServer.with(hasAdminSocket: true, log: log) { server in
            _ = try await server.request("GET", "/health/live")
            let answer = try await server.ask(#"{"verb":"log.set_level","level":"debug"}"#)
            let trail = try await server.ask(#"{"verb":"audit.list"}"#)
            #expect(trail["items"]?.elements?.first?["action"]?.string == "log.set_level")
            #expect(answer["level"]?.string == "debug")
            #expect(answer["previous_level"]?.string == "info")
            _ = try await server.request("GET", "/version")
            let shown = try await server.ask(#"{"verb":"config.show"}"#)
            let position = try #require(ConfigurationKey.all.firstIndex { $0.name == "log.level" })
            let level = try #require(shown["settings"]?[position])
            #expect(level["name"]?.string == "log.level")
            #expect(level["value"]?.string == "debug")
            #expect(level["origin"]?.string == "verb")
            #expect(
                try await server.ask(#"{"verb":"log.set_level","level":"loud"}"#)["code"]?.string == "validation_failed"
            )
        }
        #expect(try requestLines(log).map { $0.text("route") } == ["/version"])
    }
}

extension TestServer {
    /// One administrative request through the socket.
    func ask(_ request: String) async throws -> ParsedJSON {
        let path = root + "/admin.sock"
        return try await onThread {
            let socket = try StreamSocket.connect(to: .unix(path: path))
            defer { socket.close() }
            let line = Array((request + "\n").utf8)
            try line.withRawSpan { try socket.writeAll($0) }
            var answer: [UInt8] = []
            while answer.last != UInt8(ascii: "\n") {
                guard case .moved = try socket.read(64 << 10, appendingTo: &answer) else { break }
            }
            return try ParsedJSON(parsing: Array(answer.dropLast()))
        }
    }
}
