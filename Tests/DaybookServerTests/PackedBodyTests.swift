import DaybookFormat
import DaybookTestSupport
import Testing

@testable import DaybookServer

@Suite struct PackedBodyTests {
    private static let path = "/api/v1/metrics/command-execution"

    private func send(
        _ packed: [UInt8], to path: String, _ server: TestServer, coding: String, type: String = "application/json",
        isChunked: Bool = false
    ) async throws -> Reply {
        let connection = try await server.connect()
        defer { connection.close() }
        var head = """
            POST \(path) HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer \(server.key)\r\n\
            Content-Type: \(type)\r\nContent-Encoding: \(coding)\r\n
            """
        var body = packed
        if isChunked {
            head += "Transfer-Encoding: chunked\r\n\r\n"
            body = []
            var position = 0
            while position < packed.count {
                let end = min(packed.count, position + 5_000)
                body += Array("\(String(end - position, radix: 16))\r\n".utf8) + packed[position..<end] + [13, 10]
                position = end
            }
            body += Array("0\r\n\r\n".utf8)
        } else {
            head += "Content-Length: \(packed.count)\r\n\r\n"
        }
        try await connection.send(head)
        try await connection.send(bytes: body)
        return try await connection.reply()
    }

    private func pack(_ text: String, _ coding: String) -> [UInt8] {
        coding == "lz4" ? Packer.lz4(Array(text.utf8)) : Packer.gzip(Array(text.utf8))
    }

    private func lines(_ count: Int) -> String {
        (0..<count).map {
            #"{"type":"command_execution","command_name":"c\#($0)","execution_time_ms":1,"status":"success"}"#
        }
        .joined(separator: "\n")
    }

    @Test(arguments: ["gzip", "lz4", "GZIP", "x-gzip"])
    func packedEventsAndBatchesAreStored(coding: String) async throws {
        try await TestServer.with { server in
            let event = pack(Bodies.command, coding)
            #expect(try await send(event, to: Self.path, server, coding: coding).status == 201)
            let batch = pack(#"{"command_executions":[\#(Bodies.command),\#(Bodies.command)]}"#, coding)
            let reply = try await send(batch, to: "/api/v1/metrics/batch", server, coding: coding, isChunked: true)
            #expect(reply.status == 200)
            #expect(try server.lastSequence() == 3)
        }
    }

    @Test(arguments: ["gzip", "lz4"])
    func packedImportsAreStored(coding: String) async throws {
        try await TestServer.with { server in
            for isChunked in [false, true] {
                let reply = try await send(
                    pack(lines(5_200) + "\nnonsense", coding), to: "/api/v1/metrics/import", server, coding: coding,
                    type: "application/x-ndjson", isChunked: isChunked)
                #expect(reply.status == 200)
                #expect(reply.text.contains(#""stored":5200,"rejected":1"#), "\(reply.text.prefix(300))")
            }
            #expect(try server.lastSequence() == 10_400)
        }
    }

    @Test(arguments: ["gzip", "lz4"])
    func whatIsNotPackedAsItSaysIsRefused(coding: String) async throws {
        try await TestServer.with { server in
            let whole = pack(Bodies.command, coding)
            for body in [Array(Bodies.command.utf8), Array(whole.dropLast(3)), [], whole + [1, 2, 3, 4, 5, 6, 7, 8]] {
                try (await send(body, to: Self.path, server, coding: coding)).expect(400, "bad_request")
                let reply = try await send(
                    body, to: "/api/v1/metrics/import", server, coding: coding, type: "application/x-ndjson")
                try reply.expect(400, "bad_request")
            }
            #expect(try server.lastSequence() == 0)
        }
    }

    @Test func aBodyIsMeasuredByWhatItUnpacksTo() async throws {
        try await TestServer.with { server in
            let spaces = String(repeating: " ", count: (10 << 20) + 1)
            for coding in ["gzip", "lz4"] {
                try (await send(pack(spaces, coding), to: Self.path, server, coding: coding))
                    .expect(413, "payload_too_large")
            }
            #expect(try server.lastSequence() == 0)
        }
    }

    @Test func anImportThatUnpacksToFarMoreThanItIsEnds() async throws {
        try await TestServer.with { server in
            let feeds = String(repeating: "\n", count: 40 << 20)
            let reply = try await send(
                pack(feeds, "gzip"), to: "/api/v1/metrics/import", server, coding: "gzip", type: "application/x-ndjson")
            try reply.expect(413, "payload_too_large")
            // The server is well.
            #expect(try await server.request("POST", Self.path, body: Bodies.command).status == 201)
        }
    }

    @Test func anImportWithLargeBlocksIsRefusedAndTheSameEventIsNot() async throws {
        try await TestServer.with { server in
            let packed = Packer.lz4(Array(lines(3).utf8), blockSize: 7)
            let reply = try await send(
                packed, to: "/api/v1/metrics/import", server, coding: "lz4", type: "application/x-ndjson")
            try reply.expect(415, "unsupported_media_type")
            let event = Packer.lz4(Array(Bodies.command.utf8), blockSize: 7)
            #expect(try await send(event, to: Self.path, server, coding: "lz4").status == 201)
        }
    }

    @Test func theSameBodyUnderOneKeyIsTheSameHoweverItIsPacked() async throws {
        try await TestServer.with { server in
            let connection = try await server.connect()
            defer { connection.close() }
            for body in [pack(Bodies.command, "gzip"), Packer.gzip(Array(Bodies.command.utf8), level: 0)] {
                try await connection.send(
                    """
                    POST \(Self.path) HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer \(server.key)\r\n\
                    Content-Type: application/json\r\nContent-Encoding: gzip\r\nIdempotency-Key: k\r\n\
                    Content-Length: \(body.count)\r\n\r\n
                    """)
                try await connection.send(bytes: body)
                #expect(try await connection.reply().status == 201)
            }
            #expect(try server.lastSequence() == 1)
        }
    }
}
