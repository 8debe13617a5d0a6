import DaybookControl
import DaybookTestSupport
import Testing

/// Methods that nobody knows: the path decides whether it is 404 or 405, as with every other method.
@Suite(.timeLimit(.minutes(15))) struct UnknownMethodTests {
    private let rest = " HTTP/1.1\r\nHost: a\r\n\r\n"

    /// Sends each text on a connection of its own, expects one error, and the end behind it.
    private func expect(
        _ server: TestServer, _ texts: [String], _ status: Int, _ code: String, allow: String? = nil,
        sourceLocation: SourceLocation = #_sourceLocation
    ) async throws {
        for text in texts {
            let connection = try await server.connect()
            try await connection.send(text)
            let reply = try await connection.reply()
            try reply.expect(status, code, sourceLocation: sourceLocation)
            #expect(reply.fields["allow"] == allow, "\(text)", sourceLocation: sourceLocation)
            #expect(reply.fields["connection"] == "close", sourceLocation: sourceLocation)
            #expect(await connection.isEnded(), sourceLocation: sourceLocation)
            connection.close()
        }
    }

    @Test func onAKnownPathItIs405WithTheMethodsOfThatPath() async throws {
        try await TestServer.with { server in
            try await expect(
                server,
                [
                    "FOO /health" + rest, "get /health" + rest, "GETX /health?a=b" + rest, "G /health" + rest,
                    "X-1!~ /health HTTP/1.0\r\n\r\n", "FOO http://a/health" + rest, "\r\nFOO /health" + rest,
                    "FOO /health HTTP/1.1\nHost: a\n\n",
                ], 405, "method_not_allowed", allow: "GET, HEAD, OPTIONS")
            try await expect(
                server, ["FOO /api/v1/metrics/session/abc" + rest], 405, "method_not_allowed", allow: "PUT, OPTIONS")
        }
    }

    @Test func onAnUnknownPathItIs404() async throws {
        try await TestServer.with { server in
            try await expect(server, ["FOO /nothing" + rest, "get /" + rest], 404, "not_found")
        }
    }

    @Test func traceAndConnectAreRefusedWithTheMethodsOfThePath() async throws {
        try await TestServer.with { server in
            try await expect(
                server, ["TRACE /health" + rest], 405, "method_not_allowed", allow: "GET, HEAD, OPTIONS")
            try await expect(
                server, ["CONNECT a:1" + rest], 405, "method_not_allowed",
                allow: "GET, HEAD, POST, PUT, DELETE, OPTIONS")
        }
    }

    @Test func aLineThatComesInPiecesIsWaitedFor() async throws {
        try await TestServer.with { server in
            for (text, status, code) in [
                ("FOO /health HTTP/1.1\r\n", 405, "method_not_allowed"), ("POSTS /no HTTP/1.1\n", 404, "not_found"),
            ] {
                let connection = try await server.connect()
                let other = try await server.connect()
                for character in text {
                    try await connection.send(String(character))
                    #expect(try await other.request("GET", "/health/live", key: nil).status == 200)
                }
                try (await connection.reply()).expect(status, code)
                #expect(await connection.isEnded())
                connection.close()
                other.close()
            }
        }
    }

    @Test func aLineBehindOtherRequestsIsAnsweredInItsTurn() async throws {
        try await TestServer.with { server in
            let post = TestConnection.text(
                "POST", "/api/v1/metrics/command-execution", body: Bodies.command, key: server.key)
            for (target, status, code) in [("/health", 405, "method_not_allowed"), ("/nothing", 404, "not_found")] {
                let connection = try await server.connect()
                let live = TestConnection.text("GET", "/health/live", key: nil)
                try await connection.send(live + post + "FOO \(target)" + rest + live)
                #expect(try await connection.reply().status == 200)
                #expect(try await connection.reply().status == 201)
                try (await connection.reply()).expect(status, code)
                #expect(await connection.isEnded())
                connection.close()
            }
            #expect(try server.lastSequence() == 2)
        }
    }

    @Test func whatIsNoRequestLineStays400() async throws {
        try await TestServer.with { server in
            try await expect(
                server,
                [
                    "FOO\r\n\r\n", "FOO /health\r\n\r\n", "FOO /health SMTP/1.0\r\n\r\n", "F(O /health" + rest,
                    "FOO  /health" + rest, "FOO /he\u{1}alth" + rest, String(repeating: "F", count: 40) + " /" + rest,
                ], 400, "bad_request")
            let long = String(repeating: "a", count: 20_000)
            try await expect(server, ["FOO /\(long)" + rest], 414, "uri_too_long")
        }
    }
}
