import DaybookControl
import DaybookFormat
import DaybookStore
import DaybookSystem
import DaybookTestSupport
import Testing

@testable import DaybookServer

/// Every parameter of every operation that can name something, with another organization's valid credential. The list of
/// parameters is that of the document, so that a new one fails here until somebody says what it names.
@Suite(.timeLimit(.minutes(15))) struct TenancyWalkTests {
    /// What a parameter that can name something names: a thing of `acme`, and one that nobody has.
    private struct Named {
        var foreign: String
        var nobodys: String
    }

    /// Parameters that name nothing.
    private static let plain: Set = [
        "limit", "order", "start_date", "end_date", "search", "success", "status", "min_ms", "max_ms", "metric",
        "aggregation_window", "group_by", "percentiles", "source", "command_name", "agent_name", "interaction_type",
        "metric_type",
        // The path of a schema, which is everybody's.
        "schema",
    ]

    /// Parameters that are tried as they are, the same in all operations.
    private func names(_ server: TestServer) async throws -> [String: Named] {
        let key = try server.make(.viewer).record.keyID
        let letter = DeadLetter(
            organization: server.organization.id, kind: .compaction, sequences: 1...10, subject: "a file",
            attemptCount: 3, firstAttemptAt: Timestamp(microseconds: 0), lastAttemptAt: Timestamp(microseconds: 0),
            error: "it failed")
        try server.store.appendControl([.deadLettered(letter)])
        for (target, body) in [("teams/team-of-acme", "{}"), ("users/ada-of-acme", #"{"team_id":"team-of-acme"}"#)] {
            #expect(try await server.request("PUT", "/api/v1/" + target, body: body).status == 200)
        }
        let batch = """
            {"command_executions":[\(Self.owned(Bodies.command)),\(Self.owned(Bodies.command))],\
            "agent_interactions":[\(Self.owned(Bodies.agent)),\(Self.owned(Bodies.agent))],\
            "productivity_metrics":[\(Self.owned(Bodies.productivity)),\(Self.owned(Bodies.productivity))]}
            """
        #expect(try await server.request("POST", "/api/v1/metrics/batch", body: batch).status == 200)
        for session in ["session-of-acme", "second-of-acme"] {
            let body = #"{"session_id":"\#(session)","user_id":"ada-of-acme"}"#
            #expect(try await server.request("POST", "/api/v1/metrics/session/start", body: body).status == 201)
        }
        return [
            "organization": Named(foreign: "acme", nobodys: "nobody"),
            "key_id": Named(foreign: key, nobodys: "key_00000000000000ff"),
            "user_id": Named(foreign: "ada-of-acme", nobodys: "nobody"),
            "team_id": Named(foreign: "team-of-acme", nobodys: "nobody"),
            "session_id": Named(foreign: "session-of-acme", nobodys: "nobody"),
            "dead_letter_id": Named(foreign: hexText(letter.id), nobodys: "00000000000000ff"),
        ]
    }

    private static func owned(_ event: String) -> String {
        #"{"user_id":"ada-of-acme","#
            + (event.contains("metric_type") ? "" : #""session_id":"session-of-acme","#) + event.dropFirst()
    }

    /// An answer without what differs from request to request.
    private func shape(_ reply: Reply, _ named: String) -> String {
        "\(reply.status) "
            + reply.text.replacing(reply.fields["x-request-id"] ?? "-", with: "").replacing(named, with: "ID")
            .replacing(
                /"(took_ms|processing_latency_ms|reset_time|created_at|updated_at|at|bucket_start|bucket_end)":[^,}]+/,
                with: ""
            ).replacing(/"(record_id|id)":"[^"]+"/, with: "")
    }

    /// The path with one of its ids, and the others as nobody has them.
    private func target(_ path: String, _ operation: OperationDescriptor, _ name: String, _ value: String) -> String {
        var path = path
        for parameter in operation.parameters where parameter.place == .path {
            let filled = parameter.name == name ? value : "nobody"
            guard let range = path.firstRange(of: "{}") else { break }
            path.replaceSubrange(range, with: filled)
        }
        return path
    }

    @Test func everyParameterThatNamesSomethingIsTriedWithWhatAnotherOrganizationHas() async throws {
        try await TestServer.with { server in
            let (globex, stranger) = try server.secondOrganization()
            let names = try await names(server)
            let before = try server.lastSequence()
            let keys = server.registry.list(organization: server.organization.id).map(\.record)
            let connection = try await server.connect()
            defer { connection.close() }
            var triedCount = 0
            for operation in OperationTable.all {
                for parameter in operation.parameters where [.path, .query].contains(parameter.place) {
                    if Self.plain.contains(parameter.name) || parameter.name == "cursor" { continue }
                    let named = try #require(
                        names[parameter.name],
                        "\(operation.id) has the parameter \(parameter.name): say whether it names something, and try it"
                    )
                    for path in operation.paths {
                        var shapes: [String] = []
                        for value in [named.foreign, named.nobodys] {
                            var target = target(path, operation, parameter.name, value)
                            if parameter.place == .query { target += "?\(parameter.name)=\(value)" }
                            let body = operation.body.map { _ in Self.body(of: path) }
                            let reply = try await connection.request(
                                operation.method, target, body: body, key: stranger.key.text)
                            #expect(!reply.text.contains(#""acme""#), "\(operation.method) \(target): \(reply.text)")
                            #expect(reply.status < 500)
                            if reply.status == 200, operation.method == "GET", parameter.place == .query {
                                #expect(
                                    try reply.json()["data"]?["items"]?.count == 0,
                                    "\(operation.method) \(target): \(reply.text)")
                            }
                            shapes.append(shape(reply, value))
                            triedCount += 1
                            // A name that the own organization gave just now is its own.
                            if operation.method == "PUT", reply.status == 200 {
                                #expect(reply.text.contains(#""globex""#), "\(target): \(reply.text)")
                                let undo = try await connection.request("DELETE", target, key: stranger.key.text)
                                #expect(undo.status == 200, "\(target): \(undo.text)")
                            }
                        }
                        #expect(Set(shapes).count == 1, "\(operation.method) \(path) \(parameter.name): \(shapes)")
                    }
                }
            }
            #expect(triedCount > 100)
            #expect(try server.lastSequence() == before)
            #expect(server.registry.list(organization: server.organization.id).map(\.record) == keys)
            #expect(server.store.deadLetters().count == 1)
            #expect(server.store.members(of: server.organization.id).userCount == 1)
            #expect(server.store.members(of: server.organization.id).teamCount == 1)
            #expect(server.store.members(of: globex).userCount == 0)
            #expect(server.store.configuration(of: server.organization.log) == nil)
            #expect(server.store.rateLimits(of: server.organization.log) == .standard)
        }
    }

    /// A body that the operation takes.
    private static func body(of path: String) -> String {
        RouteCase.all.first { $0.pattern == path && $0.body != nil }?.body ?? "{}"
    }

    /// A cursor of another organization's list is that of no list of ours, or begins where ours is empty.
    @Test func everyListIsAskedWithTheCursorOfAnotherOrganization() async throws {
        try await TestServer.with { server in
            let (_, stranger) = try server.secondOrganization()
            _ = try await names(server)
            let second = DeadLetter(
                organization: server.organization.id, kind: .compaction, sequences: 11...20, subject: "a file",
                attemptCount: 3, firstAttemptAt: Timestamp(microseconds: 0), lastAttemptAt: Timestamp(microseconds: 0),
                error: "it failed")
            try server.store.appendControl([.deadLettered(second)])
            for target in ["teams/other", "users/bob"] {
                #expect(try await server.request("PUT", "/api/v1/" + target, body: "{}").status == 200)
            }
            let operators = try server.make(.admin, isOperator: true).key.text
            // So that a position in the other's log is one in the own, too.
            let moment = SystemClock().wallMicroseconds() / 1_000
            for number in 0..<20 {
                let body =
                    #"{"command_executions":[\#(Bodies.command)],"agent_interactions":[\#(Bodies.agent)],"#
                    + #""productivity_metrics":[\#(Bodies.productivity)],"user_sessions":[{"id":"s\#(number)","session_start":\#(moment)}]}"#
                let reply = try await server.request(
                    "POST", "/api/v1/metrics/batch", body: body, key: stranger.key.text)
                #expect(reply.status == 200, "\(reply.text)")
            }
            var listCount = 0
            for operation in OperationTable.all where operation.parameters.contains(where: { $0.name == "cursor" }) {
                for path in operation.paths {
                    // One group and page for each metric of the sums.
                    let query = path.hasSuffix("aggregated") ? "limit=1&group_by=status,user_id,session_id" : "limit=1"
                    var first = try await server.request("GET", "\(path)?\(query)", key: operators)
                    if path.hasSuffix("aggregated") {
                        let other = Bodies.command.replacing("success", with: "error")
                        _ = try await server.request(
                            "POST", "/api/v1/metrics/command-execution", body: other, key: server.key)
                        first = try await server.request("GET", "\(path)?\(query)", key: operators)
                    }
                    let cursor = try #require(
                        try first.json()["data"]?["pagination"]?["next_cursor"]?.string, "\(path): \(first.text)")
                    let own = try await server.request("GET", "\(path)?\(query)&cursor=\(cursor)", key: operators)
                    #expect(own.status == 200, "\(path): \(own.text)")
                    let foreign = try await server.request(
                        "GET", "\(path)?\(query)&cursor=\(cursor)", key: stranger.key.text)
                    #expect(!foreign.text.contains("acme"), "\(path): \(foreign.text)")
                    if foreign.status == 200 {
                        let items = try #require(try foreign.json()["data"]?["items"]?.elements)
                        let owners = items.flatMap { [$0["organization"]?.string, $0["organization_id"]?.string] }
                        #expect(owners.allSatisfy { $0 == nil || $0 == "globex" }, "\(path): \(foreign.text)")
                    } else {
                        #expect([400, 403].contains(foreign.status), "\(path): \(foreign.text)")
                    }
                    listCount += 1
                }
            }
            #expect(listCount >= 15)
        }
    }

    /// The same key and body in two organizations are two requests.
    @Test func oneIdempotencyKeyInTwoOrganizationsIsTwoKeys() async throws {
        try await TestServer.with { server in
            let (globex, stranger) = try server.secondOrganization()
            let other = try #require(server.store.organization(globex))
            let line = #"{"type":"command_execution","# + Bodies.command.dropFirst()
            let requests = [
                ("/api/v1/metrics/command-execution", Bodies.command, "single"),
                ("/api/v1/metrics/batch", #"{"command_executions":[\#(Bodies.command)]}"#, "batch"),
                ("/api/v1/metrics/import", line, "import"),
            ]
            for (path, body, key) in requests {
                let fields = ["Idempotency-Key: \(key)"]
                let own = try await server.request("POST", path, body: body, fields: fields)
                let foreign = try await server.request(
                    "POST", path, body: body, key: stranger.key.text, fields: fields)
                #expect(own.status == foreign.status && own.status < 300, "\(path): \(foreign.text)")
                let changed = try await server.request(
                    "POST", path, body: body.replacing("build", with: "test"), key: stranger.key.text,
                    fields: ["Idempotency-Key: of-globex-\(key)"])
                #expect(changed.status == own.status, "\(path): \(changed.text)")
                // Another body under a key that only the other organization has used.
                let reused = try await server.request(
                    "POST", path, body: body, fields: ["Idempotency-Key: of-globex-\(key)"])
                #expect(reused.status == own.status, "\(path): \(reused.text)")
            }
            #expect(try server.lastSequence() == 6)
            #expect(try server.lastSequence(other) == 6)
            let ids = try await [server.key, stranger.key.text].asyncMap { key in
                let reply = try await server.request("GET", "/api/v1/metrics/commands", key: key)
                return try reply.json()["data"]?["items"]?.elements?.compactMap { $0["id"]?.string } ?? []
            }
            #expect(Set(ids[0]).isDisjoint(with: ids[1]) && ids[0].count == 6 && ids[1].count == 6)
        }
    }

    /// Sessions are an organization's own, whatever they are called, in singles, batches and imports.
    @Test func oneSessionNameInTwoOrganizationsIsTwoSessions() async throws {
        try await TestServer.with { server in
            let (globex, stranger) = try server.secondOrganization()
            let other = try #require(server.store.organization(globex))
            let start = #"{"session_id":"both"}"#
            for key in [server.key, stranger.key.text] {
                let reply = try await server.request(
                    "POST", "/api/v1/metrics/session/start", body: start, key: key)
                #expect(reply.status == 201, "\(reply.text)")
            }
            #expect(
                try await server.request(
                    "POST", "/api/v1/metrics/session/start", body: #"{"session_id":"alone"}"#
                ).status == 201)
            let end = try await server.request(
                "POST", "/api/v1/metrics/session/end", body: start, key: stranger.key.text)
            #expect(end.status == 201, "\(end.text)")
            func status(_ name: String, _ key: String) async throws -> String? {
                let reply = try await server.request("GET", "/api/v1/metrics/sessions?session_id=\(name)", key: key)
                let items = try reply.json()["data"]?["items"]?.elements ?? []
                #expect(items.count <= 1)
                return items.first?["status"]?.string
            }
            #expect(try await status("both", server.key) == "active")
            #expect(try await status("both", stranger.key.text) == "completed")
            // The other's in a batch and in lines: both make a session of the own.
            let before = try server.lastSequence()
            let item = #"{"user_sessions":[{"id":"alone","session_start":"2026-01-05T09:00:00Z"}]}"#
            let batch = try await server.request(
                "POST", "/api/v1/metrics/batch", body: item, key: stranger.key.text)
            #expect(batch.status == 200, "\(batch.text)")
            for change in ["update", "end"] {
                let line = #"{"type":"session_change","change":"\#(change)","session_id":"never-here"}"#
                let reply = try await server.request(
                    "POST", "/api/v1/metrics/import", body: line, key: stranger.key.text)
                let named = try await server.request(
                    "POST", "/api/v1/metrics/import",
                    body: line.replacing("never-here", with: "alone-of-acme"), key: stranger.key.text)
                #expect(
                    try reply.json()["data"]?["rejected"]?.unsigned == named.json()["data"]?["rejected"]?.unsigned)
            }
            #expect(try server.lastSequence() == before)
            #expect(try await status("alone", server.key) == "active")
            #expect(try server.lastSequence(other) >= 3)
        }
    }
}
