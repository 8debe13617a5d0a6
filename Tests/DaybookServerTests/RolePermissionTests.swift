import DaybookControl
import DaybookFormat
import DaybookTestSupport
import Testing

@testable import DaybookServer

/// Each role, and each scope, against each route, as the table of permissions has it.
@Suite(.timeLimit(.minutes(15))) struct RolePermissionTests {
    /// A route that this test does not ask is a route whose check nobody has seen.
    @Test func theCasesNameEveryRoute() {
        var routes: Set<String> = []
        for route in RouteTable.all {
            for method in route.methods where method != "HEAD" { routes.insert("\(method) \(route.path)") }
        }
        #expect(Set(RouteCase.all.map(\.description)) == routes)
        #expect(RouteCase.all.count == routes.count)
    }

    private func expectTheTable(_ server: TestServer, _ key: MadeKey, _ permissions: PermissionSet) async throws {
        let connection = try await server.connect()
        defer { connection.close() }
        for route in RouteCase.all {
            let reply = try await connection.request(
                route.method, route.target, body: route.body, key: key.key.text)
            if route.isAllowed(permissions) {
                #expect(![401, 403].contains(reply.status), "\(route) \(permissions.names): \(reply.text)")
            } else {
                #expect(reply.status == 403, "\(route) \(permissions.names): \(reply.text)")
                try reply.expect(403, "forbidden")
            }
        }
    }

    @Test(arguments: Role.allCases)
    func aRoleGetsWhatTheTableSays(role: Role) async throws {
        try await TestServer.with { server in
            try await expectTheTable(server, try server.make(role, user: "ada"), role.permissions)
        }
    }

    @Test func theOperatorGetsWhatTheTableSays() async throws {
        try await TestServer.with { server in
            let permissions = Role.viewer.permissions.union(PermissionsTable.ofOperators)
            try await expectTheTable(server, try server.make(.viewer, isOperator: true), permissions)
        }
    }

    @Test(arguments: [.ingest, .ingestAnyUser, .read, .export, .admin, [.ingest, .read]] as [ScopeSet])
    func scopesGetWhatTheTableSays(scopes: ScopeSet) async throws {
        try await TestServer.with { server in
            let permissions = PermissionsTable.permissions(of: scopes)
            try await expectTheTable(server, try server.make(nil, scopes), permissions)
        }
    }

    @Test func withoutACredentialEveryCauseHasTheSameAnswer() async throws {
        var limits = AddressLimits()
        limits.wrongCredentialsPerMinute = 100_000
        try await TestServer.with(addressLimits: limits) { server in
            let revoked = try server.make(.admin)
            _ = try server.registry.revoke(keyID: revoked.record.keyID)
            var damaged = revoked.key.text
            damaged.removeLast()
            for route in RouteCase.all where !route.needs.isEmpty {
                var bodies: Set<String> = []
                for key in [nil, "", "none", damaged, APIKey(randomBytes: Array(0..<32)).text, revoked.key.text] {
                    let connection = try await server.connect()
                    let reply = try await connection.request(route.method, route.target, body: route.body, key: key)
                    connection.close()
                    try reply.expect(401, "unauthorized")
                    #expect(reply.fields["www-authenticate"] == "Bearer")
                    let requestID = try #require(reply.fields["x-request-id"])
                    bodies.insert(reply.text.replacing(requestID, with: ""))
                }
                #expect(bodies.count == 1, "\(route): \(bodies)")
            }
        }
    }
}
