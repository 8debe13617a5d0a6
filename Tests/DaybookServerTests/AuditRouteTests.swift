import DaybookControl
import DaybookFormat
import DaybookStore
import DaybookTestSupport
import Foundation
import Testing

/// What of the requests of a running server is in the audit trail.
@Suite struct AuditRouteTests {
    private let ingest = "/api/v1/metrics/command-execution"

    @Test func anActSaysWhoWhatWhereAndWhen() async throws {
        try await TestServer.with { server in
            let admin = try server.make(.admin)
            let made = try await server.request("POST", "/api/v1/keys", body: "{}", key: admin.key.text)
            let keyID = try #require(try made.json()["data"]?["key_id"]?.string)
            let entry = try #require(try await server.audit(key: admin.key.text).first)
            #expect(entry["number"]?.unsigned == 1)
            #expect(entry["organization"]?.string == "acme")
            #expect(entry["actor"]?.string == admin.record.keyID)
            #expect(entry["action"]?.string == "key.create")
            #expect(entry["target"]?.string == keyID)
            #expect(entry["route"]?.string == "POST /api/v1/keys")
            #expect(entry["request_id"]?.string == made.fields["x-request-id"])
            #expect(entry["address"]?.string == "127.0.0.1")
            #expect(entry["outcome"]?.string == "done")
            #expect(entry["count"]?.unsigned == 1)
            #expect(entry["at"]?.string?.hasSuffix("Z") == true)
        }
    }

    @Test func deniedAccessesOfThoseWhoAreKnownAreInIt() async throws {
        try await TestServer.with { server in
            let viewer = try server.make(.viewer)
            let reader = try server.make(nil, .read)
            let revoked = try server.make(.admin)
            let expired = try server.make(.developer, user: "ada")
            #expect(try await server.request("POST", ingest, body: Bodies.command, key: expired.key.text).status == 201)
            _ = try server.registry.revoke(keyID: revoked.record.keyID)
            #expect(try await server.request("POST", ingest, body: Bodies.command, key: reader.key.text).status == 403)
            #expect(try await server.request("GET", "/api/v1/metrics/commands", key: viewer.key.text).status == 403)
            #expect(try await server.request("GET", "/metrics", key: viewer.key.text).status == 403)
            #expect(try await server.request("GET", "/api/v1/keys", key: revoked.key.text).status == 401)
            #expect(try await server.request("GET", "/api/v1/metrics/agents", key: revoked.key.text).status == 401)
            _ = try server.registry.rotate(
                keyID: expired.record.keyID, organization: nil, graceMicroseconds: 0, expiresAt: nil)
            #expect(try await server.request("POST", ingest, body: Bodies.command, key: expired.key.text).status == 401)
            let entries = try await server.audit().reversed().map { entry in
                [entry["actor"], entry["route"], entry["outcome"]].map { $0?.string ?? "" }
            }
            #expect(
                entries == [
                    [reader.record.keyID, "POST " + ingest, "forbidden"],
                    [viewer.record.keyID, "GET /api/v1/metrics/commands", "forbidden"],
                    [viewer.record.keyID, "GET /metrics", "forbidden"],
                    [revoked.record.keyID, "GET /api/v1/keys", "unauthorized"],
                    [revoked.record.keyID, "GET /api/v1/metrics/agents", "unauthorized"],
                    [expired.record.keyID, "POST " + ingest, "unauthorized"],
                ])
        }
    }

    private func strangers(_ server: TestServer) async throws -> Substring? {
        let text = try await server.request("GET", "/metrics").text
        return text.split(separator: "\n").first { $0.hasPrefix("daybook_unknown_credentials_total ") }
    }

    @Test func deniedAccessesOfStrangersAreOnlyCounted() async throws {
        try await TestServer.with { server in
            for key in ["none", APIKey(randomBytes: Array(0..<32)).text] {
                for target in ["/api/v1/keys", "/api/v1/metrics/commands"] {
                    #expect(try await server.request("GET", target, key: key).status == 401)
                }
            }
            let connection = try await server.connect()
            #expect(try await connection.request("POST", ingest, body: Bodies.command, key: nil).status == 401)
            connection.close()
            #expect(try await strangers(server) == "daybook_unknown_credentials_total 5")
            #expect(try await server.audit().isEmpty)
            // What needs no credential denies nothing.
            #expect(try await server.request("GET", "/health", key: "none").status == 200)
            #expect(try await strangers(server) == "daybook_unknown_credentials_total 5")
        }
    }

    @Test func whatAClientChoosesIsNotKept() async throws {
        try await TestServer.with { server in
            let viewer = try server.make(.viewer)
            let name = "zqx7-ada"
            for (method, target) in [
                ("PUT", "/api/v1/metrics/session/\(name)"), ("GET", "/api/v1/metrics/commands?user_id=\(name)"),
                ("DELETE", "/api/v1/keys/\(name)"), ("GET", "/api/v1/organizations/\(name)"),
            ] {
                let reply = try await server.request(
                    method, target, body: method == "PUT" ? "{}" : nil, key: viewer.key.text,
                    fields: ["X-Request-Id: \(name)"])
                #expect(reply.status == 403)
                #expect(reply.fields["x-request-id"] == name)
            }
            let missing = try await server.request("DELETE", "/api/v1/keys/\(name)")
            #expect(missing.status == 404)
            let trail = try await server.request("GET", "/api/v1/audit")
            #expect(!trail.text.contains("zqx7"))
            #expect(try trail.json()["data"]?["items"]?.count == 5)
        }
    }

    @Test func theTrailOutlivesTheServerWithTheLastUses() async throws {
        let directory = try TemporaryDirectory()
        var keyID = ""
        try await TestServer.with(directory) { server in
            let viewer = try server.make(.viewer)
            keyID = viewer.record.keyID
            #expect(try await server.request("GET", "/api/v1/audit", key: viewer.key.text).status == 403)
            #expect(try await server.request("GET", "/health", key: viewer.key.text).status == 200)
        }
        try await TestServer.with(directory) { server in
            let entry = try #require(try await server.audit().last)
            #expect(entry["actor"]?.string == keyID)
            let listed = try #require(
                server.registry.list(organization: server.organization.id).first { $0.record.keyID == keyID })
            #expect(listed.lastUsedAt != nil)
        }
    }
}
