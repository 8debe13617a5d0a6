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
        let issued = try fixture.ask(#"{"verb":"token.issue","key_id":"\#(first)"}"#)
        let tokenID = try #require(issued["token_id"]?.string)
        _ = try fixture.ask(#"{"verb":"token.revoke","token_id":"\#(tokenID)"}"#)
        let erasure = try fixture.ask(#"{"verb":"erase.begin","organization":"new","user":"ada"}"#)
        let erasureID = try #require(erasure["erasure_id"]?.string)
        _ = try fixture.ask(#"{"verb":"erase.reapply","organization":"new"}"#)
        // These change nothing, or fail.
        for request in [
            #"{"verb":"org.show","organization":"new"}"#, #"{"verb":"org.list"}"#,
            #"{"verb":"key.list","organization":"new"}"#, #"{"verb":"key.revoke","key_id":"\#(newID)"}"#,
            #"{"verb":"limits.show","organization":"new"}"#, #"{"verb":"limits.set","organization":"new"}"#,
            #"{"verb":"org.set","organization":"new"}"#, #"{"verb":"audit.list","organization":"new"}"#,
            #"{"verb":"erase.status","erasure_id":"\#(erasureID)"}"#,
            #"{"verb":"token.list","organization":"new"}"#, #"{"verb":"token.revoke","token_id":"\#(tokenID)"}"#,
            #"{"verb":"token.issue","key_id":"\#(newID)"}"#,
        ] { _ = try fixture.ask(request) }
        let entries = try fixture.trail(of: OrganizationID("new")!)
        #expect(
            entries.reversed().map { "\($0.action) \($0.target)" } == [
                "org.create new", "key.create \(first)", "key.create \(keyID)", "key.rotate \(keyID)",
                "key.create \(newID)", "key.revoke \(newID)", "org.set new", "limits.set new",
                "token.issue \(tokenID)", "token.revoke \(tokenID)",
                "erase.begin \(erasureID)",
                "erase.reapply ",
            ])
        #expect(entries.allSatisfy { $0.actor == .local && $0.outcome == .done && $0.count == 1 })
        #expect(try fixture.trail().isEmpty)
    }

    /// Which verbs are acts is said here once more: a new one has to be put in one of the lists.
    @Test func theListsOfThisTestNameEveryVerb() {
        let acts: Set = [
            "org.create", "org.set", "limits.set", "key.create", "key.rotate", "key.revoke", "erase.begin",
            "erase.reapply",
            "log.set_level", "token.issue", "token.revoke", "token.rotate_key",
        ]
        // Each leaves an act in the control log, and an entry when it fails.
        let uses: Set = ["token.refresh"]
        let questions: Set = [
            "org.list", "org.show", "limits.show", "key.list", "erase.status", "config.show", "audit.list",
            "token.list",
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
    @Test(.timeLimit(.minutes(2)))
    func noNameOfAForgottenUserStaysInTheTrail() throws {
        let fixture = try IdentityFixture(isReal: true)
        let user = "zqx7-ada"
        let made = try fixture.ask(
            #"{"verb":"key.create","organization":"acme","name":"\#(user)'s","user":"\#(user)","role":"developer"}"#)
        let key = try #require(made["api_key"]?.string)
        let keyID = try #require(made["key_id"]?.string)
        let credential = try #require(fixture.registry.verify(Array(key.utf8), at: fixture.now))
        fixture.trail.noteDenial(origin(credential, requestID: user), .forbidden)
        try fixture.trail.flush(isLast: true)
        let begun = try fixture.ask(#"{"verb":"erase.begin","organization":"acme","user":"\#(user)"}"#)
        let id = try #require(begun["erasure_id"]?.string)
        let pause = Wakeup()
        while try fixture.ask(#"{"verb":"erase.status","erasure_id":"\#(id)"}"#)["state"]?.string != "done" {
            pause.wait(microseconds: 2_000)
        }
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
