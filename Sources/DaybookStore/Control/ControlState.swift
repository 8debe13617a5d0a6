package import DaybookFormat

/// An act that cannot follow those before it. Names the first thing that is wrong.
package enum ControlContradiction: Error, Equatable, Sendable, CustomStringConvertible {
    case organizationExists(OrganizationID)
    case logReused(LogID)
    case logReserved(LogID)
    case keyExists(keyID: String)
    case organizationUnknown(OrganizationID)
    case keyUnknown(keyID: String)

    package var description: String {
        switch self {
        case .organizationExists(let organization): "organization \(organization) exists already"
        case .logReused(let log): "log \(hexText(log.rawValue)) was given out before"
        case .logReserved(let log): "log \(hexText(log.rawValue)) is not for organizations"
        case .keyExists(let keyID): "key \(keyID) exists already"
        case .organizationUnknown(let organization): "organization \(organization) does not exist"
        case .keyUnknown(let keyID): "key \(keyID) does not exist"
        }
    }
}

/// What the acts of the control log amount to. Replaying them in order always gives the same state.
package struct ControlState: Sendable, Equatable {
    package private(set) var organizations: [OrganizationID: OrganizationRecord] = [:]
    package private(set) var organizationsByLog: [LogID: OrganizationID] = [:]
    /// By key id, revoked ones included.
    package private(set) var keys: [String: KeyRecord] = [:]
    /// When keys were revoked, by key id.
    package private(set) var revocations: [String: Timestamp] = [:]
    /// What was set last, by organization; one for which nothing was set has none.
    package private(set) var settings: [OrganizationID: OrganizationSettings] = [:]
    /// For the next organization. Rises only: a log id is never given out twice.
    package private(set) var nextLog = Layout.firstOrganizationLog

    package init() {}

    /// Replays acts, oldest first.
    package init(replaying events: some Sequence<ControlEvent>) throws(ControlContradiction) {
        for event in events { try apply(event) }
    }

    /// Takes in one more act; a contradiction leaves the state as it was. Ask a copy before appending to the log: what
    /// stands in the log must replay. Complexity: O(1).
    package mutating func apply(_ event: ControlEvent) throws(ControlContradiction) {
        switch event {
        case .organizationCreated(let organization, let log, let createdAt):
            guard organizations[organization] == nil else { throw .organizationExists(organization) }
            guard log >= Layout.firstOrganizationLog, log.rawValue < .max else { throw .logReserved(log) }
            guard log >= nextLog else { throw .logReused(log) }
            organizations[organization] = OrganizationRecord(id: organization, log: log, createdAt: createdAt)
            organizationsByLog[log] = organization
            nextLog = LogID(log.rawValue + 1)
        case .keyCreated(let key):
            guard keys[key.keyID] == nil else { throw .keyExists(keyID: key.keyID) }
            guard organizations[key.organization] != nil else { throw .organizationUnknown(key.organization) }
            keys[key.keyID] = key
        case .keyRevoked(let keyID, let revokedAt):
            guard keys[keyID] != nil else { throw .keyUnknown(keyID: keyID) }
            // Revoking again changes nothing: two operators may do it at once.
            if revocations[keyID] == nil { revocations[keyID] = revokedAt }
        case .retentionSet(let organization, let policy, _):
            guard organizations[organization] != nil else { throw .organizationUnknown(organization) }
            settings[organization, default: OrganizationSettings()].retention = policy
        case .quotaSet(let organization, let byteCount, _):
            guard organizations[organization] != nil else { throw .organizationUnknown(organization) }
            settings[organization, default: OrganizationSettings()].quotaByteCount = byteCount
        }
    }

    package func organization(of log: LogID) -> OrganizationRecord? {
        organizationsByLog[log].flatMap { organizations[$0] }
    }
}
