import DaybookControl
import DaybookFormat
import DaybookTestSupport
import Testing

@testable import DaybookServer

/// Users and teams over HTTP.
@Suite struct MemberRouteTests {
    @Test func aUserIsMadeShownListedChangedAndDeleted() async throws {
        try await TestServer.with { server in
            let team = try await server.request("PUT", "/api/v1/teams/core", body: #"{"name":"Core"}"#)
            #expect(team.status == 200, "\(team.text)")
            let made = try await server.request(
                "PUT", "/api/v1/users/ada", body: #"{"name":"Ada L.","role":"manager","team_id":"core"}"#)
            #expect(made.status == 200, "\(made.text)")
            #expect(made.fields["cache-control"] == "no-store")
            let shown = try await server.request("GET", "/api/v1/users/ada").json()["data"]
            #expect(shown == (try made.json()["data"]))
            #expect(shown?["team_id"]?.string == "core")
            let members = try await server.request("GET", "/api/v1/teams/core").json()["data"]?["members"]
            #expect(members?.elements?.compactMap(\.string) == ["ada"])
            _ = try await server.request("PUT", "/api/v1/users/bob", body: "{}")
            for (query, users) in [("", ["ada", "bob"]), ("?team_id=core", ["ada"]), ("?team_id=edge", [])] {
                let items = try await server.request("GET", "/api/v1/users" + query).json()["data"]?["items"]
                #expect(items?.elements?.compactMap { $0["user_id"]?.string } == users, "\(query)")
            }
            let key = try server.make(.developer, user: "ada").key.text
            let deleted = try await server.request("DELETE", "/api/v1/users/ada")
            #expect(try deleted.json()["data"]?["revoked_key_ids"]?.count == 1)
            try (await server.request("GET", "/api/v1/metrics/aggregated", key: key)).expect(401, "unauthorized")
            try (await server.request("GET", "/api/v1/users/ada")).expect(404, "not_found")
            #expect(try await server.request("DELETE", "/api/v1/teams/core").status == 200)
            let actions = try await server.audit().compactMap { $0["action"]?.string }
            #expect(
                actions.filter { $0 != "access" }.reversed() == [
                    "team.set", "user.set", "user.set", "key.revoke", "user.delete", "team.delete",
                ])
        }
    }

    @Test func theTrailNamesNoUser() async throws {
        try await TestServer.with { server in
            let made = try await server.request("PUT", "/api/v1/users/zqx7", body: #"{"name":"zqx7"}"#)
            _ = try await server.request("DELETE", "/api/v1/users/zqx7")
            _ = try await server.request("GET", "/api/v1/users/zqx7")
            let entries = try await server.request("GET", "/api/v1/audit")
            #expect(!entries.text.contains("zqx7"))
            let targets = try await server.audit().compactMap { $0["target"]?.string }
            #expect(targets.contains(try #require(try made.json()["data"]?["record_id"]?.string)))
        }
    }

    @Test func idsInPathsAreDecoded() async throws {
        try await TestServer.with { server in
            for (path, user) in [("a@b.c", "a@b.c"), ("a%40b.d", "a@b.d"), ("A_1-x.y", "A_1-x.y")] {
                let reply = try await server.request("PUT", "/api/v1/users/" + path, body: "{}")
                #expect(try reply.json()["data"]?["user_id"]?.string == user, "\(reply.text)")
            }
            for path in ["a%20b", "a%2Fb", "%00", "k%C3%A4se", "a%zz"] {
                try (await server.request("PUT", "/api/v1/users/" + path, body: "{}")).expect(400, "validation_failed")
            }
        }
    }

    @Test func everyWrongFieldIsListedAndNothingIsMade() async throws {
        try await TestServer.with { server in
            let reply = try await server.request(
                "PUT", "/api/v1/users/ada", body: #"{"name":7,"role":"king","team_id":"none","disabled":1}"#)
            try reply.expect(400, "validation_failed")
            let fields = try reply.json()["errors"]?.elements?.compactMap { $0["field"]?.string }
            #expect(fields?.sorted() == ["disabled", "name", "role", "team_id"], "\(reply.text)")
            for (body, code) in [
                (#"{"user_id":"bob"}"#, "validation_failed"), (#"{"verb":"org.list"}"#, "validation_failed"),
                (#"{"nmae":"x"}"#, "validation_failed"), ("[]", "invalid_json"), ("{", "invalid_json"),
            ] {
                try (await server.request("PUT", "/api/v1/users/ada", body: body)).expect(400, code)
            }
            try (await server.request("PUT", "/api/v1/teams/core", body: #"{"name":null,"x":1}"#))
                .expect(400, "validation_failed")
            for path in ["users", "teams"] {
                #expect(try await server.request("GET", "/api/v1/\(path)").json()["data"]?["items"]?.count == 0)
                for query in ["limit=0", "cursor=none", "nonsense=1", "limit=1&limit=1"] {
                    try (await server.request("GET", "/api/v1/\(path)?\(query)")).expect(400, "invalid_query")
                }
            }
        }
    }

    @Test func listsComeInPages() async throws {
        try await TestServer.with { server in
            for number in 0..<5 {
                _ = try await server.request("PUT", "/api/v1/users/u\(number)", body: "{}")
                _ = try await server.request("PUT", "/api/v1/teams/t\(number)", body: "{}")
            }
            for (path, field) in [("users", "user_id"), ("teams", "team_id")] {
                var found: [String] = []
                var cursor = ""
                repeat {
                    let data = try await server.request("GET", "/api/v1/\(path)?limit=2" + cursor).json()["data"]
                    found += (data?["items"]?.elements ?? []).compactMap { $0[field]?.string }
                    cursor = data?["pagination"]?["next_cursor"]?.string.map { "&cursor=\($0)" } ?? ""
                } while !cursor.isEmpty
                #expect(found == (0..<5).map { "\(path.prefix(1))\($0)" })
            }
        }
    }

    @Test func aDisabledUsersKeyStopsOnAnOpenConnectionAndComesBack() async throws {
        try await TestServer.with { server in
            let key = try server.make(.developer, user: "ada")
            let connection = try await server.connect()
            defer { connection.close() }
            let target = "/api/v1/metrics/command-execution"
            func send() async throws -> Int {
                try await connection.request("POST", target, body: Bodies.command, key: key.key.text).status
            }
            #expect(try await send() == 201)
            #expect(try await server.request("PUT", "/api/v1/users/ada", body: #"{"disabled":true}"#).status == 200)
            #expect(try await send() == 401)
            #expect(
                try await connection.request("GET", "/api/v1/metrics/aggregated", key: key.key.text).status == 401)
            #expect(try await connection.request("GET", "/api/v1/metrics/commands", key: key.key.text).status == 401)
            let entry = try #require(try await server.audit().first)
            #expect(entry["outcome"]?.string == "unauthorized")
            #expect(entry["actor"]?.string == key.record.keyID)
            _ = try await server.request("PUT", "/api/v1/users/ada", body: #"{"disabled":false}"#)
            #expect(try await send() == 201)
            _ = try await server.request("DELETE", "/api/v1/users/ada")
            #expect(try await send() == 401)
        }
    }

    @Test func aRoleHoldsOnAnOpenConnection() async throws {
        try await TestServer.with { server in
            let key = try server.make(.admin, user: "ada").key.text
            let connection = try await server.connect()
            defer { connection.close() }
            #expect(try await connection.request("GET", "/api/v1/keys", key: key).status == 200)
            _ = try await server.request("PUT", "/api/v1/users/ada", body: #"{"role":"viewer"}"#)
            try (await connection.request("GET", "/api/v1/keys", key: key)).expect(403, "forbidden")
            let send = try await connection.request(
                "POST", "/api/v1/metrics/command-execution", body: Bodies.command, key: key)
            try send.expect(403, "forbidden")
        }
    }

    @Test func nobodyEndsTheOwnUser() async throws {
        try await TestServer.with { server in
            let key = try server.make(.admin, user: "ada").key.text
            _ = try await server.request("PUT", "/api/v1/users/ada", body: "{}", key: key)
            try (await server.request("DELETE", "/api/v1/users/ada", key: key)).expect(409, "conflict")
            let disable = try await server.request("PUT", "/api/v1/users/ada", body: #"{"disabled":true}"#, key: key)
            try disable.expect(409, "conflict")
            #expect(try await server.request("GET", "/api/v1/users/ada", key: key).status == 200)
        }
    }
}
