/// Who may do what, in one place: every check asks for a permission, and this says who has it. docs/permissions.md is made
/// of it, and a test holds the page against it.
package enum PermissionsTable {
    package struct Row: Sendable {
        package var permission: Permission
        package var meaning: String
        package var roles: [Role]
        /// Whether the operator of the instance has it, beside what the role gives.
        package var isOperators: Bool
        /// Whoever has one of these scopes, and no role, has it.
        package var scopes: ScopeSet

        init(
            _ permission: Permission, _ meaning: String, _ roles: [Role], isOperators: Bool = false,
            scopes: ScopeSet = []
        ) {
            self.permission = permission
            self.meaning = meaning
            self.roles = roles
            self.isOperators = isOperators
            self.scopes = scopes
        }
    }

    package static let rows: [Row] = [
        Row(.sendEvents, "store events and change sessions", [.admin, .manager, .developer], scopes: .ingest),
        Row(.sendEventsOfAnyUser, "name any user in them, not only the own one", [.admin], scopes: .ingestAnyUser),
        Row(
            .readAggregates, "counts, sums and percentiles of the organization",
            [.admin, .manager, .developer, .viewer, .auditor], scopes: .read),
        Row(
            .readOwnEvents, "list the events and sessions of the own user", [.admin, .manager, .developer, .auditor],
            scopes: .read),
        Row(
            .readTeamEvents, "list those that belong to the own user's team", [.admin, .manager, .auditor],
            scopes: .read),
        Row(.readEvents, "list those of every user of the organization", [.admin, .auditor], scopes: .read),
        Row(.exportEvents, "export what may be listed (no route yet)", [.admin, .auditor], scopes: .export),
        Row(.manageKeys, "list, make, rotate and revoke keys of the organization", [.admin], scopes: .admin),
        Row(.readUsers, "list users and teams", [.admin, .manager, .auditor], scopes: .admin),
        Row(.manageUsers, "make, change and delete users and teams", [.admin], scopes: .admin),
        Row(
            .configureOrganization, "show and change the configuration of the organization", [.admin], scopes: .admin),
        Row(
            .readLimits, "show how much the organization may send and ask", [.admin, .auditor], isOperators: true,
            scopes: .admin),
        Row(.readAudit, "read the audit trail of the organization", [.admin, .auditor], scopes: .admin),
        Row(
            .manageDeadLetters, "list, replay and purge work that failed", [.admin], isOperators: true, scopes: .admin),
        Row(.readInstanceMetrics, "`/metrics` of the process", [.admin], isOperators: true, scopes: .admin),
        Row(
            .manageOrganizations, "list, show, make, set and delete organizations, and set their limits", [],
            isOperators: true),
    ]

    package static func permissions(of role: Role) -> PermissionSet {
        PermissionSet(rows.filter { $0.roles.contains(role) }.map(\.permission))
    }

    package static func permissions(of scopes: ScopeSet) -> PermissionSet {
        PermissionSet(rows.filter { !$0.scopes.isDisjoint(with: scopes) }.map(\.permission))
    }

    package static let ofOperators = PermissionSet(rows.filter(\.isOperators).map(\.permission))

    /// What a key may do: what its role says, or its scopes; with both, what both allow; and no more than the role of its
    /// user, if that has one. The operator's part comes on top.
    package static func permissions(
        of role: Role?, _ scopes: ScopeSet, isOperator: Bool, userRole: Role? = nil
    ) -> PermissionSet {
        var permissions: PermissionSet
        switch role {
        case nil: permissions = Self.permissions(of: scopes)
        case let role? where scopes.isEmpty: permissions = role.permissions
        case let role?: permissions = role.permissions.intersection(Self.permissions(of: scopes))
        }
        if let userRole { permissions.formIntersection(userRole.permissions) }
        if isOperator { permissions.formUnion(ofOperators) }
        return permissions
    }

    /// The table of docs/permissions.md.
    package static var markdown: String {
        let columns = Role.allCases.map(\.rawValue) + ["operator", "scope"]
        var lines = ["| permission | allows to | " + columns.joined(separator: " | ") + " |"]
        lines.append("|" + String(repeating: " --- |", count: columns.count + 2))
        for row in rows {
            let marks = Role.allCases.map { row.roles.contains($0) } + [row.isOperators]
            let scopes = row.scopes.names.map { "`\($0)`" }.joined(separator: ", ")
            let cells = ["`\(row.permission.rawValue)`", row.meaning] + marks.map { $0 ? "yes" : "" } + [scopes]
            lines.append("| " + cells.joined(separator: " | ") + " |")
        }
        return lines.map { $0.replacing("|  |", with: "| |").replacing("|  |", with: "| |") + "\n" }.joined()
    }
}
