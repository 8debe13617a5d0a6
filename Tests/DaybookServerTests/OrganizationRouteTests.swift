import DaybookControl
import DaybookFormat
import DaybookStore
import DaybookSystem
import DaybookTestSupport
import Testing

@testable import DaybookServer

/// What an organization is set to, over HTTP, and its end.
@Suite struct OrganizationRouteTests {
    private static let config = "/api/v1/organization/config"

    private func batch(_ count: Int) -> String {
        let events = Array(repeating: Bodies.command, count: count).joined(separator: ",")
        return #"{"command_executions":[\#(events)]}"#
    }

    @Test func theDocumentHoldsFromTheNextRequestOn() async throws {
        try await TestServer.with { server in
            let key = try server.make(.admin).key.text
            let connection = try await server.connect()
            defer { connection.close() }
            let target = "/api/v1/metrics/batch"
            #expect(try await connection.request("POST", target, body: batch(3), key: key).status == 200)
            let set = try await server.request(
                "PUT", Self.config,
                body: #"{"rate_limiting":{"max_requests":50},"performance":{"batch_size_limit":2}}"#)
            #expect(set.status == 200, "\(set.text)")
            let large = try await connection.request("POST", target, body: batch(3), key: key)
            try large.expect(400, "validation_failed")
            #expect(large.text.contains("more than the 2 of a batch"))
            let small = try await connection.request("POST", target, body: batch(2), key: key)
            #expect(small.status == 200)
            #expect(small.fields["ratelimit-limit"] == "500")
            #expect(try await server.request("GET", Self.config).json()["data"] == (try set.json()["data"]))
            #expect(try await server.request("PUT", Self.config, body: "{}").status == 200)
            let again = try await connection.request("POST", target, body: batch(3), key: key)
            #expect(again.status == 200)
            #expect(again.fields["ratelimit-limit"] == "9007199254740991")
        }
    }

    @Test func everyWrongFieldIsListedAndNothingIsSet() async throws {
        try await TestServer.with { server in
            let before = try await server.request("GET", Self.config).json()["data"]
            let reply = try await server.request(
                "PUT", Self.config,
                body: """
                    {"rate_limiting":{"window_ms":1,"max_requests":-1},"data_retention":{"x":1},"performance":[],\
                    "alerts":{"webhook_url":"http://a","high_error_rate_threshold":"5"}}
                    """)
            try reply.expect(400, "validation_failed")
            let fields = try reply.json()["errors"]?.elements?.compactMap { $0["field"]?.string }
            #expect(
                fields?.sorted() == [
                    "alerts.high_error_rate_threshold", "alerts.webhook_url", "data_retention.x", "performance",
                    "rate_limiting.max_requests", "rate_limiting.window_ms",
                ], "\(reply.text)")
            // A body that is missing is no empty document.
            try (await server.request("PUT", Self.config)).expect(415, "unsupported_media_type")
            let empty = try await server.request("PUT", Self.config, body: "")
            #expect(empty.status == 400 || empty.status == 415)
            try (await server.request("PUT", Self.config, body: #"{"mode":1}"#)).expect(400, "validation_failed")
            #expect(try await server.request("GET", Self.config).json()["data"] == before)
        }
    }

    @Test func anAdminReadsTheOwnLimitsAndTheOperatorSetsThem() async throws {
        try await TestServer.with { server in
            let (other, stranger) = try server.secondOrganization()
            let operators = try server.make(.admin, isOperator: true).key.text
            let admin = try server.make(.admin).key.text
            for path in ["/api/v1/organization/limits", "/admin/rate-limits"] {
                let own = try await server.request("GET", path, key: admin)
                #expect(own.status == 200, "\(own.text)")
                try (await server.request("PUT", path, body: #"{"tier":"free"}"#, key: admin)).expect(403, "forbidden")
                let set = try await server.request(
                    "PUT", path + "?organization=\(other)", body: #"{"tier":"professional"}"#, key: operators)
                #expect(set.status == 200, "\(set.text)")
                try (await server.request("GET", path + "?organization=\(other)", key: admin))
                    .expect(404, "not_found")
            }
            let plain = try await server.request("GET", "/admin/rate-limits", key: stranger.key.text).json()
            #expect(plain["tier"]?.string == "professional")
            #expect(plain["success"] == nil)
            let wrapped = try await server.request("GET", "/api/v1/organization/limits", key: stranger.key.text)
            #expect(try wrapped.json()["data"] == plain)
            // And not above that by oneself.
            let more = try await server.request(
                "PUT", Self.config, body: #"{"rate_limiting":{"max_requests":1001}}"#, key: stranger.key.text)
            try more.expect(400, "validation_failed")
        }
    }

    @Test func theOperatorSetsRetentionHoldAndQuota() async throws {
        try await TestServer.with { server in
            let (other, _) = try server.secondOrganization()
            let key = try server.make(.viewer, isOperator: true).key.text
            let target = "/api/v1/organizations/\(other)"
            let set = try await server.request(
                "PUT", target, body: #"{"retention_days":{"commands":7},"legal_hold":true,"quota_bytes":9}"#, key: key)
            #expect(set.status == 200, "\(set.text)")
            let shown = try await server.request("GET", target, key: key).json()["data"]
            #expect(shown == (try set.json()["data"]))
            #expect(shown?["legal_hold"] == .bool(true))
            #expect(shown?["quota_bytes"]?.unsigned == 9)
            #expect(shown?["retention_days"]?["commands"]?.unsigned == 7)
            try (await server.request("PUT", target, body: #"{"quota_bytes":-1}"#, key: key))
                .expect(400, "validation_failed")
            try (await server.request("PUT", "/api/v1/organizations/nobody", body: "{}", key: key))
                .expect(404, "not_found")
            // A hold keeps it.
            try (await server.request("DELETE", target, key: key)).expect(409, "conflict")
        }
    }

    @Test(.timeLimit(.minutes(15)))
    func aDeletedOrganizationIsGoneAtOnceAndItsFilesSoon() async throws {
        try await TestServer.with { server in
            let (other, stranger) = try server.secondOrganization()
            let operators = try server.make(.admin, isOperator: true).key.text
            let connection = try await server.connect()
            defer { connection.close() }
            let command = "/api/v1/metrics/command-execution"
            func send() async throws -> Reply {
                try await connection.request("POST", command, body: Bodies.command, key: stranger.key.text)
            }
            #expect(try await send().status == 201)
            let log = try #require(server.store.organization(other)).log
            let target = "/api/v1/organizations/\(other)"
            let deleted = try await server.request("DELETE", target, key: operators)
            #expect(deleted.status == 200, "\(deleted.text)")
            try (await send()).expect(401, "unauthorized")
            try (await connection.request("GET", "/api/v1/metrics/commands", key: stranger.key.text))
                .expect(401, "unauthorized")
            try (await server.request("GET", target, key: operators)).expect(404, "not_found")
            let pause = Wakeup()
            while server.store.deletion(of: other)?.organization.removedAt == nil { pause.wait(microseconds: 5_000) }
            #expect(try !PosixDisk(root: server.root).exists(Layout.folder(of: log)))
            // Asked again, it says when; once more it is not made.
            let again = try await server.request("DELETE", target, key: operators)
            #expect(try again.json()["data"]?["removed_at"]?.string != nil, "\(again.text)")
            let made = try await server.request(
                "POST", "/api/v1/organizations", body: #"{"organization":"\#(other)"}"#, key: operators)
            try made.expect(409, "conflict")
            #expect(made.text.contains("not given out again"))
            #expect(try await server.request("POST", command, body: Bodies.command).status == 201)
            let entries = try await server.audit("?organization=\(other)", key: operators)
            #expect(entries.first?["action"]?.string == "org.delete")
            #expect(entries.first?["target"]?.string == other.text)
        }
    }

    @Test func nobodyDeletesTheOwnOrganization() async throws {
        try await TestServer.with { server in
            let key = try server.make(.admin, isOperator: true).key.text
            try (await server.request("DELETE", "/api/v1/organizations/acme", key: key)).expect(409, "conflict")
            #expect(server.store.organization(server.organization.id) != nil)
        }
    }
}
