import DaybookFormat
import DaybookStore
import DaybookSystem
import DaybookTestSupport
import Testing

@testable import DaybookControl

/// Refresh tokens: each is used once.
@Suite struct TokenGrantTests {
    private func text(_ issued: IssuedTokens) throws -> String { try #require(issued.refresh?.token.text) }

    private func isRefused(_ fixture: IdentityFixture, _ text: String) -> Bool {
        do {
            _ = try fixture.tokens.refresh(text, .local)
            return false
        } catch TokenAuthority.Failure.refused {
            return true
        } catch {
            Issue.record("\(error)")
            return false
        }
    }

    @Test func eachGivesTheNext() throws {
        let fixture = try IdentityFixture()
        let key = try fixture.make(.developer, user: "ada")
        var issued = try fixture.issue(key)
        var seen: Set<String> = []
        for _ in 0..<10 {
            seen.insert(try text(issued))
            fixture.clock.advance(seconds: 900)
            issued = try fixture.tokens.refresh(try text(issued), .local)
            let credential = try #require(fixture.accepted(issued.access))
            #expect(credential.permissions == Role.developer.permissions)
            #expect(credential.id == key.record.keyID)
        }
        #expect(seen.count == 10)
        let listed = try fixture.ask(#"{"verb":"token.list","organization":"acme"}"#)["tokens"]?[0]
        #expect(listed?["refreshes"]?.unsigned == 10)
        #expect(listed?["user"]?.string == "ada")
        #expect(listed?["revoked_at"] == .null)
    }

    @Test func aSecondUseEndsTheGrantAndItsAccessTokens() throws {
        let fixture = try IdentityFixture()
        let key = try fixture.make(.viewer)
        let other = try fixture.issue(key)
        let first = try fixture.issue(key)
        let second = try fixture.tokens.refresh(try text(first), .local)
        #expect([first, second, other].allSatisfy { fixture.accepted($0.access) != nil })
        #expect(isRefused(fixture, try text(first)))
        #expect(isRefused(fixture, try text(second)))
        #expect([first, second, other].map { fixture.accepted($0.access) != nil } == [false, false, true])
        #expect(!isRefused(fixture, try text(other)))
        let entry = try #require(try fixture.trail().first { $0.action == "token.reuse" })
        #expect(entry.outcome == .unauthorized)
        #expect(entry.actor == .token(entry.target))
        #expect(entry.target.hasPrefix("grant_"))
        #expect(fixture.tokens.counts.usedTwice == 1)
        let listed = try fixture.ask(#"{"verb":"token.list","organization":"acme"}"#)["tokens"]?.elements ?? []
        #expect(listed.compactMap { $0["reason"]?.string } == ["used twice"])
    }

    @Test(arguments: 1..<6)
    func everyEarlierTokenIsKnownAgain(age: Int) throws {
        let fixture = try IdentityFixture()
        var texts = [try text(try fixture.issue(try fixture.make(.viewer)))]
        for _ in 0..<6 { texts.append(try text(try fixture.tokens.refresh(texts[texts.count - 1], .local))) }
        #expect(isRefused(fixture, texts[texts.count - 1 - age]))
        #expect(isRefused(fixture, texts[texts.count - 1]))
    }

    @Test func twoAtOnceAreASecondUse() async throws {
        let fixture = try IdentityFixture()
        let text = try text(try fixture.issue(try fixture.make(.viewer)))
        let tokens = fixture.tokens
        let outcomes = await withTaskGroup(of: Bool.self) { group in
            for _ in 0..<4 {
                group.addTask {
                    await withCheckedContinuation { continuation in
                        _ = SystemThread.start(name: "refresh") {
                            let isGiven = (try? tokens.refresh(text, .local)) != nil
                            continuation.resume(returning: isGiven)
                        }
                    }
                }
            }
            return await group.reduce(into: []) { $0.append($1) }
        }
        #expect(outcomes.filter { $0 }.count == 1)
        #expect(fixture.tokens.counts.usedTwice == 1)
    }

    @Test func grantsOutliveTheProcess() throws {
        let fixture = try IdentityFixture()
        let key = try fixture.make(.viewer)
        let first = try fixture.issue(key)
        let used = try text(first)
        let present = try text(try fixture.tokens.refresh(used, .local))
        // As after a crash: what was not durable is gone.
        let again = try IdentityFixture(fixture.disk.copy().reopen(seed: 5), clock: fixture.clock)
        let next = try again.tokens.refresh(present, .local)
        #expect(again.accepted(next.access) != nil)
        #expect(isRefused(again, used))
        #expect(isRefused(again, try text(next)))
        #expect(again.accepted(next.access) == nil)
    }

    @Test func aGrantEndsHoweverOftenItIsUsed() throws {
        let fixture = try IdentityFixture()
        var issued = try fixture.issue(try fixture.make(.viewer))
        for _ in 0..<6 {
            fixture.clock.advance(seconds: 86_400)
            issued = try fixture.tokens.refresh(try text(issued), .local)
        }
        // Nor does an access token outlive it.
        fixture.clock.advance(seconds: 86_399)
        issued = try fixture.tokens.refresh(try text(issued), .local)
        #expect(issued.endsAt == fixture.now.adding(microseconds: 1_000_000))
        fixture.clock.advance(seconds: 1)
        #expect(fixture.accepted(issued.access) == nil)
        #expect(isRefused(fixture, try text(issued)))
    }

    @Test(arguments: ["revoked", "expired", "rotated"])
    func aGrantEndsWithItsKey(end: String) throws {
        let fixture = try IdentityFixture()
        let key = try fixture.make(.viewer, lifetimeSeconds: end == "expired" ? 100 : nil)
        let refresh = try text(try fixture.issue(key))
        switch end {
        case "revoked": try fixture.registry.revoke(keyID: key.record.keyID)
        case "expired": fixture.clock.advance(seconds: 100)
        default:
            _ = try fixture.registry.rotate(
                keyID: key.record.keyID, organization: nil, graceMicroseconds: 0, expiresAt: nil)
        }
        #expect(isRefused(fixture, refresh))
    }

    @Test func aRevokedGrantGivesNothingAndItsTokensEnd() throws {
        let fixture = try IdentityFixture()
        let issued = try fixture.issue(try fixture.make(.viewer))
        let refresh = try #require(issued.refresh)
        let id = TokenIdentifier.grant(number: refresh.token.grant, keyID: refresh.token.keyID).text
        let revoked = try fixture.tokens.revoke(.text(refresh.token.text), in: IdentityFixture.acme, .local)
        #expect(revoked.id == id)
        #expect(isRefused(fixture, refresh.token.text))
        #expect(fixture.accepted(issued.access) == nil)
        fixture.clock.advance(seconds: 5)
        // Once more changes nothing.
        #expect(try fixture.tokens.revoke(.id(id), in: nil, .local).revokedAt == revoked.revokedAt)
        #expect(try fixture.trail().filter { $0.action == "token.revoke" }.count == 1)
    }

    @Test func noChangedRefreshTokenIsTaken() throws {
        let fixture = try IdentityFixture()
        let other = try IdentityFixture()
        let refresh = try text(try fixture.issue(try fixture.make(.viewer)))
        var texts = ["", "dbr_", refresh + "x", String(refresh.dropLast()), "dbk" + refresh.dropFirst(3)]
        texts.append(try text(try other.issue(try other.make(.viewer))))
        for place in refresh.indices.dropFirst(4) {
            let changed: Character = refresh[place] == "A" ? "B" : "A"
            texts.append(refresh[..<place] + String(changed) + refresh[refresh.index(after: place)...])
        }
        for text in texts { #expect(isRefused(fixture, text), "\(text)") }
        #expect(!isRefused(fixture, refresh))
        #expect(fixture.tokens.counts.usedTwice == 0)
    }

    @Test func aKeyGetsTokensSoOftenAndNoMore() throws {
        let fixture = try IdentityFixture()
        let key = try fixture.make(.viewer)
        for _ in 0..<30 { _ = try fixture.issue(key) }
        let refused = try fixture.ask(#"{"verb":"token.issue","key_id":"\#(key.record.keyID)"}"#)
        #expect(refused["code"]?.string == "rate_limited")
        // Others have an account of their own, and time heals.
        _ = try fixture.issue(try fixture.make(.viewer))
        fixture.clock.advance(seconds: 61)
        _ = try fixture.issue(key)
        #expect(try fixture.trail().filter { $0.action == "token.issue" }.count == 32)
    }

    @Test func aDeniedRefreshOfAKnownGrantIsInTheTrail() throws {
        let fixture = try IdentityFixture()
        let issued = try fixture.issue(try fixture.make(.viewer))
        let refresh = try text(issued)
        _ = try fixture.tokens.revoke(.text(refresh), in: nil, .local)
        let answer = try fixture.ask(#"{"verb":"token.refresh","refresh_token":"\#(refresh)"}"#)
        #expect(answer["code"]?.string == "unauthorized")
        try fixture.trail.flush()
        let entry = try #require(try fixture.trail().first)
        #expect(entry.outcome == .unauthorized)
        #expect(entry.actor.text.hasPrefix("grant_"))
    }
}
