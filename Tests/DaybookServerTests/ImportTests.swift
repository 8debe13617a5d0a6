import DaybookControl
import DaybookFormat
import DaybookTestSupport
import Foundation
import Testing

@testable import DaybookServer

/// Imports: what becomes of chunks with bad lines, of lines that the store refuses, of repetitions; and how a client hears
/// of it on the way.
@Suite(.timeLimit(.minutes(15))) struct ImportTests {
    private static let path = "/api/v1/metrics/import"
    private static let type = "Content-Type: application/x-ndjson"

    private func command(_ name: String) -> String {
        #"{"type":"command_execution","command_name":"\#(name)","execution_time_ms":1,"status":"success"}"#
    }

    private func change(_ kind: String, _ session: String) -> String {
        #"{"type":"session_change","change":"\#(kind)","session_id":"\#(session)"}"#
    }

    private func lines(_ count: Int) -> [String] { (0..<count).map { command("c\($0)") } }

    private func send(_ server: TestServer, _ lines: [String], _ fields: [String] = []) async throws -> Reply {
        try await server.request(
            "POST", Self.path, body: lines.joined(separator: "\n"), fields: [Self.type] + fields)
    }

    // MARK: - Chunks

    @Test func aBadLineCostsItsChunkWhenTheClientWantsItSo() async throws {
        try await TestServer.with { server in
            var lines = lines(2_500)
            lines[1_700] = "nonsense"
            let reply = try await send(server, lines, ["Prefer: handling=strict, durability=durable"])
            let data = try #require(try reply.json()["data"])
            #expect(data["lines"]?.unsigned == 2_500)
            #expect(data["stored"]?.unsigned == 1_500)
            #expect(data["rejected"]?.unsigned == 1)
            #expect(data["skipped"]?.unsigned == 999)
            #expect(data["command_executions"]?.unsigned == 1_500)
            #expect(data["errors"]?[0]?["line"]?.unsigned == 1_701)
            #expect(data["skipped_chunks"]?.count == 1)
            #expect(data["skipped_chunks"]?[0]?["first_line"]?.unsigned == 1_001)
            #expect(data["skipped_chunks"]?[0]?["last_line"]?.unsigned == 2_000)
            #expect(try server.lastSequence() == 1_500)
        }
    }

    @Test(arguments: ["Prefer: handling=lenient", "X-Nothing: 1"])
    func elseItsGoodLinesAreStoredTogether(field: String) async throws {
        try await TestServer.with { server in
            var lines = lines(1_200)
            for bad in [0, 3, 999] { lines[bad] = "nonsense" }
            let data = try #require(try await send(server, lines, [field]).json()["data"])
            #expect(data["stored"]?.unsigned == 1_197)
            #expect(data["rejected"]?.unsigned == 3)
            #expect(data["skipped"]?.unsigned == 0)
            #expect(data["skipped_chunks"] == nil)
            #expect(try server.lastSequence() == 1_197)
        }
    }

    @Test func linesAreCountedWithTheEmptyOnesAndWhateverEndsThem() async throws {
        try await TestServer.with { server in
            let body = "\n\r\n" + command("a") + "\r\n \t\n" + "bad\n" + command("b") + "\n\n"
            let reply = try await server.request("POST", Self.path, body: body, fields: [Self.type])
            let data = try #require(try reply.json()["data"])
            #expect(data["stored"]?.unsigned == 2)
            #expect(data["errors"]?[0]?["line"]?.unsigned == 5)
            #expect(data["lines"]?.unsigned == 7)
        }
    }

    @Test func aLineThatIsTooLongIsRejectedAndTheNextIsNot() async throws {
        try await TestServer.with { server in
            let long = String(repeating: "x", count: (1 << 20) + 1)
            let longer = String(repeating: "x", count: 3 << 20)
            let data = try #require(
                try await send(server, [command("a"), long, command("b"), longer, command("c")]).json()["data"])
            #expect(data["stored"]?.unsigned == 3)
            #expect(data["rejected"]?.unsigned == 2)
            #expect(data["errors"]?.elements?.compactMap { $0["line"]?.unsigned } == [2, 4])
            #expect(data["errors"]?[0]?["message"]?.string?.contains("1 MiB") == true)
        }
    }

    // MARK: - What the store refuses

    @Test func changesThatASessionDoesNotTakeAreNamedByLine() async throws {
        try await TestServer.with { server in
            let body = [
                change("started", "s"), command("a"), change("ended", "s"), change("updated", "s"), command("b"),
                change("updated", "nobody"), change("started", "t"),
            ]
            let data = try #require(try await send(server, body).json()["data"])
            #expect(data["stored"]?.unsigned == 5)
            #expect(data["rejected"]?.unsigned == 2)
            #expect(data["user_sessions"]?.unsigned == 3)
            #expect(data["command_executions"]?.unsigned == 2)
            #expect(data["errors"]?.elements?.compactMap { $0["line"]?.unsigned } == [4, 6])
            #expect(data["errors"]?[0]?["field"]?.string == "session_id")
            #expect(data["errors"]?[0]?["message"]?.string?.contains("ended") == true)
            #expect(try server.lastSequence() == 5)
            let strict = try #require(
                try await send(server, [change("updated", "t"), change("updated", "s")], ["Prefer: handling=strict"])
                    .json()["data"])
            #expect(strict["stored"]?.unsigned == 0)
            #expect(strict["skipped"]?.unsigned == 1)
            #expect(strict["errors"]?[0]?["line"]?.unsigned == 2)
            #expect(try server.lastSequence() == 5)
        }
    }

    // MARK: - Repetitions

    @Test func aRepeatedImportStoresNothingTwiceAlsoAfterARestart() async throws {
        let directory = try TemporaryDirectory()
        var lines = lines(2_300)
        lines[5] = "nonsense"
        lines[2_200] = change("started", "s")
        lines[2_201] = change("updated", "nobody")
        var answers: Set<String> = []
        for _ in 0..<2 {
            try await TestServer.with(directory) { server in
                for _ in 0..<2 {
                    let reply = try await server.request(
                        "POST", Self.path, body: lines.joined(separator: "\n"), key: try server.key(.all),
                        fields: [Self.type, "Idempotency-Key: night"])
                    let data = try #require(try reply.json()["data"])
                    answers.insert(
                        ["lines", "stored", "rejected", "user_sessions", "first_sequence", "last_sequence"].map {
                            "\($0) \(data[$0]?.unsigned ?? 0)"
                        }.joined(separator: ", "))
                    #expect(try server.lastSequence() == 2_298)
                }
            }
        }
        #expect(
            answers == [
                "lines 2300, stored 2298, rejected 2, user_sessions 1, first_sequence 1, last_sequence 2298"
            ])
    }

    @Test func anImportThatBrokeOffGoesOnWhereItStopped() async throws {
        try await TestServer.with { server in
            let lines = lines(2_500)
            let fields = [Self.type, "Idempotency-Key: k", "Content-Length: 10000000"]
            let connection = try await server.connect()
            try await connection.send(
                TestConnection.text("POST", Self.path, key: server.key, fields: fields)
                    + lines[..<1_500].joined(separator: "\n") + "\n")
            try await retry {
                try server.lastSequence()
            } until: {
                $0 >= 1_000
            }
            connection.close()
            let data = try #require(try await send(server, lines, ["Idempotency-Key: k"]).json()["data"])
            #expect(data["stored"]?.unsigned == 2_500)
            #expect(data["first_sequence"]?.unsigned == 1)
            #expect(try server.lastSequence() == 2_500)
        }
    }

    @Test func anotherBodyOrAnotherHandlingUnderTheKeyIsAConflict() async throws {
        try await TestServer.with { server in
            let key = "Idempotency-Key: k"
            #expect(try await send(server, lines(3), [key]).status == 200)
            try (await send(server, [command("other")], [key])).expect(409, "conflict")
            try (await send(server, lines(3), [key, "Prefer: handling=strict"])).expect(409, "conflict")
            #expect(try server.lastSequence() == 3)
            // The key of an import is not that of a request.
            let single = try await server.request(
                "POST", "/api/v1/metrics/command-execution", body: Bodies.command, fields: [key])
            #expect(single.status == 201)
        }
    }

    // MARK: - Lines as answers

    /// An answer in chunks, as lines.
    private func lines(of connection: TestConnection) async throws -> (Reply, [ParsedJSON]) {
        let reply = try await connection.reply()
        #expect(reply.fields["transfer-encoding"] == "chunked")
        return (reply, try await rest(of: connection))
    }

    private func rest(of connection: TestConnection) async throws -> [ParsedJSON] {
        var body: [UInt8] = []
        while true {
            let size = try await connection.readLine()
            let byteCount = try #require(Int(size, radix: 16))
            body += try await connection.readBytes(byteCount + 2).dropLast(2)
            if byteCount == 0 { break }
        }
        let lines = body.split(separator: UInt8(ascii: "\n"))
        return try lines.map { try ParsedJSON(parsing: Array($0)) }
    }

    @Test func aClientThatAcceptsLinesHearsOfEveryChunkAndOfEveryBadLine() async throws {
        try await TestServer.with { server in
            var body = lines(2_100)
            for bad in 200..<400 { body[bad] = "nonsense" }
            let connection = try await server.connect()
            defer { connection.close() }
            try await connection.send(
                TestConnection.text(
                    "POST", Self.path, body: body.joined(separator: "\n"), key: server.key,
                    fields: [Self.type, "Accept: application/x-ndjson, application/json;q=0.5"]))
            let (reply, lines) = try await lines(of: connection)
            #expect(reply.status == 200)
            #expect(reply.fields["content-type"] == "application/x-ndjson")
            #expect(reply.fields["daybook-durability"] == "durable")
            let rejected = lines.compactMap { $0["rejected"]?["line"]?.unsigned }
            #expect(rejected == Array(201...400))
            let stored = lines.compactMap { $0["progress"]?["stored"]?.unsigned }
            #expect(stored == [800, 1_800, 1_900])
            let last = try #require(lines.last)
            #expect(last["success"] == .bool(true))
            #expect(last["data"]?["stored"]?.unsigned == 1_900)
            #expect(last["data"]?["errors"]?.count == 100)
            #expect(lines.count == 200 + 3 + 1)
            // The connection goes on.
            let next = try await connection.request(
                "POST", "/api/v1/metrics/command-execution", body: Bodies.command, key: server.key)
            #expect(next.status == 201)
        }
    }

    @Test func progressComesWhileTheBodyIsStillOnItsWay() async throws {
        try await TestServer.with { server in
            let connection = try await server.connect()
            defer { connection.close() }
            let body = lines(1_000).joined(separator: "\n") + "\n"
            let rest = command("last")
            try await connection.send(
                TestConnection.text(
                    "POST", Self.path, key: server.key,
                    fields: [
                        Self.type, "Accept: application/x-ndjson",
                        "Content-Length: \(body.utf8.count + rest.utf8.count)",
                    ]) + body)
            let reply = try await connection.reply()
            #expect(reply.status == 200)
            let byteCount = try #require(Int(try await connection.readLine(), radix: 16))
            let line = try await connection.readBytes(byteCount + 2).dropLast(2)
            #expect(try ParsedJSON(parsing: Array(line.dropLast()))["progress"]?["stored"]?.unsigned == 1_000)
            try await connection.send(rest)
            let last = try #require(try await self.rest(of: connection).last)
            #expect(last["data"]?["stored"]?.unsigned == 1_001)
            #expect(try server.lastSequence() == 1_001)
        }
    }

    @Test func anErrorOnTheWayIsTheLastLineAndEndsTheConnection() async throws {
        try await TestServer.with { server in
            let connection = try await server.connect()
            defer { connection.close() }
            let key = ["Idempotency-Key: k"]
            #expect(try await send(server, lines(1_000) + [command("x")], key).status == 200)
            let body = (lines(1_000) + [command("another")]).joined(separator: "\n")
            try await connection.send(
                TestConnection.text(
                    "POST", Self.path, body: body, key: server.key,
                    fields: [Self.type, "Accept: application/x-ndjson"] + key))
            let (reply, lines) = try await lines(of: connection)
            #expect(reply.status == 200)
            #expect(lines.first?["progress"]?["stored"]?.unsigned == 1_000)
            let last = try #require(lines.last)
            #expect(last["success"] == .bool(false))
            #expect(last["code"]?.string == "conflict")
            #expect(last["request_id"]?.string == reply.fields["x-request-id"])
            #expect(await connection.isEnded())
        }
    }

    @Test func whatFailsBeforeTheFirstChunkHasItsStatus() async throws {
        try await TestServer.with { server in
            let accept = "Accept: application/x-ndjson"
            try (await send(server, ["not packed"], [accept, "Content-Encoding: gzip"])).expect(400, "bad_request")
            let key = try server.key(.read)
            let refused = try await server.request(
                "POST", Self.path, body: command("a"), key: key, fields: [Self.type, accept])
            try refused.expect(403, "forbidden")
        }
    }
}
