import DaybookControl
import DaybookTestSupport
import Foundation
import Testing

/// What holds for a connection whatever is asked on it: order, keep-alive, upgrades, half-closed peers, request ids.
@Suite struct ConnectionTests {
    private let path = "/api/v1/metrics/command-execution"

    @Test func aConnectionServesOneRequestAfterTheOther() async throws {
        try await TestServer.with { server in
            let connection = try await server.connect()
            for sequence in 1...3 {
                let reply = try await connection.request("POST", path, body: Bodies.command, key: server.key)
                #expect(reply.status == 201)
                #expect(try reply.json()["data"]?["sequence"]?.unsigned == UInt64(sequence))
                #expect(try await connection.request("GET", "/health/live", key: nil).status == 200)
            }
            connection.close()
        }
    }

    @Test func pipelinedRequestsAreAnsweredInOrder() async throws {
        try await TestServer.with { server in
            let connection = try await server.connect()
            var text = ""
            for number in 0..<20 {
                text += TestConnection.text(
                    "POST", path, body: Bodies.command, key: server.key, fields: ["X-Request-Id: post-\(number)"])
                text += TestConnection.text("GET", "/health/live", key: nil, fields: ["X-Request-Id: get-\(number)"])
                text += TestConnection.text(
                    "POST", path, body: "{", key: server.key, fields: ["X-Request-Id: bad-\(number)"])
            }
            try await connection.send(text)
            for number in 0..<20 {
                let post = try await connection.reply()
                #expect(post.status == 201)
                #expect(post.fields["x-request-id"] == "post-\(number)")
                #expect(try post.json()["data"]?["sequence"]?.unsigned == UInt64(number + 1))
                let get = try await connection.reply()
                #expect(get.status == 200)
                #expect(get.fields["x-request-id"] == "get-\(number)")
                let bad = try await connection.reply()
                #expect(bad.status == 400)
                #expect(bad.fields["x-request-id"] == "bad-\(number)")
            }
            connection.close()
        }
    }

    @Test func garbageBehindARequestIsAnsweredAfterIt() async throws {
        try await TestServer.with { server in
            let connection = try await server.connect()
            try await connection.send(
                TestConnection.text("POST", path, body: Bodies.command, key: server.key) + "\u{1}\u{2}\r\n\r\n")
            #expect(try await connection.reply().status == 201)
            #expect(try await connection.reply().status == 400)
            #expect(await connection.isEnded())
            connection.close()
        }
    }

    @Test func garbageThatGoesOnDoesNotTakeTheAnswersBeforeItAway() async throws {
        try await TestServer.with(isGated: true) { server in
            let gate = try #require(server.gate)
            gate.close()
            let connection = try await server.connect()
            try await connection.send(
                TestConnection.text("POST", path, body: Bodies.command, key: server.key) + "\u{1}\u{2}\r\n")
            #expect(try await server.request("GET", "/health/live").status == 200)
            try await connection.send("\u{1}\u{2}\r\n\r\n")
            #expect(try await server.request("GET", "/health/live").status == 200)
            gate.open()
            #expect(try await connection.reply().status == 201)
            try (await connection.reply()).expect(400, "bad_request")
            #expect(await connection.isEnded())
            connection.close()
        }
    }

    @Test func aRefusedUpgradeIsAnsweredAndTheNextRequestFindsANewConnection() async throws {
        try await TestServer.with { server in
            for protocolName in ["h2c", "websocket"] {
                let connection = try await server.connect()
                let reply = try await connection.request(
                    "POST", path, body: Bodies.command, key: server.key,
                    fields: [
                        "Connection: Upgrade, HTTP2-Settings", "Upgrade: \(protocolName)",
                        "HTTP2-Settings: AAEAAEAAAAIAAAABAAMAAABkAAQBAAAAAAUAAEAA",
                    ])
                #expect(reply.status == 201)
                #expect(reply.fields["connection"] == "close")
                #expect(await connection.isEnded())
                connection.close()
                let get = try await server.request(
                    "GET", "/health", fields: ["Connection: Upgrade", "Upgrade: \(protocolName)"])
                #expect(get.status == 200)
                #expect(get.fields["connection"] == "close")
                #expect(try await server.request("GET", "/health").status == 200)
            }
            #expect(try server.lastSequence() == 2)
        }
    }

