import DaybookFormat
import DaybookTestSupport
import Testing

@testable import DaybookStore

/// What an organization chooses for itself, and its end.
struct OrganizationActTests {
    private static let acme = OrganizationID("acme")!
    private static let umbrella = OrganizationID("umbrella")!
    private static let now = Timestamp(microseconds: 1_000)

    /// Precondition: one of these acts.
    static func json(_ event: ControlEvent) -> ParsedJSON {
        typealias Build = ManifestVectorTests
        switch event {
        case .configurationSet(let organization, let configuration, let time):
            return json(organization, configuration, time)
        case .organizationDeleted(let organization, let time):
            return Build.object([
                "kind": Build.number(25), "at": Build.number(time.microseconds),
                "organization": Build.text(organization.text),
            ])
        case .organizationRemoved(let log, let time):
            return Build.object([
                "kind": Build.number(26), "at": Build.number(time.microseconds), "log": Build.number(log.rawValue),
            ])
        default: preconditionFailure("an act of no organization")
        }
    }

    private static func json(
        _ organization: OrganizationID, _ configuration: OrganizationConfiguration, _ time: Timestamp
    ) -> ParsedJSON {
        typealias Build = ManifestVectorTests
        func number<Number: BinaryInteger>(_ number: Number?) -> ParsedJSON { number.map { Build.number($0) } ?? .null }
        return Build.object([
            "kind": Build.number(24), "at": Build.number(time.microseconds),
            "organization": Build.text(organization.text),
            "requests_per_minute": number(configuration.requestsPerMinute),
            "burst": Build.number(configuration.burst),
            "concurrent_batches": number(configuration.concurrentBatchCount),
            "batch_events": number(configuration.batchEventCountMax),
            "timeout_ms": number(configuration.processingTimeoutMilliseconds),
            "error_rate": number(configuration.errorRateThresholdMillipercent),
            "slow_ms": number(configuration.slowResponseThresholdMilliseconds),
            "webhook": Build.text(configuration.webhookURL),
        ])
    }

    /// Changes of the page's `configuration-set`, whose numbers stand from offset 17 on.
    @Test(
        arguments: [
            ("unknown flag", 1, 1), ("too many requests", 20, 1), ("a burst larger than the limit", 22, 8),
            ("too many batches", 26, 4), ("too many events", 28, 4), ("a timeout too long", 33, 10),
            ("an error rate too high", 37, 2), ("a slow response too slow", 42, 0x40),
            ("a webhook that is not UTF-8", 44, 0xFF),
        ] as [(String, Int, UInt8)])
    func aWrongConfigurationIsRefused(name: String, offset: Int, byte: UInt8) throws {
        var bytes = try #require(try ControlEventTests.vectors().first { $0.name == "configuration-set" }).bytes
        bytes[offset] = byte
        #expect(throws: FormatError.self, "\(name)") { try ControlEventTests.read(bytes) }
    }

    private func configuration(_ change: (inout OrganizationConfiguration) -> Void) -> OrganizationConfiguration {
        var configuration = OrganizationConfiguration()
        change(&configuration)
        return configuration
    }

