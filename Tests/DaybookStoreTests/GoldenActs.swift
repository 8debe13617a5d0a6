import DaybookEvent
import DaybookFormat
import DaybookLog
import DaybookSystem
import DaybookTestSupport

@testable import DaybookStore

/// Makes the store whose files are under data/golden/v1-acts: acts of every kind, and the files that they and damage of the
/// journal leave. The story is told in data/golden/README.md.
enum GoldenActs {
    static let organizations = [(id: "acme", log: ErasingStore.log), (id: "umbrella", log: ErasingStore.otherLog)]
    private static let cobalt = OrganizationID("cobalt")!
    private static let cobaltLog = LogID(18)

    /// A disk as the last line of the story leaves it.
    @Sendable static func make() throws -> SimulatedDisk {
        let first = try ErasingStore()
        try first.act(acts(at: now(first)))
        for log in [ErasingStore.log, ErasingStore.otherLog, cobaltLog] { send(first, 0, to: log) }
        first.checkpoint()
        first.seal()
        for log in [ErasingStore.log, ErasingStore.otherLog, cobaltLog] { send(first, 1, to: log) }
        first.checkpoint()
        send(first, 2, to: ErasingStore.log)
        try first.begin()
        guard first.work() else { throw GoldenFailure.unfinished }
        try first.act(try first.store.deletionActs(of: cobalt))
        for _ in 0..<5_000 where first.store.shared.deletions.hasWork { first.step() }
        guard !first.store.shared.deletions.hasWork else { throw GoldenFailure.unfinished }
        try first.store.writeSigningKeys(
            HexVectors.load(page: "docs/format/tokens.md", name: "signing-keys").bytes)
        try first.store.writeLimitsFile(HexVectors.load(page: "docs/format/limits.md", name: "limits-file").bytes)
        first.checkpoint()
        for round in 3..<6 { send(first, round, to: ErasingStore.otherLog) }
        try damageJournal(first.disk)

        let second = try ErasingStore(on: first.disk, wallMicroseconds: first.clock.wallMicroseconds() + 60_000_000)
        send(second, 6, to: ErasingStore.otherLog)
        second.checkpoint()
        // Sealing accounts for what was lost.
        second.seal()
        send(second, 7, to: ErasingStore.otherLog)
        try second.begin(ErasingStore.user, ErasingStore.umbrella)
        return second.disk
    }

    private static func now(_ store: ErasingStore) -> Timestamp {
        Timestamp(microseconds: store.clock.wallMicroseconds())
    }

    /// Events of all families; the last one stays when the user is erased.
    private static func send(_ store: ErasingStore, _ round: Int, to log: LogID) {
        store.send([ErasingStore.command(ErasingStore.user, "r\(round)"), ErasingStore.metric("bob")], to: log)
        store.send([ErasingStore.session(ErasingStore.user, "session-\(round)")], key: "key-\(round)", to: log)
        store.send([ErasingStore.session("bob", "bobs-session-\(round)")], key: "bobs-key-\(round)", to: log)
        store.send([ErasingStore.command("bob"), ErasingStore.agent("carol")], to: log)
        store.clock.advance(seconds: 1)
    }

    /// A byte of the first frame behind the checkpoint is changed; the frames behind it are whole.
    private static func damageJournal(_ disk: SimulatedDisk) throws {
        let storeID = try Store.readIdentity(disk).storeID
        let position = try CheckpointLog.read(disk: disk, storeID: storeID).table.journalPosition
        guard let group = try JournalScan.read(disk: disk, storeID: storeID, from: position).groups.first else {
            throw GoldenFailure.unfinished
        }
        disk.corrupt(JournalFiles.path(group.slot), offset: Int(group.offset) + 60, xor: 0x10)
    }

    // MARK: - Acts

    /// Of every kind that neither an erasure nor a deletion writes, in an order in which they may follow each other.
    private static func acts(at now: Timestamp) -> [ControlEvent] {
        var policy = RetentionPolicy.standard
        policy.isHeld = false
        return [
            .organizationCreated(cobalt, log: cobaltLog, at: now),
            .retentionSet(ErasingStore.acme, policy, at: now),
            .quotaSet(ErasingStore.acme, byteCount: 1 << 30, at: now),
            .rateLimitsSet(
                ErasingStore.acme, RateLimitPolicy(.own, ownRequestsPerMinute: 600, burst: 50, isAdaptive: false),
                at: now),
            .durabilitySet(ErasingStore.umbrella, .relaxed, at: now),
            .configurationSet(ErasingStore.acme, configuration, at: now),
        ] + keyActs(at: now) + memberActs(at: now) + letterActs(at: now) + trail(at: now)
    }

