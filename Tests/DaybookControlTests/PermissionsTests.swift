import DaybookFormat
import DaybookStore
import DaybookTestSupport
import Foundation
import Testing

@testable import DaybookControl

/// Who may do what: the table, its page, and how keys come to their permissions.
struct PermissionsTests {
    private static let page = Repository.root.appending(path: "docs/permissions.md")
    private static let beginning = "<!-- The table below is made by the code. -->\n"
    private static let end = "<!-- End of the table. -->\n"

    /// Writes the table anew when asked to: DAYBOOK_PAGES=rewrite.
    @Test(.enabled(if: ProcessInfo.processInfo.environment["DAYBOOK_PAGES"] == "rewrite"))
    func thePageIsMadeAnew() throws {
        let parts = try parts()
        let text = parts.before + Self.beginning + PermissionsTable.markdown + Self.end + parts.after
        try text.write(to: Self.page, atomically: true, encoding: .utf8)
        #expect(try self.parts().table == PermissionsTable.markdown)
    }

    @Test func thePageShowsTheTable() throws {
        #expect(try parts().table == PermissionsTable.markdown)
    }

    private func parts() throws -> (before: String, table: String, after: String) {
        let text = try String(contentsOf: Self.page, encoding: .utf8)
        let start = try #require(text.range(of: Self.beginning))
        let end = try #require(text.range(of: Self.end))
        return (
            String(text[..<start.lowerBound]), String(text[start.upperBound..<end.lowerBound]),
            String(text[end.upperBound...])
        )
    }

    @Test func everyPermissionHasOneRow() {
        #expect(PermissionsTable.rows.map(\.permission) == Permission.allCases)
    }

    /// The rules of row-level access, said once more by hand: a change of the table must be meant.
    @Test func rolesSeeWhatTheRulesSay() {
        #expect(Role.viewer.permissions.names == ["aggregates.read"])
        #expect(Role.developer.permissions.names == ["events.send", "aggregates.read", "events.read_own"])
        #expect(
            Role.auditor.permissions.names
                == [
                    "aggregates.read", "events.read_own", "events.read_team", "events.read", "events.export",
                    "users.read", "limits.read", "audit.read",
                ])
        #expect(
            Role.manager.permissions.names
                == ["events.send", "aggregates.read", "events.read_own", "events.read_team", "users.read"])
        for role in Role.allCases {
            #expect(role.permissions.contains(.readEvents) == [.admin, .auditor].contains(role))
            for own in [Permission.manageKeys, .manageUsers, .configureOrganization] {
                #expect(role.permissions.contains(own) == (role == .admin))
            }
            #expect(!role.permissions.contains(.manageOrganizations))
            #expect(Role.admin.permissions.isSuperset(of: role.permissions))
        }
        #expect(
            PermissionsTable.ofOperators.names == [
                "limits.read", "dead_letters.manage", "instance.metrics", "instance.organizations",
            ])
    }

    @Test func keysWithScopesOnlyMayWhatTheyCouldBefore() {
        func names(_ scopes: ScopeSet) -> [String] { PermissionsTable.permissions(of: scopes).names }
        #expect(names(.ingest) == ["events.send"])
        #expect(names([.ingest, .ingestAnyUser]) == ["events.send", "events.send_any_user"])
        #expect(names(.read) == ["aggregates.read", "events.read_own", "events.read_team", "events.read"])
        #expect(names(.export) == ["events.export"])
        #expect(
            names(.admin) == [
                "keys.manage", "users.read", "users.manage", "organization.configure", "limits.read", "audit.read",
                "dead_letters.manage", "instance.metrics",
            ])
        #expect(PermissionsTable.permissions(of: .all) == Role.admin.permissions)
    }

    @Test func aRoleAndScopesAllowWhatBothAllow() {
        let both = PermissionsTable.permissions(of: .developer, [.read, .admin], isOperator: false)
        #expect(both.names == ["aggregates.read", "events.read_own"])
        let operators = PermissionsTable.permissions(of: .viewer, [], isOperator: true)
        #expect(
            operators.names == [
                "aggregates.read", "limits.read", "dead_letters.manage", "instance.metrics", "instance.organizations",
            ])
        // The role of a user takes away and gives nothing.
        let bounded = PermissionsTable.permissions(of: nil, [.read, .admin], isOperator: true, userRole: .developer)
        #expect(
            bounded.names == [
                "aggregates.read", "events.read_own", "limits.read", "dead_letters.manage", "instance.metrics",
                "instance.organizations",
            ])
        let viewer = PermissionsTable.permissions(of: .viewer, [], isOperator: false, userRole: .admin)
        #expect(viewer == Role.viewer.permissions)
    }

    @Test func theOldestKeysOpenWhatTheirScopesSayAfterARestart() throws {
        let fixture = try IdentityFixture()
        let key = try fixture.make(nil, [.ingest, .read])
        let role = try fixture.make(.auditor, user: "eve")
        let again = try fixture.reopened()
        #expect(again.credential(key)?.permissions == PermissionsTable.permissions(of: [.ingest, .read]))
        #expect(again.credential(key)?.role == nil)
        #expect(again.credential(role)?.permissions == Role.auditor.permissions)
        #expect(again.credential(role)?.defaultUser == Array("eve".utf8))
    }

    @Test func theFirstKeyOfAStoreIsAnAdminsAndTheOperators() throws {
        let fixture = try IdentityFixture()
        let made = try fixture.ask(#"{"verb":"org.create","organization":"first","operator":true}"#)
        #expect(made["role"]?.string == "admin")
        #expect(made["operator"] == .bool(true))
        let key = try #require(made["api_key"]?.string)
        let credential = try #require(fixture.registry.verify(Array(key.utf8), at: fixture.now))
        #expect(credential.permits(.manageOrganizations))
        let second = try fixture.ask(#"{"verb":"org.create","organization":"second"}"#)
        #expect(second["operator"] == .bool(false))
    }
}