    @Test func aChoiceNarrowsAndNeverWidens() {
        let allowed = RateLimitPolicy(.own, ownRequestsPerMinute: 100, burst: 20, concurrentBatchCount: 4)
        let less = configuration { ($0.requestsPerMinute, $0.burst, $0.concurrentBatchCount) = (60, 60, 2) }
        #expect(
            allowed.narrowed(to: less, isSet: true)
                == RateLimitPolicy(.own, ownRequestsPerMinute: 60, burst: 60, concurrentBatchCount: 2))
        let more = configuration { ($0.requestsPerMinute, $0.burst, $0.concurrentBatchCount) = (500, 500, 9) }
        #expect(allowed.narrowed(to: more, isSet: true) == allowed)
        #expect(allowed.narrowed(to: OrganizationConfiguration(), isSet: true) == allowed)
        let unlimited = RateLimitPolicy.standard
        #expect(
            unlimited.narrowed(to: more, isSet: false)
                == RateLimitPolicy(.own, ownRequestsPerMinute: 500, burst: 500, concurrentBatchCount: 9))
        #expect(
            RateLimitPolicy(.free).narrowed(to: OrganizationConfiguration(), isSet: true) == RateLimitPolicy(.free))
    }

    @Test func whatTheOperatorSetsTakesBackWhatWasChosenOfLimits() throws {
        var chosen = configuration { ($0.requestsPerMinute, $0.burst, $0.concurrentBatchCount) = (60, 6, 2) }
        chosen.webhookURL = "https://a.b"
        let state = try ControlState(replaying: [
            .organizationCreated(Self.acme, log: LogID(16), at: Self.now),
            .configurationSet(Self.acme, chosen, at: Self.now),
            .rateLimitsSet(Self.acme, RateLimitPolicy(.free), at: Self.now),
        ])
        #expect(state.settings[Self.acme]?.configuration == configuration { $0.webhookURL = "https://a.b" })
    }

    // MARK: - The end of an organization

    private static func key(_ keyID: String, _ organization: OrganizationID = acme) -> KeyRecord {
        KeyRecord(
            keyID: keyID, organization: organization, name: "laptop", hash: [UInt8](repeating: 1, count: 32),
            scopes: ["ingest"], user: "ada", createdAt: now, expiresAt: nil)
    }

    private static func acts() -> [ControlEvent] {
        var configuration = OrganizationConfiguration()
        configuration.webhookURL = "https://hooks.example/zqx7"
        return [
            .organizationCreated(acme, log: LogID(16), at: now),
            .organizationCreated(umbrella, log: LogID(17), at: now),
            .keyCreated(key("k1")), .keyCreated(key("k2", umbrella)),
            .members(.userSet(UserRecord(recordID: "u1", organization: acme, user: "ada", name: "Ada"), at: now)),
            .configurationSet(acme, configuration, at: now),
            .organizationDeleted(acme, at: now),
        ]
    }

    @Test func aDeletedOrganizationIsNotThereAnyMore() throws {
        let state = try ControlState(replaying: Self.acts())
        #expect(Set(state.organizations.keys) == [Self.umbrella])
        #expect(state.organization(of: LogID(16)) == nil)
        #expect(state.settings[Self.acme] == nil)
        let deletion = DeletedOrganization(id: Self.acme, log: LogID(16), deletedAt: Self.now)
        #expect(state.deletions == [LogID(16): deletion])
        var removed = state
        try removed.apply(.organizationRemoved(log: LogID(16), at: Timestamp(microseconds: 5)))
        #expect(removed.deletions[LogID(16)]?.removedAt == Timestamp(microseconds: 5))
    }

    @Test func nobodysNameStaysInTheActsOfADeletedOrganization() throws {
        let acts = Self.acts()
        let state = try ControlState(replaying: acts)
        let redacted = state.redacting(acts)
        #expect(redacted.map { $0.encoded().count } == acts.map { $0.encoded().count })
        let texts = redacted.map { String(decoding: $0.encoded(), as: UTF8.self) }
        #expect(texts.count { $0.contains("ada") || $0.contains("Ada") || $0.contains("zqx7") } == 1)
        #expect(redacted.contains(.keyCreated(Self.key("k2", Self.umbrella))))
        #expect(try ControlState(replaying: redacted).redacting(redacted) == redacted)
    }

    @Test(
        arguments: [
            (.organizationCreated(acme, log: LogID(18), at: now), .organizationDeleted(acme)),
            (.organizationDeleted(acme, at: now), .organizationUnknown(acme)),
            (.keyCreated(key("k3")), .organizationUnknown(acme)),
            (.quotaSet(acme, byteCount: 1, at: now), .organizationUnknown(acme)),
            (.configurationSet(acme, OrganizationConfiguration(), at: now), .organizationUnknown(acme)),
            (.organizationRemoved(log: LogID(17), at: now), .logNotDeleted(LogID(17))),
        ] as [(ControlEvent, ControlContradiction)])
    func aContradictionIsNamedAndChangesNothing(event: ControlEvent, contradiction: ControlContradiction) throws {
        let before = try ControlState(replaying: Self.acts())
        var state = before
        #expect(throws: contradiction) { try state.apply(event) }
        #expect(state == before)
    }

    /// They may have been under way when the organization was deleted.
    @Test func whatWasUnderWayMayStillFollow() throws {
        var state = try ControlState(replaying: Self.acts())
        try state.apply(.keyRevoked(keyID: "k1", at: Self.now))
        try state.apply(.keysUsed([KeyUse(keyID: "k1", at: Self.now)], at: Self.now))
    }
}
