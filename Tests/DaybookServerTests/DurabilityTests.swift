import DaybookControl
import DaybookFormat
import DaybookTestSupport
import Testing

/// What an organization has chosen holds for its requests that do not say.
@Suite struct DurabilityTests {
    private let requests: [(method: String, path: String, body: String)] = [
        ("POST", "/api/v1/metrics/command-execution", Bodies.command),
        ("POST", "/api/metrics/commands", Bodies.command),
        ("POST", "/api/v1/metrics/agent-interaction", Bodies.agent),
        ("POST", "/api/v1/metrics/productivity", Bodies.productivity),
        ("POST", "/api/v1/metrics/batch", #"{"command_executions":[\#(Bodies.command)]}"#),
        ("POST", "/api/v1/metrics/session/start", #"{"session_id":"s"}"#),
        ("PUT", "/api/v1/metrics/session/s", "{}"), ("PUT", "/api/metrics/sessions/s", "{}"),
        ("POST", "/api/v1/metrics/session/end", #"{"session_id":"s"}"#),
        ("POST", "/api/v1/metrics/import", #"{"type":"command_execution","# + Bodies.command.dropFirst()),
    ]

    private func set(_ durability: String, _ server: TestServer) throws {
        let request = #"{"verb":"org.set","organization":"acme","durability":"\#(durability)"}"#
        let answer = try ParsedJSON(parsing: server.administration.perform(Array(request.utf8)))
        #expect(answer["durability"]?.string == durability)
    }

    private func expect(_ durability: String, _ server: TestServer, prefer: String? = nil) async throws {
        for (method, path, body) in requests {
            let reply = try await server.request(
                method, path, body: body.replacing(#""s""#, with: #""\#(durability)\#(prefer ?? "")""#),
                fields: prefer.map { ["Prefer: durability=\($0)"] } ?? [])
            guard [200, 201].contains(reply.status) else {
                // Sessions of the paths are those of the first round.
                #expect(path.contains("/session"), "\(path): \(reply.text)")
                continue
            }
            let data = try #require(try reply.json()["data"])
            #expect(reply.fields["daybook-durability"] == durability, "\(path)")
            #expect(data["durability"]?.string == durability, "\(path)")
            let hasSequence = data["sequence"] != nil || data["first_sequence"] != nil
            #expect(hasSequence == (durability == "durable"), "\(path): \(reply.text)")
        }
    }

    @Test func theChoiceHoldsOnEveryRouteAndARequestMaySayOtherwise() async throws {
        try await TestServer.with { server in
            try await expect("durable", server)
            try set("relaxed", server)
            try await expect("relaxed", server)
            try await expect("durable", server, prefer: "durable")
            try set("durable", server)
            try await expect("durable", server)
            try await expect("relaxed", server, prefer: "relaxed")
        }
    }

    @Test func theChoiceOutlivesTheProcessAndIsOfOneOrganizationOnly() async throws {
        let directory = try TemporaryDirectory()
        try await TestServer.with(directory) { server in try set("relaxed", server) }
        try await TestServer.with(directory) { server in
            let (_, stranger) = try server.secondOrganization()
            let path = "/api/v1/metrics/command-execution"
            let own = try await server.request("POST", path, body: Bodies.command)
            #expect(own.fields["daybook-durability"] == "relaxed")
            let foreign = try await server.request("POST", path, body: Bodies.command, key: stranger.key.text)
            #expect(foreign.fields["daybook-durability"] == "durable")
        }
    }

    @Test(arguments: [#""eventual""#, "1", "true"])
    func anotherWordIsRefused(value: String) async throws {
        try await TestServer.with { server in
            let request = #"{"verb":"org.set","organization":"acme","durability":\#(value)}"#
            let answer = try ParsedJSON(parsing: server.administration.perform(Array(request.utf8)))
            #expect(answer["code"]?.string == "validation_failed")
            #expect(answer["message"]?.string == "durability must be durable or relaxed.")
        }
    }
}
