import DaybookControl
import DaybookTestSupport
import Testing

/// Several event loops share one store: what one of them takes is nobody else's, and nothing is lost between them.
@Suite(.timeLimit(.minutes(15))) struct EventLoopTests {
    private let path = "/api/v1/metrics/command-execution"

    @Test func concurrentClientsOfTwoLoopsGetEachSequenceOnce() async throws {
        try await TestServer.with(eventLoopCount: 2) { server in
            let clientCount = 8
            let requestCount = 40
            let sequences = try await withThrowingTaskGroup(of: [UInt64].self) { group in
                for client in 0..<clientCount {
                    group.addTask { try await send(requestCount, from: client, to: server) }
                }
                return try await group.reduce(into: [UInt64]()) { $0 += $1 }
            }
            #expect(sequences.sorted() == Array(1...UInt64(clientCount * requestCount)))
            #expect(try server.lastSequence() == UInt64(clientCount * requestCount))
            let reply = try await server.request(
                "GET", "/api/v1/metrics/aggregated?aggregation_window=total&group_by=user_id")
            let items = try reply.json()["data"]?["items"]
            #expect(items?.count == clientCount)
            for index in 0..<clientCount {
                #expect(items?[index]?["count"]?.unsigned == UInt64(requestCount))
            }
        }
    }

    private func send(_ requestCount: Int, from client: Int, to server: TestServer) async throws -> [UInt64] {
        let connection = try await server.connect()
        defer { connection.close() }
        var sequences: [UInt64] = []
        for number in 0..<requestCount {
            let body = String(Bodies.command.dropLast()) + #","user_id":"client-\#(client)"}"#
            let reply = try await connection.request(
                "POST", path, body: body, key: server.key, fields: ["X-Request-Id: \(client)-\(number)"])
            #expect(reply.fields["x-request-id"] == "\(client)-\(number)")
            sequences.append(try #require(try reply.json()["data"]?["sequence"]?.unsigned))
        }
        return sequences
    }

    @Test func oneSessionMayBeChangedThroughBothLoops() async throws {
        try await TestServer.with(eventLoopCount: 2) { server in
            let started = try await server.request(
                "POST", "/api/v1/metrics/session/start", body: #"{"session_id":"shared"}"#)
            #expect(started.status == 201)
            try await withThrowingTaskGroup(of: Void.self) { group in
                for client in 0..<6 {
                    group.addTask {
                        let reply = try await server.request(
                            "PUT", "/api/v1/metrics/session/shared", body: #"{"agents_used":["agent-\#(client)"]}"#)
                        #expect(reply.status == 201)
                    }
                }
                try await group.waitForAll()
            }
            let list = try await server.request("GET", "/api/v1/metrics/sessions")
            #expect(try list.json()["data"]?["items"]?[0]?["agents_used"]?.count == 6)
        }
    }

    @Test func aServerOfSeveralLoopsDrainsAllOfThem() async throws {
        try await TestServer.with(eventLoopCount: 4) { server in
            var halves: [TestConnection] = []
            let text = TestConnection.text("POST", path, body: Bodies.command, key: server.key)
            for _ in 0..<8 {
                let half = try await server.connect()
                try await half.send(String(text.dropLast(10)))
                halves.append(half)
            }
            // An answer on each loop says that the loop has read what came before.
            for _ in 0..<8 { #expect(try await server.request("GET", "/health").status == 200) }
            await server.stop()
            try await server.refusesConnections()
            for half in halves {
                try await half.send(String(text.suffix(10)))
                #expect(try await half.reply().status == 201)
                #expect(await half.isEnded())
                half.close()
            }
            try await server.ended()
            #expect(try server.lastSequence() == 8)
        }
    }
}
