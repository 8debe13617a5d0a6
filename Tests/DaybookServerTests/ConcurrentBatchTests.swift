import DaybookTestSupport
import Testing

/// How many batches and imports of an organization are taken at a time.
@Suite(.timeLimit(.minutes(15))) struct ConcurrentBatchTests {
    private let batch = #"{"command_executions":[\#(Bodies.command)]}"#
    private let line = #"{"type":"command_execution","# + Bodies.command.dropFirst()

    /// An import whose body has not come; the server has its head.
    private func openImport(_ server: TestServer) async throws -> TestConnection {
        let connection = try await server.connect()
        try await connection.send(
            """
            POST /api/v1/metrics/import HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer \(server.key)\r\n\
            Content-Type: application/x-ndjson\r\nContent-Length: \(line.utf8.count)\r\nExpect: 100-continue\r\n\r\n
            """)
        #expect(try await connection.reply().status == 100)
        return connection
    }

    private func send(_ server: TestServer, _ fields: [String] = []) async throws -> Reply {
        try await server.request("POST", "/api/v1/metrics/batch", body: batch, fields: fields)
    }

    @Test func theSixthIsRefusedUntilOneOfTheOthersIsDone() async throws {
        try await TestServer.with { server in
            var imports: [TestConnection] = []
            for _ in 0..<5 { imports.append(try await openImport(server)) }
            for fields in [[], ["X-Request-Id: general"]] {
                let reply = try await send(server, fields)
                try reply.expect(429, "too_many_concurrent")
                #expect(reply.fields["retry-after"] == "1")
                #expect(reply.fields["ratelimit-limit"] == "5")
                #expect(try reply.json()["rate_limit"]?["limit"]?.unsigned == 5)
            }
            // Single events are not batches.
            let single = try await server.request(
                "POST", "/api/v1/metrics/command-execution", body: Bodies.command)
            #expect(single.status == 201)
            try await imports[0].send(line)
            #expect(try await imports[0].reply().status == 200)
            #expect(try await send(server).status == 200)
            for connection in imports { connection.close() }
            let text = try await server.request("GET", "/metrics").text
            #expect(text.contains("\ndaybook_concurrent_batches_refused_total 2\n"))
        }
    }

    @Test func aClientThatLeavesMakesRoom() async throws {
        try await TestServer.with { server in
            let request = #"{"verb":"limits.set","organization":"acme","concurrent_batches":1}"#
            _ = server.administration.perform(Array(request.utf8))
            let left = try await openImport(server)
            #expect(try await send(server).status == 429)
            left.close()
            // When the server hears of it is the network's business.
            try await retry {
                try await send(server).status
            } until: {
                $0 == 200
            }
        }
    }

    @Test func aBatchThatIsRefusedForAnythingElseMakesRoom() async throws {
        try await TestServer.with { server in
            let bodies: [(body: String, fields: [String], status: Int)] = [
                ("{", [], 400), ("{", ["X-Request-Id: general"], 400), (batch, ["Content-Type: text/plain"], 415),
                (batch, ["Idempotency-Key: \(String(repeating: "k", count: 129))"], 400),
            ]
            for _ in 0..<3 {
                for (body, fields, status) in bodies {
                    let reply = try await server.request(
                        "POST", "/api/v1/metrics/batch", body: body, fields: fields)
                    #expect(reply.status == status)
                }
            }
            #expect(try await send(server).status == 200)
        }
    }

    @Test func aBatchThatMeetsTheRateLimitMakesRoom() async throws {
        // All within one window, however slow the machine.
        try await TestServer.with(clock: ManualClock.atPresent()) { server in
            let request = #"{"verb":"limits.set","organization":"acme","requests_per_minute":1,"adaptive":false}"#
            _ = server.administration.perform(Array(request.utf8))
            var statuses: [Int] = []
            for _ in 0..<20 { statuses.append(try await send(server).status) }
            #expect(statuses == Array(repeating: 200, count: 10) + Array(repeating: 429, count: 10))
            let unlimited = #"{"verb":"limits.set","organization":"acme","tier":"unlimited"}"#
            _ = server.administration.perform(Array(unlimited.utf8))
            #expect(try await send(server).status == 200)
        }
    }
}
