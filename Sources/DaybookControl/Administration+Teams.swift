internal import DaybookEvent
internal import DaybookFormat
internal import DaybookStore

/// The teams of an organization.
extension Administration {
    func listTeams(_ request: ControlDocument, _ origin: RequestOrigin) throws -> [UInt8] {
        let id = try existingOrganization(of: request, origin)
        let members = store.members(of: id)
        let counts = members.memberCounts
        return try Page(request).answer(origin, "teams", members.teams, id: \.record.team) { team, item in
            item.describe(team)
            item.field("member_count", UInt64(counts[team.record.team] ?? 0))
        }
    }

    func showTeam(_ request: ControlDocument, _ origin: RequestOrigin) throws -> [UInt8] {
        let id = try existingOrganization(of: request, origin)
        let team = try team(of: request, in: id)
        var answer = JSONObjectText()
        answer.field("organization", id.text)
        answer.describe(team)
        answer.field("members", store.members(of: id).members(of: team.record.team))
        return answer.finished()
    }

    /// Makes the team, or changes what is named of it.
    func setTeam(_ request: ControlDocument, _ origin: RequestOrigin) throws -> [UInt8] {
        let id = try existingOrganization(of: request, origin)
        var reader = FieldReader(request)
        let name = reader.identifier("team_id")
        let members = store.members(of: id)
        let known = members.team(name)
        var record = known?.record ?? TeamRecord(organization: id, team: name)
        reader.change("name", of: &record.name, byteCountMax: TeamRecord.nameByteCountMax)
        try reader.check()
        if known == nil, members.teamCount >= TeamRecord.countMax {
            throw Refusal(code: "conflict", message: "An organization has at most \(TeamRecord.countMax) teams.")
        }
        if record != known?.record {
            let now = now
            try store.appendControl([
                .members(.teamSet(record, at: now)), .audited(origin.record("team.set", name, in: id, at: now)),
            ])
        }
        return try showTeam(request, origin)
    }

    func deleteTeam(_ request: ControlDocument, _ origin: RequestOrigin) throws -> [UInt8] {
        let id = try existingOrganization(of: request, origin)
        let team = try team(of: request, in: id).record.team
        let now = now
        do {
            try store.appendControl([
                .members(.teamDeleted(id, team: team, at: now)),
                .audited(origin.record("team.delete", team, in: id, at: now)),
            ])
        } catch ControlContradiction.teamHasMembers {
            throw Refusal(code: "conflict", message: "The team has members; take them out of it first.")
        }
        var answer = JSONObjectText()
        answer.field("organization", id.text)
        answer.field("team_id", team)
        return answer.finished()
    }

    private func team(of request: ControlDocument, in id: OrganizationID) throws(Refusal) -> OrganizationMembers.Team {
        var reader = FieldReader(request)
        let name = reader.identifier("team_id")
        try reader.check()
        guard let team = store.members(of: id).team(name) else {
            throw Refusal(code: "not_found", message: "There is no such team.")
        }
        return team
    }
}

extension JSONObjectText {
    fileprivate mutating func describe(_ team: OrganizationMembers.Team) {
        field("team_id", team.record.team)
        field("name", team.record.name)
        field("created_at", team.createdAt)
        field("updated_at", team.updatedAt)
    }
}
