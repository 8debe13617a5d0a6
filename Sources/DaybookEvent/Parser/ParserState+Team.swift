internal import DaybookFormat

/// The id of a team, wherever it stands.
enum TeamName {
    case text(TextSlice)
    case member([UInt8])
}

/// Which team an event belongs to.
extension ParserState {
    /// That of its user at this moment. A line of an import may name another one, or none with `null`.
    @inline(__always)
    func team() -> TeamName? {
        if let team = draft.team { return .text(team) }
        guard let teams = context.teams, !draft.seen.has(.teamID) else { return nil }
        return memberTeam(teams).map { .member($0) }
    }

    private func memberTeam(_ teams: TeamIndex) -> [UInt8]? {
        guard let user = draft.user else { return teams.team(of: context.defaultUser) }
        return unsafe teams.team(ofBytes: UnsafeRawBufferPointer(start: pointer(user), count: user.count))
    }

    /// Who may name the own user only may name no team that the user is not in.
    mutating func checkTeam() {
        guard let team = draft.team, !context.mayNameAnyUser else { return }
        let own = context.teams.flatMap { $0.team(of: context.defaultUser) }
        guard own.map({ equals(team, $0) }) != true else { return }
        isForbidden = true
        report(.teamID, "names a team that the caller is not in, which needs the scope ingest:any_user")
    }
}
