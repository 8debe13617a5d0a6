import DaybookFormat
import DaybookStore
import DaybookSystem
import DaybookTestSupport
import Testing

@testable import DaybookControl

/// Access tokens: what they are worth, and when no more.
@Suite struct TokenAuthorityTests {
    @Test(arguments: SigningAlgorithm.allCases)
    func everyAlgorithmSignsAndVerifies(algorithm: SigningAlgorithm) throws {
        var options = TokenOptions()
        options.algorithm = algorithm
        let fixture = try IdentityFixture(tokens: options)
        let issued = try fixture.issue(try fixture.make(.developer, user: "ada"))
        let text = try #require(TokenText(Array(issued.access.utf8)))
        #expect(text.algorithm == algorithm.rawValue)
        #expect(text.type == "at+jwt")
        #expect(fixture.accepted(issued.access)?.actor == .token(issued.id))
        // The same keys, read from their file.
        let again = try fixture.reopened()
        #expect(again.accepted(issued.access) != nil)
        let members = String(decoding: try again.tokens.publicKeySet(), as: UTF8.self)
        #expect(members.contains(text.keyName) && members.contains(algorithm.rawValue))
    }

    @Test func theClaimsSayWhoAndWhat() throws {
        let fixture = try IdentityFixture()
        let key = try fixture.make(.developer, user: "ada")
        let issued = try fixture.issue(key)
        let token = try #require(TokenText(Array(issued.access.utf8)))
        let keyID = key.record.keyID
        for (name, value) in [
            ("sub", "ada"), ("iss", "daybook"), ("aud", "daybook"), ("jti", issued.id), ("azp", keyID),
            ("org", "acme"), ("role", "developer"),
        ] { #expect(token.text(name) == value) }
        #expect(token.time("iat") == fixture.now)
        #expect(token.time("nbf") == fixture.now)
        #expect(token.time("exp") == fixture.now.adding(microseconds: 900 * 1_000_000))
        #expect(
            token.claims["permissions"]?.arrayValue?.compactMap(\.stringValue) == Role.developer.permissions.names)
        #expect(issued.id.hasSuffix("_" + keyID))
    }

    @Test(arguments: Role.allCases)
    func aTokenMayDoWhatItsKeyMay(role: Role) throws {
        let fixture = try IdentityFixture()
        let key = try fixture.make(role, user: "ada", isOperator: role == .admin)
        let whole = try #require(fixture.credential(key))
        let token = try #require(fixture.accepted(try fixture.issue(key).access))
        #expect(token.permissions == whole.permissions)
        #expect(token.organization == whole.organization)
        #expect(token.defaultUser == whole.defaultUser)
        #expect(token.id == whole.id)
    }

    @Test func aTokenEndsToTheSecond() throws {
        let fixture = try IdentityFixture()
        let issued = try fixture.issue(try fixture.make(.viewer))
        fixture.clock.advance(seconds: 899)
        #expect(fixture.accepted(issued.access) != nil)
        fixture.clock.advance(microseconds: 999_999)
        #expect(fixture.accepted(issued.access) != nil)
        fixture.clock.advance(microseconds: 1)
        #expect(fixture.accepted(issued.access) == nil)
        #expect(fixture.refused(issued.access).holder?.actor == .token(issued.id))
    }

    @Test func aClockThatIsSetBackALittleEndsNothing() throws {
        let fixture = try IdentityFixture()
        let issued = try fixture.issue(try fixture.make(.viewer))
        let issuedAt = fixture.now.microseconds
        fixture.clock.setWall(microseconds: issuedAt - 60 * 1_000_000)
        #expect(fixture.accepted(issued.access) != nil)
        let other = try fixture.issue(try fixture.make(.viewer))
        fixture.clock.setWall(microseconds: issuedAt - 121 * 1_000_000)
        #expect(fixture.accepted(other.access) == nil)
        #expect(fixture.refused(other.access).holder != nil)
        // It was too early, and is so no longer.
        fixture.clock.setWall(microseconds: issuedAt)
        #expect(fixture.accepted(other.access) != nil)
    }

