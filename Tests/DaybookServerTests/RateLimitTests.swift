import DaybookControl
import DaybookFormat
import DaybookStore
import DaybookTestSupport
import Foundation
import Testing

@testable import DaybookServer

/// Limits over a real socket. Windows are a minute long and tests are not: what is used up stays so.
@Suite(.timeLimit(.minutes(15))) struct RateLimitTests {
    /// Stands still: a second after its first refusal another one counts as a violation, and a slow machine takes longer.
    private let clock = ManualClock.atPresent()
    private let path = "/api/v1/metrics/command-execution"
    private let list = "/api/v1/metrics/commands"
    private let batch = #"{"command_executions":[\#(Bodies.command)]}"#
    /// Such a request takes the general way through the codec.
    private let general = ["X-Request-Id: general"]

    private func set(_ fields: String, _ server: TestServer) throws {
        let request = #"{"verb":"limits.set","organization":"acme",\#(fields)}"#
        let answer = try ParsedJSON(parsing: server.administration.perform(Array(request.utf8)))
        try #require(answer["ok"] == .bool(true), "\(answer)")
    }

    private func expectLimited(
        _ reply: Reply, limit: Int, wait: ClosedRange<Int> = 1...61, sourceLocation: SourceLocation = #_sourceLocation
    ) throws {
        try reply.expect(429, "rate_limited", sourceLocation: sourceLocation)
        #expect(reply.fields["ratelimit-limit"] == "\(limit)", sourceLocation: sourceLocation)
        #expect(reply.fields["ratelimit-remaining"] == "0", sourceLocation: sourceLocation)
        let retry = try #require(Int(reply.fields["retry-after"] ?? ""), sourceLocation: sourceLocation)
        #expect(wait.contains(retry), sourceLocation: sourceLocation)
        #expect(Int(reply.fields["ratelimit-reset"] ?? "") ?? 0 >= retry, sourceLocation: sourceLocation)
        let object = try reply.json()["rate_limit"]
        #expect(object?["limit"]?.unsigned == UInt64(limit), sourceLocation: sourceLocation)
        #expect(object?["remaining"]?.unsigned == 0, sourceLocation: sourceLocation)
        #expect(object?["reset_time"]?.string?.hasSuffix("Z") == true, sourceLocation: sourceLocation)
        #expect(object?["retry_after"]?.unsigned == UInt64(retry), sourceLocation: sourceLocation)
    }

    @Test(arguments: [false, true])
    func aTierHoldsAtOnceAndToTheRequest(isGeneral: Bool) async throws {
        try await TestServer.with(clock: clock) { server in
            try set(#""tier":"free""#, server)
            let connection = try await server.connect()
            for number in 1...100 {
                let reply = try await connection.request(
                    "POST", path, body: Bodies.command, key: server.key, fields: isGeneral ? general : [])
                #expect(reply.status == 201)
                #expect(reply.fields["ratelimit-limit"] == "100")
                #expect(reply.fields["ratelimit-remaining"] == "\(100 - number)")
                #expect((1...61).contains(Int(reply.fields["ratelimit-reset"] ?? "") ?? 0))
                let object = try reply.json()["rate_limit"]
                #expect(object?["limit"]?.unsigned == 100)
                #expect(object?["remaining"]?.unsigned == UInt64(100 - number))
                #expect(object?["reset_time"]?.string?.hasSuffix("Z") == true)
            }
            for _ in 0..<3 {
                let reply = try await connection.request(
                    "POST", path, body: Bodies.command, key: server.key, fields: isGeneral ? general : [])
                try expectLimited(reply, limit: 100)
            }
            connection.close()
            #expect(try server.lastSequence() == 100)
        }
    }

    @Test func bothWaysAndAllConnectionsShareOneAccount() async throws {
        try await TestServer.with(eventLoopCount: 2, clock: clock) { server in
            try set(#""requests_per_minute":4"#, server)
            for fields in [[], general, [], general] {
                #expect(try await server.request("POST", path, body: Bodies.command, fields: fields).status == 201)
            }
            try expectLimited(try await server.request("POST", path, body: Bodies.command), limit: 4)
            try expectLimited(try await server.request("POST", path, body: Bodies.command, fields: general), limit: 4)
            #expect(try server.lastSequence() == 4)
        }
    }

    @Test func singleEventsBatchesAndQuestionsAreCountedApart() async throws {
        try await TestServer.with(clock: clock) { server in
            try set(#""requests_per_minute":1"#, server)
            #expect(try await server.request("POST", path, body: Bodies.command).status == 201)
            try expectLimited(try await server.request("POST", path, body: Bodies.command), limit: 1)
            for number in 0..<10 {
                let isImport = number == 5
                let line = #"{"type":"command_execution","# + Bodies.command.dropFirst()
                let reply = try await server.request(
                    "POST", "/api/v1/metrics/\(isImport ? "import" : "batch")", body: isImport ? line : batch,
                    fields: isImport ? ["Content-Type: application/x-ndjson"] : [])
                #expect(reply.status == 200)
                #expect(reply.fields["ratelimit-remaining"] == "\(9 - number)")
                #expect(try reply.json()["rate_limit"]?["limit"]?.unsigned == 10)
            }
            try expectLimited(try await server.request("POST", "/api/v1/metrics/batch", body: batch), limit: 10)
            let answer = try await server.request("GET", list)
            #expect(answer.status == 200)
            #expect(answer.fields["ratelimit-remaining"] == "0")
            #expect(try answer.json()["rate_limit"]?["limit"]?.unsigned == 1)
            try expectLimited(try await server.request("GET", list), limit: 1)
        }
    }

    @Test func questionsThatTheRouterAnswersCountToo() async throws {
        try await TestServer.with(clock: clock) { server in
            try set(#""requests_per_minute":2"#, server)
            let missing = try await server.request("GET", "/api/v1/nothing")
            try missing.expect(404, "not_found")
            #expect(missing.fields["ratelimit-remaining"] == "1")
            #expect(try await server.request("GET", list).status == 200)
            try expectLimited(try await server.request("GET", "/api/v1/nothing"), limit: 2)
            // The service itself is not the organization's account.
            #expect(try await server.request("GET", "/metrics").status == 200)
            #expect(try await server.request("GET", "/health").status == 200)
        }
    }

    @Test func aRefusedRequestCountsWhateverIsWrongWithIt() async throws {
        try await TestServer.with(clock: clock) { server in
            try set(#""requests_per_minute":2"#, server)
            for fields in [[], general] {
                let reply = try await server.request("POST", path, body: "{", fields: fields)
                try reply.expect(400, "invalid_json")
                #expect(reply.fields["ratelimit-limit"] == "2")
            }
            try expectLimited(try await server.request("POST", path, body: Bodies.command), limit: 2)
        }
    }

    private let unlimited = "9007199254740991"

    private func expectUnlimited(_ reply: Reply, sourceLocation: SourceLocation = #_sourceLocation) {
        #expect(reply.fields["ratelimit-limit"] == unlimited, sourceLocation: sourceLocation)
        #expect(reply.fields["ratelimit-remaining"] == unlimited, sourceLocation: sourceLocation)
        #expect(reply.fields["ratelimit-reset"] == "0", sourceLocation: sourceLocation)
    }

    @Test func withoutALimitAnswersHaveTheLargestNumber() async throws {
        try await TestServer.with(clock: clock) { server in
            for fields in [[], general] {
                let line = #"{"type":"command_execution","# + Bodies.command.dropFirst()
                let stored = [
                    try await server.request("POST", path, body: Bodies.command, fields: fields),
                    try await server.request("POST", "/api/v1/metrics/batch", body: batch, fields: fields),
                    try await server.request(
                        "POST", "/api/v1/metrics/import", body: line,
                        fields: fields + ["Content-Type: application/x-ndjson"]),
                    try await server.request("GET", list, fields: fields),
                    try await server.request("GET", "/api/v1/keys", fields: fields),
                ]
                for reply in stored {
                    #expect([200, 201].contains(reply.status), "\(reply.text)")
                    expectUnlimited(reply)
                    let object = try reply.json()["rate_limit"]
                    #expect(object?["limit"]?.unsigned == 9_007_199_254_740_991)
                    #expect(object?["remaining"]?.unsigned == 9_007_199_254_740_991)
                    #expect(object?["reset_time"]?.string?.hasSuffix("Z") == true)
                }
            }
        }
    }

    @Test func anAnswerThatSaysNoTellsTheLimitTooAndStrangersAreToldNone() async throws {
        try await TestServer.with(clock: clock) { server in
            for fields in [[], general] {
                expectUnlimited(try await server.request("POST", path, body: "{", fields: fields))
                expectUnlimited(try await server.request("GET", list + "?limit=0", fields: fields))
                expectUnlimited(try await server.request("GET", "/api/v1/nothing", fields: fields))
                for reply in [
                    try await server.request("GET", list, key: "wrong", fields: fields),
                    try await server.request("GET", "/health", fields: fields),
                ] {
                    #expect(reply.fields["ratelimit-limit"] == nil)
                }
            }
            // The next request of a connection begins anew.
            let connection = try await server.connect()
            expectUnlimited(try await connection.request("GET", list, key: server.key))
            let health = try await connection.request("GET", "/health", key: server.key)
            #expect(health.fields["ratelimit-limit"] == nil)
            connection.close()
        }
    }

    @Test func whatTheServerIsConfiguredWithIsTheLimitOfThoseForWhomNothingWasSet() async throws {
        var options = TestServer.storeOptions
        options.rateLimits = RateLimitPolicy(.own, ownRequestsPerMinute: 2)
        try await TestServer.with(storeOptions: options, clock: clock) { server in
            let other = try server.store.createOrganization(try #require(OrganizationID("umbrella")))
            let key = try server.key(.all, organization: other.id)
            try set(#""tier":"unlimited""#, server)
            for number in 0..<2 {
                let reply = try await server.request("POST", path, body: Bodies.command, key: key)
                #expect(reply.status == 201)
                #expect(reply.fields["ratelimit-remaining"] == "\(1 - number)")
            }
            try expectLimited(try await server.request("POST", path, body: Bodies.command, key: key), limit: 2)
            for _ in 0..<4 { expectUnlimited(try await server.request("POST", path, body: Bodies.command)) }
        }
    }

    @Test func aLimitIsLiftedWhileTheServerRuns() async throws {
        try await TestServer.with(clock: clock) { server in
            let connection = try await server.connect()
            func send() async throws -> Reply {
                try await connection.request("POST", path, body: Bodies.command, key: server.key)
            }
            #expect(try await send().status == 201)
            try set(#""requests_per_minute":1"#, server)
            #expect(try await send().status == 201)
            try expectLimited(try await send(), limit: 1)
            try set(#""requests_per_minute":3"#, server)
            #expect(try await send().fields["ratelimit-remaining"] == "1")
            try set(#""tier":"unlimited""#, server)
            for _ in 0..<5 { #expect(try await send().status == 201) }
            connection.close()
        }
    }

    @Test func oneOrganizationsLimitIsNoOtherOnes() async throws {
        try await TestServer.with(clock: clock) { server in
            let other = try server.store.createOrganization(try #require(OrganizationID("umbrella")))
            let key = try server.key(.all, organization: other.id)
            try set(#""requests_per_minute":1"#, server)
            #expect(try await server.request("POST", path, body: Bodies.command).status == 201)
            try expectLimited(try await server.request("POST", path, body: Bodies.command), limit: 1)
            for _ in 0..<3 {
                #expect(try await server.request("POST", path, body: Bodies.command, key: key).status == 201)
            }
        }
    }

    @Test func requestsOfOneConnectionGoOnBehindARefusal() async throws {
        try await TestServer.with(clock: clock) { server in
            try set(#""requests_per_minute":1"#, server)
            let connection = try await server.connect()
            // Together in one write: the codec has them all.
            let post = TestConnection.text("POST", path, body: Bodies.command, key: server.key)
            let get = TestConnection.text("GET", "/health", key: server.key)
            try await connection.send(post + post + post + get)
            #expect(try await connection.reply().status == 201)
            try expectLimited(try await connection.reply(), limit: 1)
            try expectLimited(try await connection.reply(), limit: 1)
            #expect(try await connection.reply().status == 200)
            connection.close()
        }
    }

    @Test func aRestartGivesNobodyASecondLimit() async throws {
        let directory = try TemporaryDirectory()
        try await TestServer.with(directory, clock: clock) { server in
            try set(#""requests_per_minute":5"#, server)
            for _ in 0..<3 {
                #expect(try await server.request("POST", path, body: Bodies.command).status == 201)
            }
        }
        try await TestServer.with(directory, clock: clock) { server in
            let reply = try await server.request("POST", path, body: Bodies.command)
            #expect(reply.fields["ratelimit-remaining"] == "1")
            #expect(try await server.request("POST", path, body: Bodies.command).status == 201)
            try expectLimited(try await server.request("POST", path, body: Bodies.command), limit: 5, wait: 1...64)
        }
    }

    @Test func aDamagedLimitsFileCostsNothingElse() async throws {
        let directory = try TemporaryDirectory()
        try await TestServer.with(directory, clock: clock) { server in
            try set(#""requests_per_minute":1"#, server)
            #expect(try await server.request("POST", path, body: Bodies.command).status == 201)
        }
        let file = URL(filePath: directory.path).appending(path: Layout.limits)
        var bytes = try Data(contentsOf: file)
        bytes[bytes.count / 2] ^= 1
        try bytes.write(to: file)
        try await TestServer.with(directory, clock: clock) { server in
            #expect(try await server.request("POST", path, body: Bodies.command).status == 201)
            try expectLimited(try await server.request("POST", path, body: Bodies.command), limit: 1)
        }
    }

    @Test func refusalsAreCounted() async throws {
        try await TestServer.with(clock: clock) { server in
            try set(#""requests_per_minute":1"#, server)
            for _ in 0..<3 { _ = try await server.request("POST", path, body: Bodies.command) }
            let text = try await server.request("GET", "/metrics").text
            #expect(text.contains("\ndaybook_rate_limited_total 2\n"))
            #expect(text.contains("\ndaybook_rate_limit_organizations 1\n"))
            #expect(text.contains("\ndaybook_address_limited_total 0\n"))
            #expect(text.contains("\ndaybook_concurrent_batches_refused_total 0\n"))
        }
    }
}