    @Test func anExpectedContinueComesBeforeTheAnswer() async throws {
        try await TestServer.with { server in
            let connection = try await server.connect()
            let text = TestConnection.text(
                "POST", path, body: Bodies.command, key: server.key, fields: ["Expect: 100-continue"])
            try await connection.send(String(text.dropLast(Bodies.command.count)))
            #expect(try await connection.reply().status == 100)
            try await connection.send(Bodies.command)
            #expect(try await connection.reply().status == 201)
            connection.close()
        }
    }

    @Test func aRefusalNeedsNoBodyThatWaitsForContinue() async throws {
        try await TestServer.with { server in
            let connection = try await server.connect()
            let text = TestConnection.text(
                "POST", path, body: Bodies.command, key: nil, fields: ["Expect: 100-continue"])
            try await connection.send(String(text.dropLast(Bodies.command.count)))
            #expect(try await connection.reply().status == 401)
            #expect(await connection.isEnded())
            connection.close()
        }
    }

    @Test func httpOneZeroClosesUnlessToldToKeep() async throws {
        try await TestServer.with { server in
            let request =
                "POST \(path) HTTP/1.0\r\nAuthorization: Bearer \(server.key)\r\n"
                + "Content-Type: application/json\r\nContent-Length: \(Bodies.command.utf8.count)\r\n"
            let first = try await server.connect()
            try await first.send(request + "\r\n" + Bodies.command)
            #expect(try await first.reply().fields["connection"] == "close")
            #expect(await first.isEnded())
            first.close()
            let second = try await server.connect()
            for _ in 0..<2 {
                try await second.send(request + "Connection: keep-alive\r\n\r\n" + Bodies.command)
                #expect(try await second.reply().fields["connection"] == "keep-alive")
            }
            second.close()
        }
    }

    @Test func aPeerThatHasEndedItsSideStillGetsItsAnswers() async throws {
        try await TestServer.with { server in
            for target in [path, "/health"] {
                let connection = try await server.connect()
                let isPost = target == path
                try await connection.send(
                    TestConnection.text(
                        isPost ? "POST" : "GET", target, body: isPost ? Bodies.command : nil, key: server.key))
                try await connection.endWriting()
                #expect(try await connection.reply().status == (isPost ? 201 : 200))
                #expect(await connection.isEnded())
                connection.close()
            }
        }
    }

    /// No time limit ends the wait: the end of the input does.
    @Test func whatBreaksOffBehindAnotherRequestEndsTheConnection() async throws {
        try await TestServer.with { server in
            let live = TestConnection.text("GET", "/health/live", key: nil)
            let head =
                TestConnection.text("POST", path, key: server.key).dropLast() + "Content-Type: application/json\r\n"
            for body in ["Content-Length: 100\r\n\r\n{", "Transfer-Encoding: chunked\r\n\r\n50\r\n{", "X-Cut: a"] {
                for _ in 0..<20 {
                    let connection = try await server.connect()
                    try await connection.send(live + head + body)
                    try await connection.endWriting()
                    #expect(try await connection.reply().status == 200)
                    if let reply = try? await connection.reply() { try reply.expect(400, "bad_request") }
                    #expect(await connection.isEnded())
                    connection.close()
                }
            }
            #expect(try server.lastSequence() == 0)
        }
    }

    @Test func aBadChunkBehindAnotherRequestIsAnsweredInItsTurn() async throws {
        try await TestServer.with { server in
            let live = TestConnection.text("GET", "/health/live", key: nil)
            let head = TestConnection.text("POST", path, key: server.key).dropLast()
            let connection = try await server.connect()
            try await connection.send(
                live + head + "Content-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n1\r\n{\r\nzz\r\n")
            #expect(try await connection.reply().status == 200)
            try (await connection.reply()).expect(400, "bad_request")
            #expect(await connection.isEnded())
            connection.close()
        }
    }

