import DaybookControl
import DaybookFormat
import DaybookSystem
import DaybookTestSupport
import Testing

@testable import DaybookServer

/// What happens to those who take too long, with limits so short that a test can wait for them. What each test does not
/// speak of has a limit out of reach, so that nothing else can end the wait.
@Suite(.timeLimit(.minutes(15))) struct TimeLimitTests {
    private let path = "/api/v1/metrics/command-execution"

    private func limits(_ shorten: (inout TimeLimits) -> Void) -> TimeLimits {
        var limits = TimeLimits.outOfReach
        limits.checkIntervalMilliseconds = 20
        shorten(&limits)
        return limits
    }

    /// Sends `piece` again and again, each time after a whole request on another connection, until it is cancelled.
    private func drip(_ piece: String, to connection: TestConnection, of server: TestServer) -> Task<Void, any Error> {
        Task {
            let other = try await server.connect()
            defer { other.close() }
            while !Task.isCancelled {
                try await connection.send(piece)
                _ = try await other.request("GET", "/health/live", key: nil)
            }
        }
    }

    @Test func aHeadThatDripsIsAnswered408() async throws {
        try await TestServer.with(timeLimits: limits { $0.requestMilliseconds = 200 }) { server in
            let connection = try await server.connect()
            try await connection.send("GET /health HTTP/1.1\r\nHost: a\r\nX-Long: ")
            let dripping = drip("a", to: connection, of: server)
            let reply = try await connection.reply()
            dripping.cancel()
            _ = await dripping.result
            try reply.expect(408, "timeout")
            #expect(reply.fields["connection"] == "close")
            #expect(await connection.isEnded())
            connection.close()
        }
    }

    @Test func aBodyThatDripsIsAnswered408AndNothingIsStored() async throws {
        try await TestServer.with(timeLimits: limits { $0.requestMilliseconds = 200 }) { server in
            for isChunked in [false, true] {
                let connection = try await server.connect()
                let head = TestConnection.text("POST", path, key: server.key).dropLast()
                let framing = isChunked ? "Transfer-Encoding: chunked" : "Content-Length: 100000"
                try await connection.send(head + "Content-Type: application/json\r\n\(framing)\r\n\r\n")
                let dripping = drip(isChunked ? "1\r\n \r\n" : " ", to: connection, of: server)
                let reply = try await connection.reply()
                dripping.cancel()
                _ = await dripping.result
                try reply.expect(408, "timeout")
                #expect(await connection.isEnded())
                connection.close()
            }
            #expect(try server.lastSequence() == 0)
        }
    }

    @Test func anAnswerThatDidNotWaitForTheBodyComesBeforeTheEnd() async throws {
        try await TestServer.with(timeLimits: limits { $0.requestMilliseconds = 200 }) { server in
            let head = TestConnection.text("POST", "/health", key: nil).dropLast()
            // On a busy machine the body may be too late before the router has answered.
            for attempt in 1...5_000 {
                let connection = try await server.connect()
                defer { connection.close() }
                try await connection.send(head + "Content-Length: 1000\r\n\r\n")
                let reply = try await connection.reply()
                if reply.status == 408, attempt < 5_000 { continue }
                try reply.expect(405, "method_not_allowed")
                #expect(await connection.isEnded())
                return
            }
        }
    }

    @Test func theRequestBeforeALateOneKeepsItsAnswer() async throws {
        try await TestServer.with(timeLimits: limits { $0.requestMilliseconds = 200 }) { server in
            let connection = try await server.connect()
            #expect(try await connection.request("POST", path, body: Bodies.command, key: server.key).status == 201)
            try await connection.send("GET /hea")
            try (await connection.reply()).expect(408, "timeout")
            #expect(await connection.isEnded())
            connection.close()
        }
    }

    @Test func aPausingImportIsToldHowFarItCame() async throws {
        try await TestServer.with(timeLimits: limits { $0.requestMilliseconds = 3_000 }) { server in
            let connection = try await server.connect()
            let head = TestConnection.text("POST", "/api/v1/metrics/import", key: server.key).dropLast()
            let line = #"{"type":"command_execution","# + Bodies.command.dropFirst() + "\n"
            let lines = String(repeating: line, count: 1_001)
            try await connection.send(
                head + "Content-Type: application/x-ndjson\r\nTransfer-Encoding: chunked\r\n\r\n"
                    + String(lines.utf8.count, radix: 16) + "\r\n" + lines + "\r\n")
            let reply = try await connection.reply()
            try reply.expect(408, "timeout")
            #expect(try reply.json()["message"]?.string?.contains("1000 events of this import were stored") == true)
            #expect(await connection.isEnded())
            #expect(try server.lastSequence() == 1_000)
            connection.close()
        }
    }

    @Test func idleConnectionsAreClosedWithoutAWord() async throws {
        try await TestServer.with(timeLimits: limits { $0.idleMilliseconds = 200 }) { server in
            let unused = try await server.connect()
            #expect(await unused.isEnded())
            unused.close()
            // On a busy machine a connection may have been idle for too long before it is used.
            try await retry {
                let used = try await server.connect()
                defer { used.close() }
                // Closed before the request, or reset by it: to be tried again.
                guard let reply = try? await used.request("GET", "/health/live", key: nil) else { return false }
                #expect(reply.status == 200)
                #expect(await used.isEnded())
                return true
            } until: {
                $0
            }
        }
    }

    @Test func aCommitThatTakesTooLongIsUnknownAndTheRetryFindsIt() async throws {
        try await TestServer.with(timeLimits: limits { $0.commitMilliseconds = 200 }, isGated: true) { server in
            let gate = try #require(server.gate)
            let fields = ["Idempotency-Key: once"]
            gate.close()
            // The answer that is ready does not wait for the commit behind it, and comes before it.
            let requests =
                TestConnection.text("GET", "/health/live", key: nil)
                + TestConnection.text("POST", path, body: Bodies.command, key: server.key, fields: fields)
            // On a busy machine the router may take too long as well, which ends the connection before the second request.
            let (connection, first) = try await retry {
                let connection = try await server.connect()
                try await connection.send(requests)
                return (connection, try await connection.reply())
            } until: {
                $1.status != 503
            }
            #expect(first.status == 200)
            let reply = try await connection.reply()
            gate.open()
            try reply.expect(503, "durability_unknown")
            #expect(reply.fields["retry-after"] == "5")
            #expect(try reply.json()["retry_after"] == .number("5"))
            #expect(await connection.isEnded())
            connection.close()
            // On a busy machine a commit may take too long once more.
            let found = try await retry {
                let reply = try await server.request("POST", path, body: Bodies.command, fields: fields)
                if reply.status == 503 { try reply.expect(503, "durability_unknown") }
                return reply
            } until: {
                $0.status != 503
            }
            #expect(found.status == 201)
            #expect(try found.json()["data"]?["sequence"]?.unsigned == 1)
            #expect(try server.lastSequence() == 1)
        }
    }

    private func givenUpCount(_ server: TestServer) async throws -> Substring? {
        let text = try await server.request("GET", "/metrics").text
        return text.split(separator: "\n").first { $0.hasPrefix("daybook_queries_given_up_total ") }
    }

    @Test func aQueryThatTakesTooLongIsAnsweredAndGivenUp() async throws {
        let limits = limits { $0.queryMilliseconds = 100 }
        try await TestServer.with(queryThreadCount: 1, timeLimits: limits, isGated: true) { server in
            let acts = try await server.occupyQueryThreads()
            let connection = try await server.connect()
            let reply = try await connection.request("GET", "/api/v1/metrics/commands", key: server.key)
            try reply.expect(503, "query_timeout")
            #expect(reply.fields["retry-after"] == "30")
            try await server.release(acts)
            #expect(try await givenUpCount(server) == "daybook_queries_given_up_total 1")
            // The connection goes on, and the late answer is nobody's.
            let again = try await retry {
                try await connection.request("GET", "/api/v1/metrics/commands", key: server.key).status
            } until: {
                $0 != 503
            }
            #expect(again == 200)
            connection.close()
        }
    }

    /// The least that an organization can choose, where the server's own limits are out of reach.
    private func bound(_ server: TestServer) throws {
        let request =
            #"{"verb":"org.set_config","organization":"acme","performance":{"processing_timeout_ms":100}}"#
        let answer = try ParsedJSON(parsing: server.administration.perform(Array(request.utf8)))
        #expect(answer["ok"] == .bool(true))
    }

    @Test func anOrganizationsOwnTimeLimitHoldsForItsCommits() async throws {
        try await TestServer.with(timeLimits: limits { _ in }, isGated: true) { server in
            try bound(server)
            let gate = try #require(server.gate)
            gate.close()
            let reply = try await server.request("POST", path, body: Bodies.command)
            gate.open()
            try reply.expect(503, "durability_unknown")
        }
    }

    @Test func anOrganizationsOwnTimeLimitHoldsForItsQuestions() async throws {
        try await TestServer.with(queryThreadCount: 1, timeLimits: limits { _ in }, isGated: true) { server in
            try bound(server)
            let acts = try await server.occupyQueryThreads()
            let reply = try await server.request("GET", "/api/v1/metrics/commands")
            try reply.expect(503, "query_timeout")
            try await server.release(acts)
        }
    }

    @Test func aQueryWhoseClientLeavesIsGivenUp() async throws {
        let limits = limits { $0.leftQueryMilliseconds = 40 }
        try await TestServer.with(queryThreadCount: 1, timeLimits: limits, isGated: true) { server in
            let acts = try await server.occupyQueryThreads()
            let leaving = try await server.connect()
            try await leaving.send(TestConnection.text("GET", "/api/v1/metrics/aggregated", key: server.key))
            leaving.close()
            try await server.waitFor("daybook_queries_given_up_total", 1)
            #expect(try await givenUpCount(server) == "daybook_queries_given_up_total 1")
            try await server.release(acts)
            #expect(try await server.request("GET", "/api/v1/metrics/commands").status == 200)
        }
    }

    @Test func theLogTellsOfAClientThatLeftBeforeItsAnswer() async throws {
        let limits = limits { $0.leftQueryMilliseconds = 40 }
        let log = CapturedLog(.debug, format: .text)
        try await TestServer.with(queryThreadCount: 1, timeLimits: limits, isGated: true, log: log) { server in
            let acts = try await server.occupyQueryThreads()
            let leaving = try await server.connect()
            try await leaving.send(TestConnection.text("GET", "/api/v1/metrics/aggregated", key: server.key))
            leaving.close()
            try await server.waitFor("daybook_queries_given_up_total", 1)
            try await server.release(acts)
        }
        let lines = log.lines().filter { $0.contains("route=/api/v1/metrics/aggregated") }
        #expect(lines.count == 1)
        #expect(lines.first?.contains("The client left before its answer.") == true)
        #expect(lines.first?.contains("status=") == false)
        #expect(lines.first?.contains("organization=acme") == true)
    }

    @Test func aQueryWhoseClientAsksNothingMoreIsAnswered() async throws {
        try await TestServer.with(timeLimits: limits { _ in }) { server in
            let connection = try await server.connect()
            try await connection.send(TestConnection.text("GET", "/api/v1/metrics/aggregated", key: server.key))
            try await connection.endWriting()
            #expect(try await connection.reply().status == 200)
            #expect(await connection.isEnded())
            connection.close()
        }
    }

    /// What api.md promises: 408 after 30 s, idle connections closed by 35 s, every answer within 5 s.
    @Test func theDefaultsAreWhatTheContractPromises() {
        let limits = TimeLimits()
        let late = limits.checkIntervalMilliseconds
        #expect(limits.requestMilliseconds == 30_000)
        #expect(limits.idleMilliseconds + late < 35_000)
        #expect(limits.commitMilliseconds + late < 5_000)
        #expect(limits.queryMilliseconds < 5_000)
    }
}
