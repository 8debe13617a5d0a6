import DaybookControl
import DaybookSystem
import DaybookTestSupport
import Foundation
import Logging
import Testing

@testable import DaybookServer

extension TestServer {
    /// A connection of HTTP/1.1 over TLS.
    func connectSecurely(
        _ certificates: TestCertificates, identity: TestCertificates.Identity? = nil
    ) async throws -> TestConnection {
        let port = port
        return try await onThread {
            TestConnection(
                try SecureTransport.connect(
                    port: port, authority: certificates.authority.certificatePath, identity: identity))
        }
    }

    /// One request over TLS on a connection of its own.
    func secureRequest(
        _ method: String, _ target: String, body: String? = nil, fields: [String] = [],
        _ certificates: TestCertificates, identity: TestCertificates.Identity? = nil
    ) async throws -> Reply {
        let connection = try await connectSecurely(certificates, identity: identity)
        defer { connection.close() }
        return try await connection.request(method, target, body: body, key: key, fields: fields)
    }
}

extension ServerOptions {
    static func using(_ identity: TestCertificates.Identity) -> ServerOptions {
        var options = ServerOptions()
        options.tls.certificatePath = identity.certificatePath
        options.tls.keyPath = identity.keyPath
        return options
    }
}

/// Connections that are encrypted: agreed on in time, counted, with certificates that can change.
@Suite(.timeLimit(.minutes(15))) struct TLSTests {
    private let path = "/api/v1/metrics/command-execution"

    @Test func everyKindOfRequestIsAnsweredOverTLS() async throws {
        let certificates = try await TestCertificates.make()
        let identity = try await certificates.issue("server")
        try await TestServer.with(options: .using(identity)) { server in
            let connection = try await server.connectSecurely(certificates)
            for sequence in 1...3 {
                let reply = try await connection.request("POST", path, body: Bodies.command, key: server.key)
                #expect(reply.status == 201)
                #expect(try reply.json()["data"]?["sequence"]?.unsigned == UInt64(sequence))
                #expect(reply.fields["strict-transport-security"] == "max-age=31536000")
                let list = try await connection.request("GET", "/api/v1/metrics/commands", key: server.key)
                #expect(try list.json()["data"]?["items"]?.count == sequence)
                let health = try await connection.request("GET", "/health/live", key: nil)
                #expect(health.status == 200)
                #expect(health.fields["strict-transport-security"] == "max-age=31536000")
            }
            try await connection.send("garbage\r\n\r\n")
            try (await connection.reply()).expect(400, "bad_request")
            #expect(await connection.isEnded())
            connection.close()
        }
    }

    @Test func olderVersionsThanConfiguredAreRefused() async throws {
        let certificates = try await TestCertificates.make()
        let identity = try await certificates.issue("server")
        for (minimum, version, isSpoken) in [
            (TLSOptions.Version.tls12, TLSVersionOfTest.tls11, false), (.tls12, .tls12, true), (.tls13, .tls12, false),
            (.tls13, .tls13, true),
        ] {
            var options = ServerOptions.using(identity)
            options.tls.minimumVersion = minimum
            try await TestServer.with(options: options) { server in
                let port = server.port
                let connection = TestConnection(
                    try await onThread {
                        try SecureTransport.connect(
                            port: port, authority: certificates.authority.certificatePath,
                            maximumVersion: version.value)
                    })
                let reply = try? await connection.request("GET", "/health/live", key: nil)
                #expect(reply?.status == (isSpoken ? 200 : nil), "\(minimum) \(version)")
                connection.close()
            }
        }
    }

    @Test func plainHTTPOnTheTLSPortIsClosed() async throws {
        let certificates = try await TestCertificates.make()
        let identity = try await certificates.issue("server")
        try await TestServer.with(options: .using(identity)) { server in
            let plain = try await server.connect()
            try await plain.send(TestConnection.text("GET", "/health", key: nil))
            await #expect(throws: TestConnection.Ended.self) { try await plain.reply() }
            plain.close()
            let text = try await server.secureRequest("GET", "/metrics", certificates).text
            #expect(text.contains("\ndaybook_tls_handshake_failures_total 1\n"))
            #expect(text.contains("\ndaybook_tls_reload_failed 0\n"))
        }
    }

    @Test func aHandshakeThatDoesNotComeIsCutOff() async throws {
        let certificates = try await TestCertificates.make()
        let identity = try await certificates.issue("server")
        var limits = TimeLimits.outOfReach
        limits.checkIntervalMilliseconds = 20
        limits.handshakeMilliseconds = 200
        try await TestServer.with(timeLimits: limits, options: .using(identity)) { server in
            for beginning: [UInt8] in [[], [0x16, 0x03, 0x01, 0x02, 0x00]] {
                let silent = try await server.connect()
                try await silent.send(bytes: beginning)
                #expect(await silent.isEnded())
                silent.close()
            }
        }
    }

    @Test func connectionsCountBeforeTheirHandshake() async throws {
        let certificates = try await TestCertificates.make()
        let identity = try await certificates.issue("server")
        try await TestServer.with(connectionCountMax: 1, options: .using(identity)) { server in
            let silent = try await server.connect()
            let second = try await server.connectSecurely(certificates)
            // Whoever asks is told, and so is whoever does not.
            try (await second.reply()).expect(503, "overloaded")
            #expect(await second.isEnded())
            second.close()
            silent.close()
            // The first place is free again once the server has seen it go.
            try await retry {
                (try? await server.secureRequest("GET", "/health/live", certificates).status) ?? 503
            } until: {
                $0 == 200
            }
        }
    }

    @Test func aDrainEndsConnectionsWithAndWithoutAHandshake() async throws {
        let certificates = try await TestCertificates.make()
        let identity = try await certificates.issue("server")
        try await TestServer.with(options: .using(identity)) { server in
            let silent = try await server.connect()
            let half = try await server.connectSecurely(certificates)
            let text = TestConnection.text("POST", path, body: Bodies.command, key: server.key)
            try await half.send(String(text.dropLast(10)))
            #expect(try await server.secureRequest("GET", "/health", certificates).status == 200)
            await server.stop()
            try await server.refusesConnections()
            try await half.send(String(text.suffix(10)))
            let reply = try await half.reply()
            #expect(reply.status == 201)
            #expect(reply.fields["connection"] == "close")
            #expect(await half.isEnded())
            #expect(await silent.isEnded())
            half.close()
            silent.close()
            try await server.ended()
        }
    }

    // MARK: Client certificates

    @Test func requiredClientCertificatesAreRequired() async throws {
        let certificates = try await TestCertificates.make()
        let identity = try await certificates.issue("server")
        let client = try await certificates.issue("client")
        let stranger = try await TestCertificates.make().issue("stranger")
        var options = ServerOptions.using(identity)
        options.tls.clientAuthorityPath = certificates.authority.certificatePath
        options.tls.clientCertificates = .required
        try await TestServer.with(options: options) { server in
            let good = try await server.secureRequest("GET", "/health/live", certificates, identity: client)
            #expect(good.status == 200)
            for identity in [nil, stranger] {
                let reply = try? await server.secureRequest("GET", "/health/live", certificates, identity: identity)
                #expect(reply == nil)
            }
        }
    }

    @Test func optionalClientCertificatesMustBeGoodIfThereAreAny() async throws {
        let certificates = try await TestCertificates.make()
        let identity = try await certificates.issue("server")
        let client = try await certificates.issue("client")
        let stranger = try await TestCertificates.make().issue("stranger")
        var options = ServerOptions.using(identity)
        options.tls.clientAuthorityPath = certificates.authority.certificatePath
        options.tls.clientCertificates = .optional
        try await TestServer.with(options: options) { server in
            for identity in [nil, client] {
                let reply = try await server.secureRequest("GET", "/health/live", certificates, identity: identity)
                #expect(reply.status == 200)
            }
            #expect((try? await server.secureRequest("GET", "/health", certificates, identity: stranger)) == nil)
        }
    }
}