    @Test(arguments: ["revoked", "expired", "rotated"])
    func aTokenEndsWithItsKey(end: String) throws {
        let fixture = try IdentityFixture()
        let key = try fixture.make(.viewer, lifetimeSeconds: end == "expired" ? 100 : nil)
        let token = try fixture.issue(key).access
        #expect(fixture.accepted(token) != nil)
        switch end {
        case "revoked": try fixture.registry.revoke(keyID: key.record.keyID)
        case "expired": fixture.clock.advance(seconds: 100)
        default:
            _ = try fixture.registry.rotate(
                keyID: key.record.keyID, organization: nil, graceMicroseconds: 50_000_000, expiresAt: nil)
            #expect(fixture.accepted(token) != nil)
            fixture.clock.advance(seconds: 50)
        }
        #expect(fixture.accepted(token) == nil)
        #expect(fixture.refused(token).holder?.id == key.record.keyID)
        #expect(throws: (any Error).self) { try fixture.issue(key) }
    }

    @Test func theErasureOfTheUserEndsTokens() throws {
        let fixture = try IdentityFixture()
        let issued = try fixture.issue(try fixture.make(.developer, user: "ada"))
        let other = try fixture.issue(try fixture.make(.developer, user: "bob"))
        #expect(fixture.accepted(issued.access) != nil)
        _ = try fixture.registry.beginErasure(of: "ada", in: IdentityFixture.acme)
        #expect(fixture.accepted(issued.access) == nil)
        #expect(fixture.accepted(other.access) != nil)
        let refresh = try #require(issued.refresh?.token.text)
        #expect(throws: TokenAuthority.Failure.self) { try fixture.tokens.refresh(refresh, .local) }
    }

    @Test func revocationsOutliveTheProcess() throws {
        let fixture = try IdentityFixture()
        let key = try fixture.make(.viewer)
        let tokens = try (0..<3).map { _ in try fixture.issue(key) }
        #expect(tokens.allSatisfy { fixture.accepted($0.access) != nil })
        let generation = fixture.registry.generation
        _ = try fixture.tokens.revoke(.id(tokens[0].id), in: nil, .local)
        #expect(fixture.registry.generation != generation)
        _ = try fixture.tokens.revoke(.text(tokens[1].access), in: nil, .local)
        #expect(tokens.map { fixture.accepted($0.access) != nil } == [false, false, true])
        let again = try fixture.reopened()
        #expect(tokens.map { again.accepted($0.access) != nil } == [false, false, true])
        #expect(again.refused(tokens[0].access).holder?.actor == .token(tokens[0].id))
        // What has ended anyway is remembered no longer.
        again.clock.advance(seconds: 90_000)
        _ = try again.tokens.revoke(.id(try again.issue(key).id), in: nil, .local)
        #expect(again.store.controlState.tokens.revocations(in: IdentityFixture.acme).count == 1)
    }

    @Test func theOldKeyVerifiesUntilItsLastTokenHasEnded() throws {
        let fixture = try IdentityFixture()
        let key = try fixture.make(.viewer)
        let before = try fixture.issue(key, lifetimeSeconds: 86_400).access
        let file = try fixture.tokens.rotateKeys(atOnce: false) { name in
            [.audited(RequestOrigin.local.record("token.rotate_key", name, in: nil, at: fixture.now))]
        }
        let after = try fixture.issue(key).access
        let names = [before, after].compactMap { TokenText(Array($0.utf8))?.keyName }
        #expect(names == file.keys.map(\.name))
        #expect(fixture.accepted(before) != nil)
        #expect(fixture.accepted(after) != nil)
        #expect(try fixture.tokens.publicKeySet().split(separator: UInt8(ascii: "{")).count == 3)
        fixture.clock.advance(seconds: 86_399)
        #expect(fixture.accepted(before) != nil)
        fixture.clock.advance(seconds: 121)
        #expect(fixture.accepted(before) == nil)
        #expect(try fixture.tokens.publicKeySet().split(separator: UInt8(ascii: "{")).count == 2)
        #expect(try fixture.trail(of: nil).contains { $0.action == "token.rotate_key" && $0.target == names[1] })
    }

