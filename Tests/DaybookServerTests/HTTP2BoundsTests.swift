import DaybookControl
import DaybookTestSupport
import Foundation
import NIOCore
import Testing

@testable import DaybookServer

/// Clients of HTTP/2 that take too long, ask for too much, or do what the protocol forbids.
@Suite(.timeLimit(.minutes(15))) struct HTTP2BoundsTests {
    private typealias Frame = StreamConnection.Frame
    private let path = "/api/v1/metrics/command-execution"
    private let enhanceYourCalm: UInt32 = 11

    private func limits(_ shorten: (inout TimeLimits) -> Void) -> TimeLimits {
        var limits = TimeLimits.outOfReach
        limits.checkIntervalMilliseconds = 20
        shorten(&limits)
        return limits
    }

    // MARK: Time

    @Test func aBodyThatDoesNotComeIsAnswered408() async throws {
        try await TestServer.withTLS(timeLimits: limits { $0.requestMilliseconds = 200 }) { server, certificates in
            let connection = try await server.connectHTTP2(certificates)
            let stream = connection.newStream()
            let fields = StreamConnection.fields(
                "POST", path, key: server.key, [("content-type", "application/json")])
            try await connection.send(try connection.head(fields, on: stream, isLast: false))
            try await connection.send(Frame(kind: Frame.Kind.data, stream: stream, payload: Array("{".utf8)))
            try (await connection.reply(on: stream)).expect(408, "timeout")
            try await connection.read { connection.resets[stream] != nil }
            #expect(connection.resets[stream] == 0)
            #expect(try server.lastSequence() == 0)
            connection.close()
        }
    }

    /// What the server says at the end of a connection on which nothing is asked, while `body` goes on with it.
    private func goAwaysOfAnIdleConnection(
        _ body: (StreamConnection, TestServer) async throws -> Void
    ) async throws -> [StreamConnection.GoAway] {
        var goAways: [StreamConnection.GoAway] = []
        try await TestServer.withTLS(timeLimits: limits { $0.idleMilliseconds = 200 }) { server, certificates in
            // On a busy machine a connection may have been idle for too long before anything is sent on it.
            goAways = try await retry {
                do {
                    let connection = try await server.connectHTTP2(certificates)
                    defer { connection.close() }
                    try await body(connection, server)
                    try await connection.readToEnd()
                    return connection.goAways
                } catch is ChannelError {
                    return []
                }
            } until: {
                !$0.isEmpty
            }
        }
        return goAways
    }

    @Test func aConnectionWithoutStreamsIsEnded() async throws {
        let goAways = try await goAwaysOfAnIdleConnection { _, _ in }
        #expect(goAways == [StreamConnection.GoAway(lastStream: 0, code: 0)])
    }

    @Test func aHeadThatDripsIsNoActivity() async throws {
        let goAways = try await goAwaysOfAnIdleConnection { connection, server in
            // A head that says it has 16,000 bytes; each comes after a connection of somebody else.
            try await connection.send(bytes: [0, 0x3E, 0x80, Frame.Kind.headers, Frame.endHeaders, 0, 0, 0, 1])
            do {
                for _ in 0..<16_000 {
                    try await connection.send(bytes: [0])
                    try await server.connect().close()
                }
                Issue.record("The server takes a head that drips for one that comes.")
            } catch is ChannelError {
                // The server has ended it.
            }
        }
        #expect(goAways.last == StreamConnection.GoAway(lastStream: 0, code: 0))
    }

    @Test func anAnswerThatIsNotReadEndsItsStreamOnly() async throws {
        let limits = limits { $0.stalledWriteMilliseconds = 200 }
        try await TestServer.withTLS(timeLimits: limits) { server, certificates in
            // The client takes nothing of any answer but heads.
            let connection = try await server.connectHTTP2(certificates, windowByteCount: 0)
            for target in ["/api/v1/metrics/aggregated", "/version"] {
                let stream = try await connection.ask("GET", target, key: server.key)
                try await connection.read { connection.resets[stream] != nil }
                #expect(connection.resets[stream] != 0, "\(target)")
            }
            let head = try await connection.request("HEAD", "/version", key: nil)
            #expect(head.status == 200)
            connection.close()
        }
    }

    // MARK: Too much

    @Test func streamsOfAllConnectionsAreBounded() async throws {
        try await TestServer.withTLS(connectionCountMax: 2, isGated: true) { server, certificates in
            let gate = try #require(server.gate)
            let connection = try await server.connectHTTP2(certificates)
            gate.close()
            let first = try await connection.ask("POST", path, body: Bodies.command, key: server.key)
            let second = try await connection.ask("POST", path, body: Bodies.command, key: server.key)
            let third = try await connection.request("POST", path, body: Bodies.command, key: server.key)
            try third.expect(503, "overloaded")
            #expect(third.fields["retry-after"] == "1")
            gate.open()
            for stream in [first, second] { #expect(try await connection.reply(on: stream).status == 201) }
            #expect(try await connection.request("GET", "/health/live", key: nil).status == 200)
            connection.close()
        }
    }

    @Test func aConnectionOverTheLimitIsToldSo() async throws {
        try await TestServer.withTLS(connectionCountMax: 1) { server, certificates in
            let first = try await server.connectHTTP2(certificates)
            #expect(try await first.request("GET", "/health/live", key: nil).status == 200)
            let second = try await server.connectHTTP2(certificates)
            try (await second.request("GET", "/health/live", key: nil)).expect(503, "overloaded")
            try await second.readToEnd()
            first.close()
            second.close()
        }
    }

    @Test func headsThatAreTooLargeAreRefused() async throws {
        try await TestServer.withTLS { server, certificates in
            let connection = try await server.connectHTTP2(certificates)
            let many = (0..<101).map { ("x-\($0)", "1") }
            try (await connection.request("GET", "/health", key: nil, fields: many)).expect(431, "headers_too_large")
            // The encoding makes a little less of it, which must not help.
            let long = [("x-long", String(repeating: "a", count: FrontLimits.headerFieldByteCountMax))]
            try (await connection.request("GET", "/health", key: nil, fields: long)).expect(431, "headers_too_large")
            let target = "/" + String(repeating: "a", count: 9_000)
            try (await connection.request("GET", target, key: nil)).expect(414, "uri_too_long")
            #expect(try await connection.request("GET", "/health/live", key: nil).status == 200)
            connection.close()
        }
    }

    @Test func aHeadBeyondWhatWasAgreedEndsTheConnection() async throws {
        try await TestServer.withTLS { server, certificates in
            let connection = try await server.connectHTTP2(certificates)
            let long = (0..<3).map { ("x-\($0)", String(repeating: "a", count: 15_000)) }
            let stream = connection.newStream()
            let head = try connection.head(
                StreamConnection.fields("GET", "/health", key: nil, long), on: stream, isLast: true)
            var frames: [Frame] = []
            for start in stride(from: 0, to: head.payload.count, by: 16_000) {
                let piece = Array(head.payload[start..<min(start + 16_000, head.payload.count)])
                frames.append(
                    Frame(
                        kind: start == 0 ? Frame.Kind.headers : Frame.Kind.continuation,
                        flags: start == 0 ? Frame.last : 0, stream: stream, payload: piece))
            }
            frames[frames.count - 1].flags |= Frame.endHeaders
            try await connection.send(bytes: frames.flatMap(\.bytes))
            try await connection.readToEnd()
            #expect(connection.goAways.last?.code != 0)
            #expect(try await server.secureRequest("GET", "/health/live", certificates).status == 200)
            connection.close()
        }
    }

    @Test func resetsWithoutEndEndTheConnection() async throws {
        try await TestServer.withTLS { server, certificates in
            let connection = try await server.connectHTTP2(certificates)
            var bytes: [UInt8] = []
            for _ in 0...FrontLimits.resetCountMax {
                let stream = connection.newStream()
                let fields = StreamConnection.fields("GET", "/health/live", key: nil)
                bytes += try connection.head(fields, on: stream, isLast: false).bytes
                bytes += Frame(kind: Frame.Kind.reset, stream: stream, payload: [0, 0, 0, 8]).bytes
            }
            try await connection.send(bytes: bytes)
            try await connection.readToEnd()
            #expect(connection.goAways.last?.code == enhanceYourCalm)
            #expect(try await server.secureRequest("GET", "/health/live", certificates).status == 200)
            connection.close()
        }
    }

    @Test(arguments: [StreamConnection.Frame.Kind.ping, StreamConnection.Frame.Kind.settings])
    func floodsOfFramesEndTheConnection(kind: UInt8) async throws {
        try await TestServer.withTLS { server, certificates in
            let connection = try await server.connectHTTP2(certificates)
            let payload = [UInt8](repeating: 0, count: kind == Frame.Kind.ping ? 8 : 0)
            let flood = Frame(kind: kind, payload: payload).bytes
            let all = (0...FrontLimits.controlFrameCountMax).flatMap { _ in flood }
            try await connection.send(bytes: all)
            try await connection.readToEnd()
            #expect(connection.goAways.last?.code == enhanceYourCalm)
            #expect(try await server.secureRequest("GET", "/health/live", certificates).status == 200)
            connection.close()
        }
    }

    @Test func moreStreamsThanAgreedAreNotServed() async throws {
        try await TestServer.withTLS(isGated: true) { server, certificates in
            let gate = try #require(server.gate)
            gate.close()
            let connection = try await server.connectHTTP2(certificates)
            var bytes: [UInt8] = []
            for _ in 0...FrontLimits.streamCountMax {
                let stream = connection.newStream()
                let fields = StreamConnection.fields("POST", path, key: server.key)
                bytes += try connection.head(fields, on: stream, isLast: false).bytes
            }
            try await connection.send(bytes: bytes)
            try await connection.readToEnd()
            gate.open()
            #expect(try await server.secureRequest("GET", "/health/live", certificates).status == 200)
            #expect(try server.lastSequence() == 0)
            connection.close()
        }
    }

    // MARK: Faults

    @Test func aMalformedRequestEndsItsStreamOnly() async throws {
        try await TestServer.withTLS { server, certificates in
            let connection = try await server.connectHTTP2(certificates)
            for fields in [
                StreamConnection.fields("GET", "/health", key: nil, [("connection", "close")]),
                StreamConnection.fields("GET", "", key: nil), [(":method", "GET"), (":scheme", "https")],
                StreamConnection.fields("GET", "/health", key: nil, [("te", "gzip")]),
                StreamConnection.fields("GET", "/health", key: nil, [("transfer-encoding", "chunked")]),
                StreamConnection.fields("GET", "/health", key: nil, [("x", "a\r\nb: c")]),
            ] {
                let stream = connection.newStream()
                try await connection.send(try connection.head(fields, on: stream, isLast: true))
                try await connection.read { connection.resets[stream] != nil }
                #expect(connection.resets[stream] == 1)
            }
            #expect(try await connection.request("GET", "/health/live", key: nil).status == 200)
            connection.close()
        }
    }

    @Test func aLengthThatIsNotTrueEndsItsStreamAndStoresNothing() async throws {
        try await TestServer.withTLS { server, certificates in
            let connection = try await server.connectHTTP2(certificates)
            let body = Array(Bodies.command.utf8)
            for length in [body.count - 1, body.count + 1] {
                let stream = connection.newStream()
                let fields = StreamConnection.fields(
                    "POST", path, key: server.key,
                    [("content-type", "application/json"), ("content-length", String(length))])
                try await connection.send(try connection.head(fields, on: stream, isLast: false))
                try await connection.send(
                    Frame(kind: Frame.Kind.data, flags: Frame.last, stream: stream, payload: body))
                try await connection.read { connection.resets[stream] != nil }
            }
            #expect(try await connection.request("GET", "/health/live", key: nil).status == 200)
            #expect(try server.lastSequence() == 0)
            connection.close()
        }
    }

    @Test func whatIsNotHTTP2EndsTheConnection() async throws {
        try await TestServer.withTLS { server, certificates in
            let port = server.port
            for bytes in [
                Array("GET /health HTTP/1.1\r\nHost: a\r\n\r\n".utf8), [UInt8](repeating: 0xFF, count: 64),
                Array("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n".utf8) + [UInt8](repeating: 0xFF, count: 64),
            ] {
                let transport = try await onThread {
                    try SecureTransport.connect(
                        port: port, authority: certificates.authority.certificatePath, protocols: ["h2"])
                }
                try await onThread {
                    try transport.send(bytes)
                    var input: [UInt8] = []
                    while try transport.receive(appendingTo: &input) {}
                }
                transport.close()
            }
            #expect(try await server.secureRequest("GET", "/health/live", certificates).status == 200)
        }
    }
}
