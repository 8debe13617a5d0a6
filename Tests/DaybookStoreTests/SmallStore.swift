import DaybookEvent
import DaybookFormat
import DaybookLog
import DaybookSegment
import DaybookSystem
import DaybookTestSupport

@testable import DaybookStore

/// A store with small files on a simulated disk, stepped by the test: each round of events becomes one range.
struct SmallStore {
    static let log = LogID(16)
    static let folder = Layout.folder(of: log)

    var disk: SimulatedDisk
    var clock = ManualClock()
    var options: StoreOptions
    var store: Store
    let sink = CollectingSink()
    /// Every event that was acknowledged, by sequence.
    var encodings: [[UInt8]] = []
    private var nextTicket: UInt64 = 1

    static var smallOptions: StoreOptions {
        var options = StoreOptions()
        options.journalFileByteCount = 64 << 10
        options.logFileByteCount = 16 << 10
        options.checkpointByteCount = 32 << 10
        options.sealRowCountMin = 1
        return options
    }

    init(_ options: StoreOptions = Self.smallOptions) throws {
        self.options = options
        disk = SimulatedDisk(seed: 1)
        try Store.create(disk: disk, clock: clock, entropy: SeededEntropy(seed: 1), options: options)
        store = try Store.open(disk: disk, clock: clock, entropy: SeededEntropy(seed: 2), options: options)
    }

    /// Ends the store and starts it again on the same disk.
    mutating func reopen(_ reopened: SimulatedDisk? = nil) throws {
        if let reopened { disk = reopened }
        store = try Store.open(disk: disk, clock: clock, entropy: SeededEntropy(seed: 3), options: options)
    }

    /// Appends events; every tenth is a session change.
    mutating func append(_ count: Int, at time: Timestamp? = nil, user: String = "owner") throws {
        let arrival = Timestamp(microseconds: clock.wallMicroseconds())
        var group = GroupBuilder(log: Self.log, arrival: arrival)
        var added: [[UInt8]] = []
        for _ in 0..<count {
            let number = UInt64(encodings.count + added.count) + 1
            let time = time ?? arrival
            let isChange = number.isMultiple(of: 10)
            let encoding =
                isChange
                ? TestEvents.sessionChange(.started, "session-\(number)", number: number, at: time)
                : TestEvents.command(number, user: user, at: time)
            let family: Family = isChange ? .sessionChange : .commandExecution
            encoding.withRawSpan { group.append(family, schemaVersion: 1, encoding: $0) }
            added.append(encoding)
        }
        defer { nextTicket += 1 }
        store.submit(Submission(group: group, sink: sink, ticket: nextTicket))
        while store.machine.stepCommitter() == .committed {}
        guard case .committed = sink.outcome(nextTicket) else { throw SmallStoreFailure.refused }
        encodings += added
    }

    func checkpoint() {
        _ = store.machine.stepCheckpointer(force: true)
        while store.machine.stepCheckpointer() {}
    }

    /// Everything that is in log files becomes a range.
    func seal() throws {
        checkpoint()
        try store.registry.with(Self.log) { $0.roll() }
        store.shared.addSealable(Self.log)
        while store.machine.stepSealer() {}
    }

    /// Appends and seals as often as there are counts.
    mutating func fill(_ counts: [Int]) throws {
        for count in counts {
            try append(count)
            try seal()
            clock.advance(seconds: 1)
        }
    }

    var snapshot: OrganizationSnapshot { get throws { try store.snapshot(of: Self.log) } }

    var files: [String] { get throws { try disk.list(Self.folder) } }

    /// Sequence and encoding of every row in segments.
    static func sealedRows(_ snapshot: OrganizationSnapshot) throws -> [UInt64: [UInt8]] {
        var rows: [UInt64: [UInt8]] = [:]
        for reference in snapshot.segments {
            let segment = try snapshot.open(reference)
            for rowGroup in 0..<segment.rowGroupCount {
                let batch = try segment.read(rowGroup: rowGroup, .all)
                for row in 0..<batch.rowCount {
                    var encoding: [UInt8] = []
                    batch.appendEncoding(row: row, to: &encoding)
                    guard rows.updateValue(encoding, forKey: batch.sequences[row]) == nil else {
                        throw SmallStoreFailure.doubled(batch.sequences[row])
                    }
                }
            }
        }
        return rows
    }
}

enum SmallStoreFailure: Error {
    case refused
    case doubled(UInt64)
}
