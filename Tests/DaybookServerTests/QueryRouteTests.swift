import DaybookControl
import DaybookFormat
import DaybookTestSupport
import Foundation
import Testing

/// The routes that ask, as far as the HTTP front goes; what they answer is tested against a model elsewhere.
@Suite struct QueryRouteTests {
    private let routes = [
        "/api/v1/metrics/aggregated", "/api/v1/metrics/commands", "/api/v1/metrics/agents", "/api/v1/metrics/sessions",
        "/api/v1/metrics/productivity", "/api/metrics/aggregated", "/api/metrics/commands", "/api/metrics/agents",
        "/api/metrics/sessions", "/api/metrics/productivity",
    ]

    private func fill(_ server: TestServer, key: String? = nil) async throws {
        let batch = """
            {"command_executions":[\(Bodies.command),\(Bodies.command.replacingOccurrences(of: "12.5", with: "20"))],\
            "agent_interactions":[\(Bodies.agent)],"productivity_metrics":[\(Bodies.productivity)]}
            """
        #expect(try await server.request("POST", "/api/v1/metrics/batch", body: batch, key: key).status == 200)
        let session = try await server.request(
            "POST", "/api/v1/metrics/session/start", body: #"{"session_id":"s1","context":{"a":1}}"#, key: key)
        #expect(session.status == 201)
    }

    @Test func everyRouteShowsWhatWasStored() async throws {
        try await TestServer.with { server in
            try await fill(server)
            for route in routes {
                let reply = try await server.request("GET", route)
                #expect(reply.status == 200, "\(route) \(reply.text)")
                let json = try reply.json()
                #expect(json["success"] == .bool(true))
                #expect((json["data"]?["items"]?.count ?? 0) > 0, "\(route)")
                #expect(json["data"]?["pagination"]?["has_more"] == .bool(false))
                #expect(json["data"]?["meta"]?["as_of_sequence"]?.unsigned == 5)
                #expect(json["performance"]?["processing_latency_ms"] != nil)
                let head = try await server.request("HEAD", route)
                #expect(head.status == 200)
                #expect(head.body.isEmpty)
            }
        }
    }

    @Test func anotherOrganizationSeesNothingOnAnyRoute() async throws {
        try await TestServer.with { server in
            try await fill(server)
            let other = try server.store.createOrganization(OrganizationID("globex")!)
            let key = try server.key(.all, organization: other.id)
            for route in routes {
                let reply = try await server.request("GET", route, key: key)
                #expect(reply.status == 200)
                #expect(try reply.json()["data"]?["items"]?.count == 0, "\(route)")
                #expect(try reply.json()["data"]?["meta"]?["as_of_sequence"]?.unsigned == 0)
            }
        }
    }

    @Test func readingNeedsTheScopeRead() async throws {
        try await TestServer.with { server in
            let writer = try server.key(.ingest)
            for route in routes {
                #expect(try await server.request("GET", route, key: writer).status == 403)
                #expect(try await server.request("GET", route, key: "none").status == 401)
            }
        }
    }

    @Test func aggregatesCountAndSum() async throws {
        try await TestServer.with { server in
            try await fill(server)
            let reply = try await server.request(
                "GET",
                "/api/v1/metrics/aggregated?aggregation_window=total&group_by=command_name,status&percentiles=50,100")
            let item = try #require(try reply.json()["data"]?["items"]?[0])
            #expect(item["group"]?["command_name"]?.string == "build")
            #expect(item["group"]?["status"]?.string == "success")
            #expect(item["count"]?.unsigned == 2)
            #expect(item["success_count"]?.unsigned == 2)
            #expect(item["success_rate"] == .number("1"))
            #expect(item["execution_time_ms"]?["sum"] == .number("32.5"))
            #expect(item["execution_time_ms"]?["avg"] == .number("16.25"))
            #expect(item["execution_time_ms"]?["min"] == .number("12.5"))
            #expect(item["execution_time_ms"]?["max"] == .number("20"))
            #expect(item["execution_time_ms"]?["p100"] == .number("20"))
            #expect(item["execution_time_ms"]?["p95"] == nil)
        }
    }

    @Test func pagesFollowTheCursor() async throws {
        try await TestServer.with { server in
            try await fill(server)
            let first = try await server.request("GET", "/api/v1/metrics/commands?limit=1")
            let cursor = try #require(try first.json()["data"]?["pagination"]?["next_cursor"]?.string)
            #expect(try first.json()["data"]?["pagination"]?["has_more"] == .bool(true))
            let second = try await server.request("GET", "/api/v1/metrics/commands?limit=1&cursor=\(cursor)")
            #expect(try second.json()["data"]?["items"]?.count == 1)
            #expect(
                try second.json()["data"]?["items"]?[0]?["id"] != first.json()["data"]?["items"]?[0]?["id"])
            let foreign = try await server.request("GET", "/api/v1/metrics/agents?cursor=\(cursor)")
            #expect(foreign.status == 400)
            #expect(try foreign.code() == "invalid_query")
        }
    }

