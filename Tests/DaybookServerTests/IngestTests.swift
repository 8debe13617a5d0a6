import DaybookControl
import DaybookFormat
import DaybookTestSupport
import Foundation
import Testing

/// The routes that write, under both spellings of their paths.
@Suite struct IngestTests {
    @Test func aBatchHoldsAsManyEventsAsIsConfigured() async throws {
        let item = #"{"command_name":"a","execution_time_ms":1,"status":"success"}"#
        func batch(_ count: Int) -> String {
            #"{"command_executions":["# + Array(repeating: item, count: count).joined(separator: ",") + "]}"
        }
        try await TestServer.with(batchEventCountMax: 3) { server in
            #expect(try await server.request("POST", "/api/v1/metrics/batch", body: batch(3)).status == 200)
            let refused = try await server.request("POST", "/api/v1/metrics/batch", body: batch(4))
            try refused.expect(400, "validation_failed")
            #expect(refused.text.contains("more than the 3 of a batch"))
            #expect(try server.lastSequence() == 3)
        }
    }

    @Test func everySingleRouteStoresOneEvent() async throws {
        try await TestServer.with { server in
            let routes = [
                ("/api/v1/metrics/command-execution", Bodies.command), ("/api/metrics/commands", Bodies.command),
                ("/api/v1/metrics/agent-interaction", Bodies.agent), ("/api/metrics/agents", Bodies.agent),
                ("/api/v1/metrics/productivity", Bodies.productivity),
                ("/api/metrics/productivity", Bodies.productivity),
            ]
            for (position, (target, body)) in routes.enumerated() {
                let reply = try await server.request("POST", target, body: body)
                #expect(reply.status == 201, "\(target) \(reply.text)")
                let json = try reply.json()
                #expect(json["success"] == .bool(true))
                #expect(json["data"]?["id"]?.string?.count == 36)
                #expect(json["data"]?["created_at"]?.string?.hasSuffix("Z") == true)
                #expect(json["data"]?["sequence"]?.unsigned == UInt64(position + 1))
                #expect(json["data"]?["durability"]?.string == "durable")
                #expect(json["rate_limit"]?["remaining"]?.unsigned == 9_007_199_254_740_991)
                #expect(json["performance"]?["processing_latency_ms"] != nil)
                #expect(reply.fields["daybook-durability"] == "durable")
            }
            #expect(try server.lastSequence() == UInt64(routes.count))
        }
    }

