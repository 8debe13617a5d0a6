import DaybookControl
import DaybookFormat
import DaybookStore
import DaybookTestSupport
import Testing

@testable import DaybookServer

/// Bodies that query threads make events of, because others share the loop.
@Suite(.timeLimit(.minutes(15))) struct LargeBodyTests {
    private static let path = "/api/v1/metrics/command-execution"
    private static let batchPath = "/api/v1/metrics/batch"

    private static func padded(_ body: String) -> String { String(repeating: " ", count: 70_000) + body }

    /// An organization beside the first one, which has just been seen by the loop.
    private func other(_ server: TestServer) async throws -> String {
        let id = try #require(OrganizationID("neighbour"))
        let key = try server.key(.all, organization: try server.store.createOrganization(id).id)
        // Whoever sends what is wrong is seen too, and no commit has to be in time for it.
        try await server.request("POST", Self.path, body: "{", key: key).expect(400, "invalid_json")
        return key
    }

    /// Runs `body` after a large body was sent that the server's first organization has to wait with for a query thread.
    private func whileABodyWaits(
        _ request: [UInt8], to path: String = path, fields: [String] = [], timeLimits: TimeLimits = .outOfReach,
        _ body: (TestServer, TestConnection, _ neighbour: String) async throws -> Void
    ) async throws {
        // Whoever was seen is about as long as the clock stands still.
        let clock = ManualClock.atPresent()
        try await TestServer.with(queryThreadCount: 1, timeLimits: timeLimits, isGated: true, clock: clock) { server in
            let neighbour = try await other(server)
            let acts = try await server.occupyQueryThreads()
            do {
                let connection = try await server.connect()
                let head = fields + ["Content-Type: application/json", "Content-Length: \(request.count)"]
                try await connection.send(TestConnection.text("POST", path, key: server.key, fields: head))
                try await connection.send(bytes: request)
                // One with little time may be gone before anybody looks.
                if timeLimits.commitMilliseconds == TimeLimits.outOfReach.commitMilliseconds {
                    try await server.waitFor("daybook_queries_waiting", 1)
                }
                try await body(server, connection, neighbour)
                connection.close()
            } catch {
                server.gate?.open()
                throw error
            }
            server.gate?.open()
            // Whatever their answer is: with it their threads are free, or nobody waits any more.
            for act in acts {
                _ = try await act.reply()
                act.close()
            }
        }
    }

    @Test func aLargeBodyWaitsForAThreadAndNobodyWaitsForIt() async throws {
        try await whileABodyWaits(Self.padded(Bodies.command).utf8.map(\.self)) { server, connection, neighbour in
            // The loop is free: what needs no thread is answered.
            #expect(try await server.request("GET", "/health").status == 200)
            let refused = try await server.request("POST", Self.path, body: "{", key: neighbour)
            try refused.expect(400, "invalid_json")
            #expect(try server.lastSequence() == 0)
            server.gate?.open()
            let reply = try await connection.reply()
            #expect(reply.status == 201, "\(reply.text)")
            #expect(try server.lastSequence() == 1)
            #expect(try await server.metric("daybook_ingest_budget_bytes") == 0)
        }
    }

    @Test func aLargeBodyThatIsWrongIsRefusedAsASmallOneIs() async throws {
        try await whileABodyWaits(Self.padded(#"{"command_name":7}"#).utf8.map(\.self)) { server, connection, _ in
            server.gate?.open()
            let reply = try await connection.reply()
            try reply.expect(400, "validation_failed")
            #expect(try server.lastSequence() == 0)
            #expect(try await server.metric("daybook_ingest_budget_bytes") == 0)
        }
    }

    @Test func aConnectionThatEndsTakesItsBodyBack() async throws {
        // Whoever closes what it has not read from, the interim answer here, resets the connection; an end alone may be that
        // of a client that still wants its answer.
        let request = Self.padded(Bodies.command).utf8.map(\.self)
        try await whileABodyWaits(request, fields: ["Expect: 100-continue"]) { server, connection, _ in
            connection.close()
            try await server.waitFor("daybook_queries_waiting", 0)
            try await server.waitFor("daybook_ingest_budget_bytes", 0)
            server.gate?.open()
            #expect(try server.lastSequence() == 0)
        }
    }

    @Test func aBodyThatWaitsTooLongIsRefusedAndNotStored() async throws {
        var limits = TimeLimits.outOfReach
        limits.checkIntervalMilliseconds = 20
        limits.commitMilliseconds = 40
        try await whileABodyWaits(Self.padded(Bodies.command).utf8.map(\.self), timeLimits: limits) {
            server, connection, _ in
            let reply = try await connection.reply()
            try reply.expect(503, "overloaded")
            #expect(reply.fields["connection"] == "close")
            try await server.waitFor("daybook_queries_waiting", 0)
            try await server.waitFor("daybook_ingest_budget_bytes", 0)
            #expect(try server.lastSequence() == 0)
        }
    }

    @Test func whatIsPackedIsUnpackedThereToo() async throws {
        let events = (0..<400).map {
            #"{"command_name":"c\#($0 &* 2_654_435_761 % 1_000_003)","execution_time_ms":\#($0),"status":"success"}"#
        }
        let batch = #"{"command_executions":[\#(events.joined(separator: ","))]}"#
        let packed = Packer.gzip(Array(batch.utf8))
        try await whileABodyWaits(packed, to: Self.batchPath, fields: ["Content-Encoding: gzip"]) {
            server, connection, _ in
            #expect(try await server.metric("daybook_ingest_budget_bytes") == packed.count)
            server.gate?.open()
            let reply = try await connection.reply()
            #expect(reply.status == 200, "\(reply.text)")
            #expect(try server.lastSequence() == 400)
            #expect(try await server.metric("daybook_ingest_budget_bytes") == 0)
        }
    }

    @Test func whatBecomesTooMuchIsRefusedThereToo() async throws {
        let bomb = Packer.gzip([UInt8](repeating: 32, count: Limits.bodyByteCountMax + 1))
        try await whileABodyWaits(bomb, fields: ["Content-Encoding: gzip"]) { server, connection, _ in
            server.gate?.open()
            try (await connection.reply()).expect(413, "payload_too_large")
            #expect(try server.lastSequence() == 0)
            #expect(try await server.metric("daybook_ingest_budget_bytes") == 0)
        }
    }

    @Test func requestsBehindALargeOneAreAnsweredInTheirOrder() async throws {
        try await TestServer.with(clock: ManualClock.atPresent()) { server in
            _ = try await other(server)
            let connection = try await server.connect()
            defer { connection.close() }
            let large = TestConnection.text("POST", Self.path, body: Self.padded(Bodies.command), key: server.key)
            let small = TestConnection.text("POST", Self.path, body: Bodies.command, key: server.key)
            try await connection.send(large + small + large + small)
            for sequence in 1...4 {
                let reply = try await connection.reply()
                #expect(try reply.json()["data"]?["sequence"]?.unsigned == UInt64(sequence), "\(reply.text)")
            }
        }
    }
}
