/// One thing that a credential may do. The names are in answers, tokens and docs/permissions.md.
package enum Permission: String, CaseIterable, Sendable {
    case sendEvents = "events.send"
    case sendEventsOfAnyUser = "events.send_any_user"
    case readAggregates = "aggregates.read"
    case readOwnEvents = "events.read_own"
    case readTeamEvents = "events.read_team"
    case readEvents = "events.read"
    case exportEvents = "events.export"
    case manageKeys = "keys.manage"
    case readUsers = "users.read"
    case manageUsers = "users.manage"
    case configureOrganization = "organization.configure"
    case readLimits = "limits.read"
    case readAudit = "audit.read"
    case manageDeadLetters = "dead_letters.manage"
    case readInstanceMetrics = "instance.metrics"
    case manageOrganizations = "instance.organizations"
}

/// Some of them.
package struct PermissionSet: OptionSet, Sendable, Hashable {
    package let rawValue: UInt32
    package init(rawValue: UInt32) { self.rawValue = rawValue }

    package init(_ permissions: some Sequence<Permission>) {
        self = permissions.reduce(into: []) { $0.insert(PermissionSet($1)) }
    }

    private init(_ permission: Permission) {
        let place = Permission.allCases.firstIndex(of: permission) ?? 0
        rawValue = 1 << UInt32(place)
    }

    package func contains(_ permission: Permission) -> Bool { contains(PermissionSet(permission)) }

    /// The names in the order of the table.
    package var names: [String] { Permission.allCases.filter { contains($0) }.map(\.rawValue) }
}

/// What somebody is in an organization. The names are in the control log: never rename one.
package enum Role: String, CaseIterable, Sendable {
    case admin, manager, developer, viewer, auditor

    package var permissions: PermissionSet { PermissionsTable.permissions(of: self) }
}
