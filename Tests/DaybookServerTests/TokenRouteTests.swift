import DaybookControl
import DaybookFormat
import DaybookStore
import DaybookTestSupport
import Testing

@testable import DaybookServer

/// Tokens over HTTP.
@Suite(.timeLimit(.minutes(15))) struct TokenRouteTests {
    private static var quick: TokenOptions {
        var options = TokenOptions()
        options.algorithm = .edDSA
        return options
    }

    private let ingest = "/api/v1/metrics/command-execution"

    private func issue(_ server: TestServer, _ key: MadeKey, _ body: String = "{}") async throws -> ParsedJSON {
        let reply = try await server.request("POST", "/api/v1/auth/token", body: body, key: key.key.text)
        #expect(reply.status == 200, "\(reply.text)")
        #expect(reply.fields["cache-control"] == "no-store")
        return try #require(try reply.json()["data"])
    }

    private func access(_ server: TestServer, _ key: MadeKey) async throws -> String {
        try #require(try await issue(server, key)["access_token"]?.string)
    }

    @Test func aTokenIsMadeUsedAndRefreshed() async throws {
        try await TestServer.with { server in
            let key = try server.make(.developer, user: "ada")
            let data = try await issue(server, key)
            #expect(data["token_type"]?.string == "Bearer")
            #expect(data["expires_in"]?.unsigned == 900)
            #expect(data["user"]?.string == "ada")
            #expect(data["organization"]?.string == "acme")
            let token = try #require(data["access_token"]?.string)
            let connection = try await server.connect()
            defer { connection.close() }
            // Unknown to the loop, then known: the general way and the plain one.
            for _ in 0..<3 {
                #expect(try await connection.request("POST", ingest, body: Bodies.command, key: token).status == 201)
            }
            let listed = try await connection.request("GET", "/api/v1/metrics/commands?user_id=ada", key: token)
            #expect(try listed.json()["data"]?["items"]?.count == 3)
            let refresh = try #require(data["refresh_token"]?.string)
            let next = try await connection.request(
                "POST", "/api/v1/auth/refresh", body: #"{"refresh_token":"\#(refresh)"}"#, key: nil)
            #expect(next.status == 200, "\(next.text)")
            let second = try #require(try next.json()["data"]?["access_token"]?.string)
            #expect(second != token)
            #expect(try await connection.request("POST", ingest, body: Bodies.command, key: second).status == 201)
            let again = try await connection.request(
                "POST", "/api/v1/auth/refresh", body: #"{"refresh_token":"\#(refresh)"}"#, key: nil)
            try again.expect(401, "unauthorized")
            // The second use has ended all that came of it, on this connection, too.
            for text in [token, second] {
                #expect(try await connection.request("POST", ingest, body: Bodies.command, key: text).status == 401)
            }
            let actions = try await server.audit().map { $0["action"]?.string ?? "" }
            #expect(actions.contains("token.issue") && actions.contains("token.reuse"))
        }
    }

    @Test func theTableHoldsForTokens() async throws {
        try await TestServer.with(tokens: Self.quick) { server in
            for role in Role.allCases {
                let token = try await access(server, try server.make(role, user: "ada"))
                let connection = try await server.connect()
                defer { connection.close() }
                for route in RouteCase.all where route.pattern != "/api/v1/auth/token" {
                    let reply = try await connection.request(
                        route.method, route.target, body: route.body, key: token)
                    let isDenied = [401, 403].contains(reply.status)
                    #expect(isDenied == !route.isAllowed(role.permissions), "\(route) \(role): \(reply.text)")
                }
                let tokens = try await connection.request("POST", "/api/v1/auth/token", body: "{}", key: token)
                try tokens.expect(403, "forbidden")
            }
        }
    }

    @Test func aRevocationHoldsOnOpenConnections() async throws {
        try await TestServer.with(tokens: Self.quick) { server in
            let key = try server.make(.developer, user: "ada")
            let tokens = try [await access(server, key), await access(server, key), await access(server, key)]
            let connection = try await server.connect()
            defer { connection.close() }
            func opens(_ token: String) async throws -> Bool {
                let stored = try await connection.request("POST", ingest, body: Bodies.command, key: token).status
                let asked = try await connection.request("GET", "/api/v1/metrics/commands", key: token).status
                #expect((stored == 201) == (asked == 200))
                return stored == 201
            }
            for token in tokens { for _ in 0..<2 { #expect(try await opens(token)) } }
            // By itself, by its text, with its key.
            let own = try await server.request("POST", "/api/v1/auth/revoke", body: "{}", key: tokens[0])
            #expect(own.status == 200, "\(own.text)")
            #expect(try await !opens(tokens[0]))
            #expect(try await opens(tokens[1]))
            let named = try await server.request(
                "POST", "/api/v1/auth/revoke", body: #"{"token":"\#(tokens[1])"}"#, key: key.key.text)
            #expect(named.status == 200)
            #expect(try await !opens(tokens[1]))
            _ = try await server.request("DELETE", "/api/v1/keys/\(key.record.keyID)")
            #expect(try await !opens(tokens[2]))
        }
    }

    @Test func everybodyRevokesTheOwnAndAdministratorsAll() async throws {
        try await TestServer.with(tokens: Self.quick) { server in
            let (_, stranger) = try server.secondOrganization()
            let owner = try server.make(.developer, user: "ada")
            let other = try server.make(.developer, user: "bob")
            let admin = try server.make(.admin)
            let token = try await issue(server, owner)
            let id = try #require(token["token_id"]?.string)
            let grant = try #require(token["grant_id"]?.string)
            let text = try #require(token["access_token"]?.string)
            func revoke(_ name: String, _ value: String, _ key: MadeKey) async throws -> Reply {
                try await server.request(
                    "POST", "/api/v1/auth/revoke", body: #"{"\#(name)":"\#(value)"}"#, key: key.key.text)
            }
            let shape = { (reply: Reply) in
                "\(reply.status) " + reply.text.replacing(reply.fields["x-request-id"] ?? "-", with: "")
            }
            let nobodys = shape(try await revoke("token_id", "tok_0000000000000001_key_0000000000000001", stranger))
            for key in [other, stranger] {
                for (name, value) in [("token_id", id), ("token_id", grant), ("token", text)] {
                    let reply = try await revoke(name, value, key)
                    try reply.expect(404, "not_found")
                    #expect(shape(reply) == nobodys)
                }
            }
            #expect(try await server.request("GET", "/api/v1/metrics/commands", key: text).status == 200)
            #expect(try await revoke("token_id", id, owner).status == 200)
            #expect(try await revoke("token_id", grant, admin).status == 200)
            try (await revoke("token_id", "nonsense", admin)).expect(404, "not_found")
            try (await revoke("token_id", "", admin)).expect(404, "not_found")
            for body in ["{}", #"{"token_id":"a","token":"b"}"#, #"{"token_id":1}"#, #"{"jti":"a"}"#] {
                try (await server.request("POST", "/api/v1/auth/revoke", body: body)).expect(400, "validation_failed")
            }
        }
    }

    @Test func aTokenOpensNothingOfAnotherOrganization() async throws {
        try await TestServer.with(tokens: Self.quick) { server in
            let (_, stranger) = try server.secondOrganization()
            let token = try await access(server, stranger)
            #expect(try await server.request("POST", ingest, body: Bodies.command).status == 201)
            let owned = try server.make(.viewer).record.keyID
            _ = try await server.request("PUT", "/api/v1/teams/alone", body: "{}")
            _ = try await server.request("PUT", "/api/v1/users/ada", body: #"{"team_id":"alone"}"#)
            _ = try await server.request("POST", "/api/v1/metrics/session/start", body: #"{"session_id":"theirs"}"#)
            let letter = DeadLetter(
                organization: server.organization.id, kind: .sealing, sequences: 1...2, subject: "a file",
                attemptCount: 3, firstAttemptAt: Timestamp(microseconds: 0), lastAttemptAt: Timestamp(microseconds: 0),
                error: "it failed")
            try server.store.appendControl([.deadLettered(letter)])
            let ids = [
                "/keys/": owned, "/teams/": "alone", "/users/": "ada", "/session": "theirs",
                "/dead-letters/": hexText(letter.id),
            ]
            let before = server.registry.list(organization: server.organization.id)
            let connection = try await server.connect()
            defer { connection.close() }
            for route in RouteCase.all where route.pattern.hasPrefix("/api/") {
                let id = ids.first { route.pattern.contains($0.key) }?.value ?? "acme"
                let target = route.pattern.replacing("{}", with: id)
                // A name of the own organization that is the other's, too, is the own one.
                let isOwn = route.method == "PUT" && ["ada", "alone"].contains(id)
                let reply = try await connection.request(route.method, target, body: route.body, key: token)
                #expect(!reply.text.contains(#""acme""#), "\(route): \(reply.text)")
                if isOwn {
                    #expect(reply.text.contains(#""organization":"globex""#), "\(route): \(reply.text)")
                    let undo = try await connection.request("DELETE", target, key: token)
                    #expect(undo.status == 200, "\(route): \(undo.text)")
                } else if route.pattern.contains("{}") {
                    #expect([403, 404].contains(reply.status), "\(route): \(reply.text)")
                }
                if route.method == "GET", reply.status == 200, route.pattern.contains("metrics/commands") {
                    let items = try reply.json()["data"]?["items"]?.elements ?? []
                    #expect(items.allSatisfy { $0["organization_id"]?.string != "acme" })
                }
            }
            #expect(try server.lastSequence() == 2)
            #expect(server.store.deadLetters() == [letter])
            #expect(server.registry.list(organization: server.organization.id).map(\.record) == before.map(\.record))
            #expect(server.store.members(of: server.organization.id).userCount == 1)
            #expect(server.store.members(of: server.organization.id).teamCount == 1)
        }
    }

    @Test func theKeySetIsPublicAndCacheable() async throws {
        try await TestServer.with { server in
            let connection = try await server.connect()
            defer { connection.close() }
            let reply = try await connection.request("GET", "/.well-known/jwks.json", key: nil)
            #expect(reply.status == 200)
            #expect(reply.fields["cache-control"] == "public, max-age=300")
            let key = try #require(try reply.json()["keys"]?[0])
            #expect(key["kty"]?.string == "RSA")
            #expect(key["alg"]?.string == "RS256")
            #expect(key["use"]?.string == "sig")
            #expect(key["e"]?.string == "AQAB")
            // 2,048 bits.
            #expect(key["n"]?.string?.utf8.count == 342)
            for name in ["d", "p", "q", "dp", "dq", "qi", "k"] { #expect(key[name] == nil) }
            let rotated = try ParsedJSON(
                parsing: server.administration.perform(Array(#"{"verb":"token.rotate_key"}"#.utf8)))
            #expect(rotated["ok"] == .bool(true))
            try (await connection.request("POST", "/.well-known/jwks.json", body: "{}", key: nil))
                .expect(405, "method_not_allowed")
        }
    }

    @Test func badRequestsForTokensAreToldAndMakeNothing() async throws {
        try await TestServer.with(tokens: Self.quick) { server in
            let key = try server.make(.viewer)
            for body in [
                #"{"expires_in_seconds":59}"#, #"{"expires_in_seconds":901}"#, #"{"expires_in_seconds":"900"}"#,
                #"{"refresh":1}"#, #"{"key_id":"\#(key.record.keyID)"}"#, #"{"organization":"acme"}"#,
                #"{"scope":"x"}"#,
                #"{"verb":"org.list"}"#,
            ] {
                let reply = try await server.request("POST", "/api/v1/auth/token", body: body, key: key.key.text)
                try reply.expect(400, "validation_failed")
            }
            for body in ["{}", #"{"refresh_token":1}"#, #"{"refresh_token":"x","more":1}"#, #"{"verb":"org.list"}"#] {
                try (await server.request("POST", "/api/v1/auth/refresh", body: body)).expect(400, "validation_failed")
            }
            try (await server.request("POST", "/api/v1/auth/refresh", body: "[")).expect(400, "invalid_json")
            for text in ["", "x", "dbr_", key.key.text] {
                let body = #"{"refresh_token":"\#(text)"}"#
                try (await server.request("POST", "/api/v1/auth/refresh", body: body)).expect(401, "unauthorized")
            }
            #expect(try await server.audit().isEmpty)
            #expect(server.store.controlState.tokens.grants(of: key.record.keyID).isEmpty)
        }
    }

    @Test func anAddressWithManyWrongRefreshTokensIsNotHeard() async throws {
        var limits = AddressLimits()
        limits.wrongCredentialsPerMinute = 3
        try await TestServer.with(
            addressLimits: limits, clock: ManualClock.atPresent(),
            tokens: Self.quick
        ) { server in
            let connection = try await server.connect()
            defer { connection.close() }
            let wrong = #"{"refresh_token":"dbr_x"}"#
            for _ in 0..<3 {
                #expect(
                    try await connection.request("POST", "/api/v1/auth/refresh", body: wrong, key: nil).status == 401)
            }
            let refused = try await connection.request("POST", "/api/v1/auth/refresh", body: wrong, key: nil)
            try refused.expect(429, "rate_limited")
            #expect(refused.fields["retry-after"] != nil)
        }
    }

    @Test func deniedAccessesOfTokensNameTheToken() async throws {
        try await TestServer.with(tokens: Self.quick) { server in
            let key = try server.make(.viewer)
            let data = try await issue(server, key)
            let token = try #require(data["access_token"]?.string)
            let id = try #require(data["token_id"]?.string)
            #expect(try await server.request("GET", "/api/v1/audit", key: token).status == 403)
            #expect(try await server.request("POST", ingest, body: Bodies.command, key: token).status == 403)
            _ = try await server.request("POST", "/api/v1/auth/revoke", body: "{}", key: token)
            #expect(try await server.request("GET", "/api/v1/keys", key: token).status == 401)
            let entries = try await server.audit().reversed().map { entry in
                [entry["actor"], entry["action"], entry["outcome"]].map { $0?.string ?? "" }
            }
            #expect(
                entries.sorted { $0[2] < $1[2] } == [
                    [key.record.keyID, "token.issue", "done"], [id, "token.revoke", "done"],
                    [id, "access", "forbidden"], [id, "access", "forbidden"], [id, "access", "unauthorized"],
                ])
        }
    }

    @Test func tokensAndRevocationsOutliveTheServer() async throws {
        let directory = try TemporaryDirectory()
        var tokens: [String] = []
        try await TestServer.with(directory) { server in
            let key = try server.make(.developer, user: "ada")
            tokens = [try await access(server, key), try await access(server, key)]
            _ = try await server.request("POST", "/api/v1/auth/revoke", body: "{}", key: tokens[1])
        }
        try await TestServer.with(directory) { server in
            for (token, status) in zip(tokens, [201, 401]) {
                let reply = try await server.request("POST", ingest, body: Bodies.command, key: token)
                #expect(reply.status == status)
            }
        }
    }
}
