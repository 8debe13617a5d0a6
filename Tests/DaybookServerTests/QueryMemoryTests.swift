import DaybookTestSupport
import Foundation
import Testing

@testable import DaybookServer

/// A question that would take more memory than one may have is refused in words, and the server goes on.
@Suite(.timeLimit(.minutes(15))) struct QueryMemoryTests {
    /// 4,800 values of 7,600 bytes each: more than 32 MiB.
    @Test func groupsThatDoNotFitIntoMemoryAreRefusedAndFewerAreAnswered() async throws {
        try await TestServer.with { server in
            let connection = try await server.connect()
            let filler = String(repeating: "x", count: 7_600)
            for batch in 0..<8 {
                let commands = (0..<600).map { number in
                    """
                    {"command_name":"build","execution_time_ms":1,"status":"success","user_id":"user-\(batch)",\
                    "context":{"blob":"\(batch)-\(number)-\(filler)"}}
                    """
                }
                let reply = try await connection.request(
                    "POST", "/api/v1/metrics/batch",
                    body: #"{"command_executions":[\#(commands.joined(separator: ","))]}"#, key: server.key)
                try #require(reply.status == 200, "\(reply.text.prefix(300))")
            }
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
}
