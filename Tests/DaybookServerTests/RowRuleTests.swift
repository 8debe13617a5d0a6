import DaybookControl
import DaybookFormat
import DaybookTestSupport
import Testing

/// Which rows of its organization a credential sees.
@Suite struct RowRuleTests {
    private let lists = ["commands", "agents", "sessions", "productivity"].map { "/api/v1/metrics/" + $0 }

    /// One event of each family for each of two users.
    private func fill(_ server: TestServer) async throws {
        for user in ["ada", "bob"] {
            let key = try server.make(.developer, user: user).key.text
            let batch = """
                {"command_executions":[\(Bodies.command)],"agent_interactions":[\(Bodies.agent)],\
                "productivity_metrics":[\(Bodies.productivity)]}
                """
            #expect(try await server.request("POST", "/api/v1/metrics/batch", body: batch, key: key).status == 200)
            let session = try await server.request(
                "POST", "/api/v1/metrics/session/start", body: #"{"session_id":"of-\#(user)"}"#, key: key)
            #expect(session.status == 201)
        }
    }

    private func users(_ reply: Reply) throws -> [String] {
        (try reply.json()["data"]?["items"]?.elements ?? []).compactMap { $0["user_id"]?.string }.sorted()
    }

    @Test func adminsAndAuditorsListEveryUser() async throws {
        try await TestServer.with { server in
            try await fill(server)
            for role in [Role.admin, .auditor] {
                let key = try server.make(role, user: "eve").key.text
                for list in lists {
                    #expect(try users(try await server.request("GET", list, key: key)) == ["ada", "bob"], "\(list)")
                    let one = try await server.request("GET", list + "?user_id=bob", key: key)
                    #expect(try users(one) == ["bob"])
                }
            }
        }
    }

    @Test func developersListTheirOwnUserOnlyWhateverTheirTeamIs() async throws {
        try await TestServer.with { server in
            try await join(server, ["ada": "core", "bob": "core"])
            try await fill(server)
            let key = try server.make(.developer, user: "ada").key.text
            for list in lists {
                for query in ["", "?user_id=ada", "?team_id=core"] {
                    #expect(
                        try users(try await server.request("GET", list + query, key: key)) == ["ada"], "\(list)\(query)"
                    )
                }
                for query in ["?user_id=bob", "?user_id=nobody", "?user_id=ada&user_id=bob"] {
                    try (await server.request("GET", list + query, key: key)).expect(403, "forbidden")
                }
            }
        }
    }