    @Test func everyBadParameterIsListed() async throws {
        try await TestServer.with { server in
            let reply = try await server.request(
                "GET",
                "/api/v1/metrics/aggregated?start_date=2026-01-02T00:00:00Z&end_date=2026-01-01T00:00:00Z&limit=0"
                    + "&group_by=agent_name&aggregation_window=2h&percentiles=x&status=odd&nonsense=1&cursor=&cursor=")
            #expect(reply.status == 400)
            #expect(try reply.code() == "invalid_query")
            let json = try reply.json()
            var fields: Set<String> = []
            for index in 0..<(json["errors"]?.count ?? 0) {
                fields.insert(json["errors"]?[index]?["field"]?.string ?? "")
            }
            #expect(
                fields == [
                    "start_date", "limit", "group_by", "aggregation_window", "percentiles", "status", "nonsense",
                    "cursor",
                ])
            let badText = try await server.request("GET", "/api/v1/metrics/commands?user_id=%zz&end_date=never")
            #expect(badText.status == 400)
            #expect(try badText.json()["errors"]?.count == 2)
        }
    }

    @Test func wordsAndSourcesGoThroughTheFront() async throws {
        try await TestServer.with { server in
            try await fill(server)
            let failed =
                #"{"command_name":"deploy","execution_time_ms":1,"status":"error","error_message":"Disk is full"}"#
            let stored = try await server.request(
                "POST", "/api/v1/metrics/batch", body: #"{"command_executions":[\#(failed)]}"#)
            #expect(stored.status == 200, "\(stored.text)")
            let found = try await server.request("GET", "/api/v1/metrics/commands?search=FULL%20disk")
            #expect(try found.json()["data"]?["items"]?.count == 1, "\(found.text)")
            #expect(try found.json()["data"]?["items"]?[0]?["command_name"]?.string == "deploy")
            let none = try await server.request("GET", "/api/v1/metrics/commands?search=full%20tape")
            #expect(try none.json()["data"]?["items"]?.count == 0)
            let sum = try await server.request("GET", "/api/v1/metrics/aggregated?search=disk&aggregation_window=total")
            #expect(try sum.json()["data"]?["items"]?[0]?["count"]?.unsigned == 1)
            // Nothing is sealed yet.
            let rows = try await server.request("GET", "/api/v1/metrics/aggregated?source=rollup")
            #expect(try rows.json()["data"]?["meta"]?["source"]?.string == "raw")
            let refused = try await server.request("GET", "/api/v1/metrics/aggregated?source=rollup&group_by=team_id")
            #expect(refused.status == 400)
            #expect(try refused.code() == "invalid_query")
        }
    }

    @Test func timesAreRFC3339OrMilliseconds() async throws {
        try await TestServer.with { server in
            try await fill(server)
            for range in [
                "start_date=2000-01-01T00:00:00%2B02:00&end_date=2100-01-01T00:00:00Z",
                "start_date=946684800000&end_date=4102444800000",
            ] {
                let reply = try await server.request("GET", "/api/v1/metrics/commands?\(range)")
                #expect(try reply.json()["data"]?["items"]?.count == 2, "\(reply.text)")
            }
            let past = try await server.request("GET", "/api/v1/metrics/commands?start_date=0&end_date=1")
            #expect(try past.json()["data"]?["items"]?.count == 0)
        }
    }

    @Test func theServiceRoutesAnswer() async throws {
        try await TestServer.with { server in
            for route in ["/health", "/health/live", "/health/ready", "/health/storage", "/health/database"] {
                let stranger = try await server.connect()
                let reply = try await stranger.request("GET", route, key: nil)
                #expect(reply.status == 200)
                #expect(reply.text == #"{"status":"healthy"}"#)
                stranger.close()
            }
            let known = try await server.request("GET", "/health")
            #expect(try known.json()["checks"]?[0]?["name"]?.string == "storage")
            #expect(try await server.request("GET", "/version").json()["name"]?.string == "daybook")
            let metrics = try await server.request("GET", "/metrics")
            #expect(metrics.fields["content-type"] == "text/plain; version=0.0.4; charset=utf-8")
            #expect(metrics.text.contains("daybook_http_requests_total"))
        }
    }
}
