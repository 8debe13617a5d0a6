import DaybookControl
import DaybookFormat
import DaybookTestSupport
import Testing

@testable import DaybookServer

/// Keys and organizations over HTTP.
@Suite struct KeyRouteTests {
    private func opens(_ server: TestServer, _ key: String) async throws -> Bool {
        try await server.request("GET", "/api/v1/metrics/aggregated", key: key).status == 200
    }

    @Test func aKeyIsMadeListedRotatedAndRevoked() async throws {
        try await TestServer.with { server in
            let made = try await server.request(
                "POST", "/api/v1/keys",
                body: #"{"name":"Zoë 😀","role":"developer","user":"ada","expires_in_seconds":3600}"#)
            #expect(made.status == 201, "\(made.text)")
            #expect(made.fields["cache-control"] == "no-store")
            let data = try made.json()["data"]
            #expect(data?["role"]?.string == "developer")
            #expect(data?["name"]?.string == "Zoë 😀")
            #expect(try made.json()["performance"]?["processing_latency_ms"] != nil)
            let key = try #require(data?["api_key"]?.string)
            let keyID = try #require(data?["key_id"]?.string)
            #expect(try await opens(server, key))

            let list = try await server.request("GET", "/api/v1/keys")
            #expect(list.status == 200)
            let items = try #require(try list.json()["data"]?["items"]?.elements)
            let item = try #require(items.first { $0["key_id"]?.string == keyID })
            #expect(item["user"]?.string == "ada")
            #expect(item["last_used_at"]?.string != nil)
            #expect(item["revoked_at"] == .null)
            #expect(!list.text.contains("dbk_"))

            let rotated = try await server.request(
                "POST", "/api/v1/keys/\(keyID)/rotate", body: #"{"grace_seconds":3600}"#)
            #expect(rotated.status == 201, "\(rotated.text)")
            let newKey = try #require(try rotated.json()["data"]?["api_key"]?.string)
            #expect(try rotated.json()["data"]?["rotated_from"]?.string == keyID)
            #expect(try await opens(server, key))
            #expect(try await opens(server, newKey))

            let revoked = try await server.request("DELETE", "/api/v1/keys/\(keyID)")
            #expect(revoked.status == 200)
            #expect(try revoked.json()["data"]?["revoked_at"]?.string != nil)
            #expect(try await !opens(server, key))
            #expect(try await opens(server, newKey))
            try (await server.request("DELETE", "/api/v1/keys/\(keyID)")).expect(409, "conflict")
            try (await server.request("POST", "/api/v1/keys/\(keyID)/rotate")).expect(409, "conflict")
        }
    }

    @Test func aRotationWithoutGraceEndsAConnectionsKeyAtOnce() async throws {
        try await TestServer.with { server in
            let key = try server.make(.developer, user: "ada")
            let connection = try await server.connect()
            defer { connection.close() }
            let target = "/api/v1/metrics/command-execution"
            #expect(try await connection.request("POST", target, body: Bodies.command, key: key.key.text).status == 201)
            let rotated = try await server.request(
                "POST", "/api/v1/keys/\(key.record.keyID)/rotate", body: #"{"grace_seconds":0}"#)
            #expect(rotated.status == 201)
            #expect(try await connection.request("POST", target, body: Bodies.command, key: key.key.text).status == 401)
        }
    }

    @Test func everyWrongFieldIsListedAndNothingIsMade() async throws {
        try await TestServer.with { server in
            let before = try await server.request("GET", "/api/v1/keys").json()["data"]?["items"]?.count
            let reply = try await server.request(
                "POST", "/api/v1/keys",
                body: #"{"name":7,"role":"king","scopes":[],"user":"a b","expires_in_seconds":0,"operator":"yes"}"#)
            try reply.expect(400, "validation_failed")
            let fields = try reply.json()["errors"]?.elements?.compactMap { $0["field"]?.string }
            #expect(
                fields?.sorted() == ["expires_in_seconds", "name", "operator", "role", "scopes", "user"],
                "\(reply.text)")
            for (body, code) in [
                (#"{"nmae":"x"}"#, "validation_failed"), (#"{"verb":"org.list"}"#, "validation_failed"),
                ("[]", "invalid_json"), ("{", "invalid_json"), (#"{"name":"a","name":"b"}"#, "invalid_json"),
            ] {
                try (await server.request("POST", "/api/v1/keys", body: body)).expect(400, code)
            }
            let typed = try await server.request(
                "POST", "/api/v1/keys", body: "{}", fields: ["Content-Type: text/plain"])
            try typed.expect(415, "unsupported_media_type")
            let long = #"{"name":"\#(String(repeating: "a", count: 70_000))"}"#
            try (await server.request("POST", "/api/v1/keys", body: long)).expect(413, "payload_too_large")
            #expect(try await server.request("GET", "/api/v1/keys").json()["data"]?["items"]?.count == before)
        }
    }

    @Test func parametersAreChecked() async throws {
        try await TestServer.with { server in
            for target in [
                "/api/v1/keys?limit=0", "/api/v1/keys?limit=1001", "/api/v1/keys?limit=x",
                "/api/v1/keys?limit=1&limit=2",
                "/api/v1/keys?cursor=none", "/api/v1/keys?nonsense=1", "/api/v1/audit?cursor=x",
                "/api/v1/audit?limit=-1", "/api/v1/keys?cursor=%zz",
            ] {
                try (await server.request("GET", target)).expect(400, "invalid_query")
            }
        }
    }

    @Test func listsComeInPages() async throws {
        try await TestServer.with { server in
            for _ in 0..<4 { _ = try server.make(.viewer) }
            var found: [String] = []
            var cursor = ""
            repeat {
                let data = try await server.request("GET", "/api/v1/keys?limit=2" + cursor).json()["data"]
                found += (data?["items"]?.elements ?? []).compactMap { $0["key_id"]?.string }
                cursor = data?["pagination"]?["next_cursor"]?.string.map { "&cursor=\($0)" } ?? ""
            } while !cursor.isEmpty
            #expect(found.count == 5)
            #expect(Set(found).count == 5)
        }
    }

    @Test func nobodyManagesAKeyThatMayDoMore() async throws {
        try await TestServer.with { server in
            let operators = try server.make(.admin, isOperator: true)
            let admin = try server.make(.admin).key.text
            let narrow = try server.make(nil, .admin).key.text
            let strong = try server.make(.admin)
            for (key, target) in [(admin, operators), (narrow, strong), (narrow, operators)] {
                let path = "/api/v1/keys/\(target.record.keyID)"
                try (await server.request("DELETE", path, key: key)).expect(403, "forbidden")
                try (await server.request("POST", path + "/rotate", key: key)).expect(403, "forbidden")
            }
            for (key, body) in [
                (admin, #"{"role":"viewer","operator":true}"#), (narrow, #"{"role":"admin"}"#), (narrow, "{}"),
            ] {
                try (await server.request("POST", "/api/v1/keys", body: body, key: key)).expect(403, "forbidden")
            }
            #expect(try await opens(server, operators.key.text))
            let more = try await server.request(
                "POST", "/api/v1/keys", body: #"{"role":"viewer","operator":true}"#, key: operators.key.text)
            #expect(more.status == 201)
        }
    }

    @Test func theOperatorMakesOrganizationsAndTheirKeys() async throws {
        try await TestServer.with { server in
            let operators = try server.make(.admin, isOperator: true).key.text
            let made = try await server.request(
                "POST", "/api/v1/organizations", body: #"{"organization":"globex"}"#, key: operators)
            #expect(made.status == 201, "\(made.text)")
            let first = try #require(try made.json()["data"]?["api_key"]?.string)
            #expect(try await server.request("GET", "/api/v1/keys", key: first).status == 200)
            try (await server.request("GET", "/api/v1/organizations", key: first)).expect(403, "forbidden")
            let again = try await server.request(
                "POST", "/api/v1/organizations", body: #"{"organization":"globex"}"#, key: operators)
            try again.expect(409, "conflict")
            let bad = try await server.request(
                "POST", "/api/v1/organizations", body: #"{"organization":"Not An Id"}"#, key: operators)
            try bad.expect(400, "validation_failed")
            #expect(try bad.json()["errors"]?[0]?["field"]?.string == "organization")
            let list = try await server.request("GET", "/api/v1/organizations", key: operators).json()["data"]
            #expect(
                list?["items"]?.elements?.compactMap { $0["organization"]?.string } == ["acme", "globex"])
            let shown = try await server.request("GET", "/api/v1/organizations/globex", key: operators)
            #expect(try shown.json()["data"]?["retention_days"]?["commands"]?.unsigned == 90)
            try (await server.request("GET", "/api/v1/organizations/none", key: operators)).expect(404, "not_found")
            let key = try await server.request(
                "POST", "/api/v1/keys", body: #"{"organization":"globex","role":"viewer"}"#, key: operators)
            #expect(try key.json()["data"]?["organization"]?.string == "globex")
            let trail = try await server.audit("?organization=globex", key: operators)
            // When the denied access is written is another thread's business.
            let acts = trail.map { $0["action"]?.string }.filter { $0 != "access" }
            #expect(acts == ["key.create", "key.create", "org.create"])
        }
    }

    @Test func methodsAndHeadAnswerAsOnAllRoutes() async throws {
        try await TestServer.with { server in
            let reply = try await server.request("PUT", "/api/v1/keys", body: "{}")
            try reply.expect(405, "method_not_allowed")
            #expect(reply.fields["allow"] == "GET, HEAD, POST, OPTIONS")
            #expect(try await server.request("OPTIONS", "/api/v1/keys/key_1").fields["allow"] == "DELETE, OPTIONS")
            try (await server.request("DELETE", "/api/v1/keys")).expect(405, "method_not_allowed")
            try (await server.request("DELETE", "/api/v1/keys/")).expect(404, "not_found")
            let head = try await server.request("HEAD", "/api/v1/keys")
            #expect(head.status == 200)
            #expect(head.body.isEmpty)
        }
    }

    @Test(.timeLimit(.minutes(15)))
    func anActThatTheDiskKeepsWaitingIsAnsweredAndEndsTheConnection() async throws {
        var limits = TimeLimits.outOfReach
        limits.checkIntervalMilliseconds = 20
        limits.commitMilliseconds = 200
        try await TestServer.with(timeLimits: limits, isGated: true) { server in
            let gate = try #require(server.gate)
            let connection = try await server.connect()
            gate.close()
            try await connection.send(
                TestConnection.text("POST", "/api/v1/keys", body: #"{"role":"viewer","name":"late"}"#, key: server.key))
            let reply = try await connection.reply()
            gate.open()
            try reply.expect(503, "durability_unknown")
            #expect(reply.fields["retry-after"] == "5")
            #expect(await connection.isEnded())
            connection.close()
        }
    }
}
