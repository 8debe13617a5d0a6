internal import DaybookCrypto
package import DaybookFormat

/// An act that cannot follow those before it. Names the first thing that is wrong.
package enum ControlContradiction: Error, Equatable, Sendable, CustomStringConvertible {
    case organizationExists(OrganizationID)
    case logReused(LogID)
    case logReserved(LogID)
    case keyExists(keyID: String)
    case organizationUnknown(OrganizationID)
    case keyUnknown(keyID: String)
    case secretExists(OrganizationID)
    case secretUnknown(OrganizationID)
    case erasureExists(UInt64)
    case erasureUnknown(UInt64)

    package var description: String {
        switch self {
        case .organizationExists(let organization): "organization \(organization) exists already"
        case .logReused(let log): "log \(hexText(log.rawValue)) was given out before"
        case .logReserved(let log): "log \(hexText(log.rawValue)) is not for organizations"
        case .keyExists(let keyID): "key \(keyID) exists already"
        case .organizationUnknown(let organization): "organization \(organization) does not exist"
        case .keyUnknown(let keyID): "key \(keyID) does not exist"
        case .secretExists(let organization): "organization \(organization) has a secret for its users already"
        case .secretUnknown(let organization): "organization \(organization) has no secret for its users"
        case .erasureExists(let id): "erasure \(hexText(id)) is another one"
        case .erasureUnknown(let id): "erasure \(hexText(id)) was never begun"
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
    /// From when on keys open nothing because others took their place, by key id.
    package private(set) var retirements: [String: Timestamp] = [:]
    /// When keys were used last, as far as it is written down, by key id.
    package private(set) var lastUses: [String: Timestamp] = [:]
    /// What was set last, by organization; one for which nothing was set has none.
    package private(set) var settings: [OrganizationID: OrganizationSettings] = [:]
    /// With what the names of an organization's users are hashed in the ledger of erasures.
    package private(set) var userSecrets: [OrganizationID: [UInt8]] = [:]
    /// The ledger of erasures, by id.
    package private(set) var erasures: [UInt64: ErasureRecord] = [:]
    /// Grants of API keys, and access tokens that were revoked.
    package private(set) var tokens = TokenLedger()
    /// For the next organization. Rises only: a log id is never given out twice.
    package private(set) var nextLog = Layout.firstOrganizationLog

    package init() {}

    /// Replays acts, oldest first.
    package init(replaying events: some Sequence<ControlEvent>) throws(ControlContradiction) {
        for event in events { try apply(event) }
    }

    /// Takes in one more act; a contradiction leaves the state as it was. Ask a copy before appending to the log: what
    /// stands in the log must replay. Complexity: O(1); the begin of an erasure O(keys).
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
            guard key.predecessor.isEmpty || keys[key.predecessor]?.organization == key.organization else {
                throw .keyUnknown(keyID: key.predecessor)
            }
            keys[key.keyID] = key
        case .keyRevoked(let keyID, let revokedAt):
            guard keys[keyID] != nil else { throw .keyUnknown(keyID: keyID) }
            // Revoking again changes nothing: two operators may do it at once.
            if revocations[keyID] == nil { revocations[keyID] = revokedAt }
            tokens.forget(keyID: keyID)
        case .retentionSet(let organization, let policy, _):
            guard organizations[organization] != nil else { throw .organizationUnknown(organization) }
            settings[organization, default: OrganizationSettings()].retention = policy
        case .quotaSet(let organization, let byteCount, _):
            guard organizations[organization] != nil else { throw .organizationUnknown(organization) }
            settings[organization, default: OrganizationSettings()].quotaByteCount = byteCount
        case .rateLimitsSet(let organization, let policy, _):
            guard organizations[organization] != nil else { throw .organizationUnknown(organization) }
            settings[organization, default: OrganizationSettings()].rateLimits = policy
        case .userSecretSet(let organization, let secret, _):
            guard organizations[organization] != nil else { throw .organizationUnknown(organization) }
            guard userSecrets[organization] == nil else { throw .secretExists(organization) }
            userSecrets[organization] = secret
        case .erasureBegun(let erasure): try begin(erasure)
        case .erasureDone(let id, let generation, let time):
            guard erasures[id] != nil else { throw .erasureUnknown(id) }
            erasures[id]?.done = ErasureRecord.Done(at: time, generation: generation)
        case .keyRetired(let keyID, let until, _):
            guard keys[keyID] != nil else { throw .keyUnknown(keyID: keyID) }
            retirements[keyID] = min(until, retirements[keyID] ?? until)
        case .keysUsed(let uses, _):
            for use in uses where keys[use.keyID] == nil { throw .keyUnknown(keyID: use.keyID) }
            for use in uses { lastUses[use.keyID] = max(use.at, lastUses[use.keyID] ?? use.at) }
        case .token(let act, let time):
            switch act {
            case .grantBegun(_, let keyID, _):
                guard keys[keyID] != nil else { throw .keyUnknown(keyID: keyID) }
            case .tokenRevoked(_, let organization, _):
                guard organizations[organization] != nil else { throw .organizationUnknown(organization) }
            case .grantUsed, .grantRevoked: break
            }
            tokens.apply(act, at: time)
        case .audited: break
        }
    }

    private mutating func begin(_ erasure: ErasureRecord) throws(ControlContradiction) {
        let organization = erasure.organization
        guard organizations[organization] != nil else { throw .organizationUnknown(organization) }
        guard let hash = userHash(of: organization) else { throw .secretUnknown(organization) }
        if let known = erasures[erasure.id] {
            guard known.isSame(as: erasure) else { throw .erasureExists(erasure.id) }
            erasures[erasure.id]?.done = nil
            return
        }
        erasures[erasure.id] = erasure
        // The acts before them have revoked these keys; names of the user are no longer needed for anything.
        for key in keys(of: erasure.userHash, organization, hash) { keys[key.keyID] = key.blanked }
    }

    /// How names of an organization's users are hashed; nil before its first erasure.
    package func userHash(of organization: OrganizationID) -> (@Sendable ([UInt8]) -> [UInt8])? {
        guard let secret = userSecrets[organization] else { return nil }
        let code = HMACSHA256(key: secret)
        return { code.code(of: $0) }
    }

    /// The keys that were made for a user, in the order of their ids.
    func keys(
        of userHash: [UInt8], _ organization: OrganizationID, _ hash: ([UInt8]) -> [UInt8]
    ) -> [KeyRecord] {
        keys.values.filter {
            $0.organization == organization && !$0.user.isEmpty && hash(Array($0.user.utf8)) == userHash
        }.sorted { $0.keyID < $1.keyID }
    }

    /// Acts without the names of users who are to be forgotten.
    func redacting(_ acts: [ControlEvent]) -> [ControlEvent] {
        acts.map { act in
            guard case .keyCreated(let key) = act, let known = keys[key.keyID], known != key else { return act }
            return .keyCreated(known)
        }
    }

    package func organization(of log: LogID) -> OrganizationRecord? {
        organizationsByLog[log].flatMap { organizations[$0] }
    }
}