    private static var configuration: OrganizationConfiguration {
        var configuration = OrganizationConfiguration()
        configuration.requestsPerMinute = 300
        configuration.burst = 20
        configuration.concurrentBatchCount = 3
        configuration.batchEventCountMax = 500
        configuration.processingTimeoutMilliseconds = 2_000
        configuration.errorRateThresholdMillipercent = 5_000
        configuration.slowResponseThresholdMilliseconds = 1_500
        configuration.webhookURL = "https://alerts.example/daybook"
        return configuration
    }

    private static func keyActs(at now: Timestamp) -> [ControlEvent] {
        let day = now.adding(microseconds: Limits.dayMicroseconds)
        let admin = KeyRecord(
            keyID: "k-admin", organization: ErasingStore.acme, name: "laptop of bob", hash: Array(0..<32), scopes: [],
            user: "bob", createdAt: now, expiresAt: day, role: "admin", isOperator: true, predecessor: "k-bob")
        return [
            .keyCreated(
                KeyRecord(
                    keyID: "k-cobalt", organization: cobalt, name: "laptop", hash: Array(1...32), scopes: ["ingest"],
                    user: "dave", createdAt: now, expiresAt: nil)),
            .keyCreated(admin), .keyRetired(keyID: "k-bob", until: day, at: now),
            .keyRevoked(keyID: "k-umbrella", at: now), .keysUsed([KeyUse(keyID: "k-admin", at: now)], at: now),
            .token(.grantBegun(id: 21, keyID: "k-admin", endsAt: day), at: now),
            .token(.grantUsed(id: 21, keyID: "k-admin", number: 2), at: now),
            .token(.grantBegun(id: 22, keyID: "k-admin", endsAt: day), at: now),
            .token(.grantRevoked(id: 22, keyID: "k-admin", wasUsedTwice: true), at: now),
            .token(.tokenRevoked(id: "tok_0000000000000017_k-admin", ErasingStore.acme, until: day), at: now),
        ]
    }

    private static func memberActs(at now: Timestamp) -> [ControlEvent] {
        func user(_ id: String, _ user: String, _ organization: OrganizationID, team: String = "") -> MemberAct {
            .userSet(
                UserRecord(
                    recordID: id, organization: organization, user: user, name: "name of \(user)", role: "developer",
                    team: team), at: now)
        }
        let acts: [MemberAct] = [
            .teamSet(TeamRecord(organization: ErasingStore.acme, team: "red", name: "Red"), at: now),
            .teamSet(TeamRecord(organization: ErasingStore.acme, team: "blue"), at: now),
            user("u-1", "bob", ErasingStore.acme, team: "red"), user("u-2", ErasingStore.user, ErasingStore.acme),
            user("u-3", "carol", ErasingStore.acme), user("u-4", "dave", cobalt),
            .userDeleted(ErasingStore.acme, recordID: "u-3", at: now),
            .teamDeleted(ErasingStore.acme, team: "blue", at: now),
        ]
        return acts.map { .members($0) }
    }

    private static func letterActs(at now: Timestamp) -> [ControlEvent] {
        let letter = DeadLetter(
            organization: ErasingStore.acme, kind: .compaction, sequences: 1...9,
            subject: FileKind.segment(first: 1, last: 9, family: .commandExecution).name, attemptCount: 3,
            firstAttemptAt: now.adding(microseconds: -7_000_000), lastAttemptAt: now, error: "the disk said no")
        return [.deadLettered(letter), .deadLetterRemoved(id: letter.id, isReplayed: true, at: now)]
    }

    private static func trail(at now: Timestamp) -> [ControlEvent] {
        [
            .audited(AuditRecord(at: now, organization: nil, actor: .local, action: "log.level", target: "debug")),
            .audited(
                AuditRecord(
                    at: now, organization: ErasingStore.acme, actor: .key("k-admin"), action: "quota.set",
                    target: "acme", route: "PUT /api/v1/organizations/{id}",
                    requestID: "0197f3c2-0000-7000-8000-000000000001", address: "192.0.2.7")),
            .audited(
                AuditRecord(
                    at: now, organization: ErasingStore.acme, actor: .token("tok_0000000000000017_k-admin"),
                    action: "audit.list", route: "GET /api/v1/audit", address: "192.0.2.7", outcome: .forbidden,
                    count: 3)),
        ]
    }
}
