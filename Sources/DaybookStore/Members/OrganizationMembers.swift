package import DaybookEvent
package import DaybookFormat

/// The users and teams of one organization.
package struct OrganizationMembers: Sendable, Equatable {
    package struct User: Sendable, Equatable {
        package var record: UserRecord
        package var createdAt: Timestamp
        package var updatedAt: Timestamp
        /// Kept, because what has to be taken out of the acts of a user is found by its name.
        var isDeleted = false
        /// Nothing of the user may be left in any act.
        var isErased = false
    }

    package struct Team: Sendable, Equatable {
        package var record: TeamRecord
        package var createdAt: Timestamp
        package var updatedAt: Timestamp
    }

    /// By record id, deleted ones included.
    private var records: [String: User] = [:]
    /// Record ids of those who are not deleted, by user.
    private var recordIDs: [String: String] = [:]
    private var teamsByID: [String: Team] = [:]
    /// Goes up with every change.
    private(set) var revision: UInt64 = 0

    package init() {}

    package func user(_ user: String) -> User? { recordIDs[user].flatMap { records[$0] } }
    package func team(_ team: String) -> Team? { teamsByID[team] }
    /// Sorted by user.
    package var users: [User] {
        recordIDs.values.compactMap { records[$0] }.sorted { $0.record.user < $1.record.user }
    }
    /// Sorted by id.
    package var teams: [Team] { teamsByID.values.sorted { $0.record.team < $1.record.team } }
    package var userCount: Int { recordIDs.count }
    package var teamCount: Int { teamsByID.count }

    /// Users of a team, sorted. Complexity: O(users).
    package func members(of team: String) -> [String] {
        recordIDs.filter { records[$0.value]?.record.team == team }.keys.sorted()
    }

    /// How many users each team has.
    package var memberCounts: [String: Int] {
        recordIDs.values.reduce(into: [:]) { counts, recordID in
            if let team = records[recordID]?.record.team, !team.isEmpty { counts[team, default: 0] += 1 }
        }
    }

    /// Whose events belong to which team now; nil when nobody has one.
    package var teamIndex: TeamIndex? {
        let pairs = recordIDs.compactMap { user, recordID -> (user: [UInt8], team: [UInt8])? in
            guard let team = records[recordID]?.record.team, !team.isEmpty else { return nil }
            return (Array(user.utf8), Array(team.utf8))
        }
        return pairs.isEmpty ? nil : TeamIndex(pairs)
    }

    /// Takes in one more act; a contradiction leaves everything as it was.
    mutating func apply(_ act: MemberAct) throws(ControlContradiction) {
        switch act {
        case .userSet(let record, let time): try set(record, at: time)
        case .userDeleted(_, let recordID, _):
            guard let known = records[recordID], !known.isDeleted else { throw .userUnknown(recordID: recordID) }
            records[recordID]?.isDeleted = true
            if recordIDs[known.record.user] == recordID { recordIDs[known.record.user] = nil }
        case .teamSet(let record, let time):
            let createdAt = teamsByID[record.team]?.createdAt ?? time
            teamsByID[record.team] = Team(record: record, createdAt: createdAt, updatedAt: time)
        case .teamDeleted(_, let team, _):
            guard teamsByID[team] != nil else { throw .teamUnknown(team) }
            guard !records.values.contains(where: { !$0.isDeleted && $0.record.team == team }) else {
                throw .teamHasMembers(team)
            }
            teamsByID[team] = nil
        }
        revision += 1
    }

    private mutating func set(_ record: UserRecord, at time: Timestamp) throws(ControlContradiction) {
        let recordID = record.recordID
        let known = records[recordID]
        guard known?.isDeleted != true else { throw .userUnknown(recordID: recordID) }
        guard record.team.isEmpty || teamsByID[record.team] != nil else { throw .teamUnknown(record.team) }
        // Blanked acts of several users may say the same.
        let isNamed = !BlankText.isBlank(record.user)
        if isNamed, let other = recordIDs[record.user], other != recordID { throw .userExists(recordID: other) }
        if let old = known?.record.user, recordIDs[old] == recordID { recordIDs[old] = nil }
        if isNamed { recordIDs[record.user] = recordID }
        records[recordID] = User(
            record: record, createdAt: known?.createdAt ?? time, updatedAt: time, isErased: !isNamed)
    }

    // MARK: - Forgetting

    /// Records of a user, those from before included.
    func records(where isMeant: (String) -> Bool) -> [User] {
        records.values.filter { !$0.isErased && isMeant($0.record.user) }
            .sorted { $0.record.recordID < $1.record.recordID }
    }

    /// The acts before have deleted these records; their texts are no longer needed for anything.
    mutating func erase(where isMeant: (String) -> Bool) {
        for user in records(where: isMeant) {
            let recordID = user.record.recordID
            if recordIDs[user.record.user] == recordID { recordIDs[user.record.user] = nil }
            records[recordID]?.record = user.record.blanked
            records[recordID]?.isDeleted = true
            records[recordID]?.isErased = true
        }
        revision += 1
    }

    /// The act without texts that must not be kept; nil when it has none.
    func redacted(_ act: MemberAct) -> MemberAct? {
        guard case .userSet(let record, let time) = act, records[record.recordID]?.isErased == true,
            record != record.blanked
        else { return nil }
        return .userSet(record.blanked, at: time)
    }
}