    @Test func aSessionStartsChangesAndEnds() async throws {
        try await TestServer.with { server in
            for (start, change, end, named) in [
                ("/api/v1/metrics/session/start", "/api/v1/metrics/session/", "/api/v1/metrics/session/end", true),
                ("/api/metrics/sessions/start", "/api/metrics/sessions/", "/end", false),
            ] {
                let started = try await server.request("POST", start, body: #"{"context":{"project":"x"}}"#)
                #expect(started.status == 201)
                let session = try #require(try started.json()["data"]?["id"]?.string)
                let changed = try await server.request("PUT", change + session, body: #"{"commands_executed":3}"#)
                #expect(changed.status == 201, "\(changed.text)")
                #expect(try changed.json()["data"]?["id"]?.string == session)
                let target = named ? end : change + session + end
                let body = named ? #"{"session_id":"\#(session)"}"# : #"{"productivity_score":80}"#
                #expect(try await server.request("POST", target, body: body).status == 201)
                let late = try await server.request("PUT", change + session, body: #"{"commands_executed":4}"#)
                #expect(late.status == 409)
                #expect(try late.code() == "conflict")
            }
            #expect(try server.lastSequence() == 6)
        }
    }

    @Test func aBatchIsCountedAndStoredWhole() async throws {
        try await TestServer.with { server in
            let batch = """
                {"command_executions":[\(Bodies.command),\(Bodies.command)],"agent_interactions":[\(Bodies.agent)],\
                "productivity_metrics":[\(Bodies.productivity)]}
                """
            let reply = try await server.request("POST", "/api/v1/metrics/batch", body: batch)
            #expect(reply.status == 200)
            let data = try #require(try reply.json()["data"])
            #expect(data["command_executions"]?.unsigned == 2)
            #expect(data["agent_interactions"]?.unsigned == 1)
            #expect(data["user_sessions"]?.unsigned == 0)
            #expect(data["productivity_metrics"]?.unsigned == 1)
            #expect(data["first_sequence"]?.unsigned == 1)
            #expect(data["last_sequence"]?.unsigned == 4)
            #expect(data["processing_time_ms"] != nil)
            #expect(try reply.json()["performance"]?["ingestion_rate"] != nil)
            let bad = batch.replacingOccurrences(of: "\"value\":8.5", with: "\"value\":\"x\"")
            let refused = try await server.request("POST", "/api/metrics/batch", body: bad)
            #expect(refused.status == 400)
            #expect(try refused.json()["errors"]?[0]?["field"]?.string == "productivity_metrics[0].value")
            #expect(try server.lastSequence() == 4)
        }
    }

    @Test func aRelaxedAnswerHasNoSequence() async throws {
        try await TestServer.with { server in
            let reply = try await server.request(
                "POST", "/api/v1/metrics/command-execution", body: Bodies.command,
                fields: ["Prefer: respond-async, durability=relaxed"])
            #expect(reply.status == 201)
            #expect(reply.fields["daybook-durability"] == "relaxed")
            let data = try reply.json()["data"]
            #expect(data?["durability"]?.string == "relaxed")
            #expect(data?["sequence"] == nil)
        }
    }

    @Test func anIdempotencyKeyStoresOnceAndAnswersAlike() async throws {
        try await TestServer.with { server in
            let fields = ["Idempotency-Key: once"]
            var answers: Set<String> = []
            for target in ["/api/v1/metrics/command-execution", "/api/metrics/commands"] {
                let reply = try await server.request("POST", target, body: Bodies.command, fields: fields)
                #expect(reply.status == 201)
                let data = try reply.json()["data"]
                answers.insert("\(data?["id"]?.string ?? "") \(data?["created_at"]?.string ?? "")")
                #expect(data?["sequence"]?.unsigned == 1)
            }
            #expect(answers.count == 1)
            let batch = #"{"command_executions":[\#(Bodies.command),\#(Bodies.command)]}"#
            for _ in 0..<2 {
                let reply = try await server.request(
                    "POST", "/api/v1/metrics/batch", body: batch, fields: ["Idempotency-Key: twice"])
                #expect(try reply.json()["data"]?["command_executions"]?.unsigned == 2)
                #expect(try reply.json()["data"]?["first_sequence"]?.unsigned == 2)
                #expect(try reply.json()["data"]?["last_sequence"]?.unsigned == 3)
            }
            var sessions: Set<String> = []
            for _ in 0..<2 {
                let reply = try await server.request(
                    "POST", "/api/v1/metrics/session/start", body: "{}", fields: ["Idempotency-Key: start"])
                sessions.insert(try reply.json()["data"]?["id"]?.string ?? "")
            }
            #expect(sessions.count == 1)
            #expect(try server.lastSequence() == 4)
        }
    }

    @Test func droppedKeysAreReported() async throws {
        try await TestServer.with { server in
            let body = Bodies.command.dropLast() + #","context":{"__proto__":1,"a":2}}"#
            let reply = try await server.request("POST", "/api/v1/metrics/command-execution", body: String(body))
            #expect(try reply.json()["data"]?["dropped_keys"]?[0]?.string == "context.__proto__")
        }
    }

    @Test func anImportStoresGoodLinesAndListsBadOnes() async throws {
        try await TestServer.with { server in
            let good = #"{"type":"command_execution","# + Bodies.command.dropFirst()
            var lines = (0..<2_500).map { _ in good }
            lines[7] = "not json"
            lines[1_200] =
                #"{"type":"command_execution","command_name":"x y","execution_time_ms":1,"status":"success"}"#
            lines[2_000] = ""
            let reply = try await server.request(
                "POST", "/api/v1/metrics/import", body: lines.joined(separator: "\n"),
                fields: ["Content-Type: application/x-ndjson"])
            #expect(reply.status == 200, "\(reply.text)")
            let data = try #require(try reply.json()["data"])
            #expect(data["lines"]?.unsigned == 2_500)
            #expect(data["stored"]?.unsigned == 2_497)
            #expect(data["rejected"]?.unsigned == 2)
            #expect(data["command_executions"]?.unsigned == 2_497)
            #expect(data["first_sequence"]?.unsigned == 1)
            #expect(data["last_sequence"]?.unsigned == 2_497)
            #expect(data["errors"]?[0]?["line"]?.unsigned == 8)
            #expect(data["errors"]?[1]?["line"]?.unsigned == 1_201)
            #expect(data["errors"]?[1]?["field"]?.string == "command_name")
            #expect(try server.lastSequence() == 2_497)
        }
    }

    @Test func aRevokedKeyIsRefusedOnAnOpenConnectionAtOnce() async throws {
        try await TestServer.with { server in
            let made = try server.registry.create(
                organization: server.organization.id, name: "", scopes: .all, user: "", expiresAt: nil)
            let connection = try await server.connect()
            let target = "/api/v1/metrics/command-execution"
            let before = try await connection.request("POST", target, body: Bodies.command, key: made.key.text)
            #expect(before.status == 201)
            try server.registry.revoke(keyID: made.record.keyID)
            let after = try await connection.request("POST", target, body: Bodies.command, key: made.key.text)
            #expect(after.status == 401)
            connection.close()
        }
    }

    @Test func eventsGoToTheOrganizationOfTheKeyOnly() async throws {
        try await TestServer.with { server in
            let other = try server.store.createOrganization(OrganizationID("globex")!)
            let key = try server.key(.all, organization: other.id)
            let target = "/api/v1/metrics/command-execution"
            #expect(try await server.request("POST", target, body: Bodies.command, key: key).status == 201)
            let foreign = Bodies.command.dropLast() + #","organization_id":"acme"}"#
            #expect(try await server.request("POST", target, body: String(foreign), key: key).status == 403)
            #expect(try server.lastSequence() == 0)
            #expect(try server.lastSequence(other) == 1)
            // A session of one organization does not exist for the other.
            let started = try await server.request(
                "POST", "/api/v1/metrics/session/start", body: #"{"session_id":"shared"}"#)
            #expect(started.status == 201)
            let change = try await server.request(
                "PUT", "/api/v1/metrics/session/shared", body: #"{"commands_executed":1}"#, key: key)
            #expect(change.status == 404)
        }
    }
}
