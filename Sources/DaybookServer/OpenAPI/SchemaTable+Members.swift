internal import DaybookControl
internal import DaybookFormat
internal import DaybookStore

/// Users, teams and tokens.
extension SchemaTable {
    private static let role = Schema.words(Role.allCases.map(\.rawValue))
    private static let nothing: JSONTree = ["const": ""]

    mutating func addMembers() {
        let user: [JSONTree.Member] = [
            .init("user_id", Schema.user), .init("record_id", Schema.text),
            .init("name", Schema.text(byteCountMax: UserRecord.nameByteCountMax)),
            .init("role", Schema.nullable(["anyOf": [Self.role]])), .init("team_id", Schema.nullable(Schema.user)),
            .init("disabled", Schema.flag), .init("created_at", Schema.time), .init("updated_at", Schema.time),
        ]
        let organization = JSONTree.Member("organization", Schema.organization)
        add("ListedUser", Schema.object(user))
        add("User", Schema.object([organization] + user))
        add(
            "SetUser",
            Schema.request([
                organization, .init("name", Schema.text(byteCountMax: UserRecord.nameByteCountMax)),
                .init("role", ["anyOf": [Self.role, Self.nothing]]),
                .init(
                    "team_id", ["description": "A team of the organization.", "anyOf": [Schema.user, Self.nothing]]),
                .init(
                    "disabled", Schema.flag.with(["description": "Keys and tokens of a disabled user open nothing."])),
            ]))
        add(
            "DeletedUser",
            Schema.object([
                organization, .init("user_id", Schema.user), .init("record_id", Schema.text),
                .init("revoked_key_ids", Schema.array(Schema.text)),
            ]))
        let team: [JSONTree.Member] = [
            .init("team_id", Schema.user), .init("name", Schema.text(byteCountMax: TeamRecord.nameByteCountMax)),
            .init("created_at", Schema.time), .init("updated_at", Schema.time),
        ]
        add("ListedTeam", Schema.object(team + [.init("member_count", Schema.count)]))
        add("Team", Schema.object([organization] + team + [.init("members", Schema.array(Schema.user))]))
        add(
            "SetTeam",
            Schema.request([organization, .init("name", Schema.text(byteCountMax: TeamRecord.nameByteCountMax))]))
        add("DeletedTeam", Schema.object([organization, .init("team_id", Schema.user)]))
        addTokens()
    }

    private mutating func addTokens() {
        add(
            "IssueToken",
            Schema.request([
                .init(
                    "expires_in_seconds",
                    Schema.integer(60, TokenTimes.lifetimeSecondsMax).with([
                        "description": "At most, and when it is missing, what the server is set to."
                    ])),
                .init(
                    "refresh", Schema.flag.with(["description": "Whether a refresh token is wanted.", "default": true])),
            ]))
        add("RefreshToken", Schema.request([.init("refresh_token", Self.token(1_024))], required: ["refresh_token"]))
        add(
            "RevokeToken",
            Schema.request([
                .init("organization", Schema.organization),
                .init(
                    "token_id",
                    Self.token(255).with(["description": "The id of a token, or the `grant_id` of its line."])),
                .init("token", Self.token(TokenText.byteCountMax).with(["description": "The token itself."])),
            ]).with([
                "description": "One of `token_id` and `token`; neither for the access token that asks.",
                "not": [
                    "required": ["token_id", "token"],
                    "properties": ["token_id": ["type": "string"], "token": ["type": "string"]],
                ],
            ]))
        add(
            "IssuedTokens",
            Schema.object([
                .init("access_token", Schema.text), .init("token_type", ["const": "Bearer"]),
                .init("expires_in", Schema.count.with(["description": "Seconds."])), .init("expires_at", Schema.time),
                .init("token_id", Schema.text), .init("refresh_token", Schema.nullable(Schema.text)),
                .init("refresh_expires_at", Schema.nullable(Schema.time)),
                .init("grant_id", Schema.nullable(Schema.text)), .init("organization", Schema.organization),
                .init("user", Schema.user), .init("role", Schema.nullable(["anyOf": [Self.role]])),
                .init("permissions", Schema.array(Schema.words(Permission.allCases.map(\.rawValue)))),
            ]))
        add(
            "RevokedToken",
            Schema.object([
                .init("token_id", Schema.text), .init("organization", Schema.organization),
                .init("revoked_at", Schema.time),
            ]))
        let names = ["kty", "kid", "use", "alg"]
        add(
            "KeySet",
            Schema.object([
                .init(
                    "keys",
                    Schema.array(
                        Schema.object(
                            (names + ["n", "e", "crv", "x", "y"]).map { .init($0, Schema.text) }, required: names,
                            ["description": "A key of RFC 7517."])))
            ]))
    }

    private static func token(_ byteCountMax: Int) -> JSONTree { Schema.text(byteCountMax: byteCountMax) }
}
