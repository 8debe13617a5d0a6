import DaybookControl
import DaybookFormat
import DaybookQuery
import DaybookTestSupport
import Foundation
import NIOCore
import Testing

@testable import DaybookServer

/// A question that would take more memory than one may have is refused in words, and the server goes on.
@Suite(.timeLimit(.minutes(15))) struct QueryMemoryTests {
    /// 600 events, each with a value of 7,600 bytes that no other has.
    private func storeLongValues(of user: String, _ connection: TestConnection, _ server: TestServer) async throws {
        let filler = String(repeating: "x", count: 7_600)
        let commands = (0..<600).map { number in
            """
            {"command_name":"build","execution_time_ms":1,"status":"success","user_id":"\(user)",\
            "context":{"blob":"\(user)-\(number)-\(filler)"}}
            """
        }
        let reply = try await connection.request(
            "POST", "/api/v1/metrics/batch",
            body: #"{"command_executions":[\#(commands.joined(separator: ","))]}"#, key: server.key)
        try #require(reply.status == 200, "\(reply.text.prefix(300))")
    }

    /// 4,800 values of 7,600 bytes each: more than 32 MiB.
    @Test func groupsThatDoNotFitIntoMemoryAreRefusedAndFewerAreAnswered() async throws {
        try await TestServer.with { server in
            let connection = try await server.connect()
            for batch in 0..<8 { try await storeLongValues(of: "user-\(batch)", connection, server) }
            let question = "/api/v1/metrics/aggregated?aggregation_window=total&limit=1&group_by="
            let refused = try await connection.request("GET", question + "context.blob", key: server.key)
            try refused.expect(400, "invalid_query")
            let fault = try refused.json()["errors"]?[0]
            #expect(fault?["field"]?.string == "group_by")
            #expect(fault?["message"]?.string?.contains("more than 32 MiB") == true, "\(refused.text)")
            let fewer = try await connection.request("GET", question + "context.blob&user_id=user-1", key: server.key)
            #expect(fewer.status == 200)
            let users = try await connection.request("GET", question + "user_id", key: server.key)
            #expect(try users.json()["data"]?["items"]?[0]?["count"]?.unsigned == 600)
            connection.close()
        }
    }

    /// 600 values of 7,600 bytes each: more than two thirds of 3 MiB. A page of a list ends at an eighth of that.
    @Test func theMemoryOfAllQueriesIsASettingAndIsGivenBack() async throws {
        var options = ServerOptions()
        options.queryMemoryByteCountMax = 3 << 20
        try await TestServer.with(options: options) { server in
            let connection = try await server.connect()
            try await storeLongValues(of: "user", connection, server)
            let question = "/api/v1/metrics/aggregated?aggregation_window=total&limit=1000&group_by="
            let refused = try await connection.request("GET", question + "context.blob", key: server.key)
            try refused.expect(400, "invalid_query")
            #expect(refused.text.contains("more than 2 MiB"), "\(refused.text)")
            let list = try await connection.request("GET", "/api/v1/metrics/commands?limit=1000", key: server.key)
            #expect(list.status == 200)
            #expect(list.text.utf8.count > 16 << 10 && list.text.utf8.count < 1 << 20)
            try await server.waitFor("daybook_query_memory_bytes", 0)
            connection.close()
        }
    }

    @Test func anAnswerHoldsMemoryUntilItIsLetGo() throws {
        let budget = MemoryBudget(byteCountMax: 90_000, byteCountMaxOfOne: 60_000)
        let (first, second) = (LogID(10), LogID(11))
        func answer(_ byteCount: Int, of organization: LogID) throws -> QueryAnswer {
            try QueryAnswer(
                [ByteBuffer(repeating: 0, count: byteCount - 10), ByteBuffer(repeating: 0, count: 10)],
                of: organization, from: budget)
        }
        var held: QueryAnswer? = try answer(60_000, of: first)
        #expect(held?.byteCount == 60_000)
        #expect(throws: QueryError.overloaded) { try answer(17_000, of: first) }
        #expect(throws: QueryError.overloaded) { try answer(40_000, of: second) }
        #expect(throws: QueryError.outOfMemory(limit: 60_000)) { try answer(60_001, of: second) }
        // Small ones are nobody's burden.
        #expect(try answer(16_384, of: first).memory == nil)
        #expect(budget.byteCount == 60_000)
        held = nil
        #expect(budget.byteCount == 0)
        _ = held
    }
}
