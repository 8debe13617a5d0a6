import DaybookControl
import DaybookFormat
import DaybookStore
import DaybookTestSupport
import Testing

@testable import DaybookServer

@Suite(.timeLimit(.minutes(15))) struct RefusalPaceTests {
    private static let path = "/api/v1/metrics/command-execution"
    private let interval = RefusalPace.intervalNanoseconds

    // MARK: The value

    @Test func refusalsOfAnOrganizationWaitForOneAnother() {
        var pace = RefusalPace()
        for number in 0..<5 {
            #expect(pace.delayNanoseconds(of: LogID(1), at: 1_000) == UInt64(number) * interval)
        }
    }

    @Test func organizationsDoNotWaitForOneAnother() {
        var pace = RefusalPace()
        for _ in 0..<5 { _ = pace.delayNanoseconds(of: LogID(1), at: 1_000) }
        #expect(pace.delayNanoseconds(of: LogID(2), at: 1_000) == 0)
    }

    @Test func whoWaitedAsLongIsAnsweredAtOnce() {
        var pace = RefusalPace()
        for _ in 0..<5 { _ = pace.delayNanoseconds(of: LogID(1), at: 1_000) }
        #expect(pace.delayNanoseconds(of: LogID(1), at: 1_000 + 4 * interval) == interval)
        #expect(pace.delayNanoseconds(of: LogID(1), at: 1_000 + 9 * interval) == 0)
    }

    @Test func noAnswerWaitsLongerThanASecondHoweverManyDo() {
        var pace = RefusalPace()
        let delays = (0..<10_000).map { _ in pace.delayNanoseconds(of: LogID(1), at: 1_000) }
        #expect(delays.max() == RefusalPace.delayNanosecondsMax)
    }

    @Test func organizationsThatAreQuietAreForgotten() {
        var pace = RefusalPace()
        for number in UInt64(1)...1_000 {
            _ = pace.delayNanoseconds(of: LogID(number), at: number * 10 * interval)
        }
        #expect(pace.organizationCount <= 64)
    }

    // MARK: The server

    /// The organization of the server has had the one event that it may send in this minute.
    private func withoutAnyMore(hasNeighbour: Bool, _ body: (TestServer) async throws -> Void) async throws {
        try await TestServer.with(clock: ManualClock.atPresent()) { server in
            if hasNeighbour {
                let id = try #require(OrganizationID("neighbour"))
                let key = try server.key(.all, organization: try server.store.createOrganization(id).id)
                #expect(try await server.request("POST", Self.path, body: Bodies.command, key: key).status == 201)
            }
            let request = #"{"verb":"limits.set","organization":"acme","requests_per_minute":1,"concurrent_batches":1}"#
            _ = server.administration.perform(Array(request.utf8))
            #expect(try await server.request("POST", Self.path, body: Bodies.command).status == 201)
            try await body(server)
        }
    }

    /// Sends requests one behind the other over one connection. Returns their answers.
    private func send(_ requests: [String], _ server: TestServer) async throws -> [Reply] {
        let connection = try await server.connect()
        defer { connection.close() }
        try await connection.send(requests.joined())
        var replies: [Reply] = []
        for _ in requests { replies.append(try await connection.reply()) }
        return replies
    }

    private func command(_ server: TestServer, _ fields: [String] = []) -> String {
        TestConnection.text("POST", Self.path, body: Bodies.command, key: server.key, fields: fields)
    }

    @Test(arguments: [[], ["X-Request-Id: general"]])
    func whileOthersAreAboutRefusalsButTheFirstAreDelayed(fields: [String]) async throws {
        try await withoutAnyMore(hasNeighbour: true) { server in
            // The clock stands still: none of them has waited long enough for the next.
            let replies = try await send(Array(repeating: command(server, fields), count: 20), server)
            for reply in replies { try reply.expect(429, "rate_limited") }
            #expect(try await server.metric("daybook_refusals_delayed_total") == 19)
            #expect(try await server.metric("daybook_ingest_budget_bytes") == 0)
            #expect(try server.lastSequence() == 1)
        }
    }

    @Test func refusalsOfWhoIsAloneAreNotDelayed() async throws {
        try await withoutAnyMore(hasNeighbour: false) { server in
            let replies = try await send(Array(repeating: command(server), count: 20), server)
            for reply in replies { try reply.expect(429, "rate_limited") }
            #expect(try await server.metric("daybook_refusals_delayed_total") == 0)
        }
    }

    @Test func questionsAndActsBeyondALimitAreDelayedToo() async throws {
        try await withoutAnyMore(hasNeighbour: true) { server in
            let paths = ["/api/v1/metrics/commands", "/api/v1/keys", "/api/v1/nothing"]
            #expect(try await server.request("GET", paths[0]).status == 200)
            let requests = paths.map { TestConnection.text("GET", $0, key: server.key) }
            for reply in try await send(requests + requests, server) { try reply.expect(429, "rate_limited") }
            #expect(try await server.metric("daybook_refusals_delayed_total") == 5)
        }
    }

    @Test func anOtherOrganizationIsAnsweredMeanwhile() async throws {
        try await withoutAnyMore(hasNeighbour: true) { server in
            let id = try #require(OrganizationID("third"))
            let key = try server.key(.all, organization: try server.store.createOrganization(id).id)
            let flood = try await server.connect()
            defer { flood.close() }
            try await flood.send(String(repeating: command(server), count: 20))
            #expect(try await server.request("POST", Self.path, body: Bodies.command, key: key).status == 201)
            for _ in 0..<20 { try await flood.reply().expect(429, "rate_limited") }
        }
    }

    @Test func aBatchWhoseRefusalIsDelayedIsNotUnderWay() async throws {
        try await withoutAnyMore(hasNeighbour: true) { server in
            let batch = TestConnection.text(
                "POST", "/api/v1/metrics/batch", body: #"{"command_executions":[\#(Bodies.command)]}"#, key: server.key)
            var statuses: [Int] = []
            for reply in try await send(Array(repeating: batch, count: 14), server) { statuses.append(reply.status) }
            #expect(statuses == Array(repeating: 200, count: 10) + Array(repeating: 429, count: 4))
            let text = try await server.request("GET", "/metrics").text
            #expect(text.contains("\ndaybook_concurrent_batches_refused_total 0\n"))
        }
    }
}
