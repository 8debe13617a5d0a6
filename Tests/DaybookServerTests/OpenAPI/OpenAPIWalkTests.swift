import DaybookControl
import DaybookFormat
import DaybookTestSupport
import Testing

@testable import DaybookServer

/// All routes on real servers: each answer is one that the document has for that method of that path, with its header
/// fields and a body of its schema; and each status that the document has was answered.
@Suite(.timeLimit(.minutes(15))) struct OpenAPIWalkTests {
    /// Errors that the walk does not meet, each with the reason and the suite that meets it.
    private static let elsewhere: [String: String] = [
        "503 query_timeout": "takes four seconds of a query: TimeLimitTests",
        "503 storage_unavailable": "takes a damaged manifest or a full disk: ClosedOrganizationRouteTests",
        "503 shutting_down": "takes a store that ends under its server: DrainTests",
    ]

    /// Statuses of one operation that the walk does not meet.
    private static func isMetElsewhere(_ status: Int, _ id: String) -> Bool {
        switch (status, id) {
        // Takes a thousand teams.
        case (409, "setTeam"): true
        // Takes a token that has ended by itself: TokenRouteTests.
        case (409, "revokeToken"): true
        default: false
        }
    }

    @Test func everyAnswerIsDocumentedAndEveryDocumentedStatusIsAnswered() async throws {
        let walk = try InterfaceWalk()
        try await TestServer.with { server in
            let key = try server.make(.admin, isOperator: true).key.text
            for walked in WalkedOperation.all {
                try await askWell(server, walked, key, walk)
                try await askForWhatIsNotThere(server, walked, key, walk)
                try await askWithBadContent(server, walked, key, walk)
                try await askAgain(server, walked, key, walk)
            }
            for walked in WalkedOperation.options {
                try walk.note(try await server.ask(walked, key: nil), of: walked, expecting: 204)
            }
            for walked in WalkedOperation.all + WalkedOperation.options {
                try await askUnwell(server, walked, key, walk)
            }
            try await askWithTooManyBatches(server, key, walk)
        }
        try await askWithoutPermission(walk)
        try await askTooMuch(walk)
        try await askTooSlowly(walk)
        try await askTooManyAtATime(walk)
        try await askAClosedDisk(walk)
        for walked in WalkedOperation.all + WalkedOperation.options {
            let documented = walk.interface.statuses(of: walked.operation)
            let answered = walk.statuses[walked.operation] ?? []
            let missing = documented.subtracting(answered).filter { !Self.isMetElsewhere($0, walked.descriptor.id) }
            #expect(missing.sorted() == [], "\(walked) never answered")
        }
        let errors = Set(ErrorTable.all.map { "\($0.status) \($0.code)" })
        #expect(errors.subtracting(walk.errors).sorted() == Self.elsewhere.keys.sorted())
    }

    // MARK: Good requests

    /// Every example of the document, on every path.
    private func askWell(
        _ server: TestServer, _ walked: WalkedOperation, _ key: String, _ walk: InterfaceWalk
    ) async throws {
        let id = try await server.freshID(for: walked)
        let body = try await server.goodBody(for: walked, id: id)
        // Each path of an operation is asked once with each media type.
        for type in walked.body?.mediaTypes ?? [""] {
            let fields = type.isEmpty ? [] : ["Content-Type: \(type)"]
            let reply = try await server.ask(
                walked, target: walked.target(id: id), body: body, key: key, fields: fields)
            try walk.note(reply, of: walked, expecting: walked.descriptor.answers[0].status)
        }
        if walked.isStoring, walked.descriptor.id != "endNamedSession" {
            let id = try await server.freshID(for: walked)
            let relaxed = try await server.ask(
                walked, target: walked.target(id: id), body: body, key: key,
                fields: walked.fields + ["Prefer: durability=relaxed"])
            try walk.note(relaxed, of: walked, expecting: walked.descriptor.answers[0].status)
        }
        if walked.isImport {
            for (text, fields) in [(body, []), ((body ?? "") + "{}\n", ["Prefer: handling=strict"])] {
                let lines = try await server.ask(
                    walked, body: text, key: key, fields: walked.fields + fields + ["Accept: application/x-ndjson"])
                try walk.note(lines, of: walked, expecting: 200)
                #expect(lines.fields["content-type"] == "application/x-ndjson")
            }
            let strict = try await server.ask(
                walked, body: (body ?? "") + "{}\n", key: key, fields: walked.fields + ["Prefer: handling=strict"])
            try walk.note(strict, of: walked, expecting: 200)
            #expect(try strict.json()["data"]?["skipped_chunks"]?.elements?.count == 1)
        }
        for status in walked.descriptor.answers.map(\.status) where status == 304 {
            let reply = try await server.ask(
                walked, target: walked.target(id: id), key: nil, fields: ["If-None-Match: *"])
            try walk.note(reply, of: walked, expecting: status)
        }
        if walked.descriptor.tag == .queries {
            let queries = [
                "?limit=1", "?start_date=2026-01-01T00:00:00Z&end_date=2027-01-01T00:00:00Z", "?metric=user_sessions",
                "?metric=agent_interactions&group_by=agent_name,metadata.model&percentiles=99.9",
                "?metric=productivity_metrics&aggregation_window=total",
            ]
            for query in walked.descriptor.id == "aggregate" ? queries : Array(queries[..<2]) {
                let reply = try await server.ask(walked, target: walked.target + query, key: key)
                try walk.note(reply, of: walked, expecting: 200)
            }
        }
        if !walked.isSecured {
            try walk.note(try await server.ask(walked, target: walked.target(id: id), key: nil), of: walked)
        }
    }

    // MARK: Bad requests

    private func askForWhatIsNotThere(
        _ server: TestServer, _ walked: WalkedOperation, _ key: String, _ walk: InterfaceWalk
    ) async throws {
        guard walk.interface.statuses(of: walked.operation).contains(404) else { return }
        var target = walked.target
        var body = walked.exampleBody
        switch walked.descriptor.id {
        case "createKey", "setUser", "setTeam", "setConfiguration", "setLimits", "setRateLimits":
            body = #"{"organization":"nobody"}"#
        default: if !walked.hasID, body == nil { target += "?organization=nobody" }
        }
        // The operator may ask for the trail of an organization that was never there; nobody else may.
        let asked = walked.descriptor.id == "listAuditTrail" ? server.key : key
        let reply = try await server.ask(walked, target: target, body: body, key: asked, fields: walked.fields)
        try walk.note(reply, of: walked, expecting: 404)
    }

    private func askWithBadContent(
        _ server: TestServer, _ walked: WalkedOperation, _ key: String, _ walk: InterfaceWalk
    ) async throws {
        let targets = walked.isStoring ? [] : [walked.target + "?nonsense=1", walked.target(id: "%20") + "?limit=%ff"]
        for target in targets where walk.interface.codes(400, of: walked.operation).contains("invalid_query") {
            let reply = try await server.ask(walked, target: target, body: walked.exampleBody, key: key)
            try walk.note(reply, of: walked, expecting: 400)
        }
        guard walked.body != nil else { return }
        for body in ["{", "[]", #"{"nonsense":1,"role":7}"#] where !walked.isImport {
            try walk.note(try await server.ask(walked, body: body, key: key), of: walked, expecting: 400)
        }
        let typed = try await server.ask(
            walked, body: walked.exampleBody, key: key, fields: ["Content-Type: text/plain"])
        try walk.note(typed, of: walked, expecting: 415)
        guard walked.isStoring else { return }
        let packed = try await server.ask(
            walked, body: walked.exampleBody, key: key, fields: walked.fields + ["Content-Encoding: gzip"])
        try walk.note(packed, of: walked, expecting: 400)
    }

    /// What was done is done again: the same idempotency key, what is ended, what is there.
    private func askAgain(
        _ server: TestServer, _ walked: WalkedOperation, _ key: String, _ walk: InterfaceWalk
    ) async throws {
        if walked.descriptor.id == "refreshToken" {
            let reply = try await server.ask(walked, body: walked.exampleBody, key: nil)
            try walk.note(reply, of: walked, expecting: 401)
        }
        guard walk.interface.statuses(of: walked.operation).contains(409) else { return }
        if try await askForWhatContradicts(server, walked, key, walk) { return }
        let id = try await server.freshID(for: walked)
        var bodies = [walked.exampleBody ?? "", "{}"]
        var fields = walked.fields
        switch walked.descriptor.id {
        case "endNamedSession": bodies = [#"{"session_id":"\#(id)"}"#, #"{"session_id":"\#(id)"}"#]
        case "importEvents":
            // Other lines under the same key.
            bodies[1] = bodies[0].replacing("build", with: "test")
            fields.append("Idempotency-Key: import")
        case "revokeKey": bodies = []
        case "createOrganization", "rotateKey": bodies = [bodies[0], bodies[0]]
        default:
            // Another body under the same key; it need not be one that would be taken.
            bodies[1] = bodies[0].dropLast() + " }"
            fields.append("Idempotency-Key: \(walked.operation.pattern.replacing("/", with: "."))\(walked.method)")
        }
        var last: Reply?
        for position in 0..<2 {
            last = try await server.ask(
                walked, target: walked.target(id: id), body: bodies.isEmpty ? nil : bodies[position], key: key,
                fields: fields)
        }
        if let last { try walk.note(last, of: walked, expecting: 409) }
    }

    /// Acts that something else forbids. False for operations that are refused when they are done twice.
    private func askForWhatContradicts(
        _ server: TestServer, _ walked: WalkedOperation, _ key: String, _ walk: InterfaceWalk
    ) async throws -> Bool {
        var id = "owner"
        var body: String?
        switch walked.descriptor.id {
        case "setUser": body = #"{"disabled":true}"#
        case "deleteUser": _ = try await server.request("PUT", "/api/v1/users/owner", body: "{}", key: key)
        case "deleteTeam":
            id = "compilers"
            _ = try await server.request("PUT", "/api/v1/teams/compilers", body: "{}", key: key)
            _ = try await server.request("PUT", "/api/v1/users/ada", body: #"{"team_id":"compilers"}"#, key: key)
        case "deleteOrganization": id = server.organization.id.text
        case "setTeam", "revokeToken": return true
        default: return false
        }
        let reply = try await server.ask(walked, target: walked.target(id: id), body: body, key: key)
        try walk.note(reply, of: walked, expecting: 409)
        return true
    }

    /// What no request should be, whatever it is about.
    private func askUnwell(
        _ server: TestServer, _ walked: WalkedOperation, _ key: String, _ walk: InterfaceWalk
    ) async throws {
        let start = "\(walked.method) \(walked.target)"
        let rest = " HTTP/1.1\r\nHost: a\r\nAuthorization: Bearer \(key)\r\n"
        let long = String(repeating: "a", count: 9_000)
        let many = (0..<200).map { "X-\($0): 1\r\n" }.joined()
        // The connection knows the method of a head that it has read to its end.
        let requests: [(text: String, status: Int, knowsMethod: Bool)] = [
            (start + rest + "Host: b\r\n\r\n", 400, true),
            (start + "?\(long)" + rest + "\r\n", 414, true),
            (start + rest + "Expect: miracles\r\n\r\n", 417, true),
            (start + rest + many + "\r\n", 431, false),
            (start + " HTTP/9.1\r\nHost: a\r\n\r\n", 505, false),
        ]
        for request in requests {
            let reply = try await server.ask(raw: request.text, isHead: walked.isHead && request.knowsMethod)
            try walk.note(reply, of: walked, expecting: request.status, knowsMethod: request.knowsMethod)
        }
        if walk.interface.statuses(of: walked.operation).contains(405) {
            let other = "PATCH \(walked.target)" + rest + "\r\n"
            try walk.note(try await server.ask(raw: other), of: walked, expecting: 405)
        }
        try await askWithALargeBody(server, walked, start + rest, walk)
    }

    private func askWithALargeBody(
        _ server: TestServer, _ walked: WalkedOperation, _ head: String, _ walk: InterfaceWalk
    ) async throws {
        let type = walked.fields.map { $0 + "\r\n" }.joined()
        guard walked.isImport else {
            let reply = try await server.ask(
                raw: head + type + "Content-Length: 10485761\r\n\r\n", isHead: walked.isHead)
            try walk.note(reply, of: walked, expecting: 413)
            return
        }
        // Imports have no largest body, but one that becomes far more than it is ends.
        let packed = Packer.gzip(Array(repeating: UInt8(ascii: "\n"), count: 8 << 20))
        let connection = try await server.connect()
        defer { connection.close() }
        try await connection.send(
            head + type + "Content-Encoding: gzip\r\nContent-Length: \(packed.count)\r\n\r\n")
        try await connection.send(bytes: packed)
        try walk.note(try await connection.reply(), of: walked, expecting: 413)
    }

    // MARK: Limits of servers

    private func askWithTooManyBatches(_ server: TestServer, _ key: String, _ walk: InterfaceWalk) async throws {
        let open =
            TestConnection.text("POST", "/api/v1/metrics/import", key: key).dropLast()
            + "Content-Type: application/x-ndjson\r\nContent-Length: 10\r\nExpect: 100-continue\r\n\r\n"
        var imports: [TestConnection] = []
        for _ in 0..<5 {
            let connection = try await server.connect()
            try await connection.send(String(open))
            #expect(try await connection.reply().status == 100)
            imports.append(connection)
        }
        for walked in WalkedOperation.all where ["storeBatch", "importEvents"].contains(walked.descriptor.id) {
            let reply = try await server.ask(walked, body: walked.exampleBody, key: key, fields: walked.fields)
            try walk.note(reply, of: walked, expecting: 429)
            #expect(try reply.code() == "too_many_concurrent")
        }
        for connection in imports { connection.close() }
    }

    private func askWithoutPermission(_ walk: InterfaceWalk) async throws {
        try await TestServer.with { server in
            let reader = try server.key(.read)
            let writer = try server.key(.ingest)
            for walked in WalkedOperation.all where walked.isSecured {
                let none = try await server.ask(walked, body: walked.exampleBody, key: nil, fields: walked.fields)
                try walk.note(none, of: walked, expecting: 401)
                if walked.descriptor.id == "issueToken" {
                    let token = try await server.issued("access_token")
                    try walk.note(try await server.ask(walked, body: "{}", key: token), of: walked, expecting: 403)
                }
                guard walked.needsPermission else { continue }
                let other = walked.isStoring ? reader : writer
                let reply = try await server.ask(walked, body: walked.exampleBody, key: other, fields: walked.fields)
                try walk.note(reply, of: walked, expecting: 403)
            }
        }
    }

    /// One request for each address and minute.
    private func askTooMuch(_ walk: InterfaceWalk) async throws {
        var limits = AddressLimits()
        limits.requestsPerMinute = 1
        let clock = ManualClock.atPresent()
        try await TestServer.with(addressLimits: limits, clock: clock) { server in
            #expect(try await server.request("GET", "/health/live").status == 200)
            for walked in WalkedOperation.all + WalkedOperation.options {
                let reply = try await server.ask(
                    walked, body: walked.exampleBody, key: server.key, fields: walked.fields)
                try walk.note(reply, of: walked, expecting: 429)
            }
        }
    }

    /// Heads that never end, all of them at once, so that the time is waited for once.
    private func askTooSlowly(_ walk: InterfaceWalk) async throws {
        var limits = TimeLimits.outOfReach
        limits.checkIntervalMilliseconds = 20
        limits.requestMilliseconds = 500
        try await TestServer.with(timeLimits: limits) { server in
            var open: [(WalkedOperation, TestConnection)] = []
            for walked in WalkedOperation.all + WalkedOperation.options {
                let connection = try await server.connect()
                try await connection.send("\(walked.method) \(walked.target) HTTP/1.1\r\nHost: a\r\n")
                open.append((walked, connection))
            }
            for (walked, connection) in open {
                try walk.note(try await connection.reply(), of: walked, expecting: 408, knowsMethod: false)
                connection.close()
            }
        }
    }

    private func askTooManyAtATime(_ walk: InterfaceWalk) async throws {
        try await TestServer.with(connectionCountMax: 0) { server in
            for walked in WalkedOperation.all + WalkedOperation.options {
                try walk.note(try await server.ask(raw: ""), of: walked, expecting: 503, knowsMethod: false)
            }
        }
    }

    /// What waits for the disk is answered without having been done for certain.
    private func askAClosedDisk(_ walk: InterfaceWalk) async throws {
        var limits = TimeLimits.outOfReach
        limits.checkIntervalMilliseconds = 20
        limits.commitMilliseconds = 200
        try await TestServer.with(timeLimits: limits, isGated: true) { server in
            let gate = try #require(server.gate)
            gate.close()
            for walked in WalkedOperation.all where ["storeBatch", "createKey"].contains(walked.descriptor.id) {
                let reply = try await server.ask(
                    walked, body: walked.exampleBody, key: server.key, fields: walked.fields)
                try walk.note(reply, of: walked, expecting: 503)
                #expect(try reply.code() == "durability_unknown")
            }
            gate.open()
        }
    }
}
