import DaybookFormat
import Testing

@testable import DaybookStore

struct ControlStateTests {
    static let now = Timestamp(microseconds: 1_000)
    static let acme = OrganizationID("acme")!
    static let umbrella = OrganizationID("umbrella")!

    static func key(_ keyID: String, _ organization: OrganizationID = acme) -> KeyRecord {
        KeyRecord(
            keyID: keyID, organization: organization, name: "", hash: [UInt8](repeating: 1, count: 32),
            scopes: ["ingest"], user: "", createdAt: now, expiresAt: nil)
    }

    /// Whose work is about one sequence.
    static func letter(_ sequence: UInt64, _ organization: OrganizationID = acme) -> DeadLetter {
        DeadLetter(
            organization: organization, kind: .sealing, sequences: sequence...sequence, subject: "", attemptCount: 3,
            firstAttemptAt: now, lastAttemptAt: now, error: "")
    }

    static let acts: [ControlEvent] = [
        .organizationCreated(acme, log: LogID(16), at: now),
        .keyCreated(key("k1")),
        .organizationCreated(umbrella, log: LogID(17), at: now),
        .keyCreated(key("k2", umbrella)),
        .keyRevoked(keyID: "k1", at: now),
    ]

    @Test func nothingHappenedYet() {
        let state = ControlState()
        #expect(state.organizations.isEmpty)
        #expect(state.nextLog == LogID(16))
    }

    @Test func actsAmountToOrganizationsAndKeys() throws {
        let state = try ControlState(replaying: Self.acts)
        let acme = OrganizationRecord(id: Self.acme, log: LogID(16), createdAt: Self.now)
        let umbrella = OrganizationRecord(id: Self.umbrella, log: LogID(17), createdAt: Self.now)
        #expect(state.organizations == [Self.acme: acme, Self.umbrella: umbrella])
        #expect(state.organization(of: LogID(16)) == acme)
        #expect(state.organization(of: LogID(17)) == umbrella)
        #expect(state.organization(of: LogID(18)) == nil)
        #expect(state.nextLog == LogID(18))
        #expect(state.keys == ["k1": Self.key("k1"), "k2": Self.key("k2", Self.umbrella)])
        #expect(state.revocations == ["k1": Self.now])
    }

