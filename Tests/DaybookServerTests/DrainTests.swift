import DaybookControl
import DaybookFormat
import DaybookSystem
import DaybookTestSupport
import Foundation
import Testing

/// What happens between being told to stop and having stopped; and the admin socket.
@Suite(.timeLimit(.minutes(15))) struct DrainTests {
    private let path = "/api/v1/metrics/command-execution"

    @Test func openRequestsAreAnsweredAndThenTheServerEnds() async throws {
        try await TestServer.with { server in
            let half = try await server.connect()
            let text = TestConnection.text("POST", path, body: Bodies.command, key: server.key)
            try await half.send(String(text.dropLast(10)))
            // Its head is with the server once a later request on another connection is answered.
            #expect(try await server.request("GET", "/health").status == 200)
            await server.stop()
            // Which says that the server knows.
            try await server.refusesConnections()
            try await half.send(String(text.suffix(10)))
            let reply = try await half.reply()
            #expect(reply.status == 201)
            #expect(reply.fields["connection"] == "close")
            #expect(await half.isEnded())
            half.close()
            try await server.ended()
            #expect(try server.lastSequence() == 1)
        }
    }

    @Test func idleConnectionsDoNotHoldTheEndBack() async throws {
        try await TestServer.with { server in
            let idle = try await server.connect()
            #expect(try await idle.request("GET", "/health", key: nil).status == 200)
            let unused = try await server.connect()
            await server.stop()
            try await server.ended()
            #expect(await idle.isEnded())
            #expect(await unused.isEnded())
            idle.close()
            unused.close()
        }
    }

    @Test func theAdminSocketCarriesTheVerbs() async throws {
        try await TestServer.with(hasAdminSocket: true) { server in
            let path = server.root + "/admin.sock"
            let mode = try FileManager.default.attributesOfItem(atPath: path)[.posixPermissions] as? Int
            #expect(mode == 0o600)
            let lines = try await onThread {
                let socket = try StreamSocket.connect(to: .unix(path: path))
                defer { socket.close() }
                let requests = Array(
                    """
                    {"verb":"org.create","organization":"globex"}
                    {"verb":"key.list","organization":"globex"}
                    x

                    """.utf8)
                try requests.withRawSpan { try socket.writeAll($0) }
                var input: [UInt8] = []
                while input.filter({ $0 == UInt8(ascii: "\n") }).count < 3 {
                    guard case .moved = try socket.read(4_096, appendingTo: &input) else { break }
                }
                return try input.split(separator: UInt8(ascii: "\n")).map { try ParsedJSON(parsing: Array($0)) }
            }
            #expect(lines.count == 3)
            #expect(lines.first?["ok"] == .bool(true))
            #expect(lines.dropFirst().first?["keys"]?.count == 1)
            #expect(lines.last?["code"]?.string == "invalid_json")
            let key = try #require(lines.first?["api_key"]?.string)
            let target = "/api/v1/metrics/command-execution"
            #expect(try await server.request("POST", target, body: Bodies.command, key: key).status == 201)
        }
    }
}
