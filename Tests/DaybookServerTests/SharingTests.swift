import DaybookControl
import DaybookFormat
import DaybookStore
import DaybookTestSupport
import Testing

/// More than the server takes: what is refused, and who is served nevertheless.
@Suite(.timeLimit(.minutes(15))) struct SharingTests {
    private let question = "/api/v1/metrics/aggregated?aggregation_window=total"

    /// Runs `body` while both threads of a pool of one, the spare one included, wait for the disk.
    private func whileThreadsWait(
        timeLimits: TimeLimits = .outOfReach, _ body: (TestServer, String) async throws -> Void
    ) async throws {
        try await TestServer.with(queryThreadCount: 1, timeLimits: timeLimits, isGated: true) { server in
            let id = try #require(OrganizationID("third"))
            let third = try server.key(.all, organization: try server.store.createOrganization(id).id)
            let acts = try await server.occupyQueryThreads()
            do {
                try await body(server, third)
            } catch {
                server.gate?.open()
                throw error
            }
            try await server.release(acts)
        }
    }

    private func ask(_ server: TestServer, _ count: Int, key: String? = nil) async throws -> [TestConnection] {
        var asked: [TestConnection] = []
        for _ in 0..<count {
            let connection = try await server.connect()
            try await connection.send(TestConnection.text("GET", question, key: key ?? server.key))
            asked.append(connection)
        }
        return asked
    }

    @Test func questionsBeyondThePlacesOfAnOrganizationAreRefusedAndOthersAreNot() async throws {
        try await whileThreadsWait { server, third in
            let waiting = try await ask(server, 64)
            try await server.waitFor("daybook_queries_waiting", 64)
            let refused = try await server.request("GET", question)
            try refused.expect(503, "overloaded")
            #expect(refused.fields["retry-after"] == "1")
            #expect(try refused.json()["retry_after"]?.unsigned == 1)
            let other = try await ask(server, 1, key: third)
            try await server.waitFor("daybook_queries_waiting", 65)
            #expect(try await server.metric("daybook_queries_refused_total") == 1)
            server.gate?.open()
            for connection in waiting + other {
                #expect(try await connection.reply().status == 200)
                connection.close()
            }
        }
    }

    @Test func aClientThatLeavesGivesItsPlaceUp() async throws {
        var limits = TimeLimits.outOfReach
        limits.checkIntervalMilliseconds = 20
        limits.leftQueryMilliseconds = 40
        try await whileThreadsWait(timeLimits: limits) { server, _ in
            let waiting = try await ask(server, 64)
            try await server.waitFor("daybook_queries_waiting", 64)
            waiting[10].close()
            try await server.waitFor("daybook_queries_waiting", 63)
            let another = try await ask(server, 1)
            try await server.waitFor("daybook_queries_waiting", 64)
            server.gate?.open()
            for connection in waiting[..<10] + waiting[11...] + another {
                #expect(try await connection.reply().status == 200)
                connection.close()
            }
        }
    }

    @Test func actsOfAdministratorsBeyondTheirPlacesAreRefused() async throws {
        try await whileThreadsWait { server, _ in
            var waiting: [TestConnection] = []
            for _ in 0..<64 {
                let connection = try await server.connect()
                try await connection.send(TestConnection.text("GET", "/api/v1/keys", key: server.key))
                waiting.append(connection)
            }
            // The audit trail may wait, too.
            try await server.waitFor("daybook_acts_waiting", atLeast: 64)
            let refused = try await server.request("GET", "/api/v1/keys")
            try refused.expect(503, "overloaded")
            #expect(refused.fields["retry-after"] == "1")
            // Health waits for nobody.
            #expect(try await server.request("GET", "/health").status == 200)
            server.gate?.open()
            for connection in waiting {
                #expect(try await connection.reply().status == 200)
                connection.close()
            }
        }
    }

    /// Two that flood over many connections, beside each other and in pipelines: whatever is held for a later turn of the
    /// loop, nothing is lost, and the answers of a connection come in the order of its requests.
    @Test func everythingThatIsHeldIsAnsweredInItsOrder() async throws {
        try await TestServer.with { server in
            let other = try server.store.createOrganization(try #require(OrganizationID("other")))
            let keys = [server.key, try server.key(.all, organization: other.id)]
            let (connectionCount, requestCount) = (20, 15)
            try await withThrowingTaskGroup(of: Void.self) { group in
                for number in 0..<2 * connectionCount {
                    group.addTask {
                        try await flood(server, keys[number % 2], requestCount, number / 2)
                    }
                }
                try await group.waitForAll()
            }
            let count = UInt64(connectionCount * requestCount)
            #expect(try server.lastSequence() == count)
            #expect(try server.lastSequence(other) == count)
            #expect(try await server.metric("daybook_requests_held_total") > 0)
            #expect(try await server.metric("daybook_ingest_budget_bytes") == 0)
        }
    }

    private func flood(_ server: TestServer, _ key: String, _ count: Int, _ number: Int) async throws {
        let connection = try await server.connect()
        defer { connection.close() }
        // Most are padded so that two in one turn are one too many, and not so much that a query thread would take them.
        let padding = String(repeating: " ", count: number % 4 == 0 ? 0 : 60_000)
        let request = TestConnection.text(
            "POST", "/api/v1/metrics/command-execution", body: padding + Bodies.command, key: key)
        let isPipelined = number % 2 == 0
        if isPipelined { try await connection.send(String(repeating: request, count: count)) }
        var sequences: [UInt64] = []
        for _ in 0..<count {
            if !isPipelined { try await connection.send(request) }
            let reply = try await connection.reply()
            #expect(reply.status == 201, "\(reply.text)")
            sequences.append(try #require(try reply.json()["data"]?["sequence"]?.unsigned))
        }
        #expect(sequences == sequences.sorted())
    }
}

extension TestServer {
    /// A counter or gauge of `/metrics`.
    func metric(_ name: String) async throws -> Int {
        let text = try await request("GET", "/metrics").text
        let line = text.split(separator: "\n").first { $0.hasPrefix(name + " ") }
        return try #require(line.flatMap { Int($0.dropFirst(name.count + 1)) })
    }

    /// Asks until a gauge has this value. When a request arrives is the network's business.
    func waitFor(_ name: String, _ value: Int) async throws { try await waitFor(name) { $0 == value } }

    func waitFor(_ name: String, atLeast value: Int) async throws { try await waitFor(name) { $0 >= value } }

    private func waitFor(_ name: String, _ isThere: (Int) -> Bool) async throws {
        try await retry({ try await metric(name) }, until: isThere)
    }
}
