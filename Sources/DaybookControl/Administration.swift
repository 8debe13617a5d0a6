internal import DaybookEvent
internal import DaybookFormat
package import DaybookStore
package import DaybookSystem

/// The administrative verbs: one implementation for the running server's admin socket and for the command line that
/// opened the store itself. A request is one JSON object `{"verb": …}`; the answer is one JSON object,
/// `{"ok":true, …}` or `{"ok":false,"code": …,"message": …}`, without a line feed in it.
///
/// | verb | fields | answer |
/// | --- | --- | --- |
/// | `org.create` | `organization` | `organization, created_at, api_key, key_id, scopes`: with its first key |
/// | `org.list` | | `organizations [{organization, created_at}]` |
/// | `org.show` | `organization` | `organization, created_at, retention_days {commands, agents, sessions, productivity}, legal_hold, quota_bytes`; 0 days keep for ever, 0 bytes are no bound |
/// | `org.set` | `organization`, `retention_days?` with some families, `legal_hold?`, `quota_bytes?` | as `org.show` |
/// | `limits.show` | `organization` | `organization, tier, single_per_minute, batch_per_minute, query_per_minute, burst, adaptive, concurrent_batches`; null is without a bound |
/// | `limits.set` | `organization`, `tier?` or `requests_per_minute?`, `burst?`, `adaptive?`, `concurrent_batches?` | as `limits.show` |
/// | `key.create` | `organization`, `name?`, `scopes?` (default ingest, read), `user?`, `expires_in_seconds?` | `organization, api_key, key_id, name, scopes, user, created_at, expires_at` |
/// | `key.list` | `organization` | `keys [{key_id, name, scopes, user, created_at, expires_at, revoked_at}]` |
/// | `key.revoke` | `key_id`, `organization?` | `key_id, revoked_at` |
/// | `erase.begin` | `organization`, `user` | as `erase.status` |
/// | `erase.status` | `erasure_id` | `erasure_id, organization, user_hash, through_sequence, begun_at, state, phase, awaited, last_error, certificate` |
/// | `erase.reapply` | `organization?` | `erasure_ids [...]`: begun once more |
package struct Administration: Sendable {
    let store: Store
    let registry: KeyRegistry
    private let clock: any Clock

    package init(store: Store, registry: KeyRegistry, clock: any Clock) {
        self.store = store
        self.registry = registry
        self.clock = clock
    }

    /// Why a verb was not carried out. `code` is one of the codes of the HTTP errors.
    package struct Refusal: Error, Equatable {
        package var code: String
        package var message: String
    }

    /// Carries out the verb and blocks until it is durable. Never throws: what went wrong is in the answer.
    package func perform(_ request: [UInt8]) -> [UInt8] {
        do {
            return try perform(try ControlDocument(parsing: request))
        } catch let refusal as Refusal {
            return Self.answer(to: refusal)
        } catch is ControlDocument.Malformed {
            return Self.answer(to: Refusal(code: "invalid_json", message: "The request is not one JSON object."))
        } catch let failure as KeyRegistry.Failure {
            return Self.answer(to: Self.refusal(for: failure))
        } catch {
            return Self.answer(
                to: Refusal(code: "storage_unavailable", message: "The store could not keep it: \(error)"))
        }
    }

    private func perform(_ request: ControlDocument) throws -> [UInt8] {
        switch request["verb"]?.stringValue {
        case "org.create": try createOrganization(request)
        case "org.list": listOrganizations()
        case "org.show": try showOrganization(request)
        case "org.set": try setOrganization(request)
        case "limits.show": try showLimits(request)
        case "limits.set": try setLimits(request)
        case "key.create": try createKey(request)
        case "key.list": try listKeys(request)
        case "key.revoke": try revokeKey(request)
        case "erase.begin": try beginErasure(request)
        case "erase.status": try erasureStatus(request)
        case "erase.reapply": try reapplyErasures(request)
        default: throw Refusal(code: "not_found", message: "There is no such verb.")
        }
    }

    private func createOrganization(_ request: ControlDocument) throws -> [UInt8] {
        let id = try organization(of: request)
        guard store.organization(id) == nil else {
            throw Refusal(code: "conflict", message: "The organization \(id) exists already.")
        }
        let record = try store.createOrganization(id)
        let (key, keyRecord) = try registry.create(
            organization: id, name: "first", scopes: .all, user: "", expiresAt: nil)
        var answer = JSONObjectText.success()
        answer.field("organization", id.text)
        answer.field("created_at", record.createdAt)
        answer.field("api_key", key.text)
        answer.field("key_id", keyRecord.keyID)
        answer.field("scopes", keyRecord.scopes)
        return answer.finished()
    }

    private func listOrganizations() -> [UInt8] {
        var answer = JSONObjectText.success()
        answer.list("organizations", store.organizations().sorted { $0.id.text < $1.id.text }) { record, item in
            item.field("organization", record.id.text)
            item.field("created_at", record.createdAt)
        }
        return answer.finished()
    }

    private func createKey(_ request: ControlDocument) throws -> [UInt8] {
        let id = try organization(of: request)
        let now = Timestamp(microseconds: clock.wallMicroseconds())
        let (key, record) = try registry.create(
            organization: id, name: try name(of: request), scopes: try scopes(of: request),
            user: try user(of: request), expiresAt: try expiry(of: request, from: now))
        var answer = JSONObjectText.success()
        answer.field("organization", id.text)
        answer.field("api_key", key.text)
        answer.describe(record)
        return answer.finished()
    }

    private func listKeys(_ request: ControlDocument) throws -> [UInt8] {
        let id = try organization(of: request)
        guard store.organization(id) != nil else { throw KeyRegistry.Failure.organizationNotFound }
        var answer = JSONObjectText.success()
        answer.list("keys", registry.list(organization: id)) { listed, item in
            item.describe(listed.record)
            item.field("revoked_at", listed.revokedAt)
        }
        return answer.finished()
    }

    private func revokeKey(_ request: ControlDocument) throws -> [UInt8] {
        guard let keyID = request["key_id"]?.stringValue else {
            throw Refusal(code: "validation_failed", message: "key_id must be a string.")
        }
        let scope = request["organization"] == nil ? nil : try organization(of: request)
        let revokedAt = try registry.revoke(keyID: keyID, organization: scope)
        var answer = JSONObjectText.success()
        answer.field("key_id", keyID)
        answer.field("revoked_at", revokedAt)
        return answer.finished()
    }
}

