import DaybookFormat
import DaybookStore
import DaybookTestSupport
import Testing

@testable import DaybookControl

/// Every administrative verb through both doors: the socket of a running server, and a store that a command has opened
/// itself. Two stores with the same history give the same answers, but for what is made at random.
@Suite(.timeLimit(.minutes(15))) struct BothDoorsTests {
    /// Each request in its turn; `$name` is what an answer before had under that name.
    private static let requests: [(verb: String, fields: String)] = [
        ("org.create", #""organization":"new","operator":true"#), ("org.list", ""), ("org.show", new),
        ("org.set", new + #","quota_bytes":7000000,"retention_days":{"commands":30}"#),
        ("org.set_config", new + #","performance":{"batch_size_limit":5}"#), ("org.show_config", new),
        ("limits.set", new + #","tier":"free""#), ("limits.show", new),
        ("key.create", new + #","role":"viewer","user":"eve""#), ("key.list", new),
        ("key.rotate", #""key_id":"$key_id""#),
        ("team.set", new + #","team_id":"core""#), ("team.show", new + #","team_id":"core""#), ("team.list", new),
        ("user.set", new + #","user_id":"eve","team_id":"core""#), ("user.show", new + #","user_id":"eve""#),
        ("user.list", new), ("token.issue", #""key_id":"$key_id""#),
        ("token.refresh", #""refresh_token":"$refresh_token""#), ("token.list", new),
        ("token.revoke", #""token_id":"$token_id""#), ("token.rotate_key", ""), ("key.revoke", #""key_id":"$key_id""#),
        ("user.delete", new + #","user_id":"eve""#), ("team.delete", new + #","team_id":"core""#),
        ("dlq.list", ""), ("dlq.show", #""dead_letter_id":"$dead_letter_id""#),
        ("dlq.purge", #""dead_letter_id":"$dead_letter_id""#), ("dlq.replay", ""),
        ("org.export", new), ("org.replay", new), ("erase.begin", new + #","user":"eve""#),
        ("erase.status", #""erasure_id":"$erasure_id""#), ("erase.reapply", new), ("audit.list", ""),
        ("org.delete", new),
        // Refusals are answers, too.
        ("org.show", #""organization":"nobody""#), ("key.create", new + #","role":"king""#), ("org.create", ""),
        ("dlq.show", #""dead_letter_id":"00000000000000ff""#), ("no.verb", ""),
    ]

    private static let new = #""organization":"new""#
    /// About the process that runs.
    private static let ofServersOnly: Set = ["config.show", "log.set_level"]
    /// What is made at random, or depends on how far work in the background is.
    private static let random: Set = [
        "api_key", "key_id", "rotated_from", "record_id", "access_token", "refresh_token", "token_id", "grant_id",
        "revoked_key_ids", "erasure_id", "erasure_ids", "user_hash", "dead_letter_id", "signing_key", "target",
        "last_used_at", "state", "phase", "awaited", "certificate", "removed_at", "last_error", "key",
    ]

    @Test func theTableNamesEveryVerb() {
        #expect(
            Set(Administration.verbs.keys)
                == Set(Self.requests.map(\.verb)).subtracting(["no.verb"]).union(Self.ofServersOnly))
    }

    @Test func everyVerbAnswersTheSameThroughBothDoors() async throws {
        try await TestServer.with(hasAdminSocket: true, clock: clock()) { served in
            try await TestServer.with(clock: clock()) { opened in
                var known: [[String: String]] = [[:], [:]]
                for server in [served, opened] {
                    try server.store.appendControl([.deadLettered(Self.letter(1)), .deadLettered(Self.letter(11))])
                }
                for (verb, fields) in Self.requests {
                    var answers: [ParsedJSON] = []
                    for (place, server) in [served, opened].enumerated() {
                        var request = #"{"verb":"\#(verb)"\#(fields.isEmpty ? "" : "," + fields)}"#
                        for (name, value) in known[place] { request = request.replacing("$" + name, with: value) }
                        let answer: ParsedJSON
                        if place == 0 {
                            answer = try await server.ask(request)
                        } else {
                            answer = try ParsedJSON(parsing: server.administration.perform(Array(request.utf8)))
                        }
                        Self.learn(answer, &known[place])
                        answers.append(answer)
                    }
                    #expect(Self.masked(answers[0]) == Self.masked(answers[1]), "\(verb)")
                    #expect(answers[0]["ok"] != nil, "\(verb)")
                }
            }
        }
    }

    @Test func whatIsOnlyOfAServerIsRefusedWithoutOne() async throws {
        try await TestServer.with(hasAdminSocket: true) { server in
            for verb in Self.ofServersOnly.sorted() {
                let request = #"{"verb":"\#(verb)"\#(verb == "log.set_level" ? #","level":"info""# : "")}"#
                #expect(try await server.ask(request)["ok"] == .bool(true))
                let offline = try ParsedJSON(parsing: server.administration.perform(Array(request.utf8)))
                #expect(offline["ok"] == .bool(false), "\(verb)")
            }
        }
    }

    private func clock() -> ManualClock { ManualClock(wallMicroseconds: 1_767_225_600_000_000) }

    private static func letter(_ first: UInt64) -> DeadLetter {
        DeadLetter(
            organization: OrganizationID("acme")!, kind: .compaction, sequences: first...first + 9, subject: "a file",
            attemptCount: 3, firstAttemptAt: Timestamp(microseconds: 1_767_225_600_000_000),
            lastAttemptAt: Timestamp(microseconds: 1_767_225_615_000_000), error: "it failed")
    }

    /// Names at the top of an answer, and of the first element of a list.
    private static func learn(_ answer: ParsedJSON, _ known: inout [String: String]) {
        guard case .object(let members) = answer else { return }
        for (name, value) in members {
            if let text = value.string { known[String(decoding: name, as: UTF8.self)] = text }
            guard case .object(let inner)? = value[0] else { continue }
            for (name, value) in inner where known[String(decoding: name, as: UTF8.self)] == nil {
                if let text = value.string { known[String(decoding: name, as: UTF8.self)] = text }
            }
        }
    }

    private static func masked(_ value: ParsedJSON) -> ParsedJSON {
        switch value {
        case .object(let members):
            var masked: [[UInt8]: ParsedJSON] = [:]
            for (name, value) in members {
                let isRandom = random.contains(String(decoding: name, as: UTF8.self))
                masked[name] = isRandom ? .null : Self.masked(value)
            }
            return .object(masked)
        // Lists that are sorted by what is made at random have any order.
        case .array(let elements): return .array(elements.map(Self.masked).sorted { text($0) < text($1) })
        default: return value
        }
    }

    /// Members in the order of their names, which a dictionary does not keep.
    private static func text(_ value: ParsedJSON) -> String {
        switch value {
        case .object(let members):
            members.map { "\($0.key):\(text($0.value))" }.sorted().joined(separator: ",")
        case .array(let elements): elements.map(text).joined(separator: ";")
        default: "\(value)"
        }
    }
}
