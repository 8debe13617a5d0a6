import DaybookFormat
import DaybookTestSupport
import Testing

@testable import DaybookStore

struct ControlEventTests {
    static func read(_ bytes: [UInt8]) throws(FormatError) -> ControlEvent {
        try bytes.withRawSpan { (span) throws(FormatError) in try ControlEvent(reading: span) }
    }

    static func vectors() throws -> [HexVector] { try HexVectors.load(page: "docs/format/control.md") }

    @Test(arguments: try vectors())
    func everyActOnThePageIsReadAndWritten(vector: HexVector) throws {
        let event = try Self.read(vector.bytes)
        #expect(Self.json(event) == (try vector.fields()))
        #expect(event.encoded() == vector.bytes)
    }

    @Test func thePageShowsEveryKindOfAct() throws {
        #expect(
            Set(try Self.vectors().map { try $0.fields()["kind"]?.integer }) == [
                1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 20, 21, 22, 23, 24, 25, 26, 30, 31, 32, 64, 65,
            ])
    }

    private static func json(_ event: ControlEvent) -> ParsedJSON {
        typealias Build = ManifestVectorTests
        switch event {
        case .organizationCreated(let organization, let log, let time):
            return Build.object([
                "kind": Build.number(1), "at": Build.number(time.microseconds), "log": Build.number(log.rawValue),
                "organization": Build.text(organization.text),
            ])
        case .keyCreated(let key):
            return json(key)
        case .keyRevoked(let keyID, let time):
            return Build.object([
                "kind": Build.number(3), "at": Build.number(time.microseconds), "key_id": Build.text(keyID),
            ])
        case .retentionSet(let organization, let policy, let time):
            return Build.object([
                "kind": Build.number(4), "at": Build.number(time.microseconds),
                "organization": Build.text(organization.text), "held": .bool(policy.isHeld),
                "days": .array(Family.ofOrganizations.map { Build.number(policy[$0]) }),
            ])
        case .quotaSet(let organization, let byteCount, let time):
            return Build.object([
                "kind": Build.number(5), "at": Build.number(time.microseconds),
                "organization": Build.text(organization.text), "byte_count": Build.number(byteCount),
            ])
        case .userSecretSet(let organization, let secret, let time):
            return Build.object([
                "kind": Build.number(6), "at": Build.number(time.microseconds), "secret": hex(secret),
                "organization": Build.text(organization.text),
            ])
        case .erasureBegun, .erasureDone: return erasureJSON(event)
        case .keyRetired(let keyID, let until, let time):
            return Build.object([
                "kind": Build.number(11), "at": Build.number(time.microseconds),
                "until": Build.number(until.microseconds), "key_id": Build.text(keyID),
            ])
        case .keysUsed(let uses, let time):
            let items = uses.map { use in
                Build.object(["key_id": Build.text(use.keyID), "at": Build.number(use.at.microseconds)])
            }
            return Build.object([
                "kind": Build.number(12), "at": Build.number(time.microseconds), "uses": .array(items),
            ])
        case .token(let act, let time): return json(act, time)
        case .audited(let record): return json(record)
        case .deadLettered(let letter): return json(letter)
        case .deadLetterRemoved(let id, let isReplayed, let time):
            return Build.object([
                "kind": Build.number(31), "at": Build.number(time.microseconds), "id": Build.text(hexText(id)),
                "replayed": .bool(isReplayed),
            ])
        case .durabilitySet(let organization, let durability, let time):
            return Build.object([
                "kind": Build.number(32), "at": Build.number(time.microseconds),
                "organization": Build.text(organization.text), "durability": Build.number(durability.rawValue),
            ])
        case .members(let act): return MemberActTests.json(act)
        case .configurationSet, .organizationDeleted, .organizationRemoved: return OrganizationActTests.json(event)
        case .rateLimitsSet(let organization, let policy, let time): return json(organization, policy, time)
        }
    }

    /// Precondition: the begin or the end of one.
    private static func erasureJSON(_ event: ControlEvent) -> ParsedJSON {
        typealias Build = ManifestVectorTests
        switch event {
        case .erasureBegun(let erasure):
            return Build.object([
                "kind": Build.number(7), "at": Build.number(erasure.begunAt.microseconds),
                "id": Build.text(hexText(erasure.id)), "through": Build.number(erasure.through),
                "user_hash": hex(erasure.userHash), "organization": Build.text(erasure.organization.text),
            ])
        case .erasureDone(let id, let generation, let time):
            return Build.object([
                "kind": Build.number(8), "at": Build.number(time.microseconds), "id": Build.text(hexText(id)),
                "generation": Build.number(generation),
            ])
        default: preconditionFailure("an act about no erasure")
        }
    }

    private static func json(_ organization: OrganizationID, _ policy: RateLimitPolicy, _ time: Timestamp) -> ParsedJSON
    {
        typealias Build = ManifestVectorTests
        return Build.object([
            "kind": Build.number(9), "at": Build.number(time.microseconds),
            "organization": Build.text(organization.text), "tier": Build.number(policy.tier.rawValue),
            "requests_per_minute": Build.number(policy.ownRequestsPerMinute),
            "burst": Build.number(policy.burst), "adaptive": .bool(policy.isAdaptive),
            "concurrent_batches": Build.number(policy.concurrentBatchCount),
        ])
    }

    private static func json(_ letter: DeadLetter) -> ParsedJSON {
        typealias Build = ManifestVectorTests
        return Build.object([
            "kind": Build.number(30), "at": Build.number(letter.lastAttemptAt.microseconds),
            "id": Build.text(hexText(letter.id)), "work": Build.number(letter.kind.rawValue),
            "first_sequence": Build.number(letter.sequences.lowerBound),
            "last_sequence": Build.number(letter.sequences.upperBound),
            "attempts": Build.number(letter.attemptCount),
            "first_attempt_at": Build.number(letter.firstAttemptAt.microseconds),
            "organization": Build.text(letter.organization.text), "subject": Build.text(letter.subject),
            "error": Build.text(letter.error),
        ])
    }

    private static func json(_ key: KeyRecord) -> ParsedJSON {
        typealias Build = ManifestVectorTests
        var fields = [
            "kind": Build.number(2), "at": Build.number(key.createdAt.microseconds),
            "expires_at": key.expiresAt.map { Build.number($0.microseconds) } ?? .null, "hash": hex(key.hash),
            "key_id": Build.text(key.keyID), "organization": Build.text(key.organization.text),
            "name": Build.text(key.name), "user": Build.text(key.user), "scopes": .array(key.scopes.map(Build.text)),
        ]
        guard !key.role.isEmpty || key.isOperator || !key.predecessor.isEmpty else { return Build.object(fields) }
        fields["kind"] = Build.number(10)
        fields["role"] = Build.text(key.role)
        fields["operator"] = .bool(key.isOperator)
        fields["predecessor"] = Build.text(key.predecessor)
        return Build.object(fields)
    }

    private static func json(_ act: TokenAct, _ time: Timestamp) -> ParsedJSON {
        typealias Build = ManifestVectorTests
        var fields = ["at": Build.number(time.microseconds)]
        switch act {
        case .grantBegun(let id, let keyID, let endsAt):
            fields["kind"] = Build.number(13)
            fields["id"] = Build.text(hexText(id))
            fields["ends_at"] = Build.number(endsAt.microseconds)
            fields["key_id"] = Build.text(keyID)
        case .grantUsed(let id, let keyID, let number):
            fields["kind"] = Build.number(14)
            fields["id"] = Build.text(hexText(id))
            fields["number"] = Build.number(number)
            fields["key_id"] = Build.text(keyID)
        case .grantRevoked(let id, let keyID, let wasUsedTwice):
            fields["kind"] = Build.number(15)
            fields["id"] = Build.text(hexText(id))
            fields["key_id"] = Build.text(keyID)
            fields["used_twice"] = .bool(wasUsedTwice)
        case .tokenRevoked(let id, let organization, let until):
            fields["kind"] = Build.number(16)
            fields["token_id"] = Build.text(id)
            fields["organization"] = Build.text(organization.text)
            fields["until"] = Build.number(until.microseconds)
        }
        return Build.object(fields)
    }

    private static func json(_ record: AuditRecord) -> ParsedJSON {
        typealias Build = ManifestVectorTests
        return Build.object([
            "kind": Build.number(record.outcome == .done ? 64 : 65), "at": Build.number(record.at.microseconds),
            "actor": Build.text(record.actor.text), "organization": Build.text(record.organization?.text ?? ""),
            "action": Build.text(record.action), "target": Build.text(record.target),
            "route": Build.text(record.route), "request_id": Build.text(record.requestID),
            "address": Build.text(record.address), "outcome": Build.text(record.outcome.name),
            "count": Build.number(record.count),
        ])
    }

    private static func hex(_ bytes: [UInt8]) -> ParsedJSON {
        ManifestVectorTests.text(bytes.map { hexText(UInt64($0), width: 2) }.joined())
    }

    @Test(arguments: try vectors())
    func anActCutShortOrFollowedByMoreIsRefused(vector: HexVector) {
        for byteCount in vector.bytes.indices {
            #expect(throws: FormatError.self) { try Self.read(Array(vector.bytes.prefix(byteCount))) }
        }
        #expect(throws: FormatError.self) { try Self.read(vector.bytes + [0]) }
    }

    /// Changes of the page's `organization-created`, whose organization stands from offset 21 on.
    @Test(
        arguments: [
            ("kind zero", 0, 0), ("reserved kind", 0, 63), ("kind of another act", 0, 64), ("flags", 1, 1),
            ("reserved field", 2, 1), ("reserved field", 3, 1), ("organization that is none", 21, UInt8(ascii: "A")),
            ("text that is not UTF-8", 21, 0xC3),
        ] as [(String, Int, UInt8)])
    func aWrongFieldIsRefused(name: String, offset: Int, byte: UInt8) throws {
        var bytes = try #require(try Self.vectors().first { $0.name == "organization-created" }).bytes
        bytes[offset] = byte
        #expect(throws: FormatError.self) { try Self.read(bytes) }
    }

    @Test func anUnknownFlagOfAKeyIsRefused() throws {
        var bytes = try #require(try Self.vectors().first { $0.name == "key-created" }).bytes
        bytes[1] = 3
        #expect(throws: FormatError.self) { try Self.read(bytes) }
    }

    /// Changes of the page's `retention-set`, whose families stand from offset 17 on.
    @Test(
        arguments: [
            ("unknown flag", 1, 2), ("more families than bytes", 17, 5), ("fewer families than bytes", 17, 3),
            ("family twice", 23, 1), ("families out of order", 18, 3), ("family of the control log", 33, 64),
            ("no family", 18, 0),
        ] as [(String, Int, UInt8)])
    func aWrongRetentionIsRefused(name: String, offset: Int, byte: UInt8) throws {
        var bytes = try #require(try Self.vectors().first { $0.name == "retention-set" }).bytes
        bytes[offset] = byte
        #expect(throws: FormatError.self) { try Self.read(bytes) }
    }

    /// Changes of the page's `rate-limits-set-own`, whose tier stands at offset 17.
    @Test(
        arguments: [
            ("unknown flag", 1, 2), ("unknown tier", 17, 5), ("a number with a named tier", 17, 1),
            ("no number", 18, 0), ("a number too large", 21, 1), ("a burst larger than the limit", 24, 1),
            ("no batches at all", 26, 0), ("too many batches", 27, 4),
        ] as [(String, Int, UInt8)])
    func wrongRateLimitsAreRefused(name: String, offset: Int, byte: UInt8) throws {
        var bytes = try #require(try Self.vectors().first { $0.name == "rate-limits-set-own" }).bytes
        bytes[offset] = byte
        if name == "no number" { bytes[19] = 0 }
        #expect(throws: FormatError.self) { try Self.read(bytes) }
    }

    /// Changes of the page's `dead-letter`: the work stands at 20, the sequences from 21 on, the attempts at 37.
    @Test(
        arguments: [
            ("flag", 1, 1), ("work that there is none of", 20, 0), ("unknown work", 20, 3),
            ("first behind last", 22, 10), ("no attempt", 37, 0), ("organization that is none", 50, UInt8(ascii: "A")),
            ("text that is not UTF-8", 55, 0xC3),
        ] as [(String, Int, UInt8)])
    func aWrongDeadLetterIsRefused(name: String, offset: Int, byte: UInt8) throws {
        var bytes = try #require(try Self.vectors().first { $0.name == "dead-letter" }).bytes
        bytes[offset] = byte
        #expect(throws: FormatError.self) { try Self.read(bytes) }
    }

    @Test func aDeadLetterFromSequenceZeroAndOneWithLongTextsAreRefused() throws {
        let page = try #require(try Self.vectors().first { $0.name == "dead-letter" }).bytes
        var zero = page
        zero[21] = 0
        zero[22] = 0
        #expect(throws: FormatError.self) { try Self.read(zero) }
        guard case .deadLettered(var letter) = try Self.read(page) else {
            Issue.record("another act came back")
            return
        }
        letter.error = String(repeating: "x", count: 512)
        #expect(try Self.read(ControlEvent.deadLettered(letter).encoded()) == .deadLettered(letter))
        letter.error += "x"
        #expect(throws: FormatError.self) { try Self.read(ControlEvent.deadLettered(letter).encoded()) }
    }

    @Test(
        arguments: [
            ("unknown flag of a removal", "dead-letter-purged", 1, 2), ("unknown durability", "durability-set", 17, 2),
        ]
            as [(String, String, Int, UInt8)])
    func aWrongRemovalOrDurabilityIsRefused(name: String, vector: String, offset: Int, byte: UInt8) throws {
        var bytes = try #require(try Self.vectors().first { $0.name == vector }).bytes
        bytes[offset] = byte
        #expect(throws: FormatError.self) { try Self.read(bytes) }
    }

    @Test func aFamilyThatIsNotNamedIsKeptForEver() throws {
        var bytes = try #require(try Self.vectors().first { $0.name == "retention-set" }).bytes
        bytes[17] = 1
        guard case .retentionSet(_, let policy, _) = try Self.read(Array(bytes.prefix(23))) else {
            Issue.record("another act came back")
            return
        }
        #expect(Family.ofOrganizations.map { policy[$0] } == [90, 0, 0, 0])
    }

    @Test func moreScopesThanBytesAreRefused() throws {
        let bytes = try #require(try Self.vectors().first { $0.name == "key-created-for-ever" }).bytes
        #expect(throws: FormatError.self) {
            try Self.read(bytes.dropLast() + [0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0x7F])
        }
    }

    @Test(arguments: ["", "Größe", "e\u{301}", "\u{0}\n\"", "👩‍💻"])
    func textsAreKeptByteForByte(text: String) throws {
        let organization = try #require(OrganizationID("acme"))
        let key = KeyRecord(
            keyID: text, organization: organization, name: text, hash: [UInt8](repeating: 0xAB, count: 32),
            scopes: [text, text], user: text, createdAt: Timestamp(microseconds: .min),
            expiresAt: Timestamp(microseconds: .max))
        guard case .keyCreated(let found) = try Self.read(ControlEvent.keyCreated(key).encoded()) else {
            Issue.record("another act came back")
            return
        }
        #expect(Array(found.name.utf8) == Array(text.utf8))
        #expect(found == key)
    }
}