// MARK: - Fields of requests

extension Administration {
    func organization(of request: ControlDocument) throws(Refusal) -> OrganizationID {
        guard let text = request["organization"]?.stringValue, let id = OrganizationID(text) else {
            throw Refusal(
                code: "validation_failed",
                message: "organization must be 1 to 63 of a-z, 0-9 and -, and not start with -.")
        }
        return id
    }

    private func name(of request: ControlDocument) throws(Refusal) -> String {
        guard let value = request["name"] else { return "" }
        guard let name = value.stringValue, name.utf8.count <= Limits.nameByteCountMax else {
            throw Refusal(code: "validation_failed", message: "name must be a string of at most 255 bytes.")
        }
        return name
    }

    private func scopes(of request: ControlDocument) throws(Refusal) -> ScopeSet {
        guard let value = request["scopes"] else { return [.ingest, .read] }
        let names = value.arrayValue?.compactMap(\.stringValue)
        guard let names, names.count == value.arrayValue?.count, !names.isEmpty, let scopes = ScopeSet(names: names)
        else {
            throw Refusal(
                code: "validation_failed",
                message: "scopes must be a list of \(ScopeSet.all.names.joined(separator: ", ")).")
        }
        return scopes
    }

    private func user(of request: ControlDocument) throws(Refusal) -> String {
        guard let value = request["user"] else { return "" }
        let allowed = Set("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_.@-".utf8)
        guard let user = value.stringValue, (1...Limits.userByteCountMax).contains(user.utf8.count),
            user.utf8.allSatisfy(allowed.contains)
        else {
            throw Refusal(code: "validation_failed", message: "user must be 1 to 128 of A-Z, a-z, 0-9 and _.@-")
        }
        return user
    }

    private func expiry(of request: ControlDocument, from now: Timestamp) throws(Refusal) -> Timestamp? {
        guard let value = request["expires_in_seconds"] else { return nil }
        guard let seconds = value.integerValue, (1...3_155_760_000).contains(seconds) else {
            throw Refusal(
                code: "validation_failed", message: "expires_in_seconds must be an integer from 1 to 100 years.")
        }
        return now.adding(microseconds: seconds * 1_000_000)
    }

    private static func refusal(for failure: KeyRegistry.Failure) -> Refusal {
        switch failure {
        case .organizationNotFound: Refusal(code: "not_found", message: "There is no such organization.")
        case .keyNotFound: Refusal(code: "not_found", message: "There is no such key.")
        case .alreadyRevoked: Refusal(code: "conflict", message: "The key was revoked before.")
        }
    }

    private static func answer(to refusal: Refusal) -> [UInt8] {
        var bytes = Array(#"{"ok":false,"code":"#.utf8)
        JSONText.append(refusal.code, to: &bytes)
        bytes.append(contentsOf: #","message":"#.utf8)
        JSONText.append(refusal.message, to: &bytes)
        bytes.append(UInt8(ascii: "}"))
        return bytes
    }
}

extension JSONObjectText {
    /// An answer that begins with `"ok":true`.
    static func success() -> JSONObjectText {
        var answer = JSONObjectText()
        answer.field("ok", true)
        return answer
    }

    mutating func describe(_ record: KeyRecord) {
        field("key_id", record.keyID)
        field("name", record.name)
        field("scopes", record.scopes)
        field("user", record.user.isEmpty ? "owner" : record.user)
        field("created_at", record.createdAt)
        field("expires_at", record.expiresAt)
    }
}
