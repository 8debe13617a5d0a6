import DaybookFormat
import DaybookStore
import DaybookTestSupport
import Testing

@testable import DaybookControl

/// Rotation, expiry and last use of keys, on a clock that a test moves.
struct KeyRotationTests {
    private func rotate(_ fixture: IdentityFixture, _ keyID: String, _ more: String = "") throws -> ParsedJSON {
        try fixture.ask(#"{"verb":"key.rotate","key_id":"\#(keyID)"\#(more)}"#)
    }

    private func verifies(_ fixture: IdentityFixture, _ text: String?) -> Bool {
        fixture.registry.verify(Array((text ?? "").utf8), at: fixture.now) != nil
    }

    @Test func bothKeysOpenForADayAndThenTheNewOneAlone() throws {
        let fixture = try IdentityFixture()
        let old = try fixture.make(.developer, user: "ada")
        let made = try rotate(fixture, old.record.keyID)
        let new = try #require(made["api_key"]?.string)
        #expect(made["role"]?.string == "developer")
        #expect(made["user"]?.string == "ada")
        #expect(made["rotated_from"]?.string == old.record.keyID)
        #expect(made["old_key_expires_at"]?.string == "2026-01-02T00:00:00.000000Z")
        fixture.clock.advance(seconds: 86_399)
        #expect(verifies(fixture, old.key.text))
        #expect(verifies(fixture, new))
        fixture.clock.advance(seconds: 1)
        #expect(!verifies(fixture, old.key.text))
        #expect(verifies(fixture, new))
        let again = try fixture.reopened()
        #expect(!verifies(again, old.key.text))
        #expect(verifies(again, new))
    }

    @Test func theGraceIsTheCallersAndNeverLongerThanTheKeysOwnLife() throws {
        let fixture = try IdentityFixture()
        let now = fixture.now
        let hour = try fixture.make(.viewer)
        _ = try rotate(fixture, hour.record.keyID, #","grace_seconds":3600"#)
        let none = try fixture.make(.viewer)
        _ = try rotate(fixture, none.record.keyID, #","grace_seconds":0"#)
        let short = try fixture.make(.viewer, lifetimeSeconds: 60)
        let successor = try rotate(fixture, short.record.keyID)
        #expect(fixture.credential(hour)?.expiresAt == now.adding(microseconds: 3_600_000_000))
        #expect(fixture.credential(none) == nil)
        #expect(fixture.credential(short)?.expiresAt == now.adding(microseconds: 60_000_000))
        // The new key gets as long a life as the old one was given.
        #expect(successor["expires_at"]?.string == "2026-01-01T00:01:00.000000Z")
        let longer = try fixture.make(.viewer, lifetimeSeconds: 60)
        let chosen = try rotate(fixture, longer.record.keyID, #","expires_in_seconds":120"#)
        #expect(chosen["expires_at"]?.string == "2026-01-01T00:02:00.000000Z")
    }

    @Test func aCachedCredentialIsLookedUpAgainAfterARotation() throws {
        let fixture = try IdentityFixture()
        let old = try fixture.make(.viewer)
        let before = fixture.registry.generation
        _ = try rotate(fixture, old.record.keyID)
        #expect(fixture.registry.generation > before)
    }

    @Test func onlyALivingKeyIsRotatedAndOnlyOnce() throws {
        let fixture = try IdentityFixture()
        let revoked = try fixture.make(.viewer)
        _ = try fixture.registry.revoke(keyID: revoked.record.keyID)
        let rotated = try fixture.make(.viewer)
        _ = try rotate(fixture, rotated.record.keyID)
        let expired = try fixture.make(.viewer, lifetimeSeconds: 1)
        fixture.clock.advance(seconds: 1)
        for key in [revoked, rotated, expired] {
            #expect(try rotate(fixture, key.record.keyID)["code"]?.string == "conflict")
        }
        #expect(try rotate(fixture, "key_0000000000000000")["code"]?.string == "not_found")
        #expect(
            try rotate(fixture, rotated.record.keyID, #","organization":"globex""#)["code"]?.string == "not_found")
        for fields in [#","grace_seconds":2592001"#, #","grace_seconds":-1"#, #","expires_in_seconds":0"#] {
            #expect(try rotate(fixture, rotated.record.keyID, fields)["code"]?.string == "validation_failed")
        }
    }

    @Test func aRevokedKeyOpensNothingInItsGrace() throws {
        let fixture = try IdentityFixture()
        let old = try fixture.make(.viewer)
        _ = try rotate(fixture, old.record.keyID)
        _ = try fixture.registry.revoke(keyID: old.record.keyID)
        #expect(fixture.credential(old) == nil)
    }

    // MARK: - Last use

    private func lastUse(_ fixture: IdentityFixture, _ key: MadeKey) -> Timestamp? {
        fixture.registry.list(organization: IdentityFixture.acme)
            .first { $0.record.keyID == key.record.keyID }?.lastUsedAt
    }

    private func use(_ fixture: IdentityFixture, _ key: MadeKey) throws -> Timestamp {
        #expect(try #require(fixture.credential(key)).admits(at: fixture.now))
        return fixture.now
    }

    @Test func theLastUseIsKnownToTheSecondAndOutlivesAStop() throws {
        let fixture = try IdentityFixture()
        let key = try fixture.make(.viewer)
        let unused = try fixture.make(.viewer)
        #expect(lastUse(fixture, key) == nil)
        _ = try use(fixture, key)
        fixture.clock.advance(seconds: 2)
        let last = try use(fixture, key)
        #expect(lastUse(fixture, key) == last)
        try fixture.trail.flush(isLast: true)
        let again = try fixture.reopened()
        #expect(lastUse(again, key) == last)
        #expect(lastUse(again, unused) == nil)
    }

    @Test func aUseIsWrittenOnceADayHoweverOftenThereIsOne() throws {
        let fixture = try IdentityFixture()
        let key = try fixture.make(.viewer)
        let first = try use(fixture, key)
        try fixture.trail.flush()
        for _ in 0..<23 {
            fixture.clock.advance(seconds: 3_600)
            _ = try use(fixture, key)
            try fixture.trail.flush()
        }
        #expect(fixture.store.controlState.lastUses == [key.record.keyID: first])
        fixture.clock.advance(seconds: 3_600)
        let next = try use(fixture, key)
        try fixture.trail.flush()
        #expect(fixture.store.controlState.lastUses == [key.record.keyID: next])
    }

    @Test func anExpiredKeyIsNotUsed() throws {
        let fixture = try IdentityFixture()
        let key = try fixture.make(.viewer, lifetimeSeconds: 10)
        let credential = try #require(fixture.credential(key))
        fixture.clock.advance(seconds: 10)
        #expect(!credential.admits(at: fixture.now))
        #expect(lastUse(fixture, key) == nil)
    }
}
