import DaybookControl
import DaybookFormat
import DaybookTestSupport
import Testing

/// Sessions whose clients do not count: what they did is counted from the events that name them.
@Suite struct SessionActivityTests {
    private func start(_ server: TestServer, _ id: String, _ fields: String = "") async throws {
        let reply = try await server.request(
            "POST", "/api/v1/metrics/session/start", body: #"{"session_id":"\#(id)"\#(fields)}"#)
        #expect(reply.status == 201)
    }

    private func command(_ server: TestServer, _ session: String) async throws {
        let body = Bodies.command.dropLast() + #","context":{"session_id":"\#(session)"}}"#
        let reply = try await server.request("POST", "/api/v1/metrics/command-execution", body: String(body))
        #expect(reply.status == 201)
    }

    private func agent(_ server: TestServer, _ session: String, _ name: String, _ fields: String = "") async throws {
        let body =
            Bodies.agent.replacing("reviewer", with: name).dropLast() + #","session_id":"\#(session)"\#(fields)}"#
        #expect(try await server.request("POST", "/api/metrics/agents", body: String(body)).status == 201)
    }

    private func listed(_ server: TestServer) async throws -> [String: ParsedJSON] {
        let reply = try await server.request("GET", "/api/v1/metrics/sessions")
        let items = try #require(try reply.json()["data"]?["items"]?.elements)
        return Dictionary(uniqueKeysWithValues: items.map { ($0["id"]?.string ?? "", $0) })
    }

    @Test func commandsAndAgentsOfASessionAreCountedWhenNobodySaysHowManyThereWere() async throws {
        try await TestServer.with { server in
            for id in ["a", "b", "idle"] { try await start(server, id) }
            for _ in 0..<3 { try await command(server, "a") }
            try await command(server, "b")
            for name in ["reviewer", "tester", "reviewer"] { try await agent(server, "a", name) }
            try await agent(server, "b", "builder")
            // Far outside of its life.
            try await agent(server, "a", "late", #","timestamp":"2001-01-01T00:00:00Z""#)
            let sessions = try await listed(server)
            #expect(sessions["a"]?["commands_executed"]?.unsigned == 3)
            #expect(sessions["a"]?["agents_used"]?.elements?.map(\.string) == ["reviewer", "tester"])
            #expect(sessions["b"]?["commands_executed"]?.unsigned == 1)
            #expect(sessions["b"]?["agents_used"]?.elements?.map(\.string) == ["builder"])
            #expect(sessions["idle"]?["commands_executed"]?.unsigned == 0)
            #expect(sessions["idle"]?["agents_used"]?.count == 0)
        }
    }

    @Test func whatAClientSaysCounts() async throws {
        try await TestServer.with { server in
            try await start(server, "a")
            for _ in 0..<3 { try await command(server, "a") }
            try await agent(server, "a", "reviewer")
            let change = #"{"commands_executed":0,"agents_used":["mine"]}"#
            #expect(try await server.request("PUT", "/api/v1/metrics/session/a", body: change).status == 201)
            let session = try await listed(server)["a"]
            #expect(session?["commands_executed"]?.unsigned == 0)
            #expect(session?["agents_used"]?.elements?.map(\.string) == ["mine"])
        }
    }

    @Test func severalSessionsOfAUserGoOnAtTheSameTime() async throws {
        try await TestServer.with { server in
            for id in ["a", "b"] { try await start(server, id, #","user_id":"ada""#) }
            #expect(
                try await server.request("POST", "/api/metrics/sessions/a/end", body: #"{"productivity_score":80}"#)
                    .status == 201)
            #expect(
                try await server.request("PUT", "/api/metrics/sessions/b", body: #"{"commands_executed":2}"#).status
                    == 201)
            let sessions = try await listed(server)
            #expect(sessions["a"]?["status"]?.string == "completed")
            #expect(sessions["a"]?["productivity_score"] == .number("80"))
            #expect(sessions["a"]?["total_duration_ms"] != .null)
            #expect(sessions["b"]?["status"]?.string == "active")
            #expect(sessions["b"]?["user_id"]?.string == "ada")
        }
    }
}
