import DaybookControl
import DaybookTestSupport
import Testing

@testable import DaybookServer

/// What answers tell browsers: that they are no pages, and whose scripts may read them.
@Suite(.timeLimit(.minutes(15))) struct BrowserTests {
    private let path = "/api/v1/metrics/command-execution"
    private let page = "https://app.example.com"

    private func allowing(_ origins: String) throws -> ServerOptions {
        var options = ServerOptions()
        options.allowedOrigins = try AllowedOrigins(parsing: origins)
        return options
    }

    private func expectSecurityFields(_ reply: Reply, sourceLocation: SourceLocation = #_sourceLocation) {
        let expected = [
            "cache-control": "no-store", "content-security-policy": "default-src 'none'; frame-ancestors 'none'",
            "cross-origin-resource-policy": "same-origin", "referrer-policy": "no-referrer",
            "x-content-type-options": "nosniff", "x-frame-options": "DENY",
        ]
        for (name, value) in expected {
            #expect(reply.fields[name] == value, "\(reply.status) \(name)", sourceLocation: sourceLocation)
        }
        // Plain connections must not be promised to be anything else.
        #expect(reply.fields["strict-transport-security"] == nil, sourceLocation: sourceLocation)
        #expect(reply.fields["vary"] == nil, sourceLocation: sourceLocation)
        #expect(
            reply.fields.keys.allSatisfy { !$0.hasPrefix("access-control-") }, sourceLocation: sourceLocation)
    }

    @Test func everyAnswerHasTheSecurityFields() async throws {
        try await TestServer.with(connectionCountMax: 1) { server in
            let connection = try await server.connect()
            for (method, target, body, fields) in [
                ("POST", path, Bodies.command, []), ("POST", path, Bodies.command, ["X-Request-Id: general"]),
                ("POST", path, "{", []), ("GET", "/api/v1/metrics/commands", nil, []), ("GET", "/health", nil, []),
                ("GET", "/metrics", nil, []), ("GET", "/nothing", nil, []), ("HEAD", "/nothing", nil, []),
                ("OPTIONS", path, nil, []), ("DELETE", path, nil, []), ("POST", "/api/v1/keys", "{}", []),
                ("POST", "/api/v1/metrics/import", "x", ["Content-Type: application/x-ndjson"]),
                ("GET", "/health", nil, ["Origin: https://app.example.com"]),
            ] as [(String, String, String?, [String])] {
                expectSecurityFields(
                    try await connection.request(method, target, body: body, key: server.key, fields: fields))
            }
            let refused = try await server.connect()
            let told = try await refused.reply()
            #expect(told.status == 503)
            expectSecurityFields(told)
            try await connection.send("garbage\r\n\r\n")
            let malformed = try await connection.reply()
            #expect(malformed.status == 400)
            expectSecurityFields(malformed)
            connection.close()
            refused.close()
        }
    }

    @Test func listedPagesMayReadEveryAnswer() async throws {
        try await TestServer.with(options: try allowing("http://localhost:3000, \(page)")) { server in
            for (method, target, body, status) in [
                ("POST", path, Bodies.command, 201), ("POST", path, "{", 400), ("GET", "/health/live", nil, 200),
                ("GET", "/api/v1/metrics/commands", nil, 200), ("GET", "/nothing", nil, 404),
                ("GET", "/api/v1/keys", nil, 200),
            ] as [(String, String, String?, Int)] {
                for origin in [page, "http://localhost:3000"] {
                    let reply = try await server.request(method, target, body: body, fields: ["Origin: \(origin)"])
                    #expect(reply.status == status)
                    #expect(reply.fields["access-control-allow-origin"] == origin)
                    #expect(reply.fields["access-control-expose-headers"]?.contains("X-Request-Id") == true)
                    #expect(reply.fields["access-control-allow-credentials"] == nil)
                    #expect(reply.fields["vary"] == "Origin")
                }
            }
        }
    }

    @Test func otherPagesGetNoFieldOnAnyAnswer() async throws {
        try await TestServer.with(options: try allowing(page)) { server in
            for origin in [
                "https://app.example.com.evil.example", "http://app.example.com", "https://app.example.com:8443",
                "https://APP.example.com", "null", "*", "",
            ] {
                for (method, target) in [("GET", "/health/live"), ("OPTIONS", path), ("GET", "/nothing")] {
                    let reply = try await server.request(
                        method, target, fields: ["Origin: \(origin)", "Access-Control-Request-Method: POST"])
                    #expect(reply.fields.keys.allSatisfy { !$0.hasPrefix("access-control-") }, "\(origin)")
                    #expect(reply.fields["vary"] == "Origin")
                }
            }
        }
    }

    @Test func aBrowserIsToldWhatItMaySend() async throws {
        try await TestServer.with(options: try allowing(page)) { server in
            let connection = try await server.connect()
            let fields = [
                "Origin: \(page)", "Access-Control-Request-Method: POST",
                "Access-Control-Request-Headers: authorization,content-type",
            ]
            // Browsers ask without a credential.
            let reply = try await connection.request("OPTIONS", "/api/metrics/commands", key: nil, fields: fields)
            #expect(reply.status == 204)
            #expect(reply.body.isEmpty)
            #expect(reply.fields["access-control-allow-origin"] == page)
            #expect(reply.fields["access-control-allow-methods"] == "GET, HEAD, POST, OPTIONS")
            #expect(
                reply.fields["access-control-allow-headers"]
                    == "Authorization, Content-Type, Idempotency-Key, Prefer, X-Request-Id, traceparent")
            #expect(reply.fields["access-control-max-age"] == "600")
            let missing = try await connection.request("OPTIONS", "/nothing", key: nil, fields: fields)
            try missing.expect(404, "not_found")
            // An OPTIONS of another kind tells what it always tells.
            let other = try await connection.request("OPTIONS", path, key: nil, fields: ["Origin: \(page)"])
            #expect(other.fields["access-control-allow-methods"] == nil)
            #expect(other.fields["allow"] == "POST, OPTIONS")
            connection.close()
        }
    }
}