    @Test func anImportWithABadChunkIsToldHowFarItCame() async throws {
        try await TestServer.with { server in
            let head = TestConnection.text("POST", "/api/v1/metrics/import", key: server.key).dropLast()
            let line = #"{"type":"command_execution","# + Bodies.command.dropFirst() + "\n"
            let lines = String(repeating: line, count: 1_001)
            let connection = try await server.connect()
            try await connection.send(
                head + "Content-Type: application/x-ndjson\r\nTransfer-Encoding: chunked\r\n\r\n"
                    + String(lines.utf8.count, radix: 16) + "\r\n" + lines + "\r\nzz\r\n")
            let reply = try await connection.reply()
            try reply.expect(400, "bad_request")
            #expect(reply.text.contains("1000 events of this import were stored"), "\(reply.text)")
            #expect(await connection.isEnded())
            connection.close()
            #expect(try server.lastSequence() == 1_000)
        }
    }

    @Test func aPeerThatGoesAwayLeavesTheServerWell() async throws {
        try await TestServer.with { server in
            for _ in 0..<20 {
                let connection = try await server.connect()
                try await connection.send(TestConnection.text("POST", path, body: Bodies.command, key: server.key))
                connection.close()
                let half = try await server.connect()
                try await half.send("POST \(path) HTTP/1.1\r\nHost: a\r\nContent-Le")
                half.close()
            }
            #expect(try await server.request("POST", path, body: Bodies.command).status == 201)
        }
    }

    /// Its side is reset while a long body is being read: the error to that body cannot be written.
    @Test func aPeerThatIsGoneBeforeItsErrorIsWrittenCostsNothing() async throws {
        try await TestServer.with { server in
            let live = TestConnection.text("GET", "/health/live", key: nil)
            let body = #"{"context":{"a":["# + String(repeating: "1,", count: 100_000) + "x]}}"
            let other = try await server.connect()
            for _ in 0..<40 {
                let connection = try await server.connect()
                try await connection.send(live)
                _ = try await other.request("GET", "/health/live", key: nil)
                try await connection.send(TestConnection.text("POST", path, body: body, key: server.key))
                // An answer that nobody has read makes the end a reset.
                connection.close()
            }
            #expect(try await server.request("POST", path, body: Bodies.command).status == 201)
            let metrics = try await server.request("GET", "/metrics").text
            #expect(metrics.contains("\ndaybook_ingest_budget_bytes 0\n"), "\(metrics)")
            other.close()
        }
    }

    @Test func requestIdsAreReturnedOrMade() async throws {
        try await TestServer.with { server in
            for (method, target) in [("POST", path), ("GET", "/version")] {
                let body = method == "POST" ? Bodies.command : nil
                let given = try await server.request(method, target, body: body, fields: ["X-Request-Id: abc-1"])
                #expect(given.fields["x-request-id"] == "abc-1")
                let ill = try await server.request(method, target, body: body, fields: ["X-Request-Id: a b"])
                #expect(ill.fields["x-request-id"]?.count == 36)
                let none = try await server.request(method, target, body: body)
                #expect(none.fields["x-request-id"]?.count == 36)
                #expect(none.fields["x-request-id"] != ill.fields["x-request-id"])
            }
        }
    }

    @Test func headHasTheFieldsOfGetAndNoBody() async throws {
        try await TestServer.with { server in
            let connection = try await server.connect()
            let get = try await connection.request("GET", "/version", key: nil)
            let head = try await connection.request("HEAD", "/version", key: nil)
            #expect(head.status == 200)
            #expect(head.fields["content-length"] == get.fields["content-length"])
            let missing = try await connection.request("HEAD", "/nothing", key: nil)
            #expect(missing.status == 404)
            // The next answer would be out of step if a body had come.
            #expect(try await connection.request("GET", "/version", key: nil).text == get.text)
            connection.close()
        }
    }

    @Test func optionsTellsTheMethods() async throws {
        try await TestServer.with { server in
            let batch = try await server.request("OPTIONS", "/api/v1/metrics/batch")
            #expect(batch.status == 204)
            #expect(batch.fields["allow"] == "POST, OPTIONS")
            let both = try await server.request("OPTIONS", "/api/metrics/productivity")
            #expect(both.fields["allow"] == "GET, HEAD, POST, OPTIONS")
            #expect(try await server.request("OPTIONS", "*").status == 204)
            #expect(try await server.request("OPTIONS", "/nothing").status == 404)
        }
    }
}
