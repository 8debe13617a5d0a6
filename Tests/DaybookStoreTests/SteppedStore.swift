import DaybookEvent
import DaybookFormat
import DaybookLog
import DaybookSegment
import DaybookSystem
import DaybookTestSupport

@testable import DaybookStore

/// A store on a simulated disk that a test steps itself.
final class SteppedStore {
    static let options = {
        var options = StoreOptions()
        options.journalFileByteCount = 1 << 20
        options.checkpointByteCount = 1 << 20
        options.logFileByteCount = 3 << 10
        return options
    }()

    private(set) var disk: SimulatedDisk
    private(set) var store: Store
    let clock = ManualClock()
    private let options: StoreOptions
    private let sink = CollectingSink()
    private var ticket: UInt64 = 0

    init(_ options: StoreOptions = SteppedStore.options) throws {
        self.options = options
        disk = SimulatedDisk()
        try Store.create(disk: disk, clock: clock, entropy: SeededEntropy(seed: 1), options: options)
        store = try Store.open(disk: disk, clock: clock, entropy: SeededEntropy(seed: 2), options: options)
    }

    /// The process is killed, what `damage` does to its files happens, and it starts again.
    func restart(_ damage: (SimulatedDisk) throws -> Void = { _ in }) throws {
        disk = disk.copy()
        try damage(disk)
        store = try Store.open(disk: disk, clock: clock, entropy: SeededEntropy(seed: 3), options: options)
    }

    /// The power goes, and comes back on what the disk has kept; the simulated disk decides by the seed.
    func losePower(seed: UInt64) throws {
        disk = disk.reopen(seed: seed)
        store = try Store.open(disk: disk, clock: clock, entropy: SeededEntropy(seed: 3), options: options)
    }

    // MARK: Events

    func commit(_ group: GroupBuilder) -> CommitOutcome {
        ticket += 1
        store.submit(Submission(group: group, sink: sink, ticket: ticket))
        while store.machine.stepCommitter() != .idle {}
        return sink.outcome(ticket)
    }

    /// A body as it comes over HTTP. Precondition: the parser accepts it.
    func send(_ body: String, _ kind: EventParser.Kind, to log: LogID) -> CommitOutcome {
        let now = Timestamp(microseconds: clock.wallMicroseconds())
        let words = (ticket + 1, ticket + 1)
        let context = EventParser.Context(
            arrival: now, organization: OrganizationID("acme")!, defaultUser: Array("owner".utf8),
            mayNameAnyUser: true, randomness: { words })
        var group = GroupBuilder(log: log, arrival: now)
        let result = Array(body.utf8).withRawSpan {
            EventParser.parse($0, kind: kind, context: context, into: &group)
        }
        guard case .accepted = result else { preconditionFailure("\(result)") }
        return commit(group)
    }

    /// Commands with these numbers as one group.
    func commitCommands(_ numbers: Range<UInt64>, key: UInt64? = nil, to log: LogID) -> CommitOutcome {
        let now = Timestamp(microseconds: clock.wallMicroseconds())
        let hash = key.map { IdempotencyHash($0, 1, 2, 3) }
        var group = GroupBuilder(log: log, arrival: now, keyHash: hash, bodyHash: hash)
        for number in numbers {
            TestEvents.command(number, at: now).withRawSpan {
                group.append(.commandExecution, schemaVersion: 1, encoding: $0)
            }
        }
        return commit(group)
    }

    // MARK: Work behind

    func checkpoint() {
        _ = store.machine.stepCheckpointer(force: true)
        while !disk.isCrashed, store.machine.stepCheckpointer() {}
    }

    func checkpointAndSeal() {
        checkpoint()
        while !disk.isCrashed, store.machine.stepSealer() {}
    }

    // MARK: Reading

    func lastSequence(of log: LogID) throws -> UInt64 { try store.snapshot(of: log).lastSequence }

    /// All events of a log by their sequences.
    static func events(_ snapshot: OrganizationSnapshot) throws -> [UInt64: [UInt8]] {
        var found: [UInt64: [UInt8]] = [:]
        for reference in snapshot.segments {
            let segment = try snapshot.open(reference)
            for rowGroup in 0..<segment.rowGroupCount {
                let batch = try segment.read(rowGroup: rowGroup, .all)
                for row in 0..<batch.rowCount {
                    var encoding: [UInt8] = []
                    batch.appendEncoding(row: row, to: &encoding)
                    found[batch.sequences[row]] = encoding
                }
            }
        }
        try snapshot.forEachTailGroup(from: 1) { header, record in
            var entries = GroupEntries(of: header)
            while let entry = try entries.next(record) {
                precondition(found[entry.sequence] == nil)
                found[entry.sequence] = record.toArray(entry.encoding)
            }
            return true
        }
        return found
    }

    func events(of log: LogID) throws -> [UInt64: [UInt8]] { try Self.events(store.snapshot(of: log)) }
}

extension CommitOutcome {
    var isCommitted: Bool { if case .committed = self { true } else { false } }
}
