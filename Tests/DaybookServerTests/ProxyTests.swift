import DaybookControl
import DaybookTestSupport
import Testing

@testable import DaybookServer

/// Who counts as the client when requests come through proxies.
@Suite(.timeLimit(.minutes(15))) struct ProxyTests {
    /// Stands still: all requests of a test are of one minute, however slow the machine.
    private static let clock = ManualClock.atPresent()
    private let path = "/api/v1/metrics/command-execution"

    private func trusting(_ proxies: String) throws -> ServerOptions {
        var options = ServerOptions()
        options.trustedProxies = try TrustedProxies(parsing: proxies)
        return options
    }

    private var oneRequest: AddressLimits {
        var limits = AddressLimits()
        limits.requestsPerMinute = 1
        return limits
    }

    /// The answer to a request with these values of `X-Forwarded-For`, each in a field of its own.
    private func status(_ server: TestServer, _ values: [String]) async throws -> Int {
        let fields = values.map { "X-Forwarded-For: \($0)" }
        return try await server.request("POST", path, body: Bodies.command, fields: fields).status
    }

    @Test func eachClientBehindATrustedProxyHasItsOwnLimit() async throws {
        try await TestServer.with(
            addressLimits: oneRequest, clock: Self.clock, options: try trusting("127.0.0.0/8,192.0.2.7")
        ) {
            server async throws in
            #expect(try await status(server, ["198.51.100.1"]) == 201)
            #expect(try await status(server, ["198.51.100.1"]) == 429)
            #expect(try await status(server, ["198.51.100.2"]) == 201)
            // Nobody gets another address by what the client itself wrote, nor by a port.
            #expect(try await status(server, ["203.0.113.9, 198.51.100.2"]) == 429)
            #expect(try await status(server, ["203.0.113.9", "198.51.100.2"]) == 429)
            #expect(try await status(server, ["198.51.100.2:4711"]) == 429)
            // A proxy behind a proxy is passed over.
            #expect(try await status(server, ["198.51.100.1, 192.0.2.7"]) == 429)
            #expect(try await status(server, ["198.51.100.3, 192.0.2.7"]) == 201)
            #expect(try await status(server, ["[2001:db8::1]:80"]) == 201)
            #expect(try await status(server, ["2001:db8::2"]) == 429)
        }
    }

    @Test func aFieldThatMakesNoSenseCountsForTheProxy() async throws {
        try await TestServer.with(addressLimits: oneRequest, clock: Self.clock, options: try trusting("127.0.0.1")) {
            server async throws in
            #expect(try await status(server, ["unknown"]) == 201)
            for value in ["", "x", "198.51.100.1,", "198.51.100.1, ;", "1.2.3", "_hidden", "[::1"] {
                #expect(try await status(server, [value]) == 429, "\(value)")
            }
        }
    }

    @Test func nobodyElseIsBelieved() async throws {
        for proxies in ["", "10.0.0.0/8", "::1"] {
            try await TestServer.with(addressLimits: oneRequest, clock: Self.clock, options: try trusting(proxies)) {
                server async throws in
                #expect(try await status(server, ["198.51.100.1"]) == 201)
                #expect(try await status(server, ["198.51.100.2"]) == 429)
            }
        }
    }

    @Test func theAuditTrailNamesTheClient() async throws {
        try await TestServer.with(options: try trusting("127.0.0.1")) { server in
            let writer = try server.key(.ingest)
            let fields = ["X-Forwarded-For: 203.0.113.9, 2001:DB8::7"]
            #expect(try await server.request("GET", "/metrics", key: writer, fields: fields).status == 403)
            let list = try await server.request(
                "GET", "/api/v1/metrics/commands", key: writer, fields: ["X-Forwarded-For: 198.51.100.4:99"])
            #expect(list.status == 403)
            #expect(
                try await server.request(
                    "POST", "/api/v1/keys", body: "{}", fields: ["X-Forwarded-For: 198.51.100.5", "Daybook-Client: 9"]
                ).status == 201)
            #expect(try await server.request("GET", "/metrics", key: writer).status == 403)
            let addresses = try await server.audit().compactMap { $0["address"]?.string }
            for address in ["2001:db8::7", "198.51.100.4", "198.51.100.5", "127.0.0.1"] {
                #expect(addresses.contains(address), "\(address)")
            }
            #expect(!addresses.contains("9"))
        }
    }

    @Test func whatATrustedProxyEncryptsIsSecure() async throws {
        let field = "strict-transport-security"
        try await TestServer.with(options: try trusting("127.0.0.1")) { server in
            for target in ["/health/live", "/api/v1/metrics/commands", "/nothing"] {
                for (value, isSecure) in [("https", true), ("HTTPS", true), ("http, https", true), ("http", false)] {
                    let reply = try await server.request("GET", target, fields: ["X-Forwarded-Proto: \(value)"])
                    #expect((reply.fields[field] != nil) == isSecure, "\(value)")
                }
            }
        }
        try await TestServer.with { server in
            let reply = try await server.request("GET", "/health/live", fields: ["X-Forwarded-Proto: https"])
            #expect(reply.fields[field] == nil)
        }
    }
}
