internal import DaybookEvent
internal import DaybookFormat
internal import DaybookStore

/// Keys. Whoever asks over HTTP makes, rotates and revokes no key that may do more than its own.
extension Administration {
    package static let secondsMax: Int64 = 3_155_760_000
    package static let graceSecondsDefault: Int64 = 86_400
    package static let graceSecondsMax: Int64 = 30 * 86_400

    func createKey(_ request: ControlDocument, _ origin: RequestOrigin) throws -> [UInt8] {
        let id = try organization(of: request, origin)
        let now = now
        let new = try newKey(request, now)
        try check(origin, mayManage: new.permissions)
        let made = try registry.create(new, in: id) { key in
            [.audited(origin.record("key.create", key.keyID, in: id, at: now))]
        }
        var answer = JSONObjectText()
        answer.field("organization", id.text)
        answer.field("api_key", made.key.text)
        answer.describe(made.record)
        return answer.finished()
    }

    func listKeys(_ request: ControlDocument, _ origin: RequestOrigin) throws -> [UInt8] {
        let id = try organization(of: request, origin)
        guard store.organization(id) != nil else { throw KeyRegistry.Failure.organizationNotFound }
        let all = registry.list(organization: id)
        return try Page(request).answer(origin, "keys", all, id: \.record.keyID) { listed, item in
            var record = listed.record
            record.expiresAt = listed.expiresAt
            item.describe(record)
            item.field("last_used_at", listed.lastUsedAt)
            item.field("revoked_at", listed.revokedAt)
        }
    }

    func rotateKey(_ request: ControlDocument, _ origin: RequestOrigin) throws -> [UInt8] {
        var reader = FieldReader(request)
        let keyID = reader.text("key_id")
        let grace = reader.integer("grace_seconds", 0...Self.graceSecondsMax) ?? Self.graceSecondsDefault
        let now = now
        let expiresAt = reader.integer("expires_in_seconds", 1...Self.secondsMax)
            .map { now.adding(microseconds: $0 * 1_000_000) }
        try reader.check()
        let scope = try scope(of: request, origin)
        let target = try registry.credential(of: keyID, in: scope)
        try check(origin, mayManage: target.permissions)
        let id = target.organization.id
        let (made, until) = try registry.rotate(
            keyID: keyID, organization: scope, graceMicroseconds: grace * 1_000_000, expiresAt: expiresAt
        ) { key in
            [
                .audited(origin.record("key.rotate", keyID, in: id, at: now)),
                .audited(origin.record("key.create", key.keyID, in: id, at: now)),
            ]
        }
        var answer = JSONObjectText()
        answer.field("organization", id.text)
        answer.field("api_key", made.key.text)
        answer.describe(made.record)
        answer.field("old_key_expires_at", until)
        return answer.finished()
    }

    func revokeKey(_ request: ControlDocument, _ origin: RequestOrigin) throws -> [UInt8] {
        var reader = FieldReader(request)
        let keyID = reader.text("key_id")
        try reader.check()
        let scope = try scope(of: request, origin)
        let target = try registry.credential(of: keyID, in: scope)
        try check(origin, mayManage: target.permissions)
        let now = now
        let revokedAt = try registry.revoke(keyID: keyID, organization: scope) { key in
            [.audited(origin.record("key.revoke", keyID, in: key.organization, at: now))]
        }
        var answer = JSONObjectText()
        answer.field("key_id", keyID)
        answer.field("revoked_at", revokedAt)
        return answer.finished()
    }

    private func check(_ origin: RequestOrigin, mayManage permissions: PermissionSet) throws(Refusal) {
        guard let credential = origin.credential, !credential.permissions.isSuperset(of: permissions) else { return }
        let missing = permissions.subtracting(credential.permissions).names.joined(separator: ", ")
        throw Refusal(
            code: "forbidden", message: "This credential manages no key that may do more than itself: \(missing).")
    }

    private func newKey(_ request: ControlDocument, _ now: Timestamp) throws(Refusal) -> NewKey {
        var reader = FieldReader(request)
        var new = NewKey()
        new.name = reader.text("name", byteCountMax: Limits.nameByteCountMax, default: "")
        new.user = reader.user()
        new.isOperator = reader.flag("operator")
        if let seconds = reader.integer("expires_in_seconds", 1...Self.secondsMax) {
            new.expiresAt = now.adding(microseconds: seconds * 1_000_000)
        }
        if let name = request["role"] {
            new.role = name.stringValue.flatMap(Role.init(rawValue:))
            if new.role == nil {
                reader.fault("role", "must be one of \(Role.allCases.map(\.rawValue).joined(separator: ", "))")
            }
        }
        if let scopes = request["scopes"] {
            let names = scopes.arrayValue?.compactMap(\.stringValue)
            let known = names.flatMap(ScopeSet.init(names:))
            if let names, let known, !names.isEmpty, names.count == scopes.arrayValue?.count {
                new.scopes = known
            } else {
                reader.fault("scopes", "must be a list of \(ScopeSet.all.names.joined(separator: ", "))")
            }
        } else if new.role == nil {
            new.scopes = [.ingest, .read]
        }
        try reader.check()
        return new
    }
}

extension JSONObjectText {
    mutating func describe(_ record: KeyRecord) {
        field("key_id", record.keyID)
        field("name", record.name)
        if record.role.isEmpty { field("role", json: nil) } else { field("role", record.role) }
        field("operator", record.isOperator)
        field("scopes", record.scopes)
        field("user", record.user.isEmpty ? "owner" : record.user)
        field("created_at", record.createdAt)
        field("expires_at", record.expiresAt)
        if record.predecessor.isEmpty {
            field("rotated_from", json: nil)
        } else {
            field("rotated_from", record.predecessor)
        }
    }

    mutating func pagination(next: String?) {
        object("pagination") { pagination in
            if let next { pagination.field("next_cursor", next) } else { pagination.field("next_cursor", json: nil) }
            pagination.field("has_more", next != nil)
        }
    }
}
