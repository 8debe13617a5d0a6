import DaybookEvent
import DaybookFormat
import DaybookLog
import DaybookSegment
import DaybookSystem
import DaybookTestSupport

@testable import DaybookStore

/// Makes the store whose files are under data/golden/v1: events in every state, the same ones each time. Seed, clock and
/// entropy are fixed, and the story of `live` is told in data/golden/README.md.
final class GoldenStore {
    static let acme = LogID(16)
    static let borealis = LogID(17)
    static let organizations = [(id: "acme", log: acme), (id: "borealis", log: borealis)]

    static let options = {
        var options = StoreOptions()
        options.journalFileByteCount = 16 << 10
        options.checkpointByteCount = 32 << 10
        options.logFileByteCount = 64 << 10
        options.sealRowCountMin = 1
        return options
    }()

    let disk = SimulatedDisk(seed: 1)
    private let clock = ManualClock(wallMicroseconds: 1_780_000_000_000_000)
    private var entropySeed: UInt64 = 1
    private var store: Store
    private let sink = CollectingSink()
    private var generator = EventGenerator(seed: 7, style: .realistic)
    private var ticket: UInt64 = 0

    /// A disk as the last line of the story leaves it.
    @Sendable static func make() throws -> SimulatedDisk {
        let golden = try GoldenStore()
        try golden.live()
        return golden.disk
    }

    private init() throws {
        try Store.create(disk: disk, clock: clock, entropy: SeededEntropy(seed: 1), options: Self.options)
        store = try Store.open(disk: disk, clock: clock, entropy: SeededEntropy(seed: 2), options: Self.options)
    }

    private func live() throws {
        try commit(acts)
        checkpoint()
        try reopen()
        for log in [Self.acme, Self.borealis] {
            try append(log, groupCount: 8)
            try seal(log)
        }
        clock.advance(seconds: 11 * 24 * 3_600)
        maintain(Self.acme)
        for _ in 0..<3 {
            try append(Self.acme, groupCount: 6)
            try seal(Self.acme)
            clock.advance(seconds: 60)
        }
        try append(Self.acme, groupCount: 8)
        checkpoint()
        disk.corrupt(try path(Self.acme, ending: ".dbl"), offset: 2_000, xor: 0x10)
        try seal(Self.acme)
        disk.corrupt(try path(Self.acme, ending: "-01.dbs", last: false), offset: 100, xor: 0x10)
        maintain(Self.acme)
        try append(Self.acme, groupCount: 2)
        checkpoint()
        try disk.remove(try path(Self.acme, ending: ".dbl"))
        try reopen()
        try append(Self.acme, groupCount: 6)
        try seal(Self.acme)
        for log in [Self.acme, Self.borealis] { try append(log, groupCount: 3) }
        checkpoint()
        for log in [Self.acme, Self.borealis] { try append(log, groupCount: 2) }
    }

    // MARK: - Steps

    private var now: Timestamp { Timestamp(microseconds: clock.wallMicroseconds()) }

    private var acts: [ControlEvent] {
        guard let acme = OrganizationID("acme"), let borealis = OrganizationID("borealis") else {
            preconditionFailure("ids of organizations")
        }
        let policy = RetentionPolicy(commands: 10, agents: 10, sessions: 20, productivity: 0)
        func key(_ id: String, expiresAt: Timestamp?) -> ControlEvent {
            .keyCreated(
                KeyRecord(
                    keyID: id, organization: acme, name: "laptop of \(id)", hash: Array(0..<32),
                    scopes: ["ingest", "query"], user: "ada", createdAt: now, expiresAt: expiresAt))
        }
        return [
            .organizationCreated(acme, log: Self.acme, at: now),
            .organizationCreated(borealis, log: Self.borealis, at: now),
            key("k1", expiresAt: nil), key("k2", expiresAt: now.adding(microseconds: 86_400_000_000)),
            .keyRevoked(keyID: "k2", at: now), .retentionSet(acme, policy, at: now),
            .quotaSet(acme, byteCount: 1 << 30, at: now),
        ]
    }

    private func commit(_ acts: [ControlEvent]) throws {
        var group = GroupBuilder(log: .control, arrival: now)
        for act in acts { act.encoded().withRawSpan { group.append(.control, schemaVersion: 1, encoding: $0) } }
        try submit(group)
    }

    private func submit(_ group: GroupBuilder) throws {
        ticket += 1
        store.submit(Submission(group: group, sink: sink, ticket: ticket))
        while store.machine.stepCommitter() == .committed {}
        guard case .committed = sink.outcome(ticket) else { throw SmallStoreFailure.refused }
    }

    /// Each group has five events of the three other families and one session; every third one a key.
    private func append(_ log: LogID, groupCount: Int) throws {
        generator.setTime(now)
        for _ in 0..<groupCount {
            let hash = ticket.isMultiple(of: 3) ? IdempotencyHash(ticket, 2, 3, 4) : nil
            var group = GroupBuilder(log: log, arrival: now, keyHash: hash, bodyHash: hash)
            for family in [Family.commandExecution, .commandExecution, .commandExecution] {
                add(generator.next(family).encoding, family, &group)
            }
            add(generator.next(.agentInteraction).encoding, .agentInteraction, &group)
            add(generator.next(.productivityMetric).encoding, .productivityMetric, &group)
            let session = "session-\(ticket)"
            add(TestEvents.sessionChange(.started, session, number: ticket, at: now), .sessionChange, &group)
            try submit(group)
            clock.advance(microseconds: 250_000)
        }
    }

    private func add(_ encoding: [UInt8], _ family: Family, _ group: inout GroupBuilder) {
        encoding.withRawSpan { group.append(family, schemaVersion: 1, encoding: $0) }
    }

    private func checkpoint() {
        _ = store.machine.stepCheckpointer(force: true)
        while store.machine.stepCheckpointer() {}
    }

    private func seal(_ log: LogID) throws {
        checkpoint()
        try store.registry.with(log) { $0.roll() }
        store.shared.addSealable(log)
        while store.machine.stepSealer() {}
    }

    /// Expiry and merging, as long as there is something to do.
    private func maintain(_ log: LogID) {
        store.shared.maintenance.addPatrolled(log)
        while true {
            switch store.machine.stepCompactor() {
            case .idle: return
            case .worked: continue
            case .resting(let nanoseconds): clock.advance(microseconds: nanoseconds / 1_000 + 1)
            }
        }
    }

    private func reopen() throws {
        entropySeed += 2
        store = try Store.open(
            disk: disk, clock: clock, entropy: SeededEntropy(seed: entropySeed), options: Self.options)
    }

    private func path(_ log: LogID, ending: String, last: Bool = true) throws -> String {
        let folder = Layout.folder(of: log) + "/"
        let found = disk.paths().filter { $0.hasPrefix(folder) && $0.hasSuffix(ending) }
        guard let path = last ? found.last : found.first else { throw GoldenFailure.noFile(ending: ending) }
        return path
    }
}

enum GoldenFailure: Error {
    /// Work that should come to an end did not.
    case unfinished
    case noFile(ending: String)
    case noFolder
}
