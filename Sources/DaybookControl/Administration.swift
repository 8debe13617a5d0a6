internal import DaybookEvent
internal import DaybookFormat
package import DaybookStore
package import DaybookSystem

/// The administrative verbs: one implementation for the running server's admin socket, its HTTP routes, and the command
/// line that opened the store itself. On the socket a request is one JSON object `{"verb": …}`; the answer is one JSON
/// object, `{"ok":true, …}` or `{"ok":false,"code": …,"message": …}`, without a line feed in it.
///
/// | verb | fields | answer |
/// | --- | --- | --- |
/// | `org.create` | `organization`, `operator?` | `organization, created_at, api_key, key_id, role, operator, …`: with its first key, an admin's |
/// | `org.list` | `limit?`, `cursor?` | `organizations [{organization, created_at}]` |
/// | `org.show` | `organization` | `organization, created_at, retention_days {commands, agents, sessions, productivity}, legal_hold, quota_bytes, durability`; 0 days keep for ever, 0 bytes are no bound |
/// | `org.set` | `organization`, `retention_days?` with some families, `legal_hold?`, `quota_bytes?`, `durability?` | as `org.show` |
/// | `org.delete` | `organization` | `organization, deleted_at, removed_at, last_error`: asked again, how far it is |
/// | `org.show_config` | `organization` | `organization, rate_limiting {…}, data_retention {…}, performance {…}, alerts {…}`; null is no choice |
/// | `org.set_config` | `organization`, and the four objects, of which any part may be left out | as `org.show_config`: the whole document is replaced |
/// | `org.export`, `org.replay` | `organization` | `organization, noted_at`: tells the trail that events are about to leave by the files |
/// | `limits.show` | `organization` | `organization, tier, single_per_minute, batch_per_minute, query_per_minute, burst, adaptive, concurrent_batches`; null is without a bound |
/// | `limits.set` | `organization`, `tier?` or `requests_per_minute?`, `burst?`, `adaptive?`, `concurrent_batches?` | as `limits.show` |
/// | `key.create` | `organization`, `name?`, `role?`, `scopes?` (without both ingest, read), `user?`, `expires_in_seconds?`, `operator?` | `organization, api_key, key_id, name, role, operator, scopes, user, created_at, expires_at, rotated_from` |
/// | `key.list` | `organization`, `limit?`, `cursor?` | `keys [{key_id, …, last_used_at, revoked_at}]` |
/// | `key.rotate` | `key_id`, `organization?`, `grace_seconds?` (86,400), `expires_in_seconds?` | as `key.create`, and `old_key_expires_at` |
/// | `key.revoke` | `key_id`, `organization?` | `key_id, revoked_at` |
/// | `user.list` | `organization`, `team_id?`, `limit?`, `cursor?` | `users [{user_id, record_id, name, role, team_id, disabled, created_at, updated_at}]` |
/// | `user.show` | `organization`, `user_id` | `organization, user_id, …` |
/// | `user.set` | `organization`, `user_id`, `name?`, `role?`, `team_id?`, `disabled?` | as `user.show`; what is not named stays, null takes away |
/// | `user.delete` | `organization`, `user_id` | `organization, user_id, record_id, revoked_key_ids [...]` |
/// | `team.list` | `organization`, `limit?`, `cursor?` | `teams [{team_id, name, created_at, updated_at, member_count}]` |
/// | `team.show` | `organization`, `team_id` | `organization, team_id, name, created_at, updated_at, members [...]` |
/// | `team.set` | `organization`, `team_id`, `name?` | as `team.show` |
/// | `team.delete` | `organization`, `team_id` | `organization, team_id` |
/// | `token.issue` | `key_id`, `organization?`, `expires_in_seconds?`, `refresh?` (true) | `access_token, token_type, expires_in, token_id, …, refresh_token, grant_id, …`; over HTTP for the own key, which is not named |
/// | `token.refresh` | `refresh_token` | as `token.issue` |
/// | `token.list` | `organization`, `limit?`, `cursor?` | `tokens [{token_id, kind, key_id, user, created_at, expires_at, refreshes, refreshed_at, revoked_at, reason}]`: grants, and access tokens that were revoked |
/// | `token.revoke` | `token_id?` or `token?`, `organization?` | `token_id, organization, revoked_at`; over HTTP, without a name, the token that asks |
/// | `token.rotate_key` | `at_once?` | `signing_key, algorithm, created_at, old_keys [{signing_key, algorithm, verifies_until}]` |
/// | `erase.begin` | `organization`, `user` | as `erase.status` |
/// | `erase.status` | `erasure_id` | `erasure_id, organization, user_hash, through_sequence, begun_at, state, phase, awaited, last_error, certificate` |
/// | `erase.reapply` | `organization?` | `erasure_ids [...]`: begun once more |
/// | `dlq.list` | `organization?`, `limit?`, `cursor?` | `dead_letters [{dead_letter_id, organization, kind, first_sequence, last_sequence, subject, attempts, first_attempt_at, last_attempt_at, error}]`, oldest first |
/// | `dlq.show` | `dead_letter_id`, `organization?` | one of them |
/// | `dlq.replay`, `dlq.purge` | `dead_letter_id?`, `organization?`; without an id all of them | `replayed` or `purged`: how many |
/// | `config.show` | | `settings [{name, value, origin, place}]` of the running server |
/// | `log.set_level` | `level` | `level, previous_level`: of the running server, until it ends |
/// | `audit.list` | `organization?`, `limit?` (100), `cursor?` | `items [{number, at, organization, actor, action, target, route, request_id, address, outcome, count}], pagination {next_cursor, has_more}`, newest first |
///
/// Every verb that changes something leaves its entry in the audit trail, in one group with the change.
package struct Administration: Sendable {
    let store: Store
    let registry: KeyRegistry
    /// What new organizations get.
    let defaults: OrganizationDefaults
    /// Nil where no server runs.
    let server: RunningServer?
    let clock: any Clock
    let trail: AuditTrail?
    let tokens: TokenAuthority

    /// - Parameters:
    ///   - trail: of the running server; what it has gathered is written before the trail is read.
    ///   - tokens: of the running server; else one of its own.
    package init(
        store: Store, registry: KeyRegistry, clock: any Clock, defaults: OrganizationDefaults = OrganizationDefaults(),
        server: RunningServer? = nil, trail: AuditTrail? = nil, tokens: TokenAuthority? = nil
    ) {
        self.store = store
        self.registry = registry
        self.clock = clock
        self.defaults = defaults
        self.server = server
        self.trail = trail
        self.tokens =
            tokens ?? TokenAuthority(store: store, registry: registry, clock: clock, entropy: registry.entropy)
    }

    /// Why a verb was not carried out. `code` is one of the codes of the HTTP errors.
    package struct Refusal: Error, Equatable {
        package struct Fault: Equatable, Sendable {
            package var field: String
            package var message: String
        }

        package var code: String
        package var message: String
        /// Fields that are wrong.
        package var faults: [Fault] = []
        /// With `rate_limited`.
        package var retrySeconds: UInt64?
        /// With `unauthorized`: the audit trail was told of it.
        package var isOfSomebodyKnown = false

        static func invalid(_ faults: [Fault], code: String = "validation_failed") -> Refusal {
            let message = faults.map { "\($0.field) \($0.message)." }.joined(separator: " ")
            return Refusal(code: code, message: message, faults: faults)
        }

        static func invalid(_ field: String, _ message: String) -> Refusal {
            invalid([Fault(field: field, message: message)])
        }
    }

    /// Who may ask for a verb over HTTP, and its fields; whoever has the data directory may ask for all.
    struct Verb: Sendable {
        var permission: Permission?
        var fields: Set<String>
        /// Whoever has any credential may ask for it over HTTP.
        var isForEverybody = false
    }

    static let verbs: [String: Verb] = [
        "org.create": Verb(permission: .manageOrganizations, fields: ["organization", "operator"]),
        "org.list": Verb(permission: .manageOrganizations, fields: ["limit", "cursor"]),
        "org.show": Verb(permission: .manageOrganizations, fields: ["organization"]),
        "org.set": Verb(
            permission: .manageOrganizations,
            fields: ["organization", "retention_days", "legal_hold", "quota_bytes", "durability"]),
        "org.delete": Verb(permission: .manageOrganizations, fields: ["organization"]),
        "org.show_config": Verb(permission: .configureOrganization, fields: ["organization"]),
        "org.set_config": Verb(
            permission: .configureOrganization,
            fields: ["organization", "rate_limiting", "data_retention", "performance", "alerts"]),
        "org.export": Verb(permission: nil, fields: ["organization"]),
        "org.replay": Verb(permission: nil, fields: ["organization"]),
        "limits.show": Verb(permission: .readLimits, fields: ["organization"]),
        "limits.set": Verb(
            permission: .manageOrganizations,
            fields: ["organization", "tier", "requests_per_minute", "burst", "adaptive", "concurrent_batches"]),
        "key.create": Verb(
            permission: .manageKeys,
            fields: ["organization", "name", "role", "scopes", "user", "expires_in_seconds", "operator"]),
        "key.list": Verb(permission: .manageKeys, fields: ["organization", "limit", "cursor"]),
        "key.rotate": Verb(
            permission: .manageKeys, fields: ["key_id", "organization", "grace_seconds", "expires_in_seconds"]),
        "key.revoke": Verb(permission: .manageKeys, fields: ["key_id", "organization"]),
        "user.list": Verb(permission: .readUsers, fields: ["organization", "team_id", "limit", "cursor"]),
        "user.show": Verb(permission: .readUsers, fields: ["organization", "user_id"]),
        "user.set": Verb(
            permission: .manageUsers, fields: ["organization", "user_id", "name", "role", "team_id", "disabled"]),
        "user.delete": Verb(permission: .manageUsers, fields: ["organization", "user_id"]),
        "team.list": Verb(permission: .readUsers, fields: ["organization", "limit", "cursor"]),
        "team.show": Verb(permission: .readUsers, fields: ["organization", "team_id"]),
        "team.set": Verb(permission: .manageUsers, fields: ["organization", "team_id", "name"]),
        "team.delete": Verb(permission: .manageUsers, fields: ["organization", "team_id"]),
        "token.issue": Verb(
            permission: nil, fields: ["key_id", "organization", "expires_in_seconds", "refresh"], isForEverybody: true),
        "token.refresh": Verb(permission: nil, fields: ["refresh_token"], isForEverybody: true),
        "token.list": Verb(permission: .manageKeys, fields: ["organization", "limit", "cursor"]),
        "token.revoke": Verb(permission: nil, fields: ["token_id", "token", "organization"], isForEverybody: true),
        "token.rotate_key": Verb(permission: nil, fields: ["at_once"]),
        "erase.begin": Verb(permission: nil, fields: ["organization", "user"]),
        "erase.status": Verb(permission: nil, fields: ["erasure_id"]),
        "erase.reapply": Verb(permission: nil, fields: ["organization"]),
        "dlq.list": Verb(permission: .manageDeadLetters, fields: ["organization", "limit", "cursor"]),
        "dlq.show": Verb(permission: .manageDeadLetters, fields: ["dead_letter_id", "organization"]),
        "dlq.replay": Verb(permission: .manageDeadLetters, fields: ["dead_letter_id", "organization"]),
        "dlq.purge": Verb(permission: .manageDeadLetters, fields: ["dead_letter_id", "organization"]),
        "config.show": Verb(permission: nil, fields: []),
        "log.set_level": Verb(permission: nil, fields: ["level"]),
        "audit.list": Verb(permission: .readAudit, fields: ["organization", "limit", "cursor"]),
    ]

    /// Carries out the verb and blocks until it is durable. Never throws: what went wrong is in the answer.
    package func perform(_ request: [UInt8]) -> [UInt8] {
        let document: ControlDocument
        do {
            document = try ControlDocument(parsing: request)
        } catch {
            return Self.answer(to: Refusal(code: "invalid_json", message: "The request is not one JSON object."))
        }
        switch carryOut(document, by: .local) {
        case .success(let fields):
            // Fields are an object with at least one.
            return Array(#"{"ok":true,"#.utf8) + fields.dropFirst()
        case .failure(let refusal): return Self.answer(to: refusal)
        }
    }

    /// The fields of the answer, as one JSON object. Blocks until what was asked for is durable.
    package func carryOut(_ request: ControlDocument, by origin: RequestOrigin) -> Result<[UInt8], Refusal> {
        do {
            return .success(try fields(request, origin))
        } catch let refusal as Refusal {
            return .failure(refusal)
        } catch let failure as KeyRegistry.Failure {
            return .failure(Self.refusal(for: failure))
        } catch let failure as TokenAuthority.Failure {
            return .failure(refusal(for: failure, origin))
        } catch StoreError.organizationExists(let id) {
            return .failure(Refusal(code: "conflict", message: "The organization \(id) exists already."))
        } catch is ControlContradiction {
            return .failure(
                Refusal(code: "conflict", message: "Somebody else was faster. Look, and try again."))
        } catch {
            return .failure(
                Refusal(code: "storage_unavailable", message: "The store could not keep it: \(error)"))
        }
    }

    private func fields(_ request: ControlDocument, _ origin: RequestOrigin) throws -> [UInt8] {
        let name = request["verb"]?.stringValue ?? ""
        guard let verb = Self.verbs[name] else { throw Refusal(code: "not_found", message: "There is no such verb.") }
        if let credential = origin.credential, !verb.isForEverybody {
            guard let permission = verb.permission, credential.permits(permission) else { throw Self.forbidden(verb) }
        }
        let unknown = request.fieldNames.filter { $0 != "verb" && !verb.fields.contains($0) }
        guard unknown.isEmpty else {
            throw Refusal.invalid(unknown.sorted().map { .init(field: $0, message: "is not a field of this request") })
        }
        switch name {
        case "org.create": return try createOrganization(request, origin)
        case "org.list": return try listOrganizations(request, origin)
        case "org.show": return try showOrganization(request)
        case "org.set": return try setOrganization(request, origin)
        case "org.delete": return try deleteOrganization(request, origin)
        case "org.show_config": return try showOrganizationConfiguration(request, origin)
        case "org.set_config": return try setOrganizationConfiguration(request, origin)
        case "org.export", "org.replay": return try noteExport(request, name, origin)
        case "limits.show": return try showLimits(request, origin)
        case "limits.set": return try setLimits(request, origin)
        case "key.create": return try createKey(request, origin)
        case "key.list": return try listKeys(request, origin)
        case "key.rotate": return try rotateKey(request, origin)
        case "key.revoke": return try revokeKey(request, origin)
        case "user.list": return try listUsers(request, origin)
        case "user.show": return try showUser(request, origin)
        case "user.set": return try setUser(request, origin)
        case "user.delete": return try deleteUser(request, origin)
        case "team.list": return try listTeams(request, origin)
        case "team.show": return try showTeam(request, origin)
        case "team.set": return try setTeam(request, origin)
        case "team.delete": return try deleteTeam(request, origin)
        case "token.issue": return try issueToken(request, origin)
        case "token.refresh": return try refreshToken(request, origin)
        case "token.list": return try listTokens(request, origin)
        case "token.revoke": return try revokeToken(request, origin)
        case "token.rotate_key": return try rotateSigningKey(request, origin)
        case "erase.begin": return try beginErasure(request, origin)
        case "erase.status": return try erasureStatus(request)
        case "erase.reapply": return try reapplyErasures(request, origin)
        case "dlq.list": return try listDeadLetters(request, origin)
        case "dlq.show": return try showDeadLetter(request, origin)
        case "dlq.replay": return try removeDeadLetters(request, origin, isReplayed: true)
        case "dlq.purge": return try removeDeadLetters(request, origin, isReplayed: false)
        case "config.show": return try showConfiguration()
        case "log.set_level": return try setLogLevel(request, origin)
        case "audit.list": return try listAudit(request, origin)
        default: preconditionFailure("a verb of the table that nobody carries out")
        }
    }

    private static func forbidden(_ verb: Verb) -> Refusal {
        let wanted = verb.permission.map { "This needs the permission \($0.rawValue)." }
        return Refusal(code: "forbidden", message: wanted ?? "This is not done over HTTP.")
    }

    var now: Timestamp { Timestamp(microseconds: clock.wallMicroseconds()) }

    private func createOrganization(_ request: ControlDocument, _ origin: RequestOrigin) throws -> [UInt8] {
        let id = try organization(of: request)
        var new = NewKey()
        new.name = "first"
        new.role = .admin
        new.isOperator = try flag("operator", of: request)
        if new.isOperator, origin.credential != nil {
            throw Refusal(code: "forbidden", message: "The operator's keys are made in the operator's organization.")
        }
        let now = now
        let made: MadeKey
        do {
            made = try registry.createOrganization(id, first: new) { key in
                [
                    .audited(origin.record("org.create", id.text, in: id, at: now)),
                    .audited(origin.record("key.create", key.keyID, in: id, at: now)),
                ]
            }
        } catch ControlContradiction.organizationDeleted {
            throw Refusal(
                code: "conflict", message: "An organization \(id) was deleted; its name is not given out again.")
        }
        if defaults.retention != .standard { try store.setRetention(defaults.retention, of: id) }
        var answer = JSONObjectText()
        answer.field("organization", id.text)
        answer.field("api_key", made.key.text)
        answer.describe(made.record)
        return answer.finished()
    }

    private func listOrganizations(_ request: ControlDocument, _ origin: RequestOrigin) throws -> [UInt8] {
        let all = store.organizations().sorted { $0.id.text < $1.id.text }
        return try Page(request).answer(origin, "organizations", all, id: \.id.text) { record, item in
            item.field("organization", record.id.text)
            item.field("created_at", record.createdAt)
        }
    }

    private func listAudit(_ request: ControlDocument, _ origin: RequestOrigin) throws -> [UInt8] {
        let isWhole = origin.credential == nil && request["organization"] == nil
        let scope = isWhole ? nil : try organization(of: request, origin)
        let page = try Page(request)
        var before: UInt64?
        if let cursor = page.cursor {
            guard let number = UInt64(cursor), number > 0 else { throw Page.badCursor }
            before = number
        }
        // What cannot be written cannot be read either; the server's own round tells of it.
        _ = try? trail?.flush()
        let query = AuditQuery(organization: scope, before: before, limit: page.limit ?? Page.countDefault)
        return Self.fields(of: try store.auditPage(query))
    }
}

extension Administration {
    private static func refusal(for failure: KeyRegistry.Failure) -> Refusal {
        switch failure {
        case .organizationNotFound: Refusal(code: "not_found", message: "There is no such organization.")
        case .keyNotFound: Refusal(code: "not_found", message: "There is no such key.")
        case .alreadyRevoked: Refusal(code: "conflict", message: "The key was revoked before.")
        case .alreadyRotated: Refusal(code: "conflict", message: "The key was rotated before; rotate its successor.")
        case .expired: Refusal(code: "conflict", message: "The key has expired; make a new one.")
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

    /// A page of the trail as verbs and routes answer it.
    package static func fields(of page: AuditPage) -> [UInt8] {
        var answer = JSONObjectText()
        answer.list("items", page.entries) { entry, item in
            let record = entry.record
            item.field("number", entry.number)
            item.field("at", record.at)
            item.field("organization", record.organization?.text ?? "")
            item.field("actor", record.actor.text)
            item.field("action", record.action)
            item.field("target", record.target)
            item.field("route", record.route)
            item.field("request_id", record.requestID)
            item.field("address", record.address)
            item.field("outcome", record.outcome.name)
            item.field("count", record.count)
        }
        answer.pagination(next: page.hasMore ? page.entries.last.map { String($0.number) } : nil)
        return answer.finished()
    }
}
