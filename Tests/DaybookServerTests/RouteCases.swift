import DaybookControl
import DaybookFormat
import DaybookTestSupport

@testable import DaybookServer

extension TestServer {
    /// A key as a test wants it.
    func make(
        _ role: Role?, _ scopes: ScopeSet = [], user: String = "", isOperator: Bool = false,
        organization id: OrganizationID? = nil
    ) throws -> MadeKey {
        var new = NewKey()
        new.role = role
        new.scopes = scopes
        new.user = user
        new.isOperator = isOperator
        return try registry.create(new, in: id ?? organization.id)
    }

    /// A second organization, with a key that may do everything in it.
    func secondOrganization() throws -> (id: OrganizationID, key: MadeKey) {
        let id = OrganizationID("globex")!
        _ = try store.createOrganization(id)
        return (id, try make(.admin, organization: id))
    }

    /// What the trail says, newest first, with everything that was noted before.
    func audit(_ query: String = "", key: String? = nil) async throws -> [ParsedJSON] {
        let reply = try await request("GET", "/api/v1/audit" + query, key: key)
        return try reply.json()["data"]?["items"]?.elements ?? []
    }
}

/// One route, and what a request to it needs.
struct RouteCase: Sendable, CustomStringConvertible {
    var method: String
    /// As the table of routes has it.
    var pattern: String
    var body: String?
    /// Any of these will do; none: it is open to everybody.
    var needs: [Permission]

    var description: String { "\(method) \(pattern)" }
    /// Ids that nobody has.
    var target: String { pattern.replacing("{}", with: pattern.contains("/keys/") ? "key_0000000000000000" : "nobody") }

    func isAllowed(_ permissions: PermissionSet) -> Bool {
        needs.isEmpty || needs.contains { permissions.contains($0) }
    }

    /// Whoever has a credential may.
    private static let anybody = Permission.allCases

    private init(_ method: String, _ pattern: String, _ needs: [Permission], _ body: String? = nil) {
        self.method = method
        self.pattern = pattern
        self.needs = needs
        self.body = body
    }

    /// Every route and method but HEAD, which is GET without a body, and OPTIONS.
    static let all: [RouteCase] = ingest + queries + identity + service

    private static let batch = #"{"command_executions":[\#(Bodies.command)]}"#

    private static let ingest: [RouteCase] = [
        ("POST", "/api/v1/metrics/command-execution", Bodies.command),
        ("POST", "/api/metrics/commands", Bodies.command),
        ("POST", "/api/v1/metrics/agent-interaction", Bodies.agent), ("POST", "/api/metrics/agents", Bodies.agent),
        ("POST", "/api/v1/metrics/productivity", Bodies.productivity),
        ("POST", "/api/metrics/productivity", Bodies.productivity), ("POST", "/api/v1/metrics/batch", batch),
        ("POST", "/api/metrics/batch", batch), ("POST", "/api/v1/metrics/import", Bodies.command),
        ("POST", "/api/v1/metrics/session/start", "{}"), ("POST", "/api/metrics/sessions/start", "{}"),
        ("POST", "/api/v1/metrics/session/end", #"{"session_id":"nobody"}"#),
        ("POST", "/api/metrics/sessions/{}/end", "{}"), ("PUT", "/api/v1/metrics/session/{}", "{}"),
        ("PUT", "/api/metrics/sessions/{}", "{}"),
    ].map { RouteCase($0.0, $0.1, [.sendEvents], $0.2) }

    private static let queries: [RouteCase] =
        ["/api/v1/metrics/aggregated", "/api/metrics/aggregated"].map { RouteCase("GET", $0, [.readAggregates]) }
        + ["commands", "agents", "sessions", "productivity"].flatMap { name in
            ["/api/v1/metrics/", "/api/metrics/"].map {
                RouteCase("GET", $0 + name, [.readOwnEvents, .readEvents])
            }
        }

    private static let identity: [RouteCase] = [
        RouteCase("GET", "/api/v1/keys", [.manageKeys]),
        // Whoever manages keys may make one that does no more.
        RouteCase("POST", "/api/v1/keys", [.manageKeys], #"{"scopes":["admin"]}"#),
        RouteCase("POST", "/api/v1/keys/{}/rotate", [.manageKeys], "{}"),
        RouteCase("DELETE", "/api/v1/keys/{}", [.manageKeys]),
        RouteCase("GET", "/api/v1/users", [.readUsers]), RouteCase("GET", "/api/v1/users/{}", [.readUsers]),
        RouteCase("PUT", "/api/v1/users/{}", [.manageUsers], "{}"),
        RouteCase("DELETE", "/api/v1/users/{}", [.manageUsers]),
        RouteCase("GET", "/api/v1/teams", [.readUsers]), RouteCase("GET", "/api/v1/teams/{}", [.readUsers]),
        RouteCase("PUT", "/api/v1/teams/{}", [.manageUsers], "{}"),
        RouteCase("DELETE", "/api/v1/teams/{}", [.manageUsers]),
        RouteCase("GET", "/api/v1/organization/config", [.configureOrganization]),
        RouteCase("PUT", "/api/v1/organization/config", [.configureOrganization], "{}"),
        RouteCase("GET", "/api/v1/organization/limits", [.readLimits]),
        RouteCase("PUT", "/api/v1/organization/limits", [.manageOrganizations], "{}"),
        RouteCase("GET", "/admin/rate-limits", [.readLimits]),
        RouteCase("PUT", "/admin/rate-limits", [.manageOrganizations], "{}"),
        RouteCase("GET", "/api/v1/organizations", [.manageOrganizations]),
        RouteCase("POST", "/api/v1/organizations", [.manageOrganizations], #"{"organization":"made"}"#),
        RouteCase("GET", "/api/v1/organizations/{}", [.manageOrganizations]),
        RouteCase("PUT", "/api/v1/organizations/{}", [.manageOrganizations], "{}"),
        RouteCase("DELETE", "/api/v1/organizations/{}", [.manageOrganizations]),
        RouteCase("GET", "/api/v1/audit", [.readAudit]),
        RouteCase("GET", "/api/v1/dead-letters", [.manageDeadLetters]),
        RouteCase("DELETE", "/api/v1/dead-letters", [.manageDeadLetters]),
        RouteCase("GET", "/api/v1/dead-letters/{}", [.manageDeadLetters]),
        RouteCase("DELETE", "/api/v1/dead-letters/{}", [.manageDeadLetters]),
        RouteCase("POST", "/api/v1/dead-letters/{}/replay", [.manageDeadLetters]),
        RouteCase("POST", "/api/v1/auth/token", anybody, "{}"),
        RouteCase("POST", "/api/v1/auth/refresh", [], "{}"),
        RouteCase("POST", "/api/v1/auth/revoke", anybody, #"{"token_id":"tok_0000000000000000_key_0000000000000000"}"#),
    ]

    private static let service: [RouteCase] =
        [RouteCase("GET", "/metrics", [.readInstanceMetrics])]
        + [
            "/health", "/health/live", "/health/ready", "/health/storage", "/health/database", "/version",
            "/.well-known/jwks.json",
        ].map {
            RouteCase("GET", $0, [])
        }
        + ["/openapi.json", "/schemas/{}"].map { RouteCase("GET", $0, []) }
}
