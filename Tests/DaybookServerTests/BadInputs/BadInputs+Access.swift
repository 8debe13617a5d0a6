import DaybookControl
import DaybookFormat
import DaybookSystem
import DaybookTestSupport

/// Credentials that are none, that may not, and that are another organization's.
extension BadInputs {
    private static let body = "{\(BadInput.whole)}"

    private static func stranger(
        _ name: String, method: String = "POST", target: String = BadInput.command, body: String? = body,
        _ make: @escaping @Sendable (TestServer) throws -> String?
    ) -> BadInput {
        BadInput(name, .shown(make, method: method, target: target, body: body), 401, "unauthorized")
    }

    private static func authorization(_ name: String, _ value: String) -> BadInput {
        .raw(
            name,
            "POST \(BadInput.command) HTTP/1.1\r\nHost: a\r\nAuthorization: \(value)\r\nContent-Type: application/json\r\nContent-Length: \(body.utf8.count)\r\n\r\n\(body)",
            401, "unauthorized")
    }

    private static func forbidden(
        _ name: String, method: String = "POST", target: String = BadInput.command, body: String? = body,
        _ make: @escaping @Sendable (TestServer) throws -> String?
    ) -> BadInput {
        BadInput(name, .shown(make, method: method, target: target, body: body), 403, "forbidden")
    }

