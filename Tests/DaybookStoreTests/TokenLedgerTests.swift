import DaybookFormat
import DaybookTestSupport
import Testing

@testable import DaybookStore

/// What acts about tokens amount to.
struct TokenLedgerTests {
    private typealias Base = ControlStateTests
    private static let later = Timestamp(microseconds: 5_000)
    private static let end = Timestamp(microseconds: 1_000_000)

    private func state(_ acts: [TokenAct]) throws -> ControlState {
        try ControlState(replaying: Base.acts + acts.map { .token($0, at: Base.now) })
    }

    @Test func aGrantBeginsIsUsedAndRevoked() throws {
        var state = try state([.grantBegun(id: 7, keyID: "k2", endsAt: Self.end)])
        let begun = TokenGrant(id: 7, begunAt: Base.now, endsAt: Self.end)
        #expect(state.tokens.grant(7, of: "k2") == begun)
        #expect(state.tokens.grant(7, of: "k1") == nil)
        try state.apply(.token(.grantUsed(id: 7, keyID: "k2", number: 2), at: Self.later))
        #expect(state.tokens.grant(7, of: "k2")?.number == 2)
        #expect(state.tokens.grant(7, of: "k2")?.usedAt == Self.later)
        try state.apply(.token(.grantRevoked(id: 7, keyID: "k2", wasUsedTwice: true), at: Self.later))
        // The first moment and reason count.
        try state.apply(.token(.grantRevoked(id: 7, keyID: "k2", wasUsedTwice: false), at: Self.end))
        #expect(state.tokens.grant(7, of: "k2")?.revokedAt == Self.later)
        #expect(state.tokens.grant(7, of: "k2")?.wasUsedTwice == true)
    }

    @Test func whatIsSaidOfAnUnknownGrantChangesNothing() throws {
        var state = try state([.grantBegun(id: 7, keyID: "k2", endsAt: Self.end)])
        let before = state
        for act in [
            TokenAct.grantUsed(id: 8, keyID: "k2", number: 2), .grantUsed(id: 7, keyID: "k1", number: 2),
            .grantRevoked(id: 7, keyID: "none", wasUsedTwice: true),
        ] { try state.apply(.token(act, at: Self.later)) }
        #expect(state == before)
    }

    @Test(arguments: [
        (
            TokenAct.grantBegun(id: 1, keyID: "none", endsAt: end), ControlContradiction.keyUnknown(keyID: "none")
        ),
        (
            .tokenRevoked(id: "t", OrganizationID("none")!, until: end),
            .organizationUnknown(OrganizationID("none")!)
        ),
    ])
    func aContradictionIsNamedAndChangesNothing(act: TokenAct, contradiction: ControlContradiction) throws {
        var state = try ControlState(replaying: Base.acts)
        let before = state
        #expect(throws: contradiction) { try state.apply(.token(act, at: Self.later)) }
        #expect(state == before)
    }

    @Test func ofOneKeyTheLastThousandCount() throws {
        var state = try ControlState(replaying: Base.acts)
        for id in 1...1_003 as ClosedRange<UInt64> {
            try state.apply(.token(.grantBegun(id: id, keyID: "k2", endsAt: Self.end), at: Base.now))
        }
        #expect(state.tokens.grants(of: "k2").map(\.id) == Array(4...1_003))
        #expect(state.tokens.grant(3, of: "k2") == nil)
    }

    @Test func grantsThatHaveEndedMakeRoom() throws {
        var state = try state([
            .grantBegun(id: 1, keyID: "k2", endsAt: Self.later), .grantBegun(id: 2, keyID: "k2", endsAt: Self.end),
        ])
        try state.apply(.token(.grantBegun(id: 3, keyID: "k2", endsAt: Self.end), at: Self.later))
        #expect(state.tokens.grants(of: "k2").map(\.id) == [2, 3])
    }

    @Test func theRevocationOfAKeyTakesItsGrantsWithIt() throws {
        var state = try state([.grantBegun(id: 1, keyID: "k2", endsAt: Self.end)])
        try state.apply(.keyRevoked(keyID: "k2", at: Self.later))
        #expect(state.tokens.grants(of: "k2").isEmpty)
    }

    @Test func revokedAccessTokensAreForgottenWhenTheyHaveEnded() throws {
        var state = try state([
            .tokenRevoked(id: "a", Base.acme, until: Self.later), .tokenRevoked(id: "b", Base.acme, until: Self.end),
        ])
        #expect(state.tokens.revocation(of: "a", in: Base.acme)?.at == Base.now)
        #expect(state.tokens.revocation(of: "a", in: Base.umbrella) == nil)
        try state.apply(.token(.tokenRevoked(id: "c", Base.umbrella, until: Self.end), at: Self.later))
        #expect(state.tokens.revocations(in: Base.acme).map(\.id) == ["b"])
        #expect(state.tokens.revocations(in: Base.umbrella).map(\.id) == ["c"])
    }

    @Test func theActsThemselvesAreNotKeptInMemory() {
        #expect(ControlEvent.token(.grantUsed(id: 1, keyID: "k1", number: 2), at: Base.now).isTrail)
    }

    @Test func wrongFieldsAreRefused() throws {
        let vectors = try ControlEventTests.vectors()
        // A flag that only a revocation has, an unknown one, the number of the first refresh token, an organization.
        for (name, offset, byte) in [
            ("grant-begun", 1, 1), ("grant-revoked", 1, 2), ("grant-used", 20, 1), ("grant-used", 20, 0),
            ("access-token-revoked", 21, UInt8(ascii: "A")),
        ] as [(String, Int, UInt8)] {
            var bytes = try #require(vectors.first { $0.name == name }).bytes
            bytes[offset] = byte
            #expect(throws: FormatError.self, "\(name) \(offset)") { try ControlEventTests.read(bytes) }
        }
    }
}
