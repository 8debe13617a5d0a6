import DaybookControl
import DaybookFormat
import DaybookStore
import DaybookTestSupport
import Testing

/// Dead letters over HTTP: who sees which, and what replaying and purging leave behind.
@Suite struct DeadLetterRouteTests {
    private let path = "/api/v1/dead-letters"

    private func letter(_ number: UInt64, _ organization: OrganizationID) -> DeadLetter {
        DeadLetter(
            organization: organization, kind: .compaction, sequences: number...number + 9, subject: "a file",
            attemptCount: 3, firstAttemptAt: Timestamp(microseconds: 1_767_225_600_000_000),
            lastAttemptAt: Timestamp(microseconds: 1_767_225_615_000_000), error: "it failed")
    }

    private func add(_ count: UInt64, to organization: OrganizationID, _ server: TestServer) throws -> [String] {
        let letters = (0..<count).map { letter(1 + 10 * $0, organization) }
        try server.store.appendControl(letters.map { .deadLettered($0) })
        return letters.map { hexText($0.id) }
    }

    private func ids(_ reply: Reply) throws -> [String] {
        try #require(try reply.json()["data"]?["items"]?.elements).compactMap { $0["dead_letter_id"]?.string }
    }

    @Test func anAdminSeesTheOwnOnesAndTheOperatorAll() async throws {
        try await TestServer.with { server in
            let (globex, stranger) = try server.secondOrganization()
            let mine = try add(3, to: server.organization.id, server)
            let theirs = try add(2, to: globex, server)
            #expect(try ids(try await server.request("GET", path)) == mine)
            #expect(try ids(try await server.request("GET", path, key: stranger.key.text)) == theirs)
            let operators = try server.make(.admin, isOperator: true).key.text
            #expect(try ids(try await server.request("GET", path, key: operators)) == mine + theirs)
            let named = try await server.request("GET", path + "?organization=globex", key: operators)
            #expect(try ids(named) == theirs)
            try (await server.request("GET", path + "?organization=nobody", key: operators)).expect(404, "not_found")
            let first = try await server.request("GET", path + "?limit=2")
            #expect(try ids(first) == Array(mine[..<2]))
            let cursor = try #require(try first.json()["data"]?["pagination"]?["next_cursor"]?.string)
            #expect(try ids(try await server.request("GET", path + "?cursor=\(cursor)")) == [mine[2]])
        }
    }

    @Test func oneIsShownWithEverythingThatIsKnown() async throws {
        try await TestServer.with { server in
            let id = try add(1, to: server.organization.id, server)[0]
            let data = try #require(try await server.request("GET", path + "/" + id).json()["data"])
            #expect(data["dead_letter_id"]?.string == id)
            #expect(data["organization"]?.string == "acme")
            #expect(data["kind"]?.string == "compaction")
            #expect(data["first_sequence"]?.unsigned == 1)
            #expect(data["last_sequence"]?.unsigned == 10)
            #expect(data["subject"]?.string == "a file")
            #expect(data["attempts"]?.unsigned == 3)
            #expect(data["first_attempt_at"]?.string == "2026-01-01T00:00:00.000000Z")
            #expect(data["last_attempt_at"]?.string == "2026-01-01T00:00:15.000000Z")
            #expect(data["error"]?.string == "it failed")
        }
    }

    @Test func replayingAndPurgingTakeThemAwayAndLeaveEntries() async throws {
        try await TestServer.with { server in
            let (globex, _) = try server.secondOrganization()
            let ids = try add(4, to: server.organization.id, server)
            let theirs = try add(1, to: globex, server)
            let replayed = try await server.request("POST", path + "/\(ids[0])/replay")
            #expect(try replayed.json()["data"]?["replayed"]?.unsigned == 1)
            let purged = try await server.request("DELETE", path + "/" + ids[1])
            #expect(try purged.json()["data"]?["purged"]?.unsigned == 1)
            for (method, target) in [("POST", "/\(ids[0])/replay"), ("DELETE", "/\(ids[1])"), ("GET", "/\(ids[1])")] {
                try (await server.request(method, path + target)).expect(404, "not_found")
            }
            #expect(try self.ids(try await server.request("GET", path)) == Array(ids[2...]))
            #expect(try await server.request("DELETE", path).json()["data"]?["purged"]?.unsigned == 2)
            #expect(try await server.request("DELETE", path).json()["data"]?["purged"]?.unsigned == 0)
            #expect(server.store.deadLetters().map { hexText($0.id) } == theirs)
            let entries = try await server.audit().map { [$0["action"]?.string, $0["target"]?.string] }
            let acts = entries.filter { $0[0] != "access" }
            #expect(acts == [["dlq.purge", ""], ["dlq.purge", ids[1]], ["dlq.replay", ids[0]]])
        }
    }

    @Test func healthIsDegradedAndTheSeriesCount() async throws {
        try await TestServer.with { server in
            #expect(try await server.request("GET", "/health").json()["status"]?.string == "healthy")
            _ = try add(2, to: server.organization.id, server)
            let health = try await server.request("GET", "/health")
            #expect(health.status == 200)
            #expect(try health.json()["status"]?.string == "degraded")
            #expect(health.text.contains("dead letters: 2"))
            let metrics = try await server.request("GET", "/metrics").text
            #expect(metrics.contains("\ndaybook_dead_letters 2\n"))
            #expect(metrics.contains("\ndaybook_dead_letters_total 2\n"))
            #expect(metrics.contains("\ndaybook_dead_letters_dropped_total 0\n"))
            _ = try await server.request("DELETE", path)
            #expect(try await server.request("GET", "/health").json()["status"]?.string == "healthy")
        }
    }

    @Test func aForeignLetterIsAnsweredAsOneThatNobodyHas() async throws {
        try await TestServer.with { server in
            let (_, stranger) = try server.secondOrganization()
            let id = try add(1, to: server.organization.id, server)[0]
            for (method, suffix) in [("GET", ""), ("DELETE", ""), ("POST", "/replay")] {
                var shapes: Set<String> = []
                for target in [id, "00000000000000ff", "nobody"] {
                    let reply = try await server.request(
                        method, path + "/" + target + suffix, key: stranger.key.text)
                    try reply.expect(404, "not_found")
                    shapes.insert(reply.text.replacing(reply.fields["x-request-id"] ?? "-", with: ""))
                }
                #expect(shapes.count == 1)
            }
            for query in ["?organization=acme", "?organization=nobody"] {
                for method in ["GET", "DELETE"] {
                    let reply = try await server.request(method, path + query, key: stranger.key.text)
                    try reply.expect(404, "not_found")
                }
            }
            #expect(try await server.request("DELETE", path, key: stranger.key.text).status == 200)
            #expect(server.store.deadLetters().count == 1)
        }
    }
}