    static let keys: [BadInput] = [
        stranger("no key") { _ in nil },
        stranger("an empty key of the head") { _ in "" },
        stranger("a word for a key") { _ in "secret" },
        stranger("a key that nobody has") { _ in APIKey(entropy: SystemEntropy()).text },
        stranger("a key with a letter changed") { server in
            String(server.key.dropLast()) + (server.key.hasSuffix("A") ? "B" : "A")
        },
        stranger("a key with a letter less") { server in String(server.key.dropLast()) },
        stranger("a key with a letter more") { server in server.key + "A" },
        stranger("a key in capitals") { server in server.key.uppercased() },
        stranger("two keys in one") { server in server.key + "," + server.key },
        stranger("the id of a key") { server in try server.make(.admin).record.keyID },
        stranger("a key of ten thousand letters") { _ in "dbk_" + String(repeating: "A", count: 10_000) },
        stranger("a key that was revoked") { server in
            let made = try server.make(.admin)
            _ = try server.registry.revoke(keyID: made.record.keyID)
            return made.key.text
        },
        stranger("a key that has expired") { server in
            var new = NewKey()
            new.role = .admin
            new.expiresAt = Timestamp(microseconds: SystemClock().wallMicroseconds() - 1)
            return try server.registry.create(new, in: server.organization.id).key.text
        },
        stranger("a token without a signature") { _ in "eyJhbGciOiJub25lIn0.eyJzdWIiOiJhZGEifQ." },
        stranger("a token with a shared secret") { _ in
            "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiJhZGEifQ.9b1f3c2a7d5e4f60718293a4b5c6d7e8f9a0b1c2d3e"
        },
        stranger("no key for a question", method: "GET", target: "/api/v1/metrics/commands", body: nil) { _ in nil },
        stranger("no key for an import", target: "/api/v1/metrics/import") { _ in nil },
        stranger("no key for the keys", method: "GET", target: "/api/v1/keys", body: nil) { _ in nil },
        stranger("no key for the counters", method: "GET", target: "/metrics", body: nil) { _ in nil },
        stranger("a key in the query", target: BadInput.command + "?api_key=KEY") { _ in nil },
        authorization("another scheme", "Basic YTpi"),
        authorization("a key without a scheme", "KEY"),
        authorization("a scheme without a key", "Bearer"),
        authorization("a key in quotes", "Bearer \"KEY\""),
        authorization("a scheme with a colon", "Bearer: KEY"),
        authorization("a key and a parameter", "Bearer KEY, realm=a"),
        authorization("a key behind two schemes", "Bearer Bearer KEY"),
        .raw(
            "two keys",
            "GET /metrics HTTP/1.1\r\nHost: a\r\nAuthorization: Bearer KEY\r\nAuthorization: Bearer KEY\r\n\r\n", 401,
            "unauthorized"),
        forbidden("a reader who writes") { server in try server.key(.read) },
        forbidden("a viewer who writes") { server in try server.make(.viewer).key.text },
        forbidden("a writer who reads", method: "GET", target: "/api/v1/metrics/commands", body: nil) { server in
            try server.key(.ingest)
        },
        forbidden("a viewer who lists", method: "GET", target: "/api/v1/metrics/commands", body: nil) { server in
            try server.make(.viewer).key.text
        },
        forbidden("a developer who makes keys", target: "/api/v1/keys", body: "{}") { server in
            try server.make(.developer).key.text
        },
        forbidden("a developer in another's name", body: "{\(BadInput.whole),\"user_id\":\"bob\"}") { server in
            try server.make(.developer, user: "ada").key.text
        },
        forbidden(
            "a developer who lists another's", method: "GET", target: "/api/v1/metrics/commands?user_id=bob", body: nil
        ) { server in try server.make(.developer, user: "ada").key.text },
        forbidden("a manager who reads the trail", method: "GET", target: "/api/v1/audit", body: nil) { server in
            try server.make(.manager).key.text
        },
        forbidden("an admin who makes an operator", target: "/api/v1/keys", body: #"{"role":"admin","operator":true}"#)
        { server in try server.make(.admin).key.text },
        forbidden(
            "an admin who makes an organization", target: "/api/v1/organizations", body: #"{"organization":"more"}"#
        ) { server in try server.make(.admin).key.text },
        forbidden("a keeper of keys who makes a reader", target: "/api/v1/keys", body: #"{"scopes":["read"]}"#) {
            server in try server.key(.admin)
        },
    ]

    // MARK: Tenancy

    /// An admin of another organization, made once for each request.
    private static let globex: @Sendable (TestServer) throws -> String? = { server in
        let id = OrganizationID("globex")!
        if server.store.organization(id) == nil { _ = try server.store.createOrganization(id) }
        return try server.make(.admin, organization: id).key.text
    }

    private static func foreign(
        _ name: String, method: String = "GET", target: String, body: String? = nil, _ status: Int = 404,
        _ code: String = "not_found"
    ) -> BadInput {
        BadInput(name, .shown(globex, method: method, target: target, body: body), status, code)
    }

    static let tenancy: [BadInput] = [
        foreign("the keys of another organization", target: "/api/v1/keys?organization=acme"),
        foreign("the trail of another organization", target: "/api/v1/audit?organization=acme"),
        foreign(
            "a key for another organization", method: "POST", target: "/api/v1/keys",
            body: #"{"organization":"acme","role":"admin"}"#),
        foreign(
            "the rotation of a key elsewhere", method: "POST", target: "/api/v1/keys/key_0000000000000001/rotate",
            body: #"{"organization":"acme"}"#),
        foreign(
            "the end of a key elsewhere", method: "DELETE",
            target: "/api/v1/keys/key_0000000000000001?organization=acme"),
        foreign("another organization itself", target: "/api/v1/organizations/acme", 403, "forbidden"),
        foreign(
            "an event of another organization", method: "POST", target: BadInput.command,
            body: "{\(BadInput.whole),\"organization_id\":\"acme\"}", 403, "forbidden"),
        foreign(
            "an agent's event of another organization", method: "POST", target: BadInput.agent,
            body:
                #"{"agent_name":"a","interaction_type":"t","processing_time_ms":1,"success":true,"organization_id":"acme"}"#,
            403, "forbidden"),
        foreign(
            "a batch with one event of another organization", method: "POST", target: BadInput.batch,
            body: "{\"command_executions\":[{\(BadInput.whole)},{\(BadInput.whole),\"organization_id\":\"acme\"}]}",
            403, "forbidden"),
        foreign("a change of a session elsewhere", method: "PUT", target: "/api/v1/metrics/session/s1", body: "{}"),
        foreign("the end of a session elsewhere", method: "POST", target: "/api/metrics/sessions/s1/end", body: "{}"),
        foreign(
            "the end of a session elsewhere, by name", method: "POST", target: "/api/v1/metrics/session/end",
            body: #"{"session_id":"s1"}"#),
    ]
}
