import DaybookControl
import DaybookFormat
import DaybookSystem
import DaybookTestSupport
import Testing

@testable import DaybookServer

/// One request that must be refused, and how.
struct BadInput: Sendable, CustomStringConvertible {
    /// What is sent. `KEY` stands for the organization's key, which may do everything, where bytes are given as text.
    enum Request: Sendable {
        case body([UInt8], method: String = "POST", target: String, fields: [String] = [])
        case target(String, method: String = "GET", fields: [String] = [])
        /// The whole of it; the connection ends with the answer.
        case raw([UInt8])
        /// With another credential; nil shows none.
        case shown(@Sendable (TestServer) throws -> String?, method: String, target: String, body: String?)
    }

    var name: String
    var request: Request
    var status: Int
    var code: String
    /// One of `errors` must name it.
    var field: String?

    var description: String { name }

    init(_ name: String, _ request: Request, _ status: Int, _ code: String, _ field: String? = nil) {
        self.name = name
        self.request = request
        self.status = status
        self.code = code
        self.field = field
    }

    static let command = "/api/v1/metrics/command-execution"
    static let agent = "/api/v1/metrics/agent-interaction"
    static let batch = "/api/v1/metrics/batch"
    static let productivity = "/api/v1/metrics/productivity"

    /// Members that a command needs.
    static let whole = #""command_name":"a","execution_time_ms":1,"status":"success""#

    /// A body that is no JSON.
    static func broken(_ name: String, _ text: String, _ target: String = command) -> BadInput {
        BadInput(name, .body(Array(text.utf8), target: target), 400, "invalid_json", "body")
    }

    static func broken(_ name: String, bytes: [UInt8]) -> BadInput {
        BadInput(name, .body(bytes, target: command), 400, "invalid_json", "body")
    }

    /// A body with something wrong in it.
    static func wrong(
        _ name: String, _ text: String, _ field: String, _ target: String = command, method: String = "POST"
    ) -> BadInput {
        BadInput(name, .body(Array(text.utf8), method: method, target: target), 400, "validation_failed", field)
    }

    /// A command with further members.
    static func command(_ name: String, _ members: String, _ field: String) -> BadInput {
        wrong(name, "{\(whole),\(members)}", field)
    }

    static func question(_ name: String, _ query: String, _ field: String, _ path: String = "commands") -> BadInput {
        BadInput(name, .target("/api/v1/metrics/\(path)?\(query)"), 400, "invalid_query", field)
    }

    static func raw(_ name: String, _ text: String, _ status: Int = 400, _ code: String = "bad_request") -> BadInput {
        BadInput(name, .raw(Array(text.utf8)), status, code)
    }
}

/// Sends bad inputs to one server, and sees to it that nothing comes of any.
struct BadInputRunner {
    let server: TestServer
    let interface: DocumentedInterface

    /// - Parameter rows: each on a connection of its own.
    static func run(_ rows: [BadInput]) async throws {
        var limits = AddressLimits()
        // They come from one address, and many show wrong keys.
        limits.wrongCredentialsPerMinute = 100_000
        try await TestServer.with(addressLimits: limits) { server in
            let runner = BadInputRunner(server: server, interface: try DocumentedInterface())
            try await runner.store(expecting: 1)
            for row in rows { try await runner.check(row) }
            // Sequences are dense: nothing came between.
            try await runner.store(expecting: 2)
            let list = try await server.request("GET", "/api/v1/metrics/commands")
            #expect(try list.json()["data"]?["items"]?.count == 2)
        }
    }

    private func store(expecting sequence: UInt64) async throws {
        let reply = try await server.request("POST", BadInput.command, body: Bodies.command)
        #expect(try reply.json()["data"]?["sequence"]?.unsigned == sequence)
    }

    private func check(_ row: BadInput) async throws {
        let before = try server.lastSequence()
        let reply: Reply
        let nanoseconds: UInt64
        do {
            (reply, nanoseconds) = try await answer(to: row)
        } catch {
            Issue.record("\(row): no answer: \(error)")
            return
        }
        #expect(nanoseconds < 5_000_000_000, "\(row) took too long")
        #expect(reply.status == row.status, "\(row): \(reply.text.prefix(300))")
        guard reply.status == row.status else { return }
        try reply.expect(row.status, row.code)
        #expect(try reply.code() == row.code, "\(row): \(reply.text.prefix(300))")
        if let field = row.field {
            let errors = try reply.json()["errors"]?.elements ?? []
            #expect(
                errors.contains { $0["field"]?.string == field && $0["message"]?.string?.isEmpty == false },
                "\(row): \(reply.text.prefix(300))")
        }
        try checkDocument(row, reply)
        #expect(try server.lastSequence() == before, "\(row) stored something")
        let good = try await server.request("GET", "/api/v1/metrics/commands?limit=1")
        #expect(good.status == 200, "after \(row): \(good.text.prefix(300))")
    }

    /// The answer is one that the document has, where the request leads to a path of it.
    private func checkDocument(_ row: BadInput, _ reply: Reply) throws {
        #expect(try interface.mistakes(in: reply.json(), interface.schema("Error")) == [], "\(row)")
        let method: String
        let target: String
        switch row.request {
        case .body(_, let asked, let path, _), .shown(_, let asked, let path, _), .target(let path, let asked, _):
            (method, target) = (asked, path)
        case .raw: return
        }
        guard let pattern = RouteTable.pattern(of: target) else { return }
        let operation = DocumentedOperation(method: method, pattern: pattern)
        guard interface.trees[operation] != nil else { return }
        #expect(try interface.objections(to: reply, of: operation) == [], "\(row)")
    }

    private func answer(to row: BadInput) async throws -> (Reply, nanoseconds: UInt64) {
        let connection = try await server.connect()
        defer { connection.close() }
        return try await connection.timedReply(to: try bytes(of: row))
    }

    private func bytes(of row: BadInput) throws -> [UInt8] {
        switch row.request {
        case .body(let bytes, let method, let target, let fields):
            let head = TestConnection.text(
                method, target, body: "", key: server.key,
                fields: fields + ["Content-Length: \(bytes.count)"]
            ).replacing("Content-Length: 0\r\n", with: "")
            return Array(head.utf8) + bytes
        case .target(let target, let method, let fields):
            return Array(TestConnection.text(method, target, key: server.key, fields: fields).utf8)
        case .raw(let bytes):
            return Self.filled(bytes, server.key)
        case .shown(let make, let method, let target, let body):
            return Array(TestConnection.text(method, target, body: body, key: try make(server)).utf8)
        }
    }

    /// With the key in the place of `KEY`.
    private static func filled(_ bytes: [UInt8], _ key: String) -> [UInt8] {
        bytes.replacing(Array("KEY".utf8), with: Array(key.utf8))
    }
}

/// The table, by category.
enum BadInputs {}
