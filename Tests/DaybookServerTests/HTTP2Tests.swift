import DaybookControl
import DaybookSystem
import DaybookTestSupport
import Foundation
import Testing

@testable import DaybookServer

extension TestServer {
    func connectHTTP2(
        _ certificates: TestCertificates, windowByteCount: UInt32? = nil
    ) async throws -> StreamConnection {
        let port = port
        let transport = try await onThread {
            try SecureTransport.connect(
                port: port, authority: certificates.authority.certificatePath, protocols: ["h2", "http/1.1"])
        }
        return try await StreamConnection(transport, windowByteCount: windowByteCount)
    }

    /// Runs `body` against a server with TLS.
    static func withTLS(
        connectionCountMax: Int = 4_096, timeLimits: TimeLimits = .outOfReach,
        addressLimits: AddressLimits = AddressLimits(), isGated: Bool = false, clock: any Clock = SystemClock(),
        speaksHTTP2: Bool = true, _ body: (TestServer, TestCertificates) async throws -> Void
    ) async throws {
        let certificates = try await TestCertificates.make()
        var options = ServerOptions.using(try await certificates.issue("server"))
        options.speaksHTTP2 = speaksHTTP2
        try await with(
            connectionCountMax: connectionCountMax, timeLimits: timeLimits, addressLimits: addressLimits,
            isGated: isGated, clock: clock, options: options
        ) { try await body($0, certificates) }
    }
}

