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
    case deadLetterExists(UInt64)
    case userExists(recordID: String)
    case userUnknown(recordID: String)
    case teamUnknown(String)
    case teamHasMembers(String)
    case organizationDeleted(OrganizationID)
    case logNotDeleted(LogID)

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
        case .deadLetterExists(let id): "dead letter \(hexText(id)) exists already"
        case .userExists(let recordID): "the user has the record \(recordID) already"
        case .userUnknown(let recordID): "there is no user with the record \(recordID)"
        case .teamUnknown(let team): "there is no team \(team)"
        case .teamHasMembers(let team): "team \(team) has members"
        case .organizationDeleted(let organization): "organization \(organization) was deleted"
        case .logNotDeleted(let log): "log \(hexText(log.rawValue)) is of no organization that was deleted"
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
    /// Oldest first, at most `DeadLetter.countMax`.
    package private(set) var deadLetters: [DeadLetter] = []
    private var deadLetterIDs: Set<UInt64> = []
    /// All that there ever were, and those of them that were dropped because there were too many.
    package private(set) var deadLetterTotal: UInt64 = 0
    package private(set) var droppedDeadLetterCount: UInt64 = 0
    /// Users and teams; an organization that has none may have no entry.
    package private(set) var members: [OrganizationID: OrganizationMembers] = [:]
    /// Organizations that are no more, by log.
    package private(set) var deletions: [LogID: DeletedOrganization] = [:]
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
    /// stands in the log must replay. Complexity: O(1); the begin of an erasure O(keys), the
    /// removal of a dead letter O(dead letters).
    package mutating func apply(_ event: ControlEvent) throws(ControlContradiction) {
        switch event {
        case .organizationCreated(let organization, let log, let createdAt):
            guard organizations[organization] == nil else { throw .organizationExists(organization) }
            guard !deletions.values.contains(where: { $0.id == organization }) else {
                throw .organizationDeleted(organization)
            }
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
            settings[organization, default: OrganizationSettings()].set(policy)
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
        case .deadLettered(let letter): try add(letter)
        case .deadLetterRemoved(let id, _, _):
            // One that is gone already was dropped, or removed by somebody else at the same time.
            if deadLetterIDs.remove(id) != nil { deadLetters.removeAll { $0.id == id } }
        case .durabilitySet(let organization, let durability, _):
            guard organizations[organization] != nil else { throw .organizationUnknown(organization) }
            settings[organization, default: OrganizationSettings()].durability = durability
        case .token(let act, let time): try apply(act, at: time)
        case .audited: break
        case .members(let act):
            guard organizations[act.organization] != nil else { throw .organizationUnknown(act.organization) }
            try members[act.organization, default: OrganizationMembers()].apply(act)
        case .configurationSet(let organization, let configuration, _):
            guard organizations[organization] != nil else { throw .organizationUnknown(organization) }
            settings[organization, default: OrganizationSettings()].configuration = configuration
        case .organizationDeleted(let organization, let time): try delete(organization, at: time)
        case .organizationRemoved(let log, let time):
            guard deletions[log] != nil else { throw .logNotDeleted(log) }
            deletions[log]?.removedAt = time
        }
    }

    private mutating func apply(_ act: TokenAct, at time: Timestamp) throws(ControlContradiction) {
        switch act {
        case .grantBegun(_, let keyID, _):
            guard keys[keyID] != nil else { throw .keyUnknown(keyID: keyID) }
        case .tokenRevoked(_, let organization, _):
            guard organizations[organization] != nil else { throw .organizationUnknown(organization) }
        case .grantUsed, .grantRevoked: break
        }
        tokens.apply(act, at: time)
    }

    private mutating func add(_ letter: DeadLetter) throws(ControlContradiction) {
        // It was under way when its organization was deleted, and is nobody's any more.
        if deletions.values.contains(where: { $0.id == letter.organization }) {
            deadLetterTotal += 1
            return
        }
        guard organizations[letter.organization] != nil else { throw .organizationUnknown(letter.organization) }
        guard deadLetterIDs.insert(letter.id).inserted else { throw .deadLetterExists(letter.id) }
        deadLetters.append(letter)
        deadLetterTotal += 1
        guard deadLetters.count > DeadLetter.countMax else { return }
        deadLetterIDs.remove(deadLetters.removeFirst().id)
        droppedDeadLetterCount += 1
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
        members[organization]?.erase { hash(Array($0.utf8)) == erasure.userHash }
    }

    /// Its keys open nothing, and of nobody in it a name is needed for anything. What keys and erasures are called stays
    /// known: acts that were under way may still follow.
    private mutating func delete(_ organization: OrganizationID, at time: Timestamp) throws(ControlContradiction) {
        guard let record = organizations[organization] else { throw .organizationUnknown(organization) }
        organizations[organization] = nil
        organizationsByLog[record.log] = nil
        deletions[record.log] = DeletedOrganization(id: organization, log: record.log, deletedAt: time)
        for key in keys.values where key.organization == organization { keys[key.keyID] = key.blanked }
        members[organization]?.erase { _ in true }
        settings[organization] = nil
        deadLetters.removeAll { $0.organization == organization }
        deadLetterIDs = Set(deadLetters.map(\.id))
    }

    package func organization(of log: LogID) -> OrganizationRecord? {
        organizationsByLog[log].flatMap { organizations[$0] }
    }
}
