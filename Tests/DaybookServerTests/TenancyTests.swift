import DaybookControl
import DaybookFormat
import DaybookTestSupport
import Testing

/// Every id that a request can name, with another organization's valid credential: it does not exist, and nothing tells
/// whether it does elsewhere.
@Suite struct TenancyTests {
    /// An answer without what differs from request to request.
    private func shape(_ reply: Reply) -> String {
        "\(reply.status) " + reply.text.replacing(reply.fields["x-request-id"] ?? "-", with: "")
    }

    @Test func aForeignKeyIsAnsweredAsOneThatNobodyHas() async throws {
        try await TestServer.with { server in
            let (_, stranger) = try server.secondOrganization()
            let own = try server.make(.viewer)
            for (method, suffix, body) in [("DELETE", "", nil), ("POST", "/rotate", "{}")]
                as [(String, String, String?)]
            {
                let foreign = try await server.request(
                    method, "/api/v1/keys/\(own.record.keyID)\(suffix)", body: body, key: stranger.key.text)
                try foreign.expect(404, "not_found")
                let nobodys = try await server.request(
                    method, "/api/v1/keys/key_00000000000000ff\(suffix)", body: body, key: stranger.key.text)
                #expect(shape(foreign) == shape(nobodys))
            }
            #expect(
                try await server.request("GET", "/api/v1/metrics/aggregated", key: own.key.text).status == 200)
            let listed = server.registry.list(organization: server.organization.id)
            #expect(listed.allSatisfy { $0.revokedAt == nil && $0.expiresAt == nil })
        }
    }

    @Test func aForeignOrganizationIsAnsweredAsOneThatNobodyHas() async throws {
        try await TestServer.with { server in
            let (_, stranger) = try server.secondOrganization()
            let own = try server.make(.viewer)
            for target in ["/api/v1/users/ada", "/api/v1/teams/core"] {
                #expect(try await server.request("PUT", target, body: "{}").status == 200)
            }
            let requests: [(String, String, String?)] = [
                ("GET", "/api/v1/keys?organization=ORG", nil), ("GET", "/api/v1/audit?organization=ORG", nil),
                ("POST", "/api/v1/keys", #"{"organization":"ORG","role":"viewer"}"#),
                ("DELETE", "/api/v1/keys/\(own.record.keyID)?organization=ORG", nil),
                ("POST", "/api/v1/keys/\(own.record.keyID)/rotate", #"{"organization":"ORG"}"#),
                ("GET", "/api/v1/organizations/ORG", nil), ("PUT", "/api/v1/organizations/ORG", #"{"quota_bytes":1}"#),
                ("DELETE", "/api/v1/organizations/ORG", nil),
                ("GET", "/api/v1/users?organization=ORG", nil), ("GET", "/api/v1/teams?organization=ORG", nil),
                ("GET", "/api/v1/users/ada?organization=ORG", nil), ("GET", "/api/v1/teams/core?organization=ORG", nil),
                ("PUT", "/api/v1/users/ada", #"{"organization":"ORG"}"#),
                ("PUT", "/api/v1/teams/core", #"{"organization":"ORG"}"#),
                ("DELETE", "/api/v1/users/ada?organization=ORG", nil),
                ("DELETE", "/api/v1/teams/core?organization=ORG", nil),
                ("GET", "/api/v1/organization/config?organization=ORG", nil),
                ("PUT", "/api/v1/organization/config?organization=ORG", "{}"),
                ("PUT", "/api/v1/organization/config", #"{"organization":"ORG"}"#),
                ("GET", "/api/v1/organization/limits?organization=ORG", nil),
                ("PUT", "/api/v1/organization/limits?organization=ORG", #"{"tier":"free"}"#),
                ("GET", "/admin/rate-limits?organization=ORG", nil),
                ("PUT", "/admin/rate-limits?organization=ORG", #"{"tier":"free"}"#),
            ]
            for (method, target, body) in requests {
                let shapes = try await ["acme", "nobody"].asyncMap { name in
                    let reply = try await server.request(
                        method, target.replacing("ORG", with: name), body: body?.replacing("ORG", with: name),
                        key: stranger.key.text)
                    #expect([403, 404].contains(reply.status), "\(method) \(target): \(reply.text)")
                    return shape(reply)
                }
                #expect(Set(shapes).count == 1, "\(method) \(target): \(shapes)")
            }
            #expect(server.registry.list(organization: server.organization.id).allSatisfy { $0.revokedAt == nil })
            #expect(server.store.members(of: server.organization.id).userCount == 1)
            #expect(server.store.configuration(of: server.organization.log) == nil)
            #expect(server.store.rateLimits(of: server.organization.log) == .standard)
        }
    }

    @Test func aForeignUserAndAForeignTeamAreAnsweredAsThoseThatNobodyHas() async throws {
        try await TestServer.with { server in
            let (other, stranger) = try server.secondOrganization()
            _ = try await server.request("PUT", "/api/v1/teams/core", body: "{}")
            _ = try await server.request("PUT", "/api/v1/users/ada", body: #"{"team_id":"core"}"#)
            let requests: [(String, String, String, String?)] = [
                ("GET", "/api/v1/users/", "ada", nil), ("DELETE", "/api/v1/users/", "ada", nil),
                ("GET", "/api/v1/teams/", "core", nil), ("DELETE", "/api/v1/teams/", "core", nil),
                // The team of another organization is none.
                ("PUT", "/api/v1/users/eve", "", #"{"team_id":"core"}"#),
                ("GET", "/api/v1/users?team_id=", "core", nil),
                ("GET", "/api/v1/metrics/commands?team_id=", "core", nil),
            ]
            for (method, target, id, body) in requests {
                let shapes = try await [id, "x" + id].asyncMap { id in
                    let reply = try await server.request(
                        method, target + (target.hasSuffix("eve") ? "" : id),
                        body: body?.replacing("core", with: id.isEmpty ? "core" : "none"), key: stranger.key.text)
                    return shape(reply).replacing(/"(took_ms|processing_latency_ms|reset_time)":[^,}]+/, with: "")
                }
                #expect(Set(shapes).count == 1, "\(method) \(target): \(shapes)")
            }
            #expect(server.store.members(of: other).userCount == 0)
            #expect(server.store.members(of: server.organization.id).userCount == 1)
            #expect(server.store.members(of: server.organization.id).teamCount == 1)
        }
    }

    @Test func listsAndTrailsHoldTheOwnOrganizationOnly() async throws {
        try await TestServer.with { server in
            let (_, stranger) = try server.secondOrganization()
            #expect(try await server.request("POST", "/api/v1/keys", body: "{}").status == 201)
            let keys = try await server.request("GET", "/api/v1/keys", key: stranger.key.text).json()
            #expect(
                keys["data"]?["items"]?.elements?.compactMap { $0["key_id"]?.string } == [stranger.record.keyID])
            #expect(try await server.audit(key: stranger.key.text).isEmpty)
            #expect(try await server.audit().count == 1)
            // The cursor of a foreign list is none.
            let foreign = server.registry.list(organization: server.organization.id)[0].record.keyID
            let shapes = try await [foreign, "key_00000000000000ff"].asyncMap { cursor in
                shape(try await server.request("GET", "/api/v1/keys?cursor=\(cursor)", key: stranger.key.text))
            }
            #expect(Set(shapes).count == 1)
            #expect(shapes[0].hasPrefix("400 "))
        }
    }

    @Test func aForeignSessionIsAnsweredAsOneThatNobodyHas() async throws {
        try await TestServer.with { server in
            let (_, stranger) = try server.secondOrganization()
            let started = try await server.request(
                "POST", "/api/v1/metrics/session/start", body: #"{"session_id":"s1"}"#)
            #expect(started.status == 201)
            let requests: [(String, String, String)] = [
                ("PUT", "/api/v1/metrics/session/ID", "{}"), ("PUT", "/api/metrics/sessions/ID", "{}"),
                ("POST", "/api/metrics/sessions/ID/end", "{}"),
                ("POST", "/api/v1/metrics/session/end", #"{"session_id":"ID"}"#),
            ]
            for (method, target, body) in requests {
                let shapes = try await ["s1", "s9"].asyncMap { id in
                    shape(
                        try await server.request(
                            method, target.replacing("ID", with: id), body: body.replacing("ID", with: id),
                            key: stranger.key.text))
                }
                #expect(Set(shapes).count == 1, "\(method) \(target): \(shapes)")
                #expect(shapes[0].hasPrefix("404 "))
            }
            for query in ["session_id=s1", "user_id=owner"] {
                for list in ["commands", "sessions"] {
                    let reply = try await server.request(
                        "GET", "/api/v1/metrics/\(list)?\(query)", key: stranger.key.text)
                    #expect(try reply.json()["data"]?["items"]?.count == 0)
                }
            }
        }
    }

    @Test func whoTriedIsInTheOwnTrailAndTheOwnersSayNothing() async throws {
        try await TestServer.with { server in
            let (_, stranger) = try server.secondOrganization()
            let own = try server.make(.viewer)
            _ = try await server.request("DELETE", "/api/v1/keys/\(own.record.keyID)", key: stranger.key.text)
            let entry = try #require(try await server.audit(key: stranger.key.text).first)
            #expect(entry["outcome"]?.string == "not_found")
            #expect(entry["actor"]?.string == stranger.record.keyID)
            #expect(entry["target"]?.string == own.record.keyID)
            #expect(entry["route"]?.string == "DELETE /api/v1/keys/{}")
            #expect(try await server.audit().isEmpty)
        }
    }
}

extension Array where Element: Sendable {
    /// One after the other.
    func asyncMap<Result>(_ transform: (Element) async throws -> Result) async rethrows -> [Result] {
        var results: [Result] = []
        for element in self { results.append(try await transform(element)) }
        return results
    }
}
