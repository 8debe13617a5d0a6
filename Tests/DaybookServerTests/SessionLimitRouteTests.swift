import DaybookControl
import DaybookTestSupport
import Testing

/// The limits of a session over HTTP; what they count is tested at the store.
@Suite(.timeLimit(.minutes(15))) struct SessionLimitRouteTests {
    private let path = "/api/v1/metrics/session/s"

    private func keys(_ range: Range<Int>) -> String {
        #"{"context":{"# + range.map { "\"key-\($0)\":\($0)" }.joined(separator: ",") + "}}"
    }

    private func agents(_ range: Range<Int>) -> String {
        #"{"agents_used":["# + range.map { "\"agent-\($0)\"" }.joined(separator: ",") + "]}"
    }

    private func expect(_ reply: Reply, _ field: String, _ limit: String) throws {
        try reply.expect(400, "validation_failed")
        #expect(try reply.json()["errors"]?.count == 1)
        #expect(try reply.json()["errors"]?[0]?["field"]?.string == field)
        #expect(try reply.json()["errors"]?[0]?["message"]?.string?.contains(limit) == true)
    }

    @Test func aChangeThatWouldPassALimitNamesFieldAndLimitAlsoAfterARestart() async throws {
        let directory = try TemporaryDirectory()
        try await TestServer.with(directory) { server in
            let started = try await server.request(
                "POST", "/api/v1/metrics/session/start", body: #"{"session_id":"s"}"#)
            #expect(started.status == 201)
            #expect(try await server.request("PUT", path, body: keys(0..<50)).status == 201)
            #expect(try await server.request("PUT", path, body: agents(0..<256)).status == 201)
            try expect(try await server.request("PUT", path, body: keys(50..<51)), "context", "50 keys")
            try expect(try await server.request("PUT", path, body: agents(256..<257)), "agents_used", "256 names")
            #expect(try server.lastSequence() == 3)
        }
        try await TestServer.with(directory) { server in
            #expect(try server.lastSequence() == 3)
            try expect(
                try await server.request("PUT", "/api/metrics/sessions/s", body: keys(50..<51)), "context", "50 keys")
            try expect(
                try await server.request(
                    "POST", "/api/metrics/sessions/s/end", body: #"{"context":{"last":1}}"#), "context", "50 keys")
            #expect(try server.lastSequence() == 3)
            #expect(try await server.request("POST", "/api/metrics/sessions/s/end", body: "{}").status == 201)
            let list = try await server.request("GET", "/api/v1/metrics/sessions")
            #expect(try list.json()["data"]?["items"]?[0]?["agents_used"]?.count == 256)
        }
    }

    @Test func aBatchNamesTheSessionOfItsList() async throws {
        try await TestServer.with { server in
            func item(_ range: Range<Int>) -> String {
                #"{"id":"s","session_start":1767225600000,"status":"active","#
                    + keys(range).dropFirst().dropLast() + "}"
            }
            let body = #"{"user_sessions":[\#(item(0..<30)),\#(item(30..<60))]}"#
            try expect(
                try await server.request("POST", "/api/v1/metrics/batch", body: body), "user_sessions[1].context",
                "50 keys")
            #expect(try server.lastSequence() == 0)
        }
    }
}
