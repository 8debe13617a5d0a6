/// Bodies of administrative requests, and sessions and imports that go wrong.
extension BadInputs {
    private static let keyPath = "/api/v1/keys"
    private static let organizationPath = "/api/v1/organizations"
    private static let rotation = "/api/v1/keys/key_0000000000000000/rotate"

    private static func unread(_ name: String, _ text: String) -> BadInput {
        BadInput(name, .body(Array(text.utf8), target: keyPath), 400, "invalid_json")
    }

    private static func key(_ name: String, _ text: String, _ field: String) -> BadInput {
        .wrong("a key with " + name, text, field, keyPath)
    }

    static let administration: [BadInput] = [
        unread("a key whose body is open", "{"),
        unread("a key whose body is an array", "[]"),
        unread("a key whose body is a text", "\"key\""),
        unread("a key whose body has a comma too many", #"{"name":"a",}"#),
        unread("a key whose body has a name twice", #"{"name":"a","name":"b"}"#),
        unread("a key whose body has a leading zero", #"{"expires_in_seconds":010}"#),
        unread("a key whose body has a plus", #"{"expires_in_seconds":+1}"#),
        unread("a key whose body has half a character", #"{"name":"\ud800"}"#),
        unread("a key whose body has a bare line break", "{\"name\":\"a\nb\"}"),
        unread("a key whose body is deep", String(repeating: "{\"name\":", count: 200)),
        BadInput(
            "a key whose body is not UTF-8",
            .body(Array("{\"name\":\"".utf8) + [0xFF] + Array("\"}".utf8), target: keyPath), 400, "invalid_json"),
        key("a field that nobody knows", #"{"colour":"red"}"#, "colour"),
        key("a verb of its own", #"{"verb":"org.create"}"#, "verb"),
        key("an id of its own", #"{"key_id":"key_1"}"#, "key_id"),
        key("a role that nobody knows", #"{"role":"root"}"#, "role"),
        key("a role that is a number", #"{"role":1}"#, "role"),
        key("scopes that nobody knows", #"{"scopes":["everything"]}"#, "scopes"),
        key("no scope in a list", #"{"scopes":[]}"#, "scopes"),
        key("scopes in one text", #"{"scopes":"ingest,read"}"#, "scopes"),
        key("a scope that is a number", #"{"scopes":["read",1]}"#, "scopes"),
        key("a user with a space", #"{"user":"ada lovelace"}"#, "user"),
        key("an empty user", #"{"user":""}"#, "user"),
        key("a user of 129", "{\"user\":\"\(String(repeating: "u", count: 129))\"}", "user"),
        key("a name of 256", "{\"name\":\"\(String(repeating: "n", count: 256))\"}", "name"),
        key("a name that is a number", #"{"name":7}"#, "name"),
        key("an end at once", #"{"expires_in_seconds":0}"#, "expires_in_seconds"),
        key("an end in the past", #"{"expires_in_seconds":-1}"#, "expires_in_seconds"),
        key("an end in more than a hundred years", #"{"expires_in_seconds":3155760001}"#, "expires_in_seconds"),
        key("an end beyond 64 bits", #"{"expires_in_seconds":99999999999999999999}"#, "expires_in_seconds"),
        key("half a second", #"{"expires_in_seconds":0.5}"#, "expires_in_seconds"),
        key("an end in words", #"{"expires_in_seconds":"soon"}"#, "expires_in_seconds"),
        key("an operator in words", #"{"operator":"yes"}"#, "operator"),
        key("an organization with a capital", #"{"organization":"Acme"}"#, "organization"),
        .wrong("a rotation with a negative grace", #"{"grace_seconds":-1}"#, "grace_seconds", rotation),
        .wrong("a rotation with a grace of 31 days", #"{"grace_seconds":2678400}"#, "grace_seconds", rotation),
        .wrong("a rotation with another id", #"{"key_id":"key_1"}"#, "key_id", rotation),
        BadInput("keys with a limit of zero", .target(keyPath + "?limit=0"), 400, "invalid_query", "limit"),
        BadInput("keys with a limit of words", .target(keyPath + "?limit=all"), 400, "invalid_query", "limit"),
        BadInput("keys with two limits", .target(keyPath + "?limit=1&limit=2"), 400, "invalid_query", "limit"),
        BadInput(
            "keys with a parameter that nobody knows", .target(keyPath + "?role=admin"), 400, "invalid_query", "role"),
        BadInput(
            "keys of an organization that is none", .target(keyPath + "?organization=A%20B"), 400, "validation_failed",
            "organization"),
        BadInput("the trail with a bad escape", .target("/api/v1/audit?limit=%f"), 400, "invalid_query", "limit"),
        BadInput(
            "the end of a key with a parameter", .target(keyPath + "/key_1?force=true", method: "DELETE"), 400,
            "invalid_query", "force"),
        BadInput(
            "the end of an organization's key that is none",
            .target(keyPath + "/key_1?organization=-", method: "DELETE"), 400, "validation_failed", "organization"),
        operators("an organization with a capital in its name", #"{"organization":"Acme"}"#),
        operators("an organization with a hyphen in front", #"{"organization":"-acme"}"#),
        operators("an organization of 64 letters", "{\"organization\":\"\(String(repeating: "a", count: 64))\"}"),
        operators("an organization with a path", #"{"organization":"../acme"}"#),
        operators("an organization without a name", "{}"),
        operators("an organization that is a number", #"{"organization":7}"#),
        BadInput("an organization that is there", operators(#"{"organization":"acme"}"#), 409, "conflict"),
    ]

    private static func operators(_ body: String) -> BadInput.Request {
        .shown(
            { server in try server.make(.admin, isOperator: true).key.text }, method: "POST", target: organizationPath,
            body: body)
    }

    private static func operators(_ name: String, _ body: String) -> BadInput {
        BadInput(name, operators(body), 400, "validation_failed", "organization")
    }

    // MARK: Sessions

    private static let change = "/api/v1/metrics/session/s1"

    private static func session(_ name: String, _ text: String, _ field: String) -> BadInput {
        .wrong(name, text, field, change, method: "PUT")
    }

    static let sessions: [BadInput] = [
        session("a session's count below zero", #"{"commands_executed":-1}"#, "commands_executed"),
        session("a session's count with a fraction", #"{"commands_executed":1.5}"#, "commands_executed"),
        session("a session's score above 100", #"{"productivity_score":100.01}"#, "productivity_score"),
        session("a session's score below zero", #"{"productivity_score":-0.5}"#, "productivity_score"),
        session("a session's status of events", #"{"status":"success"}"#, "status"),
        session("a session's agents in one text", #"{"agents_used":"a,b"}"#, "agents_used"),
        session("a session's agent with a space", #"{"agents_used":["a","b c"]}"#, "agents_used[1]"),
        session("a session's agent that is a number", #"{"agents_used":[7]}"#, "agents_used[0]"),
        session(
            "a session's 257 agents", "{\"agents_used\":[\((0...256).map { "\"a\($0)\"" }.joined(separator: ","))]}",
            "agents_used"),
        session("a session that contradicts its path", #"{"session_id":"s2"}"#, "session_id"),
        session("a session's field of commands", #"{"command_name":"a"}"#, "command_name"),
        .wrong(
            "a session with a space in its path", "{}", "session_id", "/api/v1/metrics/session/a%20b", method: "PUT"),
        .wrong("a session with a NUL in its path", "{}", "session_id", "/api/v1/metrics/session/a%00", method: "PUT"),
        .wrong(
            "a session that is not UTF-8 in its path", "{}", "session_id", "/api/v1/metrics/session/%ff", method: "PUT"),
        .wrong(
            "a session of 129 in its path", "{}", "session_id",
            "/api/metrics/sessions/\(String(repeating: "s", count: 129))/end"),
        .wrong("the end of a session without a name", "{}", "session_id", "/api/v1/metrics/session/end"),
        .wrong(
            "the begin of a session with a status", #"{"status":"active"}"#, "status", "/api/v1/metrics/session/start"),
        .wrong(
            "a whole session without its begin", #"{"user_sessions":[{"status":"completed"}]}"#,
            "user_sessions[0].session_start", BadInput.batch),
        .wrong(
            "a whole session that is active and over",
            #"{"user_sessions":[{"session_start":0,"session_end":1,"status":"active"}]}"#,
            "user_sessions[0].session_end", BadInput.batch),
        BadInput(
            "a session that nobody has",
            .body(Array("{}".utf8), method: "PUT", target: "/api/v1/metrics/session/nobody"), 404, "not_found"),
        BadInput(
            "a session that nobody has, by name",
            .body(Array(#"{"session_id":"nobody"}"#.utf8), target: "/api/v1/metrics/session/end"), 404, "not_found"),
        BadInput(
            "a session with a bad escape in its path",
            .body(Array("{}".utf8), method: "PUT", target: "/api/v1/metrics/session/%zz"), 404, "not_found"),
        .wrong("a batch of nothing", "{}", "body", BadInput.batch),
        .wrong("a batch of empty lists", #"{"command_executions":[],"agent_interactions":[]}"#, "body", BadInput.batch),
        .wrong(
            "a batch whose list is an object", #"{"command_executions":{"0":{}}}"#, "command_executions", BadInput.batch
        ),
        .wrong("a batch of null", #"{"command_executions":[null]}"#, "command_executions[0]", BadInput.batch),
        .wrong("a batch with a list that nobody knows", "{\"events\":[{\(BadInput.whole)}]}", "events", BadInput.batch),
        .wrong(
            "a batch with one bad event among good ones",
            "{\"command_executions\":[{\(BadInput.whole)},{\(BadInput.whole),\"x\":1},{\(BadInput.whole)}]}",
            "command_executions[1].x", BadInput.batch),
        .wrong(
            "a batch with a time that is none", "{\"command_executions\":[{\(BadInput.whole)}],\"timestamp\":\"noon\"}",
            "timestamp", BadInput.batch),
    ]
}
