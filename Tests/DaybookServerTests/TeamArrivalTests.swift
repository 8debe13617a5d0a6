import DaybookControl
import DaybookFormat
import DaybookTestSupport
import Testing

@testable import DaybookServer

/// An event belongs to the team that its user is in when it arrives.
@Suite struct TeamArrivalTests {
    private static let lists = ["commands", "agents", "sessions", "productivity"]

    private func put(_ server: TestServer, _ user: String, team: String?) async throws {
        if let team { _ = try await server.request("PUT", "/api/v1/teams/" + team, body: "{}") }
        let value = team.map { #""\#($0)""# } ?? "null"
        let reply = try await server.request("PUT", "/api/v1/users/" + user, body: #"{"team_id":\#(value)}"#)
        #expect(reply.status == 200, "\(reply.text)")
    }

    private func send(
        _ server: TestServer, _ user: String, _ session: String, key: String? = nil
    ) async throws {
        let batch = """
            {"command_executions":[\(Bodies.command.dropLast()),"user_id":"\(user)"}],\
            "agent_interactions":[\(Bodies.agent.dropLast()),"user_id":"\(user)"}],\
            "user_sessions":[{"id":"\(session)","user_id":"\(user)","session_start":"2026-01-01T00:00:00Z"}],\
            "productivity_metrics":[\(Bodies.productivity.dropLast()),"user_id":"\(user)"}]}
            """
        let reply = try await server.request("POST", "/api/v1/metrics/batch", body: batch, key: key)
        #expect(reply.status == 200, "\(reply.text)")
    }

    private func teams(_ server: TestServer, _ list: String, _ query: String = "") async throws -> [String?] {
        let all = "/api/v1/metrics/\(list)?order=asc&start_date=2025-01-01T00:00:00Z" + query
        let items = try await server.request("GET", all).json()["data"]?["items"]?.elements ?? []
        return items.map { $0["team_id"]?.string }
    }

    @Test func everyFamilyHasTheTeamOfItsMoment() async throws {
        try await TestServer.with { server in
            try await send(server, "ada", "s1")
            try await put(server, "ada", team: "core")
            try await send(server, "ada", "s2")
            try await put(server, "ada", team: "edge")
            try await send(server, "ada", "s3")
            try await put(server, "ada", team: nil)
            try await send(server, "ada", "s4")
            for list in Self.lists {
                #expect(try await teams(server, list) == [nil, "core", "edge", nil], "\(list)")
                #expect(try await teams(server, list, "&team_id=core") == ["core"], "\(list)")
                let either = try await teams(server, list, "&team_id=core&team_id=edge")
                #expect(either == ["core", "edge"], "\(list)")
                #expect(try await teams(server, list, "&team_id=none") == [], "\(list)")
            }
        }
    }

    @Test func singleEventsOfTheCallerHaveTheCallersTeam() async throws {
        try await TestServer.with { server in
            try await put(server, "ada", team: "core")
            let key = try server.make(.developer, user: "ada").key.text
            let requests: [(String, String, String)] = [
                ("POST", "command-execution", Bodies.command), ("POST", "agent-interaction", Bodies.agent),
                ("POST", "productivity", Bodies.productivity),
                ("POST", "session/start", #"{"session_id":"s1"}"#), ("PUT", "session/s1", #"{"commands_executed":1}"#),
                ("POST", "session/end", #"{"session_id":"s1"}"#),
            ]
            for (method, path, body) in requests {
                let reply = try await server.request(method, "/api/v1/metrics/" + path, body: body, key: key)
                #expect([200, 201].contains(reply.status), "\(reply.text)")
            }
            for list in Self.lists { #expect(try await teams(server, list) == ["core"], "\(list)") }
            let aggregate = try await server.request(
                "GET", "/api/v1/metrics/aggregated?metric=user_sessions&aggregation_window=total&group_by=team_id")
            #expect(try aggregate.json()["data"]?["items"]?[0]?["group"]?["team_id"]?.string == "core")
        }
    }

    @Test func sumsAreToldApartByTeamAndAnsweredFromRows() async throws {
        try await TestServer.with { server in
            for (user, team) in [("ada", "core"), ("bob", "core"), ("eve", "edge")] {
                try await put(server, user, team: team)
            }
            for (number, user) in ["ada", "bob", "eve", "zoe"].enumerated() {
                try await send(server, user, "s\(number)")
            }
            let total = "/api/v1/metrics/aggregated?aggregation_window=total&start_date=2025-01-01T00:00:00Z&metric="
            for metric in ["command_executions", "agent_interactions", "user_sessions", "productivity_metrics"] {
                let reply = try await server.request("GET", total + metric + "&group_by=team_id")
                var counts: [String: UInt64] = [:]
                for item in try reply.json()["data"]?["items"]?.elements ?? [] {
                    counts[item["group"]?["team_id"]?.string ?? "-"] = item["count"]?.unsigned
                }
                #expect(counts == ["core": 2, "edge": 1, "-": 1], "\(metric): \(reply.text)")
                #expect(try reply.json()["data"]?["meta"]?["source"]?.string == "raw")
                let core = try await server.request("GET", total + metric + "&team_id=core")
                #expect(try core.json()["data"]?["items"]?[0]?["count"]?.unsigned == 2)
            }
            for query in ["&team_id=core", "&group_by=team_id"] {
                let reply = try await server.request("GET", total + "command_executions&source=rollup" + query)
                try reply.expect(400, "invalid_query")
            }
        }
    }

    @Test func aRepeatedRequestIsTheSameOneAfterTheTeamHasChanged() async throws {
        try await TestServer.with { server in
            let target = "/api/v1/metrics/command-execution"
            let key = try server.make(.developer, user: "ada").key.text
            let fields = ["Idempotency-Key: k1"]
            let first = try await server.request("POST", target, body: Bodies.command, key: key, fields: fields)
            try await put(server, "ada", team: "core")
            let again = try await server.request("POST", target, body: Bodies.command, key: key, fields: fields)
            #expect(first.status == 201 && again.status == 201)
            #expect(try first.json()["data"]?["id"] == (try again.json()["data"]?["id"]))
            #expect(try await teams(server, "commands") == [nil])
        }
    }

    @Test func aLineOfAnImportMayNameItsTeamOrNone() async throws {
        try await TestServer.with { server in
            try await put(server, "ada", team: "core")
            let line = #"{"type":"command_execution","user_id":"ada",\#(Bodies.command.dropFirst().dropLast())"#
            let lines = [line + "}", line + #","team_id":"old"}"#, line + #","team_id":null}"#]
            let reply = try await server.request(
                "POST", "/api/v1/metrics/import", body: lines.joined(separator: "\n"))
            #expect(try reply.json()["data"]?["stored"]?.unsigned == 3, "\(reply.text)")
            #expect(try await teams(server, "commands") == ["core", "old", nil])
        }
    }

    @Test func whoMayNameTheOwnUserOnlyNamesNoForeignTeam() async throws {
        try await TestServer.with { server in
            try await put(server, "ada", team: "core")
            try await put(server, "bob", team: "edge")
            let key = try server.make(.developer, user: "ada").key.text
            let line = #"{"type":"command_execution",\#(Bodies.command.dropFirst().dropLast())"#
            let lines = ["core", "edge", "none"].map { line + #","team_id":"\#($0)"}"# }
            let reply = try await server.request(
                "POST", "/api/v1/metrics/import", body: lines.joined(separator: "\n"), key: key)
            #expect(try reply.json()["data"]?["stored"]?.unsigned == 1, "\(reply.text)")
            #expect(try reply.json()["data"]?["errors"]?[0]?["field"]?.string == "team_id")
            #expect(try await teams(server, "commands") == ["core"])
            let named = String(Bodies.command.dropLast()) + #","team_id":"core"}"#
            for body in [named, #"{"command_executions":[\#(named)]}"#] {
                let path = body == named ? "command-execution" : "batch"
                try (await server.request("POST", "/api/v1/metrics/" + path, body: body))
                    .expect(400, "validation_failed")
            }
        }
    }

    @Test func aForeignOrganizationsUsersAreNobody() async throws {
        try await TestServer.with { server in
            let (_, stranger) = try server.secondOrganization()
            try await put(server, "ada", team: "core")
            try await send(server, "ada", "s1", key: stranger.key.text)
            let items = try await server.request("GET", "/api/v1/metrics/commands", key: stranger.key.text).json()
            #expect(items["data"]?["items"]?.count == 1)
            #expect(items["data"]?["items"]?[0]?["team_id"] == nil)
        }
    }
}
