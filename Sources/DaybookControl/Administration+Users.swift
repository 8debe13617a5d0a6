internal import DaybookEvent
internal import DaybookFormat
internal import DaybookStore
internal import DaybookSystem

/// The users of an organization.
extension Administration {
    func listUsers(_ request: ControlDocument, _ origin: RequestOrigin) throws -> [UInt8] {
        let id = try existingOrganization(of: request, origin)
        var reader = FieldReader(request)
        let team = request["team_id"] == nil ? nil : reader.identifier("team_id")
        try reader.check()
        let users = store.members(of: id).users.filter { team == nil || $0.record.team == team }
        return try Page(request).answer(origin, "users", users, id: \.record.user) { user, item in
            item.describe(user)
        }
    }

    func showUser(_ request: ControlDocument, _ origin: RequestOrigin) throws -> [UInt8] {
        let id = try existingOrganization(of: request, origin)
        return Self.answer(try user(of: request, in: id), in: id)
    }

    /// Makes the record, or changes what is named of it; null takes away. Nothing is changed unless every field is good.
    func setUser(_ request: ControlDocument, _ origin: RequestOrigin) throws -> [UInt8] {
        let id = try existingOrganization(of: request, origin)
        var reader = FieldReader(request)
        let name = reader.identifier("user_id")
        let members = store.members(of: id)
        let known = members.user(name)
        var record =
            known?.record
            ?? UserRecord(recordID: "usr_" + hexText(registry.entropy.next()), organization: id, user: name)
        reader.change("name", of: &record.name, byteCountMax: UserRecord.nameByteCountMax)
        reader.change("role", of: &record.role)
        if !record.role.isEmpty, Role(rawValue: record.role) == nil {
            reader.fault("role", "must be one of \(Role.allCases.map(\.rawValue).joined(separator: ", ")), or null")
        }
        reader.change("team_id", of: &record.team)
        if !record.team.isEmpty, members.team(record.team) == nil {
            reader.fault("team_id", "is no team of the organization")
        }
        if request["disabled"] != nil { record.isDisabled = reader.flag("disabled") }
        try reader.check()
        try check(origin, isNot: record.isDisabled ? name : nil, in: id)
        if known == nil, members.userCount >= UserRecord.countMax {
            throw Refusal(code: "conflict", message: "An organization has at most \(UserRecord.countMax) users.")
        }
        if record != known?.record {
            try registry.set(
                record, with: [.audited(origin.record("user.set", record.recordID, in: id, at: now))])
        }
        return Self.answer(try user(of: request, in: id), in: id)
    }

    func deleteUser(_ request: ControlDocument, _ origin: RequestOrigin) throws -> [UInt8] {
        let id = try existingOrganization(of: request, origin)
        let user = try user(of: request, in: id)
        try check(origin, isNot: user.record.user, in: id)
        let now = now
        let keyIDs = try registry.delete(user.record) { keyIDs in
            keyIDs.map { .audited(origin.record("key.revoke", $0, in: id, at: now)) }
                + [.audited(origin.record("user.delete", user.record.recordID, in: id, at: now))]
        }
        var answer = JSONObjectText()
        answer.field("organization", id.text)
        answer.field("user_id", user.record.user)
        answer.field("record_id", user.record.recordID)
        answer.field("revoked_key_ids", keyIDs)
        return answer.finished()
    }

    /// Whoever ends the own user would have nobody left to take it back.
    private func check(_ origin: RequestOrigin, isNot user: String?, in id: OrganizationID) throws(Refusal) {
        guard let user, let credential = origin.credential, credential.organization.id == id,
            credential.defaultUser.elementsEqual(user.utf8)
        else { return }
        throw Refusal(code: "conflict", message: "Nobody disables or deletes the own user.")
    }

    private func user(of request: ControlDocument, in id: OrganizationID) throws(Refusal) -> OrganizationMembers.User {
        var reader = FieldReader(request)
        let name = reader.identifier("user_id")
        try reader.check()
        guard let user = store.members(of: id).user(name) else {
            throw Refusal(code: "not_found", message: "There is no such user.")
        }
        return user
    }

    private static func answer(_ user: OrganizationMembers.User, in id: OrganizationID) -> [UInt8] {
        var answer = JSONObjectText()
        answer.field("organization", id.text)
        answer.describe(user)
        return answer.finished()
    }
}

extension JSONObjectText {
    fileprivate mutating func describe(_ user: OrganizationMembers.User) {
        let record = user.record
        field("user_id", record.user)
        field("record_id", record.recordID)
        field("name", record.name)
        if record.role.isEmpty { field("role", json: nil) } else { field("role", record.role) }
        if record.team.isEmpty { field("team_id", json: nil) } else { field("team_id", record.team) }
        field("disabled", record.isDisabled)
        field("created_at", user.createdAt)
        field("updated_at", user.updatedAt)
    }
}