    @Test func aRotationAtOnceEndsEverything() throws {
        let fixture = try IdentityFixture()
        let key = try fixture.make(.viewer)
        let issued = try fixture.issue(key)
        #expect(fixture.accepted(issued.access) != nil)
        _ = try fixture.ask(#"{"verb":"token.rotate_key","at_once":true}"#)
        #expect(fixture.accepted(issued.access) == nil)
        let refresh = try #require(issued.refresh?.token.text)
        #expect(throws: TokenAuthority.Failure.self) { try fixture.tokens.refresh(refresh, .local) }
        #expect(fixture.accepted(try fixture.issue(key).access) != nil)
    }

    @Test func damagedKeysAreToldAndRotationMendsThem() throws {
        let fixture = try IdentityFixture()
        let key = try fixture.make(.viewer)
        let token = try fixture.issue(key).access
        var bytes = try #require(try fixture.store.readSigningKeys())
        bytes[60] ^= 1
        try fixture.store.writeSigningKeys(bytes)
        let again = try fixture.reopened()
        #expect(again.tokens.readKeys()?.contains("tokens.dbt") == true)
        #expect(again.accepted(token) == nil)
        let refused = try again.ask(#"{"verb":"token.issue","key_id":"\#(key.record.keyID)"}"#)
        #expect(refused["code"]?.string == "storage_unavailable")
        #expect(refused["message"]?.string?.contains("rotate-key") == true)
        // The bytes stay until somebody says so.
        #expect(try again.store.readSigningKeys() == bytes)
        #expect(try again.ask(#"{"verb":"token.rotate_key"}"#)["ok"] == .bool(true))
        #expect(again.accepted(try again.issue(key).access) != nil)
        #expect(again.accepted(token) == nil)
    }

    @Test func privateKeysAreInTheirFileAlone() throws {
        let fixture = try IdentityFixture()
        let key = try fixture.make(.viewer)
        var answers = String(decoding: try fixture.tokens.publicKeySet(), as: UTF8.self)
        for request in [
            #"{"verb":"token.issue","key_id":"\#(key.record.keyID)"}"#, #"{"verb":"token.rotate_key"}"#,
            #"{"verb":"token.list","organization":"acme"}"#, #"{"verb":"audit.list"}"#,
        ] { answers += String(decoding: fixture.administration.perform(Array(request.utf8)), as: UTF8.self) }
        let bytes = try #require(try fixture.store.readSigningKeys())
        let file = try bytes.withRawSpan { (span) throws(FormatError) in try SigningKeysFile(reading: span) }
        fixture.close()
        let secrets = [file.grantSecret] + file.keys.map(\.privateKey)
        for secret in secrets {
            #expect(!answers.contains(Base64URL.text(secret)))
            #expect(!answers.contains(Base64URL.base64(secret)))
        }
        for path in try fixture.disk.list("control").map({ "control/" + $0 }) {
            let bytes = try fixture.disk.readAll(path)
            for secret in secrets { #expect(bytes.firstRange(of: secret) == nil, "\(path)") }
        }
    }

    @Test func signaturesOfUnknownTokensAreBounded() throws {
        let fixture = try IdentityFixture()
        let good = try fixture.issue(try fixture.make(.viewer)).access
        #expect(fixture.accepted(good) != nil)
        let parts = good.split(separator: ".")
        let forged = "\(parts[0]).\(parts[1])." + Base64URL.text([UInt8](repeating: 7, count: 64))
        for _ in 1..<TokenAuthority.signaturesPerSecondMax { #expect(fixture.refused(forged).isRefused) }
        guard case .busy = fixture.tokens.judge(Array(forged.utf8), at: fixture.now) else {
            Issue.record("one more was looked at")
            return
        }
        // Who is known goes on.
        #expect(fixture.accepted(good) != nil)
        fixture.clock.advance(seconds: 1)
        #expect(fixture.refused(forged).isRefused)
        #expect(fixture.tokens.counts.passedOver == 1)
    }

    @Test func theTableOfVerifiedTokensIsBounded() throws {
        let fixture = try IdentityFixture()
        let credential = try #require(fixture.credential(try fixture.make(.viewer)))
        let table = VerifiedTokens()
        func hash(_ number: Int) -> KeyHash? { KeyHash((0..<32).map { UInt8(number >> (8 * ($0 % 3)) & 255) }) }
        let first = try #require(hash(0))
        for number in 0..<10_000 {
            table.insert(
                try #require(hash(number)), VerifiedToken(credential: credential, isOpen: true), generation: 5)
            // What is asked for stays.
            #expect(table.find(first, generation: 5) != nil)
        }
        #expect(table.count <= 2 * VerifiedTokens.countMax)
        #expect(table.find(first, generation: 6) == nil)
        // A judgement of the past is not taken in.
        table.insert(first, VerifiedToken(credential: credential, isOpen: true), generation: 6)
        table.insert(try #require(hash(1)), VerifiedToken(credential: credential, isOpen: true), generation: 5)
        #expect(table.count == 1)
    }

    @Test func aTokenGetsNoTokens() throws {
        let fixture = try IdentityFixture()
        let token = try #require(fixture.accepted(try fixture.issue(try fixture.make(.admin)).access))
        #expect(throws: TokenAuthority.Failure.self) {
            try fixture.tokens.issue(for: token, lifetimeSeconds: nil, hasRefresh: false, .local)
        }
    }
}
