internal import DaybookControl
internal import DaybookFormat
internal import DaybookStore

/// Keys, organizations and the audit trail.
extension SchemaTable {
    private static let keyID: JSONTree = ["type": "string", "examples": ["key_0123456789abcdef"]]
    private static let scopes = Schema.words(ScopeSet.all.names)
    private static let role = Schema.words(Role.allCases.map(\.rawValue))
    private static let secret: JSONTree = [
        "description": "Shown this once.", "type": "string", "pattern": "^dbk_[A-Za-z0-9_-]{49}$",
    ]
    private static let key: [JSONTree.Member] = [
        .init("key_id", keyID), .init("name", Schema.text(byteCountMax: Limits.nameByteCountMax)),
        .init("role", Schema.nullable(["anyOf": [role]])), .init("operator", Schema.flag),
        .init("scopes", Schema.array(scopes)), .init("user", Schema.user), .init("created_at", Schema.time),
        .init("expires_at", Schema.nullable(Schema.time)), .init("rotated_from", Schema.nullable(keyID)),
    ]

    mutating func addAdministration() {
        addKeys()
        addOrganizations()
        add(
            "AuditEntry",
            Schema.object(
                [
                    .init("number", Schema.count), .init("at", Schema.time), .init("organization", Schema.text),
                    .init("actor", Schema.text.with(["description": "The id of a key, or `local`."])),
                    .init("action", Schema.text), .init("target", Schema.text), .init("route", Schema.text),
                    .init("request_id", Schema.text), .init("address", Schema.text),
                    .init("outcome", Schema.words(AuditRecord.Outcome.allCases.map(\.name))),
                    .init("count", Schema.count),
                ]))
    }

    private mutating func addKeys() {
        let seconds = Schema.integer(1, Administration.secondsMax)
        add(
            "CreateKey",
            Schema.request([
                .init("organization", Schema.organization),
                .init("name", Schema.text(byteCountMax: Limits.nameByteCountMax)), .init("role", Self.role),
                .init("scopes", ["type": "array", "minItems": 1, "items": Self.scopes]),
                .init("user", Schema.user.with(["description": "Whom events are for that name nobody."])),
                .init("expires_in_seconds", seconds), .init("operator", Schema.flag),
            ]).with(["description": "Without role and scopes the key may ingest and read."]))
        add(
            "RotateKey",
            Schema.request([
                .init("organization", Schema.organization),
                .init(
                    "grace_seconds",
                    Schema.integer(0, Administration.graceSecondsMax)
                        .with(["default": JSONTree(Administration.graceSecondsDefault)])),
                .init("expires_in_seconds", seconds),
            ]))
        add(
            "ListedKey",
            Schema.object(
                Self.key + [
                    .init("last_used_at", Schema.nullable(Schema.time)),
                    .init("revoked_at", Schema.nullable(Schema.time)),
                ]))
        let made: [JSONTree.Member] = [.init("organization", Schema.organization), .init("api_key", Self.secret)]
        add("NewKey", Schema.object(made + Self.key))
        add("RotatedKey", Schema.object(made + Self.key + [.init("old_key_expires_at", Schema.time)]))
        add("RevokedKey", Schema.object([.init("key_id", Self.keyID), .init("revoked_at", Schema.time)]))
    }

    private mutating func addOrganizations() {
        add(
            "CreateOrganization",
            Schema.request(
                [
                    .init("organization", Schema.organization),
                    .init("operator", Schema.flag.with(["description": "Forbidden over HTTP when it is true."])),
                ],
                required: ["organization"]))
        add(
            "ListedOrganization",
            Schema.object([.init("organization", Schema.organization), .init("created_at", Schema.time)]))
        let durability = Schema.words(Durability.allCases.map(\.name))
        let families = ["commands", "agents", "sessions", "productivity"]
        add(
            "Organization",
            Schema.object([
                .init("organization", Schema.organization), .init("created_at", Schema.time),
                .init(
                    "retention_days",
                    Schema.object(families.map { .init($0, Schema.count) }).with(["description": "0 keeps for ever."])),
                .init("legal_hold", Schema.flag),
                .init("quota_bytes", Schema.count.with(["description": "0 is no bound."])),
                .init("durability", durability),
            ]))
        add(
            "SetOrganization",
            Schema.request([
                .init(
                    "retention_days",
                    Schema.object(
                        families.map { .init($0, Schema.integer(0, Administration.retentionDaysMax)) }, required: [],
                        ["additionalProperties": false, "minProperties": 1])),
                .init("legal_hold", Schema.flag.with(["description": "Keeps every event, whatever its age."])),
                .init("quota_bytes", Schema.integer(0, Int64.max)),
                .init("durability", durability),
            ]))
    }

    mutating func addService() {
        let statuses = Schema.words(["healthy", "degraded", "unhealthy"])
        add(
            "Health",
            Schema.object(
                [
                    .init("status", statuses), .init("timestamp", Schema.time),
                    .init(
                        "checks",
                        Schema.array(
                            Schema.object([
                                .init("name", Schema.words(["storage", "http"])), .init("status", statuses),
                                .init("message", Schema.text), .init("responseTime", Schema.amount),
                                .init("lastChecked", Schema.time),
                            ]))),
                    .init("uptime", Schema.count.with(["description": "Seconds."])), .init("version", Schema.text),
                ], required: ["status"], ["description": "Strangers get the status and nothing more."]))
        add("Version", Schema.object([.init("name", ["const": "daybook"]), .init("version", Schema.text)]))
    }
}
