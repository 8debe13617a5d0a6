import DaybookControl
import DaybookTestSupport
import Testing

@testable import DaybookServer

/// Schemas and server agree: what a schema refuses is refused, naming the member, and what it takes is taken. Each member of
/// each body, and each parameter of each question, gets the values around its limits and of other kinds.
@Suite(.timeLimit(.minutes(15))) struct SchemaAgreementTests {
    /// What no schema says, as it begins or ends in the message of a field.
    private static let unsaid = [
        "bytes of text", "bytes", "24 hours in the future", "must not be later than", "must not be earlier than",
        "contradicts", "does not belong to this query", "does not belong to this list", "must hold 1 to 16 words",
        "these events cannot be grouped by", "is not a parameter of this query", "must not be after end_date",
        "levels", "in canonical form", "would make the session", "is not the organization of the credential",
        "must be one of", "is no team of the organization", "must be an integer from 60 to",
        "or token must name one token", "burst must be an integer from", "burst needs a limit",
    ]

    private static func isUnsaid(_ reply: Reply) throws -> Bool {
        guard let errors = try reply.json()["errors"]?.elements, !errors.isEmpty else {
            let message = try reply.json()["message"]?.string ?? ""
            return unsaid.contains { message.contains($0) }
        }
        return errors.allSatisfy { error in unsaid.contains { error["message"]?.string?.contains($0) == true } }
    }

    private static func text(_ count: Int) -> ParsedJSON { .text(Array(repeating: UInt8(ascii: "a"), count: count)) }

    /// Values of every kind.
    private static let common: [ParsedJSON] = [
        .null, .bool(true), .bool(false), .number("0"), .number("-1"), .number("1"), .number("1.5"), .number("101"),
        .number("18446744073709551615"), .number("18446744073709551616"), .number("-0.000001"), text(0), text(1),
        .text(Array("nonsense words".utf8)), .text(Array("é".utf8)), .text(Array("a/b:c.d_e-f".utf8)),
        .text(Array("Upper".utf8)), .text(Array("owner@example".utf8)), .text(Array("2026-01-01T00:00:00Z".utf8)),
        .text(Array("2026-13-01T00:00:00Z".utf8)), .text(Array("019b8d6c-3a50-7c1e-9f2a-5b8e0d4c7a61".utf8)),
        .array([]),
        .array([.text(Array("a".utf8))]), .array([.number("1")]), .array([.object([:])]), .object([:]),
        .object([Array("a".utf8): .array([.null, .number("1.5"), .object([:])])]),
    ]

    /// Those around the limits that a schema names, alternatives and references included.
    private func candidates(_ interface: DocumentedInterface, _ schema: ParsedJSON) -> [ParsedJSON] {
        guard let schema = interface.resolved(schema) else { return [] }
        var values: [ParsedJSON] = []
        for word in schema["enum"]?.elements ?? [] { values.append(word) }
        for bound in ["minimum", "maximum"] {
            guard case .number(let digits)? = schema[bound] else { continue }
            values.append(.number(digits))
            if let whole = Int128(digits) { values += [.number("\(whole - 1)"), .number("\(whole + 1)")] }
        }
        if let length = schema["maxLength"]?.integer { values += [Self.text(length), Self.text(length + 1)] }
        if let pattern = schema["pattern"]?.string, let brace = pattern.lastIndex(of: ","),
            let length = Int(pattern[brace...].dropFirst().prefix { $0.isNumber })
        {
            values += [length - 1, length, length + 1, length + 2].map(Self.text)
        }
        if let count = schema["maxItems"]?.integer, count <= 1_000, let items = schema["items"] {
            let item = interface.resolved(items)?["enum"]?[0] ?? Self.text(1)
            values += [count, count + 1].map { .array(Array(repeating: item, count: $0)) }
        }
        if let count = schema["maxProperties"]?.integer {
            values += [count, count + 1].map { count in
                .object(Dictionary(uniqueKeysWithValues: (0..<count).map { (Array("k\($0)".utf8), .null) }))
            }
        }
        for choice in schema["anyOf"]?.elements ?? [] { values += candidates(interface, choice) }
        if let items = schema["items"] { values += candidates(interface, items).map { .array([$0]) } }
        return values
    }

    // MARK: Bodies

    private static let bodies = OperationTable.all.filter {
        $0.body?.mediaTypes == [RequestFields.jsonType]
    }.map(\.id)

    /// Asks with the base, without each of its members, and with every candidate in the place of each.
    private func agree(
        _ base: ParsedJSON, _ schema: ParsedJSON, _ interface: DocumentedInterface,
        ask: (String) async throws -> (isTaken: Bool, reply: Reply)
    ) async throws {
        var counts = (taken: 0, refused: 0)
        func judge(_ value: ParsedJSON, _ member: String) async throws {
            let isFit = try interface.mistakes(in: value, schema).isEmpty
            let text = String(decoding: value.printed, as: UTF8.self)
            let (isTaken, reply) = try await ask(text)
            let agrees = try isFit == isTaken || (isFit && Self.isUnsaid(reply))
            #expect(agrees, "\(member): the schema says \(isFit), \(text.prefix(200)) \(reply.text.prefix(300))")
            if isFit { counts.taken += 1 } else { counts.refused += 1 }
            guard !isFit, let errors = try reply.json()["errors"]?.elements else { return }
            let fields = errors.compactMap { $0["field"]?.string }
            let isNamed = fields.contains { member.isEmpty || $0.contains(member) || $0 == "body" }
            #expect(isNamed, "\(member): \(reply.text.prefix(300))")
        }
        try await judge(base, "")
        try await judge(.object([:]), "")
        try await judge(base.setting("nonsense", .null), "nonsense")
        for (name, property) in schema["properties"]?.members ?? [:] {
            let name = String(decoding: name, as: UTF8.self)
            try await judge(base.setting(name, nil), name)
            for value in Self.common + candidates(interface, property) {
                try await judge(base.setting(name, value), name)
            }
        }
        #expect(counts.taken > 3 && counts.refused > 20, "\(counts)")
    }

    @Test(arguments: bodies)
    func bodiesAreTakenAndRefusedAsTheirSchemaSays(id: String) async throws {
        let descriptor = try #require(OperationTable.all.first { $0.id == id })
        let interface = try DocumentedInterface()
        let body = try #require(descriptor.body)
        let schema = try #require(interface.resolved(ParsedJSON(parsing: body.schema.printed)))
        var base = try ParsedJSON(parsing: body.examples[0].value.printed)
        // The limits of another organization, so that the one that asks may go on asking.
        if id == "setLimits" || id == "setRateLimits" {
            base = base.setting("organization", .text(Array("globex".utf8)))
        }
        try await TestServer.with { server in
            let key = try server.make(.admin, isOperator: true).key.text
            _ = try server.secondOrganization()
            let walked = WalkedOperation(
                descriptor: descriptor,
                operation: DocumentedOperation(method: descriptor.method, pattern: descriptor.paths[0]))
            let target = walked.target(id: try await server.freshID(for: walked))
            let connection = try await server.connect()
            defer { connection.close() }
            try await agree(base, schema, interface) { text in
                // One key gets few tokens in a minute.
                let key = id == "issueToken" ? try server.make(.viewer).key.text : key
                let reply = try await connection.request(descriptor.method, target, body: text, key: key)
                // Whether the session is there, and whether the key may be made, is asked once the body is good; whether
                // an event may be sent is asked with it.
                let isTaken =
                    [200, 201, 404, 409].contains(reply.status) || !walked.isStoring && reply.status == 403
                    // No text is a refresh token by chance.
                    || id == "refreshToken" && reply.status == 401
                return (isTaken, reply)
            }
        }
    }

    /// Lines of imports, and the sessions of batches.
    @Test(arguments: [
        ("ImportCommandExecution", #"{"type":"command_execution",\#(Bodies.command.dropFirst())"#),
        ("ImportAgentInteraction", #"{"type":"agent_interaction",\#(Bodies.agent.dropFirst())"#),
        ("ImportProductivityMetric", #"{"type":"productivity_metric",\#(Bodies.productivity.dropFirst())"#),
        ("ImportSessionChange", #"{"type":"session_change","change":"started","session_id":"s"}"#),
        ("UserSession", #"{"session_start":"2026-01-05T09:00:00Z"}"#),
    ])
    func eventsInOtherBodiesAreTakenAndRefusedAsTheirSchemaSays(name: String, text: String) async throws {
        let interface = try DocumentedInterface()
        let base = try ParsedJSON(parsing: Array(text.utf8))
        try await TestServer.with { server in
            let connection = try await server.connect()
            defer { connection.close() }
            try await agree(base, interface.schema(name), interface) { text in
                if name == "UserSession" {
                    let reply = try await connection.request(
                        "POST", "/api/v1/metrics/batch", body: #"{"user_sessions":[\#(text)]}"#, key: server.key)
                    return ([200, 409].contains(reply.status), reply)
                }
                // A connection ends with an import that ends early.
                let reply = try await server.request("POST", "/api/v1/metrics/import", body: text)
                let data = try reply.json()["data"]
                // How a session stands is asked once the line is good.
                let isOfSession = ["is a session that has already ended", "is no session that was started"]
                    .contains { reply.text.contains($0) }
                return (data?["stored"]?.integer == 1 || isOfSession, try reply.withErrorsOfLines())
            }
        }
    }

    /// Of events that refused each other's members.
    @Test func agentsMaySayTheSameInTwoWays() async throws {
        let interface = try DocumentedInterface()
        let schema = interface.schema("AgentInteraction")
        let times = ["", #","processing_time_ms":1"#, #","execution_time_ms":1"#, #","processing_time_ms":null"#]
        let outcomes = [
            "", #","success":true"#, #","success":false"#, #","status":"success""#, #","status":"timeout""#,
            #","success":true,"status":"success""#, #","success":true,"status":"error""#,
            #","success":false,"status":"error""#, #","success":false,"status":"success""#,
            #","success":null,"status":"error""#, #","success":true,"status":null"#,
        ]
        try await TestServer.with { server in
            for time in times {
                for outcome in outcomes {
                    let text = #"{"agent_name":"a","interaction_type":"call""# + time + outcome + "}"
                    let isFit = try interface.mistakes(in: ParsedJSON(parsing: Array(text.utf8)), schema).isEmpty
                    let reply = try await server.request("POST", "/api/v1/metrics/agent-interaction", body: text)
                    #expect((reply.status == 201) == isFit, "\(text) \(reply.text)")
                }
            }
        }
    }

    // MARK: Parameters

    private static let questions = OperationTable.all.filter {
        $0.parameters.contains { $0.place == .query }
    }.map(\.id)

    /// A parameter's text may be read as a text, a number or a truth.
    private func fits(_ text: String, _ schema: ParsedJSON, _ interface: DocumentedInterface) throws -> Bool {
        var readings: [ParsedJSON] = [.text(Array(text.utf8))]
        if let read = try? ParsedJSON(parsing: Array(text.utf8)) {
            if case .number = read { readings.append(read) }
            if case .bool = read { readings.append(read) }
        }
        return try readings.contains { try interface.mistakes(in: $0, schema).isEmpty }
    }

    @Test(arguments: questions)
    func parametersAreTakenAndRefusedAsTheirSchemaSays(id: String) async throws {
        let descriptor = try #require(OperationTable.all.first { $0.id == id })
        let interface = try DocumentedInterface()
        let words = [
            "", "0", "1", "-1", "1.5", "x", "true", "none", "50,95", "100.1", "2026-01-01T00:00:00Z", "a%20b", "%C3%A9",
        ]
        try await TestServer.with { server in
            let key = try server.make(.admin, isOperator: true).key.text
            let walked = WalkedOperation(
                descriptor: descriptor,
                operation: DocumentedOperation(method: descriptor.method, pattern: descriptor.paths[0]))
            let connection = try await server.connect()
            defer { connection.close() }
            for parameter in descriptor.parameters where parameter.place == .query {
                let schema = try ParsedJSON(
                    parsing: (parameter.isRepeated ? parameter.schema : parameter.readSchema).printed)
                let texts = candidates(interface, schema).compactMap { value -> String? in
                    switch value {
                    case .text(let text) where text.count < 7_000: String(decoding: text, as: UTF8.self)
                    case .number(let digits): digits
                    default: nil
                    }
                }
                for text in words + texts {
                    let decoded = text.replacing("%20", with: " ").replacing("%C3%A9", with: "é")
                    let isFit = try fits(decoded, schema, interface)
                    let reply = try await connection.request(
                        descriptor.method, walked.target + "?\(parameter.name)=\(text)", body: walked.exampleBody,
                        key: key)
                    let isTaken = [200, 404].contains(reply.status)
                    let agrees = try isFit == isTaken || (isFit && Self.isUnsaid(reply))
                    #expect(
                        agrees, "\(id) \(parameter.name)=\(text): the schema says \(isFit), \(reply.text.prefix(300))")
                }
            }
        }
    }
}

extension Reply {
    /// What an import says of its lines, where errors of bodies stand.
    fileprivate func withErrorsOfLines() throws -> Reply {
        guard let errors = try json()["data"]?["errors"] else { return self }
        var copy = self
        copy.body = ParsedJSON.object([Array("errors".utf8): errors]).printed
        return copy
    }
}
