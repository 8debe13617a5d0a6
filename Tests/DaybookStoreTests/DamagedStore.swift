import DaybookFormat
import DaybookLog
import DaybookSegment
import DaybookSystem
import DaybookTestSupport
import Synchronization

@testable import DaybookStore

/// Opens what damage left of the golden store, asks everything, and remembers what was told about the damage.
struct DamagedStore {
    /// Events by sequence, of each organization.
    private(set) var events: [LogID: [UInt64: [UInt8]]] = [:]
    /// Organizations that are closed, or that cannot be read.
    private(set) var closed: Set<LogID> = []
    /// Why nothing at all is served.
    private(set) var refusal: StoreError?
    /// Whatever anybody says about damage, in words.
    private(set) var told: [String] = []
    /// What segments and indexes say after the indexes were opened.
    private(set) var disk: SimulatedDisk
    private var store: Store?

    init(_ disk: SimulatedDisk, clock: ManualClock = Self.laterClock) {
        self.disk = disk
        check()
        do {
            let store = try Store.open(
                disk: disk, clock: clock, entropy: SeededEntropy(seed: 9), options: GoldenStore.options)
            self.store = store
            if !store.recoveryReport.isClean { told.append("recovery: \(store.recoveryReport)") }
            for (_, log) in GoldenStore.organizations { read(log, store) }
        } catch let error as StoreError {
            refusal = error
            told.append("refused: \(error)")
        } catch {
            preconditionFailure("an error that no caller knows: \(error)")
        }
    }

    /// When everything that can expire has.
    static var laterClock: ManualClock { ManualClock(wallMicroseconds: 1_790_000_000_000_000) }

    private mutating func check() {
        do {
            let report = try disk.check()
            told += report.findings.filter { $0.severity != .note }.map { "check: \($0)" }
            for finding in try RollupCheck(disk: disk, isServed: { false }).run().findings {
                told.append("rollups: \(finding)")
            }
        } catch {
            told.append("check refused: \(error)")
        }
    }

    private mutating func read(_ log: LogID, _ store: Store) {
        var found: [UInt64: [UInt8]] = [:]
        do {
            let snapshot = try store.snapshot(of: log)
            for reference in snapshot.segments { read(reference, snapshot, &found) }
            for family in Family.ofOrganizations { _ = try snapshot.tailChunks(of: family, through: .max, .all) }
            try snapshot.forEachTailGroup(from: 1) { header, record in
                var entries = GroupEntries(of: header)
                while let entry = try entries.next(record) {
                    found[entry.sequence] = record.toArray(entry.encoding)
                }
                return true
            }
            told += snapshot.damage.map { "snapshot: \($0)" }
        } catch StoreError.organizationClosed(let corruption) {
            closed.insert(log)
            told.append("closed: \(corruption)")
        } catch {
            closed.insert(log)
            told.append("unreadable: \(error)")
        }
        events[log] = found
    }

    /// Page by page, as queries read.
    private mutating func read(
        _ reference: SegmentReference, _ snapshot: OrganizationSnapshot, _ found: inout [UInt64: [UInt8]]
    ) {
        do {
            let segment = try snapshot.open(reference)
            for rowGroup in 0..<segment.rowGroupCount {
                do {
                    let batch = try segment.read(rowGroup: rowGroup, .all)
                    for row in 0..<batch.rowCount {
                        var encoding: [UInt8] = []
                        batch.appendEncoding(row: row, to: &encoding)
                        found[batch.sequences[row]] = encoding
                    }
                } catch {
                    told.append("row group \(rowGroup) of \(reference.path): \(error)")
                }
            }
            let index = try snapshot.openIndex(of: reference)
            _ = index.pages(withUser: Array("developer-1".utf8))
            _ = try snapshot.rollup(of: reference)
        } catch {
            told.append("segment \(reference.path): \(error)")
        }
    }

    // MARK: - Going on

    /// Whether an organization takes one more event.
    func commits(_ log: LogID) -> Bool {
        guard let store else { return false }
        let now = Timestamp(microseconds: store.clock.wallMicroseconds())
        var group = GroupBuilder(log: log, arrival: now)
        TestEvents.command(1, at: now).withRawSpan { group.append(.commandExecution, schemaVersion: 1, encoding: $0) }
        let sink = AnswerSink()
        store.submit(Submission(group: group, sink: sink, ticket: 1))
        while store.machine.stepCommitter() == .committed {}
        return sink.outcome?.isCommitted ?? false
    }

    /// Checkpoints, seals, merges and expires whatever there is.
    func work() throws {
        guard let store, let clock = store.clock as? ManualClock else { return }
        for (_, log) in GoldenStore.organizations where !closed.contains(log) {
            _ = commits(log)
            _ = store.machine.stepCheckpointer(force: true)
            while store.machine.stepCheckpointer() {}
            _ = try? store.registry.with(log) { $0.roll() }
            store.shared.addSealable(log)
            while store.machine.stepSealer() {}
            store.shared.maintenance.addPatrolled(log)
            var stepCount = 0
            while store.machine.stepCompactor() != .idle, stepCount < 10_000 {
                clock.advance(seconds: 3)
                stepCount += 1
            }
        }
    }

    func close() { store?.machine.close() }
}

/// Takes an answer if there is one.
private final class AnswerSink: AcknowledgementSink {
    private let last = Mutex<CommitOutcome?>(nil)

    var outcome: CommitOutcome? { last.withLock { $0 } }

    func acknowledge(_ outcomes: [Acknowledged]) { last.withLock { $0 = outcomes.last?.outcome } }
}