/// What holds for requests holds for those that come over HTTP/2.
@Suite(.timeLimit(.minutes(15))) struct HTTP2Tests {
    private let path = "/api/v1/metrics/command-execution"

    @Test func everyKindOfRequestIsAnswered() async throws {
        try await TestServer.withTLS { server, certificates in
            let connection = try await server.connectHTTP2(certificates)
            for sequence in 1...3 {
                let post = try await connection.request("POST", path, body: Bodies.command, key: server.key)
                #expect(post.status == 201)
                #expect(try post.json()["data"]?["sequence"]?.unsigned == UInt64(sequence))
                #expect(post.fields["daybook-durability"] == "durable")
                let list = try await connection.request("GET", "/api/v1/metrics/commands", key: server.key)
                #expect(try list.json()["data"]?["items"]?.count == sequence)
                let version = try await connection.request("GET", "/version", key: nil)
                #expect(version.status == 200)
                #expect(version.fields["content-length"] == String(version.body.count))
            }
            let made = try await connection.request("POST", "/api/v1/keys", body: "{}", key: server.key)
            #expect(made.status == 201)
            #expect(connection.resets.isEmpty)
            connection.close()
        }
    }

    /// The same request over both protocols: the same answer, but for what the protocols themselves say.
    @Test(
        arguments: [
            ("GET", "/version", nil), ("HEAD", "/version", nil), ("HEAD", "/api/v1/metrics/commands", nil),
            ("OPTIONS", "/api/v1/metrics/batch", nil), ("OPTIONS", "*", nil), ("GET", "/nothing", nil),
            ("HEAD", "/nothing", nil), ("DELETE", "/api/v1/metrics/batch", nil), ("PROPFIND", "/health", nil),
            ("PROPFIND", "/nothing", nil), ("TRACE", "/health", nil), ("POST", "/api/v1/metrics/batch", "{"),
            ("POST", "/api/v1/metrics/batch", "{}"), ("GET", "/api/v1/metrics/commands?limit=x", nil),
            ("GET", "/metrics?x", nil), ("POST", "/api/v1/keys", "[]"),
        ] as [(String, String, String?)])
    func answersAreThoseOfHTTP1(method: String, target: String, body: String?) async throws {
        try await TestServer.withTLS { server, certificates in
            let old = try await server.secureRequest(
                method, target, body: body, fields: ["X-Request-Id: same"], certificates)
            let connection = try await server.connectHTTP2(certificates)
            let new = try await connection.request(
                method, target, body: body, key: server.key, fields: [("x-request-id", "same")])
            connection.close()
            #expect(new.status == old.status)
            #expect(new.fields["x-request-id"] == "same")
            if target != "/metrics?x" && !target.contains("commands") { #expect(new.text == old.text) }
            let ofProtocol: Set = [":status", "connection", "transfer-encoding", "date", "content-length"]
            #expect(Set(new.fields.keys).subtracting(ofProtocol) == Set(old.fields.keys).subtracting(ofProtocol))
            for (name, value) in old.fields where !ofProtocol.contains(name) {
                #expect(new.fields[name] == value, "\(name)")
            }
        }
    }

    @Test func unknownMethodsAreToldApartByTheirPath() async throws {
        try await TestServer.withTLS { server, certificates in
            let connection = try await server.connectHTTP2(certificates)
            let known = try await connection.request("BREW", "/health", key: nil)
            try known.expect(405, "method_not_allowed")
            #expect(known.fields["allow"] == "GET, HEAD, OPTIONS")
            try (await connection.request("BREW", "/nothing", key: nil)).expect(404, "not_found")
            connection.close()
        }
    }

    @Test func streamsAreAnsweredAsTheyAreReady() async throws {
        try await TestServer.withTLS(isGated: true) { server, certificates in
            let gate = try #require(server.gate)
            let connection = try await server.connectHTTP2(certificates)
            gate.close()
            var streams: [UInt32] = []
            for _ in 0..<20 {
                streams.append(try await connection.ask("POST", path, body: Bodies.command, key: server.key))
            }
            // What waits for the disk does not hold up what does not.
            #expect(try await connection.request("GET", "/health/live", key: nil).status == 200)
            gate.open()
            var sequences: Set<UInt64> = []
            for stream in streams {
                let reply = try await connection.reply(on: stream)
                #expect(reply.status == 201)
                sequences.insert(try #require(try reply.json()["data"]?["sequence"]?.unsigned))
            }
            #expect(sequences == Set(1...20))
            connection.close()
        }
    }

    @Test func aBodyMayComeInAnyPieces() async throws {
        try await TestServer.withTLS { server, certificates in
            let connection = try await server.connectHTTP2(certificates)
            let line = #"{"type":"command_execution","# + Bodies.command.dropFirst() + "\n"
            let stream = connection.newStream()
            let fields = StreamConnection.fields(
                "POST", "/api/v1/metrics/import", key: server.key, [("content-type", "application/x-ndjson")])
            try await connection.send(try connection.head(fields, on: stream, isLast: false))
            let bytes = Array(String(repeating: line, count: 120).utf8)
            for start in stride(from: 0, to: bytes.count, by: 997) {
                let piece = Array(bytes[start..<min(start + 997, bytes.count)])
                try await connection.send(StreamConnection.Frame(kind: 0, stream: stream, payload: piece))
            }
            try await connection.send(StreamConnection.Frame(kind: 0, flags: 1, stream: stream))
            let reply = try await connection.reply(on: stream)
            #expect(reply.status == 200)
            #expect(try reply.json()["data"]?["stored"]?.unsigned == 120)
            connection.close()
        }
    }

    @Test func aRefusedBodyEndsItsStreamWithoutAnErrorAndNothingElse() async throws {
        try await TestServer.withTLS { server, certificates in
            let connection = try await server.connectHTTP2(certificates)
            let stream = connection.newStream()
            let fields = StreamConnection.fields(
                "POST", path, key: server.key,
                [("content-type", "application/json"), ("content-length", "20000000")])
            try await connection.send(try connection.head(fields, on: stream, isLast: false))
            try (await connection.reply(on: stream)).expect(413, "payload_too_large")
            try await connection.read { connection.resets[stream] != nil }
            #expect(connection.resets[stream] == 0)
            #expect(try await connection.request("GET", "/health/live", key: nil).status == 200)
            connection.close()
        }
    }

    @Test func anExpectedContinueComesBeforeTheAnswer() async throws {
        try await TestServer.withTLS { server, certificates in
            let connection = try await server.connectHTTP2(certificates)
            let stream = connection.newStream()
            let fields = StreamConnection.fields(
                "POST", path, key: server.key, [("content-type", "application/json"), ("expect", "100-continue")])
            try await connection.send(try connection.head(fields, on: stream, isLast: false))
            try await connection.read { connection.informational == [100] }
            try await connection.send(
                StreamConnection.Frame(kind: 0, flags: 1, stream: stream, payload: Array(Bodies.command.utf8)))
            #expect(try await connection.reply(on: stream).status == 201)
            connection.close()
        }
    }

    @Test func limitsAreThoseOfHTTP1() async throws {
        var limits = AddressLimits()
        limits.requestsPerMinute = 3
        // A minute that does not end, however slow the machine.
        try await TestServer.withTLS(addressLimits: limits, clock: ManualClock.atPresent()) { server, certificates in
            let connection = try await server.connectHTTP2(certificates)
            for _ in 0..<3 { #expect(try await connection.request("GET", "/health/live", key: nil).status == 200) }
            let reply = try await connection.request("POST", path, body: Bodies.command, key: server.key)
            try reply.expect(429, "rate_limited")
            #expect(reply.fields["ratelimit-limit"] == "3")
            #expect(try server.lastSequence() == 0)
            connection.close()
        }
    }

    @Test func aDrainFinishesWhatIsOpenAndSaysSo() async throws {
        try await TestServer.withTLS { server, certificates in
            let connection = try await server.connectHTTP2(certificates)
            let stream = connection.newStream()
            let fields = StreamConnection.fields(
                "POST", path, key: server.key, [("content-type", "application/json")])
            try await connection.send(try connection.head(fields, on: stream, isLast: false))
            #expect(try await connection.request("GET", "/health/live", key: nil).status == 200)
            await server.stop()
            try await connection.read { !connection.goAways.isEmpty }
            #expect(connection.goAways == [StreamConnection.GoAway(lastStream: 0x7FFF_FFFF, code: 0)])
            try await connection.send(
                StreamConnection.Frame(kind: 0, flags: 1, stream: stream, payload: Array(Bodies.command.utf8)))
            #expect(try await connection.reply(on: stream).status == 201)
            try await connection.readToEnd()
            #expect(connection.goAways.dropFirst() == [StreamConnection.GoAway(lastStream: 3, code: 0)])
            connection.close()
            try await server.ended()
            #expect(try server.lastSequence() == 1)
        }
    }

    /// A client that does not mind what it is told.
    @Test func streamsThatComeTooLateAreRefusedAndDoNotHoldTheEndBack() async throws {
        try await TestServer.withTLS(isGated: true) { server, certificates in
            let gate = try #require(server.gate)
            let connection = try await server.connectHTTP2(certificates)
            gate.close()
            let stream = try await connection.ask("POST", path, body: Bodies.command, key: server.key)
            #expect(try await connection.request("GET", "/health/live", key: nil).status == 200)
            await server.stop()
            // For a moment streams are served still.
            let status = try await retry {
                try await connection.request("GET", "/health/live", key: nil).status
            } until: {
                $0 != 200
            }
            #expect(status == 503)
            let late = try await connection.request("POST", path, body: Bodies.command, key: server.key)
            try late.expect(503, "shutting_down")
            gate.open()
            #expect(try await connection.reply(on: stream).status == 201)
            try await connection.readToEnd()
            connection.close()
            try await server.ended()
            #expect(try server.lastSequence() == 1)
        }
    }

    @Test func idleConnectionsDoNotHoldTheEndBack() async throws {
        try await TestServer.withTLS { server, certificates in
            let connection = try await server.connectHTTP2(certificates)
            #expect(try await connection.request("GET", "/health/live", key: nil).status == 200)
            await server.stop()
            try await server.ended()
            try await connection.readToEnd()
            #expect(connection.goAways.last == StreamConnection.GoAway(lastStream: 1, code: 0))
            connection.close()
        }
    }

    @Test func withoutHTTP2ClientsGetHTTP1() async throws {
        try await TestServer.withTLS(speaksHTTP2: false) { server, certificates in
            let port = server.port
            let connection = TestConnection(
                try await onThread {
                    try SecureTransport.connect(
                        port: port, authority: certificates.authority.certificatePath, protocols: ["h2", "http/1.1"])
                })
            #expect(try await connection.request("GET", "/health/live", key: nil).status == 200)
            connection.close()
        }
    }
}
