import DaybookFormat
import DaybookStore
import DaybookSystem
import DaybookTestSupport
import Testing

@testable import DaybookControl

/// What is written of administrative acts and denied accesses, and how little a client can make of it.
struct AuditTrailTests {
    private func origin(_ credential: Credential, requestID: String = "") -> RequestOrigin {
        RequestOrigin(
            credential: credential, route: "GET /api/v1/audit", requestID: requestID, address: "192.0.2.7")
    }

    @Test func everyVerbThatChangesSomethingLeavesItsEntry() throws {
        let fixture = try IdentityFixture()
        let organization = try fixture.ask(#"{"verb":"org.create","organization":"new"}"#)
        let first = try #require(organization["key_id"]?.string)
        let made = try fixture.ask(#"{"verb":"key.create","organization":"new","role":"viewer"}"#)
        let keyID = try #require(made["key_id"]?.string)
        let rotated = try fixture.ask(#"{"verb":"key.rotate","key_id":"\#(keyID)"}"#)
        let newID = try #require(rotated["key_id"]?.string)
        _ = try fixture.ask(#"{"verb":"key.revoke","key_id":"\#(newID)"}"#)
        _ = try fixture.ask(#"{"verb":"org.set","organization":"new","quota_bytes":7}"#)
        _ = try fixture.ask(#"{"verb":"limits.set","organization":"new","tier":"free"}"#)
        _ = try fixture.ask(#"{"verb":"org.set_config","organization":"new","performance":{"batch_size_limit":5}}"#)
        _ = try fixture.ask(#"{"verb":"team.set","organization":"new","team_id":"core"}"#)
        let user = try fixture.ask(#"{"verb":"user.set","organization":"new","user_id":"eve","name":"Eve"}"#)
        let recordID = try #require(user["record_id"]?.string)
        let ofEve = try fixture.ask(#"{"verb":"key.create","organization":"new","role":"viewer","user":"eve"}"#)
        let keyOfEve = try #require(ofEve["key_id"]?.string)
        _ = try fixture.ask(#"{"verb":"user.delete","organization":"new","user_id":"eve"}"#)
        _ = try fixture.ask(#"{"verb":"team.delete","organization":"new","team_id":"core"}"#)
        let issued = try fixture.ask(#"{"verb":"token.issue","key_id":"\#(first)"}"#)
        let tokenID = try #require(issued["token_id"]?.string)
        _ = try fixture.ask(#"{"verb":"token.revoke","token_id":"\#(tokenID)"}"#)
        let erasure = try fixture.ask(#"{"verb":"erase.begin","organization":"new","user":"ada"}"#)
        let erasureID = try #require(erasure["erasure_id"]?.string)
        _ = try fixture.ask(#"{"verb":"erase.reapply","organization":"new"}"#)
        _ = try fixture.ask(#"{"verb":"team.set","organization":"new","team_id":"edge"}"#)
        _ = try fixture.ask(#"{"verb":"user.set","organization":"new","user_id":"bob","team_id":"edge"}"#)
        _ = try fixture.ask(#"{"verb":"org.export","organization":"new"}"#)
        _ = try fixture.ask(#"{"verb":"org.replay","organization":"new"}"#)
        _ = try fixture.ask(#"{"verb":"org.export","organization":"nobody"}"#)
        // These change nothing, or fail.
        for request in [
            #"{"verb":"org.show","organization":"new"}"#, #"{"verb":"org.list"}"#,
            #"{"verb":"key.list","organization":"new"}"#, #"{"verb":"key.revoke","key_id":"\#(newID)"}"#,
            #"{"verb":"limits.show","organization":"new"}"#, #"{"verb":"limits.set","organization":"new"}"#,
            #"{"verb":"org.set","organization":"new"}"#, #"{"verb":"audit.list","organization":"new"}"#,
            #"{"verb":"erase.status","erasure_id":"\#(erasureID)"}"#,
            #"{"verb":"org.show_config","organization":"new"}"#,
            #"{"verb":"org.set_config","organization":"new","performance":{"batch_size_limit":5}}"#,
            #"{"verb":"user.list","organization":"new"}"#, #"{"verb":"team.list","organization":"new"}"#,
            #"{"verb":"user.show","organization":"new","user_id":"bob"}"#,
            #"{"verb":"user.set","organization":"new","user_id":"bob","team_id":"edge"}"#,
            #"{"verb":"user.delete","organization":"new","user_id":"eve"}"#,
            #"{"verb":"team.show","organization":"new","team_id":"edge"}"#,
            #"{"verb":"team.set","organization":"new","team_id":"edge"}"#,
            #"{"verb":"team.delete","organization":"new","team_id":"edge"}"#,
            #"{"verb":"token.list","organization":"new"}"#, #"{"verb":"token.revoke","token_id":"\#(tokenID)"}"#,
            #"{"verb":"token.issue","key_id":"\#(newID)"}"#,
        ] { _ = try fixture.ask(request) }
        let bob = try #require(fixture.store.members(of: OrganizationID("new")!).user("bob")?.record.recordID)
        _ = try fixture.ask(#"{"verb":"org.delete","organization":"new"}"#)
        _ = try fixture.ask(#"{"verb":"org.delete","organization":"new"}"#)
        let entries = try fixture.trail(of: OrganizationID("new")!)
        #expect(
            entries.reversed().map { "\($0.action) \($0.target)" } == [
                "org.create new", "key.create \(first)", "key.create \(keyID)", "key.rotate \(keyID)",
                "key.create \(newID)", "key.revoke \(newID)", "org.set new", "limits.set new",
                "org.set_config new", "team.set core", "user.set \(recordID)", "key.create \(keyOfEve)",
                "key.revoke \(keyOfEve)", "user.delete \(recordID)", "team.delete core",
                "token.issue \(tokenID)", "token.revoke \(tokenID)",
                "erase.begin \(erasureID)",
                "erase.reapply ", "team.set edge", "user.set \(bob)", "org.export new", "org.replay new",
                "org.delete new",
            ])
        #expect(entries.allSatisfy { $0.actor == .local && $0.outcome == .done && $0.count == 1 })
        #expect(try fixture.trail().isEmpty)
    }

    /// Which verbs are acts is said here once more: a new one has to be put in one of the lists.
    @Test func theListsOfThisTestNameEveryVerb() {
        let acts: Set = [
            "org.create", "org.set", "limits.set", "key.create", "key.rotate", "key.revoke", "erase.begin",
            "erase.reapply", "org.export", "org.replay",
            "log.set_level", "dlq.replay", "dlq.purge", "user.set", "user.delete", "team.set", "team.delete",
            "org.set_config", "org.delete", "token.issue", "token.revoke", "token.rotate_key",
        ]
        // Each leaves an act in the control log, and an entry when it fails.
        let uses: Set = ["token.refresh"]
        let questions: Set = [
            "org.list", "org.show", "limits.show", "key.list", "erase.status", "config.show", "audit.list",
            "dlq.list", "dlq.show", "user.list", "user.show", "team.list", "team.show", "org.show_config", "token.list",
        ]
        #expect(Set(Administration.verbs.keys) == acts.union(questions).union(uses))
    }

    @Test func aFewDenialsAreWrittenOneByOneAndTheRestIsCounted() throws {
        let fixture = try IdentityFixture()
        let credential = try #require(fixture.credential(try fixture.make(.viewer)))
        for _ in 0..<500 { fixture.trail.noteDenial(origin(credential), .forbidden) }
        try fixture.trail.flush()
        #expect(try fixture.trail().map(\.count) == Array(repeating: 1, count: 10))
        // One in ten minutes, which stands for all that were not written.
        fixture.clock.advance(seconds: 599)
        try fixture.trail.flush()
        #expect(try fixture.trail().count == 10)
        fixture.clock.advance(seconds: 1)
        for _ in 0..<10 { fixture.trail.noteDenial(origin(credential), .unauthorized) }
        try fixture.trail.flush()
        #expect(try fixture.trail().first?.count == 491)
        #expect(try fixture.trail().first?.outcome == .unauthorized)
        fixture.clock.advance(seconds: 600)
        try fixture.trail.flush()
        #expect(try fixture.trail().reduce(0) { $0 + $1.count } == 510)
        #expect(try fixture.trail().count == 12)
    }

    @Test func manyKeysTogetherWriteNoMoreThanTheStoreAllows() throws {
        let fixture = try IdentityFixture()
        for _ in 0..<120 {
            let credential = try #require(fixture.credential(try fixture.make(.viewer)))
            for _ in 0..<10 { fixture.trail.noteDenial(origin(credential), .forbidden) }
        }
        try fixture.trail.flush()
        #expect(try fixture.trail().count == 1_000)
        try fixture.trail.flush(isLast: true)
        #expect(try fixture.trail().reduce(0) { $0 + $1.count } == 1_200)
    }

    @Test func theEndOfTheProcessWritesWhatWaits() throws {
        let fixture = try IdentityFixture()
        let credential = try #require(fixture.credential(try fixture.make(.viewer)))
        for _ in 0..<30 { fixture.trail.noteDenial(origin(credential), .forbidden) }
        try fixture.trail.flush(isLast: true)
        let again = try fixture.reopened()
        #expect(try again.trail().reduce(0) { $0 + $1.count } == 30)
        #expect(try again.trail().first?.address == "192.0.2.7")
        #expect(try again.trail().first?.route == "GET /api/v1/audit")
        #expect(try again.trail().first?.actor == .key(credential.id))
    }

    @Test func pagesFollowTheCursorAndNumbersTellNothingOfOthers() throws {
        let fixture = try IdentityFixture()
        for number in 0..<5 {
            _ = try fixture.ask(#"{"verb":"key.create","organization":"acme","name":"\#(number)"}"#)
            _ = try fixture.ask(#"{"verb":"key.create","organization":"globex"}"#)
        }
        var numbers: [UInt64] = []
        var cursor = ""
        repeat {
            let page = try fixture.ask(#"{"verb":"audit.list","organization":"acme","limit":2\#(cursor)}"#)
            numbers += (page["items"]?.elements ?? []).compactMap { $0["number"]?.unsigned }
            // What comes meanwhile moves nothing.
            _ = try fixture.ask(#"{"verb":"key.create","organization":"acme"}"#)
            cursor = page["pagination"]?["next_cursor"]?.string.map { #","cursor":"\#($0)""# } ?? ""
        } while !cursor.isEmpty
        #expect(numbers == [5, 4, 3, 2, 1])
        let whole = try fixture.ask(#"{"verb":"audit.list","limit":1}"#)
        #expect(whole["items"]?[0]?["number"]?.unsigned == 13)
        #expect(whole["pagination"]?["has_more"] == .bool(true))
        for cursor in ["0", "-1", "x", ""] {
            let bad = try fixture.ask(#"{"verb":"audit.list","organization":"acme","cursor":"\#(cursor)"}"#)
            #expect(bad["code"]?.string == "invalid_query", "\(cursor)")
        }
    }

    @Test func readersWithoutALockSeeTheSame() throws {
        let fixture = try IdentityFixture()
        for _ in 0..<3 { _ = try fixture.ask(#"{"verb":"key.create","organization":"acme"}"#) }
        let expected = try fixture.store.auditPage(AuditQuery(organization: IdentityFixture.acme, limit: 2))
        fixture.close()
        let reader = try ReadOnlyStore.open(disk: fixture.disk)
        #expect(try reader.auditPage(AuditQuery(organization: IdentityFixture.acme, limit: 2)) == expected)
        #expect(expected.hasMore)
    }

    /// Nothing that a client or an administrator says finds its way into the trail unless it is an id of ours.
    @Test(.timeLimit(.minutes(15)))
    func noNameOfAForgottenUserStaysInTheTrail() throws {
        let fixture = try IdentityFixture(isReal: true)
        let user = "zqx7-ada"
        let made = try fixture.ask(
            #"{"verb":"key.create","organization":"acme","name":"\#(user)'s","user":"\#(user)","role":"developer"}"#)
        // The record of the user, changed, ended, and made again.
        for name in ["Z zqx7", "Y zqx7 the second"] {
            let set = #"{"verb":"user.set","organization":"acme","user_id":"\#(user)","name":"\#(name)"}"#
            #expect(try fixture.ask(set)["record_id"]?.string != nil)
        }
        let second = "zqx7-bob"
        _ = try fixture.ask(#"{"verb":"user.set","organization":"acme","user_id":"\#(second)","name":"B zqx7"}"#)
        _ = try fixture.ask(#"{"verb":"user.delete","organization":"acme","user_id":"\#(second)"}"#)
        _ = try fixture.ask(#"{"verb":"user.set","organization":"acme","user_id":"\#(second)","name":"B again zqx7"}"#)
        let key = try #require(made["api_key"]?.string)
        let keyID = try #require(made["key_id"]?.string)
        let credential = try #require(fixture.registry.verify(Array(key.utf8), at: fixture.now))
        fixture.trail.noteDenial(origin(credential, requestID: user), .forbidden)
        try fixture.trail.flush(isLast: true)
        let pause = Wakeup()
        for user in [user, second] {
            let begun = try fixture.ask(#"{"verb":"erase.begin","organization":"acme","user":"\#(user)"}"#)
            let id = try #require(begun["erasure_id"]?.string)
            while try fixture.ask(#"{"verb":"erase.status","erasure_id":"\#(id)"}"#)["state"]?.string != "done" {
                pause.wait(microseconds: 2_000)
            }
        }
        #expect(fixture.store.members(of: IdentityFixture.acme).userCount == 0)
        let replayed = try ReadOnlyStore.open(disk: fixture.disk).controlEvents()
        #expect(replayed.contains { if case .members = $0 { true } else { false } })
        #expect(try fixture.trail().contains { $0.actor == .key(keyID) && $0.requestID.isEmpty })
        let bytes = fixture.disk.image().files.values
        #expect(!bytes.contains { String(decoding: $0, as: UTF8.self).contains("zqx7") })
    }

    @Test func onlyRequestIDsThatAreUUIDsAreKept() throws {
        let fixture = try IdentityFixture()
        let credential = try #require(fixture.credential(try fixture.make(.viewer)))
        let uuid = "01900000-0000-7000-8000-00000000000A"
        #expect(origin(credential, requestID: uuid).requestID == uuid)
        for text in ["ada", "", uuid + "0", "01900000+0000-7000-8000-00000000000A", "g" + uuid.dropFirst()] {
            #expect(origin(credential, requestID: text).requestID == "")
        }
    }
}
