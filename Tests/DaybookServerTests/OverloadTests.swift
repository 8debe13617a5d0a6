import DaybookControl
import DaybookSystem
import DaybookTestSupport
import Testing

@testable import DaybookServer

/// A clock that runs away: whatever is done takes far longer by it than it should.
private final class HastyClock: Clock {
    private let real = SystemClock()

    func wallMicroseconds() -> Int64 { real.wallMicroseconds() }
    func monotonicNanoseconds() -> UInt64 { real.monotonicNanoseconds() &* 1_000 }
}

/// More than can be served is refused early, and never kept.
@Suite(.timeLimit(.minutes(15))) struct OverloadTests {
    private let path = "/api/v1/metrics/command-execution"

    @Test func aLoopIsBehindFromTheLimitOn() {
        var lag = LoopLag(intervalMilliseconds: 500, limitMilliseconds: 1_000)
        lag.begin(at: 7)
        for (milliseconds, isOverloaded) in [(499, false), (500, false), (1_499, false), (1_500, true), (600, false)] {
            lag.ticked(at: 7 + UInt64(milliseconds) * 1_000_000)
            #expect(lag.isOverloaded == isOverloaded, "\(milliseconds)")
        }
        var never = LoopLag(intervalMilliseconds: 500, limitMilliseconds: 0)
        never.begin(at: 0)
        never.ticked(at: .max / 2)
        #expect(!never.isOverloaded)
    }

    @Test func aLoopThatIsBehindRefusesWhatItCan() async throws {
        var limits = TimeLimits.outOfReach
        limits.checkIntervalMilliseconds = 20
        limits.shedMilliseconds = 100
        try await TestServer.with(timeLimits: limits, clock: HastyClock()) { server in
            let connection = try await server.connect()
            var storedCount: UInt64 = 0
            try await retry {
                let status = try await connection.request("POST", path, body: Bodies.command, key: server.key).status
                if status == 201 { storedCount += 1 }
                return status
            } until: {
                $0 != 201
            }
            // The loop is behind at every look from now on.
            for (method, target, body) in [
                ("POST", path, Bodies.command), ("POST", path, "{"), ("POST", "/api/v1/metrics/batch", "{}"),
                ("GET", "/api/v1/metrics/commands", nil), ("GET", "/api/v1/keys", nil),
                ("POST", "/api/v1/metrics/import", "{}"),
            ] as [(String, String, String?)] {
                let reply = try await connection.request(method, target, body: body, key: server.key)
                try reply.expect(503, "overloaded")
                #expect(reply.fields["retry-after"] == "1")
                #expect(reply.fields["connection"] == nil)
            }
            // Whoever watches the server still can.
            #expect(try await connection.request("GET", "/health", key: nil).status == 200)
            let metrics = try await connection.request("GET", "/metrics", key: server.key)
            #expect(metrics.text.contains("\ndaybook_shed_requests_total 7\n"), "\(metrics.text)")
            #expect(try server.lastSequence() == storedCount)
            connection.close()
        }
    }

    @Test func connectionsBeyondThoseThatAreToldSoAreDropped() async throws {
        let refusedCount = ServerOptions.refusedConnectionCountMax
        try await TestServer.with(connectionCountMax: 1) { server in
            let served = try await server.connect()
            #expect(try await served.request("GET", "/health/live", key: nil).status == 200)
            var refused: [TestConnection] = []
            for _ in 0..<refusedCount {
                let connection = try await server.connect()
                try (await connection.reply()).expect(503, "overloaded")
                refused.append(connection)
            }
            let dropped = try await server.connect()
            await #expect(throws: (any Error).self) { try await dropped.reply() }
            dropped.close()
            #expect(try await served.request("GET", "/health/live", key: nil).status == 200)
            let metrics = try await served.request("GET", "/metrics", key: server.key).text
            #expect(metrics.contains("\ndaybook_connections_refused_total \(refusedCount + 1)\n"))
            for connection in refused { connection.close() }
            served.close()
        }
    }

    @Test func anAnswerThatNobodyReadsEndsTheConnection() async throws {
        var limits = TimeLimits.outOfReach
        limits.checkIntervalMilliseconds = 20
        limits.stalledWriteMilliseconds = 300
        try await TestServer.with(timeLimits: limits) { server in
            let slow = try await server.connect()
            let requests = String(repeating: TestConnection.text("GET", "/metrics", key: server.key), count: 100)
            // As much as the kernel takes for a client that reads nothing.
            await #expect(throws: (any Error).self) {
                for _ in 0..<100_000 { try await slow.send(requests) }
            }
            slow.close()
            #expect(try await server.request("GET", "/health/live").status == 200)
        }
    }
}
