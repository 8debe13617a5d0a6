import DaybookControl
import DaybookSystem
import DaybookTestSupport
import Testing

@testable import DaybookServer

/// What one client address may do: guess keys, and, where it is configured, anything at all.
@Suite(.timeLimit(.minutes(15))) struct AddressLimitTests {
    /// Stands still, so that back-off and windows are those of one moment however slow the machine.
    private let clock = ManualClock.atPresent()
    private let path = "/api/v1/metrics/command-execution"

    private func limits(wrong: UInt32 = 100, requests: UInt32? = nil) -> AddressLimits {
        var limits = AddressLimits()
        limits.wrongCredentialsPerMinute = wrong
        limits.requestsPerMinute = requests
        return limits
    }

    private func expectLimited(_ reply: Reply, sourceLocation: SourceLocation = #_sourceLocation) throws {
        try reply.expect(429, "rate_limited", sourceLocation: sourceLocation)
        #expect(Int(reply.fields["retry-after"] ?? "") ?? 0 >= 1, sourceLocation: sourceLocation)
        #expect(try reply.json()["rate_limit"]?["remaining"]?.unsigned == 0, sourceLocation: sourceLocation)
    }

    /// Wrong on each way that leads to a credential.
    @Test(
        arguments: [
            ("POST", "/api/v1/metrics/command-execution", Bodies.command), ("POST", "/api/v1/metrics/batch", "{}"),
            ("GET", "/api/v1/metrics/commands", nil), ("GET", "/metrics", nil),
            ("POST", "/api/v1/metrics/import", "{}"),
        ] as [(String, String, String?)])
    func guessedKeysAreNotEvenLookedAtAfterAWhile(method: String, target: String, body: String?) async throws {
        try await TestServer.with(addressLimits: limits(wrong: 3), clock: clock) { server in
            #expect(try await server.request("POST", path, body: Bodies.command).status == 201)
            for _ in 0..<3 {
                let wrong = APIKey(entropy: SystemEntropy()).text
                try (await server.request(method, target, body: body, key: wrong)).expect(401, "unauthorized")
            }
            let wrong = APIKey(entropy: SystemEntropy()).text
            try expectLimited(try await server.request(method, target, body: body, key: wrong))
            // Nobody learns by guessing whether a key is good; who had one before goes on.
            let fresh = try server.key(.all)
            try expectLimited(try await server.request("POST", path, body: Bodies.command, key: fresh))
            #expect(try await server.request("POST", path, body: Bodies.command).status == 201)
            let text = try await server.request("GET", "/metrics").text
            #expect(text.contains("\ndaybook_address_limited_total 2\n"), "\(text)")
        }
    }

    @Test func goodKeysAndNoneAtAllAreNotCountedAsWrong() async throws {
        try await TestServer.with(addressLimits: limits(wrong: 2), clock: clock) { server in
            for _ in 0..<5 {
                let key = try server.key(.all)
                #expect(try await server.request("POST", path, body: Bodies.command, key: key).status == 201)
                let connection = try await server.connect()
                let reply = try await connection.request("POST", path, body: Bodies.command, key: nil)
                try reply.expect(401, "unauthorized")
                connection.close()
            }
        }
    }

    @Test func allRequestsOfAnAddressMayBeLimited() async throws {
        try await TestServer.with(addressLimits: limits(requests: 4), clock: clock) { server in
            #expect(try await server.request("POST", path, body: Bodies.command).status == 201)
            #expect(try await server.request("GET", "/health").status == 200)
            let fields = ["X-Request-Id: general"]
            #expect(try await server.request("POST", path, body: Bodies.command, fields: fields).status == 201)
            #expect(try await server.request("GET", "/api/v1/metrics/commands").status == 200)
            try expectLimited(try await server.request("POST", path, body: Bodies.command))
            try expectLimited(try await server.request("GET", "/health"))
            #expect(try server.lastSequence() == 2)
        }
    }
}