    /// Puts users into teams.
    private func join(_ server: TestServer, _ teams: [String: String?]) async throws {
        for (user, team) in teams {
            if let team { _ = try await server.request("PUT", "/api/v1/teams/" + team, body: "{}") }
            let value = team.map { #""\#($0)""# } ?? "null"
            let reply = try await server.request("PUT", "/api/v1/users/" + user, body: #"{"team_id":\#(value)}"#)
            #expect(reply.status == 200, "\(reply.text)")
        }
    }

    @Test func aManagerListsTheTeamAndTheOwnUser() async throws {
        try await TestServer.with { server in
            let key = try server.make(.manager, user: "eve").key.text
            try await join(server, ["ada": "core", "eve": "core", "bob": "edge"])
            try await fill(server)
            for list in lists {
                for (query, expected) in [
                    ("", ["ada"]), ("?user_id=ada", ["ada"]), ("?user_id=bob", []), ("?user_id=nobody", []),
                    ("?team_id=core", ["ada"]), ("?team_id=edge", []), ("?user_id=ada&user_id=bob", ["ada"]),
                ] {
                    let found = try users(try await server.request("GET", list + query, key: key))
                    #expect(found == expected, "\(list)\(query)")
                }
            }
            // Own events from before, when the manager was in no team.
            try await join(server, ["eve": nil])
            let own = try await server.request(
                "POST", "/api/v1/metrics/command-execution", body: Bodies.command, key: key)
            #expect(own.status == 201)
            #expect(try users(try await server.request("GET", lists[0], key: key)) == ["eve"])
            try await join(server, ["eve": "edge"])
            #expect(try users(try await server.request("GET", lists[0], key: key)) == ["bob", "eve"])
        }
    }

    /// The team counts at arrival: who has left it since is still in its events, and what came before is not.
    @Test func aManagerSeesTheTeamAsItWasWhenEventsArrived() async throws {
        try await TestServer.with { server in
            let key = try server.make(.manager, user: "eve").key.text
            try await join(server, ["eve": "core"])
            try await fill(server)
            try await join(server, ["ada": "core"])
            for list in lists { #expect(try users(try await server.request("GET", list, key: key)).isEmpty) }
            let ada = try server.make(.developer, user: "ada").key.text
            let target = "/api/v1/metrics/command-execution"
            #expect(try await server.request("POST", target, body: Bodies.command, key: ada).status == 201)
            try await join(server, ["ada": nil])
            #expect(try users(try await server.request("GET", lists[0], key: key)) == ["ada"])
        }
    }

    @Test func aManagerWithoutATeamListsTheOwnUserOnly() async throws {
        try await TestServer.with { server in
            try await join(server, ["bob": "core"])
            try await fill(server)
            let key = try server.make(.manager, user: "ada").key.text
            for list in lists {
                #expect(try users(try await server.request("GET", list, key: key)) == ["ada"], "\(list)")
                #expect(try users(try await server.request("GET", list + "?user_id=bob", key: key)).isEmpty)
            }
        }
    }

    @Test func pagesOfAManagerHaveEveryRowOnce() async throws {
        // Lists are in the order of arrival, which a clock that somebody sets back would change.
        let clock = ManualClock()
        try await TestServer.with(clock: clock) { server in
            try await join(server, ["ada": "core", "eve": "core"])
            let key = try server.make(.manager, user: "eve").key.text
            for user in ["ada", "bob", "eve", "ada", "bob", "ada"] {
                let body = String(Bodies.command.dropLast()) + #","user_id":"\#(user)"}"#
                let reply = try await server.request("POST", "/api/v1/metrics/command-execution", body: body)
                #expect(reply.status == 201)
                clock.advance(seconds: 1)
            }
            var found: [String] = []
            var cursor = ""
            repeat {
                let reply = try await server.request("GET", lists[0] + "?limit=1" + cursor, key: key)
                found += try users(reply)
                cursor = try reply.json()["data"]?["pagination"]?["next_cursor"]?.string.map { "&cursor=\($0)" } ?? ""
            } while !cursor.isEmpty
            #expect(found == ["ada", "ada", "eve", "ada"])
        }
    }

    @Test func viewersListNothing() async throws {
        try await TestServer.with { server in
            try await join(server, ["ada": "core"])
            let key = try server.make(.viewer, user: "ada").key.text
            for list in lists { try (await server.request("GET", list, key: key)).expect(403, "forbidden") }
        }
    }

    @Test func otherFiltersLeadToNoOtherRows() async throws {
        try await TestServer.with { server in
            try await fill(server)
            let key = try server.make(.developer, user: "ada").key.text
            for query in ["commands?command_name=build", "sessions?session_id=of-bob", "commands?order=asc&limit=1"] {
                let reply = try await server.request("GET", "/api/v1/metrics/" + query, key: key)
                #expect(try users(reply).allSatisfy { $0 == "ada" }, "\(query)")
            }
        }
    }

    @Test func aCursorOfWhoSeesEverythingIsNoWayAround() async throws {
        try await TestServer.with { server in
            try await fill(server)
            let first = try await server.request("GET", "/api/v1/metrics/commands?limit=1")
            let cursor = try #require(try first.json()["data"]?["pagination"]?["next_cursor"]?.string)
            let key = try server.make(.developer, user: "ada").key.text
            let reply = try await server.request("GET", "/api/v1/metrics/commands?limit=1&cursor=\(cursor)", key: key)
            try reply.expect(400, "invalid_query")
        }
    }

    @Test func everybodyWhoReadsSeesTheOrganizationsSums() async throws {
        try await TestServer.with { server in
            try await fill(server)
            for role in Role.allCases {
                let key = try server.make(role, user: "ada").key.text
                let reply = try await server.request(
                    "GET", "/api/v1/metrics/aggregated?aggregation_window=total", key: key)
                #expect(try reply.json()["data"]?["items"]?[0]?["count"]?.unsigned == 2, "\(role)")
            }
        }
    }

    @Test func aDeveloperSendsEventsOfTheOwnUserOnly() async throws {
        try await TestServer.with { server in
            let key = try server.make(.developer, user: "ada").key.text
            let target = "/api/v1/metrics/command-execution"
            for (user, status) in [("ada", 201), ("bob", 403)] {
                let body = Bodies.command.dropLast() + #","user_id":"\#(user)"}"#
                #expect(try await server.request("POST", target, body: String(body), key: key).status == status)
            }
            let entries = try await server.audit()
            #expect(entries.first?["route"]?.string == "POST " + target)
            #expect(entries.first?["outcome"]?.string == "forbidden")
        }
    }
}