    @Test func deadLettersStayUntilTheyAreRemoved() throws {
        var state = try ControlState(replaying: Self.acts)
        let letters = (1...3).map { Self.letter($0) }
        for letter in letters { try state.apply(.deadLettered(letter)) }
        #expect(throws: ControlContradiction.deadLetterExists(letters[1].id)) {
            try state.apply(.deadLettered(letters[1]))
        }
        try state.apply(.deadLetterRemoved(id: letters[1].id, isReplayed: true, at: Self.now))
        // Twice, and one that there never was: nothing changes.
        for id in [letters[1].id, 7] { try state.apply(.deadLetterRemoved(id: id, isReplayed: false, at: Self.now)) }
        #expect(state.deadLetters == [letters[0], letters[2]])
        #expect(state.deadLetterTotal == 3)
        #expect(state.droppedDeadLetterCount == 0)
    }

    @Test func ofTooManyDeadLettersTheOldestIsDroppedAndCounted() throws {
        var state = try ControlState(replaying: Self.acts)
        for sequence in 1...10_002 as ClosedRange<UInt64> { try state.apply(.deadLettered(Self.letter(sequence))) }
        #expect(state.deadLetters.count == 10_000)
        #expect(state.deadLetters.first?.sequences == 3...3)
        #expect(state.deadLetterTotal == 10_002)
        #expect(state.droppedDeadLetterCount == 2)
    }

    @Test func aSkippedLogIDIsNeverGivenOutAgain() throws {
        var state = ControlState()
        try state.apply(.organizationCreated(Self.acme, log: LogID(40), at: Self.now))
        #expect(state.nextLog == LogID(41))
        #expect(throws: ControlContradiction.logReused(LogID(39))) {
            try state.apply(.organizationCreated(Self.umbrella, log: LogID(39), at: Self.now))
        }
    }

    @Test(arguments: [
        (
            ControlEvent.organizationCreated(acme, log: LogID(18), at: now),
            ControlContradiction.organizationExists(acme)
        ),
        (.organizationCreated(OrganizationID("new")!, log: LogID(17), at: now), .logReused(LogID(17))),
        (.organizationCreated(OrganizationID("new")!, log: LogID(15), at: now), .logReserved(LogID(15))),
        (.organizationCreated(OrganizationID("new")!, log: .control, at: now), .logReserved(.control)),
        (.organizationCreated(OrganizationID("new")!, log: LogID(.max), at: now), .logReserved(LogID(.max))),
        (.keyCreated(key("k1")), .keyExists(keyID: "k1")),
        (.keyCreated(key("k3", OrganizationID("new")!)), .organizationUnknown(OrganizationID("new")!)),
        (.keyRevoked(keyID: "k3", at: now), .keyUnknown(keyID: "k3")),
        (
            .retentionSet(OrganizationID("new")!, .standard, at: now),
            .organizationUnknown(OrganizationID("new")!)
        ),
        (.quotaSet(OrganizationID("new")!, byteCount: 1, at: now), .organizationUnknown(OrganizationID("new")!)),
        (
            .rateLimitsSet(OrganizationID("new")!, .standard, at: now),
            .organizationUnknown(OrganizationID("new")!)
        ),
        (.durabilitySet(OrganizationID("new")!, .relaxed, at: now), .organizationUnknown(OrganizationID("new")!)),
        (.deadLettered(letter(1, OrganizationID("new")!)), .organizationUnknown(OrganizationID("new")!)),
    ])
    func aContradictionIsNamedAndChangesNothing(event: ControlEvent, contradiction: ControlContradiction) throws {
        let before = try ControlState(replaying: Self.acts)
        var state = before
        #expect(throws: contradiction) { try state.apply(event) }
        #expect(state == before)
        #expect(throws: contradiction) { try ControlState(replaying: Self.acts + [event]) }
    }

    // MARK: - Erasures

    static let secret = [UInt8](repeating: 7, count: 32)

    /// The erasure of a user of acme.
    static func erasure(_ user: String, id: UInt64 = 5, through: UInt64 = 10) throws -> ErasureRecord {
        var state = try ControlState(replaying: acts)
        try state.apply(.userSecretSet(acme, secret: secret, at: now))
        let hash = try #require(state.userHash(of: acme))
        return ErasureRecord(
            id: id, organization: acme, userHash: hash(Array(user.utf8)), through: through, begunAt: now)
    }

    static func key(_ keyID: String, _ organization: OrganizationID, user: String) -> KeyRecord {
        var record = key(keyID, organization)
        record.user = user
        record.name = "laptop of \(user)"
        return record
    }

    @Test func anErasureBlanksTheKeysOfItsUserAlone() throws {
        let state = try ControlState(
            replaying: Self.acts + [
                .keyCreated(Self.key("a", Self.acme, user: "ada")), .keyCreated(Self.key("b", Self.acme, user: "bob")),
                .keyCreated(Self.key("c", Self.umbrella, user: "ada")),
                .userSecretSet(Self.acme, secret: Self.secret, at: Self.now),
                .erasureBegun(try Self.erasure("ada")),
                .keyCreated(Self.key("d", Self.acme, user: "ada")),
            ])
        #expect(state.keys["a"]?.user == "***")
        #expect(state.keys["a"]?.name == "*************")
        #expect(state.keys["b"]?.user == "bob")
        #expect(state.keys["c"]?.user == "ada")
        #expect(state.keys["d"]?.user == "ada")
        #expect(state.keys["k1"]?.user.isEmpty == true)
    }

    @Test func anErasureThatIsBegunAgainIsUnderWayAgain() throws {
        let erasure = try Self.erasure("ada")
        let acts: [ControlEvent] = [
            .userSecretSet(Self.acme, secret: Self.secret, at: Self.now), .erasureBegun(erasure),
            .erasureDone(id: 5, generation: 3, at: Self.now),
        ]
        var state = try ControlState(replaying: Self.acts + acts)
        #expect(state.erasures[5]?.done == ErasureRecord.Done(at: Self.now, generation: 3))
        try state.apply(.keyCreated(Self.key("new", Self.acme, user: "ada")))
        try state.apply(.erasureBegun(erasure))
        #expect(state.erasures == [5: erasure])
        #expect(state.keys["new"]?.user == "ada")
    }

    @Test func theLedgerContradictsItselfNowhere() throws {
        let erasure = try Self.erasure("ada")
        var state = try ControlState(replaying: Self.acts)
        #expect(throws: ControlContradiction.secretUnknown(Self.acme)) { try state.apply(.erasureBegun(erasure)) }
        #expect(throws: ControlContradiction.organizationUnknown(OrganizationID("new")!)) {
            try state.apply(.userSecretSet(OrganizationID("new")!, secret: Self.secret, at: Self.now))
        }
        try state.apply(.userSecretSet(Self.acme, secret: Self.secret, at: Self.now))
        #expect(throws: ControlContradiction.secretExists(Self.acme)) {
            try state.apply(.userSecretSet(Self.acme, secret: Self.secret, at: Self.now))
        }
        #expect(throws: ControlContradiction.erasureUnknown(5)) {
            try state.apply(.erasureDone(id: 5, generation: 1, at: Self.now))
        }
        try state.apply(.erasureBegun(erasure))
        #expect(throws: ControlContradiction.erasureExists(5)) {
            try state.apply(.erasureBegun(try Self.erasure("ada", through: 11)))
        }
    }

    @Test func revokingAgainKeepsTheFirstMoment() throws {
        var state = try ControlState(replaying: Self.acts)
        try state.apply(.keyRevoked(keyID: "k1", at: Timestamp(microseconds: 2_000)))
        #expect(state.revocations["k1"] == Self.now)
    }

    @Test func theLastSettingCounts() throws {
        var state = try ControlState(replaying: Self.acts)
        #expect(state.settings.isEmpty)
        let policy = RetentionPolicy(commands: 1, agents: 2, sessions: 3, productivity: 0, isHeld: true)
        try state.apply(.retentionSet(Self.acme, .standard, at: Self.now))
        try state.apply(.quotaSet(Self.acme, byteCount: 5, at: Self.now))
        try state.apply(.retentionSet(Self.acme, policy, at: Self.now))
        #expect(state.settings[Self.acme]?.retention == policy)
        #expect(state.settings[Self.acme]?.quotaByteCount == 5)
        #expect(state.settings[Self.umbrella] == nil)
    }
}
