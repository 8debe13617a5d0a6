import DaybookControl
import DaybookFormat
import DaybookStore
import DaybookTestSupport
import Testing

@testable import DaybookServer

/// One operation on one of its paths, and how it is asked.
struct WalkedOperation: Sendable, CustomStringConvertible {
    var descriptor: OperationDescriptor
    var operation: DocumentedOperation

    /// Every method of every path but OPTIONS.
    static let all: [WalkedOperation] = OperationTable.all.flatMap { descriptor in
        descriptor.operations.map { WalkedOperation(descriptor: descriptor, operation: $0) }
    }

    /// OPTIONS of every path.
    static let options: [WalkedOperation] = RouteTable.all.compactMap { route in
        let descriptor = OperationTable.all.first { $0.paths.contains(route.path) }
        return descriptor.map {
            WalkedOperation(descriptor: $0, operation: DocumentedOperation(method: "OPTIONS", pattern: route.path))
        }
    }

    var description: String { operation.description }
    var method: String { operation.method }
    var isHead: Bool { method == "HEAD" }
    var hasID: Bool { operation.pattern.contains("{}") }
    var isStoring: Bool { descriptor.tag == .collection && method != "OPTIONS" }
    var isImport: Bool { descriptor.id == "importEvents" && method != "OPTIONS" }
    var body: BodyDescriptor? { method == "OPTIONS" ? nil : descriptor.body }
    /// Whether some credentials are not enough.
    var needsPermission: Bool { isSecured && !descriptor.isForEveryCredential }
    var isSecured: Bool { !descriptor.needs.isEmpty && method != "OPTIONS" }
    /// Ids that nobody has.
    var target: String { target(id: "nobody") }

    func target(id: String) -> String { operation.pattern.replacing("{}", with: id) }

    /// What the document shows as a body.
    var exampleBody: String? {
        switch body?.examples.first?.value {
        case .text(let lines)?: lines
        case let tree?: String(decoding: tree.printed, as: UTF8.self)
        case nil: nil
        }
    }

    /// The type of that body.
    var fields: [String] { (body?.mediaTypes.first).map { ["Content-Type: \($0)"] } ?? [] }
}

/// What was answered on the way, held against the document.
final class InterfaceWalk {
    let interface: DocumentedInterface
    private(set) var statuses: [DocumentedOperation: Set<Int>] = [:]
    /// `503 query_timeout` and the like, on whatever path.
    private(set) var errors: Set<String> = []

    init() throws { interface = try DocumentedInterface() }

    /// Notes an answer, and objects to what the document does not say of it.
    /// - Parameter knowsMethod: false where the connection answers before it has read a head: then HEAD has a body, too.
    func note(
        _ reply: Reply, of walked: WalkedOperation, expecting status: Int? = nil, knowsMethod: Bool = true,
        sourceLocation: SourceLocation = #_sourceLocation
    ) throws {
        if let status {
            #expect(reply.status == status, "\(walked): \(reply.text.prefix(300))", sourceLocation: sourceLocation)
        }
        var operation = walked.operation
        statuses[operation, default: []].insert(reply.status)
        if walked.isHead, !knowsMethod { operation.method = "GET" }
        let objections = try interface.objections(
            to: reply, of: operation, isHead: walked.isHead && knowsMethod)
        #expect(objections == [], sourceLocation: sourceLocation)
        if reply.status >= 400, !reply.body.isEmpty, let code = try reply.code() {
            errors.insert("\(reply.status) \(code)")
        }
    }
}

extension TestServer {
    /// One request on a connection of its own, whatever the method.
    func ask(
        _ walked: WalkedOperation, target: String? = nil, body: String? = nil, key: String?, fields: [String] = []
    ) async throws -> Reply {
        let connection = try await connect()
        defer { connection.close() }
        return try await connection.request(
            walked.method, target ?? walked.target, body: body, key: key, fields: fields)
    }

    /// Bytes on a connection of their own, and the one answer to them.
    func ask(raw text: String, isHead: Bool = false) async throws -> Reply {
        let connection = try await connect()
        defer { connection.close() }
        try await connection.send(text)
        return try await connection.reply(isHead: isHead)
    }

    /// A member of the answer to a key of its own that asks for tokens.
    func issued(_ member: String) async throws -> String {
        let key = try make(.viewer).key.text
        let reply = try await request("POST", "/api/v1/auth/token", body: "{}", key: key)
        return try #require(try reply.json()["data"]?[member]?.string)
    }

    /// The example of an operation, with what is there in the place of what is not.
    func goodBody(for walked: WalkedOperation, id: String) async throws -> String? {
        switch walked.descriptor.id {
        // The example's session is not there.
        case "endNamedSession": return #"{"session_id":"\#(id)"}"#
        case "refreshToken":
            let token = try await issued("refresh_token")
            return #"{"refresh_token":"\#(token)"}"#
        case "revokeToken":
            let name = try await issued("grant_id")
            return #"{"token_id":"\#(name)"}"#
        default: return walked.exampleBody
        }
    }

    /// An id that is there for an operation to work on: a session, a key, an organization, a schema.
    func freshID(for walked: WalkedOperation) async throws -> String {
        switch walked.descriptor.id {
        case "updateSession", "endSession", "endNamedSession":
            let reply = try await request("POST", "/api/v1/metrics/session/start", body: "{}")
            return try reply.json()["data"]?["id"]?.string ?? ""
        case "rotateKey", "revokeKey": return try make(.viewer).record.keyID
        case "showOrganization", "setOrganization": return organization.id.text
        case "deleteOrganization":
            // A name is never given out again.
            let id = "made-\(UInt32.random(in: .min ... .max))"
            _ = try store.createOrganization(try #require(OrganizationID(id)))
            return id
        case "showUser", "setUser", "deleteUser", "showTeam", "setTeam", "deleteTeam":
            let kind = walked.descriptor.id.hasSuffix("User") ? "users" : "teams"
            #expect(try await request("PUT", "/api/v1/\(kind)/ada", body: #"{"name":"Ada"}"#).status == 200)
            return "ada"
        case "showDeadLetter", "purgeDeadLetter", "replayDeadLetter":
            let letter = DeadLetter(
                organization: organization.id, kind: .compaction, sequences: 1...10, subject: "a file",
                attemptCount: 3, firstAttemptAt: Timestamp(microseconds: 1_767_225_600_000_000),
                lastAttemptAt: Timestamp(microseconds: 1_767_225_615_000_000), error: "it failed")
            if !store.deadLetters().contains(where: { $0.id == letter.id }) {
                try store.appendControl([.deadLettered(letter)])
            }
            return hexText(letter.id)
        case "schema": return "CommandExecution.json"
        default: return "nobody"
        }
    }
}
