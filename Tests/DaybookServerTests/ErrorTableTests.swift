import DaybookControl
import DaybookFormat
import DaybookSystem
import DaybookTestSupport
import Foundation
import Testing

/// Each row of the table of errors, over a real socket: status, code, and nothing stored.
@Suite struct ErrorTableTests {
    private let path = "/api/v1/metrics/command-execution"

    /// Sends raw text on a connection of its own and expects an error that ends the connection.
    private func expectRefusal(
        _ server: TestServer, of text: String, _ status: Int, _ code: String,
        sourceLocation: SourceLocation = #_sourceLocation
    ) async throws {
        let connection = try await server.connect()
        try await connection.send(text)
        try (await connection.reply()).expect(status, code, sourceLocation: sourceLocation)
        #expect(await connection.isEnded(), sourceLocation: sourceLocation)
        connection.close()
    }

    @Test func badBodiesAreRefusedWithEveryFailingField() async throws {
        try await TestServer.with { server in
            try (await server.request("POST", path, body: "{")).expect(400, "invalid_json")
            try (await server.request("POST", path, body: "")).expect(400, "invalid_json")
            let reply = try await server.request(
                "POST", path, body: #"{"command_name":"no spaces","execution_time_ms":-1,"status":"odd","more":1}"#)
            try reply.expect(400, "validation_failed")
            #expect(try reply.json()["errors"]?.count == 4)
            #expect(try server.lastSequence() == 0)
        }
    }

    @Test func everyWrongCredentialGetsTheSameAnswer() async throws {
        try await TestServer.with { server in
            let revoked = try server.registry.create(
                organization: server.organization.id, name: "", scopes: .all, user: "", expiresAt: nil)
            try server.registry.revoke(keyID: revoked.record.keyID)
            let now = Timestamp(microseconds: SystemClock().wallMicroseconds())
            let expired = try server.registry.create(
                organization: server.organization.id, name: "", scopes: .all, user: "",
                expiresAt: now.adding(microseconds: -1))
            let unknown = APIKey(entropy: SystemEntropy()).text
            var bodies: Set<String> = []
            for key in [nil, "x", unknown, revoked.key.text, expired.key.text] {
                for (method, target) in [("POST", path), ("GET", "/metrics")] {
                    let connection = try await server.connect()
                    let reply = try await connection.request(
                        method, target, body: method == "POST" ? Bodies.command : nil, key: key,
                        fields: ["X-Request-Id: same"])
                    try reply.expect(401, "unauthorized")
                    #expect(reply.fields["www-authenticate"] == "Bearer")
                    bodies.insert(reply.text)
                    connection.close()
                }
            }
            #expect(bodies.count == 1)
            let twice = try await server.request(
                "POST", path, body: Bodies.command, fields: ["Authorization: Bearer \(server.key)"])
            try twice.expect(401, "unauthorized")
            #expect(try server.lastSequence() == 0)
        }
    }

    @Test func aKeyWithoutTheScopeIsForbidden() async throws {
        try await TestServer.with { server in
            let reader = try server.key(.read)
            try (await server.request("POST", path, body: Bodies.command, key: reader)).expect(403, "forbidden")
            let writer = try server.key(.ingest, user: "ada")
            try (await server.request("GET", "/metrics", key: writer)).expect(403, "forbidden")
            let other = Bodies.command.dropLast() + #","user_id":"bob"}"#
            try (await server.request("POST", path, body: String(other), key: writer)).expect(403, "forbidden")
            #expect(try await server.request("POST", path, body: Bodies.command, key: writer).status == 201)
        }
    }

    @Test func unknownPathsAndMethodsAreToldApart() async throws {
        try await TestServer.with { server in
            try (await server.request("GET", "/nothing")).expect(404, "not_found")
            try (await server.request("POST", "/api/v1/metrics/nothing", body: "{}")).expect(404, "not_found")
            try (await server.request("PUT", "/api/v1/metrics/session/a/b", body: "{}")).expect(404, "not_found")
            for (method, target) in [
                ("GET", path), ("DELETE", "/api/v1/metrics/batch"), ("POST", "/health"), ("PUT", "/api/metrics/agents"),
                ("GET", "/api/v1/metrics/session/abc"),
            ] {
                let reply = try await server.request(method, target)
                try reply.expect(405, "method_not_allowed")
                #expect(reply.fields["allow"]?.contains("OPTIONS") == true)
            }
            try await expectRefusal(
                server, of: "TRACE / HTTP/1.1\r\nHost: a\r\n\r\n", 405, "method_not_allowed")
            try await expectRefusal(
                server, of: "CONNECT a:1 HTTP/1.1\r\nHost: a\r\n\r\n", 405, "method_not_allowed")
        }
    }

    @Test func badFramingIsRefusedAndEndsTheConnection() async throws {
        try await TestServer.with { server in
            let start = "POST \(path) HTTP/1.1\r\nHost: a\r\n"
            try await expectRefusal(
                server, of: start + "Content-Length: 2\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", 400,
                "bad_request")
            try await expectRefusal(
                server, of: start + "Content-Length: 2\r\nContent-Length: 3\r\n\r\n{}x", 400, "bad_request")
            try await expectRefusal(server, of: start + "Content-Length: -1\r\n\r\n", 400, "bad_request")
            try await expectRefusal(server, of: start + "Transfer-Encoding: gzip\r\n\r\n", 400, "bad_request")
            try await expectRefusal(server, of: "GET /health HTTP/1.1\r\n\r\n", 400, "bad_request")
            try await expectRefusal(
                server, of: "GET /health HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n", 400, "bad_request")
            try await expectRefusal(server, of: "GET /health HTTP/1.1\r\nHost: a b/c\r\n\r\n", 400, "bad_request")
            try await expectRefusal(server, of: "\u{16}\u{03}\u{01}garbage\r\n\r\n", 400, "bad_request")
            try await expectRefusal(
                server, of: "GET /health HTTP/9.1\r\nHost: a\r\n\r\n", 505, "http_version_not_supported")
            try await expectRefusal(
                server, of: start + "Expect: miracles\r\nContent-Length: 2\r\n\r\n", 417, "expectation_failed")
        }
    }

    @Test func aBadChunkIsRefused() async throws {
        try await TestServer.with { server in
            let head = TestConnection.text("POST", path, key: server.key).dropLast()
            try await expectRefusal(
                server,
                of: head + "Content-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n2\r\n{}\r\nzz\r\n", 400,
                "bad_request")
        }
    }

    @Test func aBodyOverTheLimitIsRefusedWhenItIsAnnounced() async throws {
        try await TestServer.with { server in
            let head = TestConnection.text("POST", path, key: server.key).dropLast()
            try await expectRefusal(
                server, of: head + "Content-Type: application/json\r\nContent-Length: 10485761\r\n\r\n", 413,
                "payload_too_large")
        }
    }

    @Test func aBodyOverTheLimitIsRefusedWhenItComesInChunks() async throws {
        try await TestServer.with { server in
            let connection = try await server.connect()
            let head = TestConnection.text("POST", path, key: server.key).dropLast()
            try await connection.send(head + "Content-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n")
            let chunk = "80000\r\n" + String(repeating: " ", count: 0x80000) + "\r\n"
            let sender = Task {
                for _ in 0..<21 { try await connection.send(chunk) }
            }
            try (await connection.reply()).expect(413, "payload_too_large")
            _ = await sender.result
            connection.close()
            #expect(try server.lastSequence() == 0)
        }
    }

    @Test func otherMediaTypesAndCodingsAreRefused() async throws {
        try await TestServer.with { server in
            for fields in [
                ["Content-Type: text/plain"], ["Content-Type: application/json; charset=latin1"],
                ["Content-Encoding: br"], ["Content-Encoding: gzip, gzip"],
                ["Content-Encoding: gzip", "Content-Encoding: gzip"],
            ] {
                let reply = try await server.request("POST", path, body: Bodies.command, fields: fields)
                try reply.expect(415, "unsupported_media_type")
            }
            for type in ["application/json; charset=utf-8", "Application/JSON;charset=\"UTF-8\""] {
                let reply = try await server.request(
                    "POST", path, body: Bodies.command, fields: ["Content-Type: \(type)"])
                #expect(reply.status == 201)
            }
        }
    }

    @Test func overlongTargetsAndHeadersAreRefused() async throws {
        try await TestServer.with { server in
            let long = String(repeating: "a", count: 9_000)
            try await expectRefusal(server, of: "GET /\(long) HTTP/1.1\r\nHost: a\r\n\r\n", 414, "uri_too_long")
            let longer = String(repeating: "a", count: 70_000)
            try await expectRefusal(server, of: "GET /\(longer) HTTP/1.1\r\nHost: a\r\n\r\n", 414, "uri_too_long")
            try await expectRefusal(
                server, of: "GET / HTTP/1.1\r\nHost: a\r\nX: \(longer)\r\n\r\n", 431, "headers_too_large")
            let many = (0..<200).map { "X-\($0): 1\r\n" }.joined()
            try await expectRefusal(server, of: "GET / HTTP/1.1\r\nHost: a\r\n\(many)\r\n", 431, "headers_too_large")
        }
    }

    @Test func aReusedIdempotencyKeyConflicts() async throws {
        try await TestServer.with { server in
            let fields = ["Idempotency-Key: k1"]
            let first = try await server.request("POST", path, body: Bodies.command, fields: fields)
            #expect(first.status == 201)
            let other = Bodies.command.replacingOccurrences(of: "build", with: "test")
            try (await server.request("POST", path, body: other, fields: fields)).expect(409, "conflict")
            let ill = try await server.request("POST", path, body: Bodies.command, fields: ["Idempotency-Key: a b"])
            try ill.expect(400, "bad_request")
            #expect(try server.lastSequence() == 1)
        }
    }

    @Test func aConnectionOverTheLimitIsToldSo() async throws {
        try await TestServer.with(connectionCountMax: 1) { server in
            let first = try await server.connect()
            #expect(try await first.request("GET", "/health", key: nil).status == 200)
            let second = try await server.connect()
            let reply = try await second.reply()
            try reply.expect(503, "overloaded")
            #expect(reply.fields["retry-after"] == "1")
            #expect(try reply.json()["retry_after"] == .number("1"))
            #expect(try reply.json()["performance"]?["processing_latency_ms"] != nil)
            #expect(await second.isEnded())
            first.close()
            second.close()
        }
    }
}
