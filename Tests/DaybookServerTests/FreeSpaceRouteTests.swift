import DaybookStore
import DaybookSystem
import DaybookTestSupport
import Testing

@testable import DaybookServer

/// A disk that is nearly full, as clients see it: no more is taken in, everything else goes on, and it passes by itself.
@Suite(.timeLimit(.minutes(15))) struct FreeSpaceRouteTests {
    private let writing: [(method: String, target: String, body: String)] = [
        ("POST", "/api/v1/metrics/command-execution", Bodies.command),
        ("POST", "/api/v1/metrics/agent-interaction", Bodies.agent),
        ("POST", "/api/v1/metrics/productivity", Bodies.productivity), ("POST", "/api/v1/metrics/session/start", "{}"),
        ("POST", "/api/v1/metrics/batch", #"{"command_executions":[\#(Bodies.command)]}"#),
        ("POST", "/api/v1/metrics/import", #"{"type":"command_execution","# + Bodies.command.dropFirst()),
    ]
    private let reading = ["aggregated", "commands", "agents", "sessions", "productivity"].map {
        "/api/v1/metrics/\($0)"
    }

    /// Returns when the store has looked at the disk and found what the test says.
    private func wait(_ server: TestServer, untilLow isLow: Bool) async throws {
        await onThread {
            let pause = Wakeup()
            while server.store.statistics.space.isLow != isLow { pause.wait(microseconds: 5_000) }
        }
    }

    private func send(_ server: TestServer, _ request: (method: String, target: String, body: String)) async throws
        -> Reply
    {
        let type = request.target.hasSuffix("import") ? "application/x-ndjson" : "application/json"
        return try await server.request(
            request.method, request.target, body: request.body, fields: ["Content-Type: \(type)"])
    }

    @Test func ingestIsRefusedWithATimeAndEverythingElseGoesOn() async throws {
        try await TestServer.with(isGated: true) { server in
            let gate = try #require(server.gate)
            for request in writing { #expect([200, 201].contains(try await send(server, request).status)) }
            let (other, _) = try server.secondOrganization()
            let operators = try server.make(.admin, isOperator: true).key.text
            let sequence = try server.lastSequence()
            let reserve = server.store.statistics.space.reserveByteCount
            #expect(reserve > 0)

            gate.setFree(byteCount: reserve - 1)
            try await wait(server, untilLow: true)
            for request in writing {
                let reply = try await send(server, request)
                try reply.expect(503, "storage_unavailable")
                let seconds = try #require(reply.fields["retry-after"].flatMap(UInt64.init), "\(request.target)")
                #expect(seconds >= 1)
                #expect(try reply.json()["retry_after"]?.unsigned == seconds, "\(request.target)")
            }
            #expect(try server.lastSequence() == sequence)
            for target in reading { #expect(try await server.request("GET", target).status == 200, "\(target)") }
            let commands = try await server.request("GET", "/api/v1/metrics/commands")
            #expect(try commands.json()["data"]?["items"]?.count == 3)
            #expect(try await server.request("GET", "/health").json()["status"]?.string != "healthy")
            let deleted = try await server.request("DELETE", "/api/v1/organizations/\(other)", key: operators)
            #expect(deleted.status == 200, "\(deleted.text)")
            await onThread {
                let pause = Wakeup()
                while server.store.deletion(of: other)?.organization.removedAt == nil {
                    pause.wait(microseconds: 5_000)
                }
            }
            #expect(server.store.statistics.space.isLow)

            gate.setFree(byteCount: nil)
            try await wait(server, untilLow: false)
            for request in writing { #expect([200, 201].contains(try await send(server, request).status)) }
            #expect(try server.lastSequence() == 2 * sequence)
        }
    }
}
