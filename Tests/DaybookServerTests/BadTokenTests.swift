import DaybookControl
import DaybookFormat
import DaybookTestSupport
import Testing

/// Every token of the list, at the door.
@Suite(.timeLimit(.minutes(15))) struct BadTokenTests {
    private func forge(_ server: TestServer) async throws -> TokenForge {
        let key = try server.make(.admin, user: "ada")
        let reply = try await server.request("POST", "/api/v1/auth/token", body: "{}", key: key.key.text)
        let token = try #require(try reply.json()["data"]?["access_token"]?.string, "\(reply.text)")
        return try TokenForge(root: server.root, like: token)
    }

    private static var patient: AddressLimits {
        var limits = AddressLimits()
        limits.wrongCredentialsPerMinute = 1_000_000
        return limits
    }

    @Test func everyBadTokenHasTheOneAnswer() async throws {
        #expect(BadToken.all.count >= 100)
        #expect(Set(BadToken.all.map(\.name)).count == BadToken.all.count)
        try await TestServer.with(addressLimits: Self.patient) { server in
            _ = try server.store.createOrganization(OrganizationID("globex")!)
            let forge = try await forge(server)
            let before = try server.lastSequence()
            var bodies: Set<String> = []
            for (method, target, body) in [
                ("POST", "/api/v1/metrics/command-execution", Bodies.command), ("GET", "/api/v1/metrics/commands", nil),
                ("GET", "/api/v1/keys", nil),
            ] as [(String, String, String?)] {
                for bad in BadToken.all {
                    let connection = try await server.connect()
                    let reply = try await connection.request(method, target, body: body, key: try bad.make(forge))
                    connection.close()
                    #expect(reply.status == 401, "\(bad.name) at \(target): \(reply.text)")
                    #expect(reply.fields["www-authenticate"] == "Bearer", "\(bad.name)")
                    bodies.insert(reply.text.replacing(reply.fields["x-request-id"] ?? "-", with: ""))
                }
            }
            // The same as of no credential at all.
            let connection = try await server.connect()
            let nobodys = try await connection.request("GET", "/api/v1/keys", key: nil)
            connection.close()
            bodies.insert(nobodys.text.replacing(nobodys.fields["x-request-id"] ?? "-", with: ""))
            #expect(bodies.count == 1, "\(bodies)")
            #expect(try server.lastSequence() == before)
        }
    }

    /// The list would prove nothing if the forge could make no good one.
    @Test func whatMayBeDifferentIsTaken() async throws {
        try await TestServer.with(addressLimits: Self.patient) { server in
            let forge = try await forge(server)
            let now = forge.number("iat")
            let changes: [(String, (inout TokenForge) -> Void)] = [
                ("nothing", { _ in }), ("a long type", { $0.header("typ", #""application/at+jwt""#) }),
                ("a type in capitals", { $0.header("typ", #""AT+JWT""#) }),
                ("fields of keys that are passed over", { $0.header("jku", #""http://127.0.0.1:9/""#) }),
                ("more audiences", { $0.claim("aud", #"["x","daybook"]"#) }), ("no nbf", { $0.claim("nbf", nil) }),
                ("a little early", { $0.claim("nbf", String(now + 30)) }), ("other claims", { $0.claim("x", "[{}]") }),
                ("less permissions", { $0.claim("permissions", #"["keys.manage","none.such"]"#) }),
            ]
            for (name, change) in changes {
                let token = try forge.changed(change).text()
                let reply = try await server.request("GET", "/api/v1/keys", key: token)
                #expect(reply.status == 200, "\(name): \(reply.text)")
            }
            let narrow = try forge.changed { $0.claim("permissions", #"["keys.manage"]"#) }.text()
            #expect(try await server.request("GET", "/api/v1/audit", key: narrow).status == 403)
            // More than the key may do is not taken from a claim.
            let wide = try forge.changed { $0.claim("permissions", #"["instance.organizations"]"#) }.text()
            #expect(try await server.request("GET", "/api/v1/organizations", key: wide).status == 403)
        }
    }

    @Test func anAddressWithManyBadTokensIsNotHeard() async throws {
        var limits = AddressLimits()
        limits.wrongCredentialsPerMinute = 5
        let clock = ManualClock.atPresent()
        try await TestServer.with(addressLimits: limits, clock: clock) { server in
            let forge = try await forge(server)
            let good = try forge.text()
            let connection = try await server.connect()
            defer { connection.close() }
            #expect(try await connection.request("GET", "/api/v1/metrics/commands", key: good).status == 200)
            let bad = try forge.changed { $0.claim("aud", #""other""#) }.text()
            for _ in 0..<5 {
                #expect(try await connection.request("GET", "/api/v1/metrics/commands", key: bad).status == 401)
            }
            #expect(try await connection.request("GET", "/api/v1/metrics/commands", key: bad).status == 429)
            // Who is known goes on.
            #expect(try await connection.request("GET", "/api/v1/metrics/commands", key: good).status == 200)
        }
    }
}
