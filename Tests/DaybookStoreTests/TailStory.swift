import DaybookEvent
import DaybookFormat
import DaybookLog
import DaybookSegment
import DaybookSystem
import DaybookTestSupport
import Testing

@testable import DaybookStore

/// A store on a simulated disk that one thread drives, with everything that went into it in plain arrays.
final class TailStory {
    struct Row: Equatable {
        var family: Family
        var sequence: UInt64
        var arrival: Timestamp
        var encoding: [UInt8]
    }

    static let logs = (16..<20).map { LogID($0) }

    let disk: SimulatedDisk
    let clock = ManualClock()
    let store: Store
    var random: SeededRandom
    /// All rows of each log; the sequence of a row is its position plus one.
    private(set) var rows: [LogID: [Row]] = [:]
    private var ticket: UInt64 = 0
    private let sink = CollectingSink()

    init(seed: UInt64, _ adjust: (inout StoreOptions) -> Void = { _ in }) throws {
        disk = SimulatedDisk(seed: seed)
        random = SeededRandom(seed: seed)
        var options = StoreOptions()
        options.journalFileByteCount = 1 << 20
        options.logFileByteCount = 16 << 10
        options.checkpointByteCount = 64 << 10
        options.pendingByteCountMax = 8 << 10
        options.sealRowCountMin = 1
        adjust(&options)
        let entropy = SeededEntropy(seed: seed)
        try Store.create(disk: disk, clock: clock, entropy: entropy, options: options)
        store = try Store.open(disk: disk, clock: clock, entropy: entropy, options: options)
    }

    /// Commits one group.
    func append(_ count: Int, to log: LogID, family wanted: Family? = nil) {
        let now = Timestamp(microseconds: clock.wallMicroseconds())
        var group = GroupBuilder(log: log, arrival: now)
        for _ in 0..<count {
            let number = UInt64(rows[log, default: []].count + 1)
            let family = wanted ?? (random.oneIn(5) ? Family.sessionChange : .commandExecution)
            let encoding =
                family == .sessionChange
                ? TestEvents.sessionChange(.started, "session-\(number)", number: number, at: now)
                : TestEvents.command(number, user: "user-\(random.below(30))", at: now)
            encoding.withRawSpan { group.append(family, schemaVersion: 1, encoding: $0) }
            rows[log, default: []].append(Row(family: family, sequence: number, arrival: now, encoding: encoding))
        }
        ticket += 1
        store.submit(Submission(group: group, sink: sink, ticket: ticket))
        var isWaiting = true
        while isWaiting {
            switch store.machine.stepCommitter() {
            case .idle: isWaiting = false
            case .committed: continue
            case .blocked: checkpoint()
            }
        }
        _ = sink.outcome(ticket)
        clock.advance(microseconds: 1_000)
    }

    /// Everything that is pending goes to log files.
    func checkpoint() {
        _ = store.machine.stepCheckpointer(force: true)
        while store.machine.stepCheckpointer() {}
    }

    func seal() { while store.machine.stepSealer() {} }

    func sealEverything(of log: LogID) throws {
        checkpoint()
        try store.registry.with(log) { $0.roll() }
        store.shared.addSealable(log)
        seal()
    }

    /// What a snapshot must show of a family up to a sequence.
    func expected(_ snapshot: OrganizationSnapshot, _ family: Family, through last: UInt64 = .max) -> [Row] {
        let first = Int(snapshot.manifest.sealedThrough)
        let end = max(first, Int(min(last, snapshot.lastSequence)))
        return rows[snapshot.log, default: []][first..<end].filter { $0.family == family }
    }

    /// What it shows, row by row; and whether the chunks are as promised.
    static func shown(
        _ snapshot: OrganizationSnapshot, _ family: Family, through last: UInt64 = .max,
        _ selection: ColumnSelection = .all
    ) throws -> [Row] {
        var rows: [Row] = []
        for chunk in try snapshot.tailChunks(of: family, through: last, selection) {
            try #require(chunk.batch.rowCount >= 1 && chunk.batch.rowCount <= SegmentLimits.pageRowCountMax)
            try #require(chunk.zone == Zone(chunk.batch))
            for row in 0..<chunk.batch.rowCount {
                var encoding: [UInt8] = []
                if chunk.batch.selection == .all { chunk.batch.appendEncoding(row: row, to: &encoding) }
                rows.append(
                    Row(
                        family: chunk.batch.family, sequence: chunk.batch.sequences[row],
                        arrival: Timestamp(microseconds: chunk.batch.arrivals[row]), encoding: encoding))
            }
        }
        return rows
    }
}
