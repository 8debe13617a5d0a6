import DaybookFormat
import DaybookTestSupport
import Testing

@testable import DaybookStore

/// Acts about the lives of keys, and the audit trail.
struct ControlIdentityTests {
    private typealias Base = ControlStateTests
    private static let later = Timestamp(microseconds: 5_000)

    private static func successor(_ keyID: String, of predecessor: String) -> KeyRecord {
        var key = Base.key(keyID)
        key.predecessor = predecessor
        return key
    }

    @Test func ofRetirementsTheSoonestCounts() throws {
        var state = try ControlState(replaying: Base.acts)
        for microseconds in [9_000, 5_000, 7_000] as [Int64] {
            try state.apply(
                .keyRetired(keyID: "k1", until: Timestamp(microseconds: microseconds), at: Base.now))
        }
        #expect(state.retirements == ["k1": Self.later])
    }

    @Test func ofUsesTheLastCounts() throws {
        var state = try ControlState(replaying: Base.acts)
        for microseconds in [4_000, 5_000, 3_000] as [Int64] {
            try state.apply(
                .keysUsed([KeyUse(keyID: "k1", at: Timestamp(microseconds: microseconds))], at: Base.now))
        }
        #expect(state.lastUses == ["k1": Self.later])
    }

    @Test(arguments: [
        (
            ControlEvent.keyRetired(keyID: "none", until: later, at: later),
            ControlContradiction.keyUnknown(keyID: "none")
        ),
        (
            .keysUsed([KeyUse(keyID: "k1", at: later), KeyUse(keyID: "none", at: later)], at: later),
            .keyUnknown(keyID: "none")
        ),
        (.keyCreated(successor("k9", of: "none")), .keyUnknown(keyID: "none")),
        (.keyCreated(successor("k9", of: "k2")), .keyUnknown(keyID: "k2")),
    ])
    func aContradictionIsNamedAndChangesNothing(event: ControlEvent, contradiction: ControlContradiction) throws {
        var state = try ControlState(replaying: Base.acts)
        let before = state
        #expect(throws: contradiction) { try state.apply(event) }
        #expect(state == before)
    }

    @Test func theTrailAmountsToNothing() throws {
        var state = try ControlState(replaying: Base.acts)
        let before = state
        let record = AuditRecord(
            at: Base.now, organization: OrganizationID("gone"), actor: .key("k9"), action: "access",
            outcome: .forbidden)
        try state.apply(.audited(record))
        #expect(state == before)
        #expect(ControlEvent.audited(record).isTrail)
        #expect(!ControlEvent.keyRevoked(keyID: "k1", at: Base.now).isTrail)
    }

    private static func vector(_ name: String) throws -> [UInt8] {
        try #require(try ControlEventTests.vectors().first { $0.name == name }).bytes
    }

    /// Changes of the page's `access-denied`: the outcome stands at offset 12, the actor behind the count at 15.
    @Test(
        arguments: [
            ("flags", 1, 1), ("outcome done", 12, 0), ("outcome unknown", 12, 4), ("count of none", 14, 0),
            ("actor unknown", 15, 3), ("organization that is none", 20, UInt8(ascii: "A")),
            ("text that is not UTF-8", 25, 0xC3),
        ] as [(String, Int, UInt8)])
    func aWrongFieldOfADeniedAccessIsRefused(name: String, offset: Int, byte: UInt8) throws {
        var bytes = try Self.vector("access-denied")
        bytes[offset] = byte
        // A count in two bytes becomes none only when both are zero.
        if name == "count of none" { bytes[13] = 0x80 }
        #expect(throws: FormatError.self, "\(name)") { try ControlEventTests.read(bytes) }
    }

    @Test func aKeyWithRightsHasSome() throws {
        var bytes = try Self.vector("key-created-for-ever")
        bytes[0] = 10
        #expect(throws: FormatError.self) { try ControlEventTests.read(bytes + [0, 0]) }
        bytes[1] = 2
        guard case .keyCreated(let key) = try ControlEventTests.read(bytes + [0, 0]) else {
            Issue.record("another act came back")
            return
        }
        #expect(key.isOperator)
        #expect(ControlEvent.keyCreated(key).encoded() == bytes + [0, 0])
    }

    @Test func anErasedUsersKeyWithRightsKeepsItsLengthAndRights() throws {
        var key = Base.key("a", Base.acme, user: "ada")
        key.role = "developer"
        let state = try ControlState(
            replaying: Base.acts + [
                .keyCreated(key), .userSecretSet(Base.acme, secret: Base.secret, at: Base.now),
                .erasureBegun(try Base.erasure("ada")),
            ])
        let blanked = try #require(state.keys["a"])
        #expect(blanked.user == "***")
        #expect(blanked.role == "developer")
        #expect(
            ControlEvent.keyCreated(blanked).encoded().count == ControlEvent.keyCreated(key).encoded().count)
    }
}
