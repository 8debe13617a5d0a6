import DaybookEvent
import DaybookFormat
import DaybookLog
import DaybookSegment
import DaybookSystem
import DaybookTestSupport
import Synchronization
import Testing

@testable import DaybookStore

/// Real threads on a real disk: one writes, the store's own move and seal, three ask.
@Suite struct TailStressTests {
    private static let eventCount: UInt64 = 24_000
    private static let groupEventCount: UInt64 = 40

    private static func options() -> StoreOptions {
        var options = StoreOptions()
        options.journalFileByteCount = 1 << 20
        options.checkpointByteCount = 256 << 10
        options.pendingByteCountMax = 32 << 10
        options.logFileByteCount = 200 << 10
        options.checkpointIntervalMicroseconds = 20_000
        options.openSegmentCountMax = 3
        // A slow disk may take longer than clients are kept waiting.
        options.fullJournalWaitMicroseconds = 3_600_000_000
        return options
    }

    /// Event `number` has sequence `number`: its duration says so, and every seventh is a session change.
    private static func group(_ log: LogID, _ numbers: ClosedRange<UInt64>) -> GroupBuilder {
        let time = Timestamp(microseconds: SystemClock().wallMicroseconds())
        var group = GroupBuilder(log: log, arrival: time)
        for number in numbers {
            let family: Family = number % 7 == 0 ? .sessionChange : .commandExecution
            let encoding =
                family == .sessionChange
                ? TestEvents.sessionChange(.started, "session-\(number)", number: number, at: time)
                : TestEvents.command(number, user: "user-\(number % 50)", at: time)
            encoding.withRawSpan { group.append(family, schemaVersion: 1, encoding: $0) }
        }
        return group
    }

    /// Nil when what a snapshot shows is exactly what it must.
    private static func problem(with snapshot: OrganizationSnapshot) throws -> String? {
        var sequences: [UInt64] = []
        for family in [Family.commandExecution, .sessionChange] {
            for chunk in try snapshot.tailChunks(of: family, through: .max, .all) {
                sequences += chunk.batch.sequences
                for (row, sequence) in chunk.batch.sequences.enumerated() {
                    let isRight =
                        family == .sessionChange
                        ? sequence % 7 == 0 && chunk.batch.sessions?.text(row) == "session-\(sequence)"
                        : chunk.batch.durations[row] == sequence * 1_000
                    if !isRight { return "row of sequence \(sequence) holds something else" }
                }
            }
        }
        let first = snapshot.manifest.sealedThrough + 1
        let wanted = first <= snapshot.lastSequence ? Array(first...snapshot.lastSequence) : []
        if sequences.sorted() != wanted {
            return "sequences \(sequences.count), wanted \(wanted.count) from \(first) to \(snapshot.lastSequence)"
        }
        for segment in snapshot.segments.suffix(4) where segment.family == .commandExecution {
            let batch = try snapshot.open(segment).read(rowGroup: 0, rows: 0..<1, [.sequence, .duration])
            if batch.durations[0] != batch.sequences[0] * 1_000 {
                return "segment \(segment.path) holds something else"
            }
        }
        return snapshot.damage.isEmpty ? nil : "damage \(snapshot.damage)"
    }

    @Test func `threads that ask while others write, move and seal see exactly their snapshot`() throws {
        let directory = try TemporaryDirectory()
        let disk = try PosixDisk(creatingRoot: directory.path + "/store")
        let (clock, entropy) = (SystemClock(), SystemEntropy())
        try Store.create(disk: disk, clock: clock, entropy: entropy, options: Self.options())
        let store = try Store.open(disk: disk, clock: clock, entropy: entropy, options: Self.options())
        store.start()
        let log = try store.createOrganization(OrganizationID("acme")!).log
        let shared = Watch(store: store, log: log)
        let readers = (0..<3).map { number in
            SystemThread.start(name: "ask-\(number)") {
                var old: OrganizationSnapshot?
                while !shared.isDone.load(ordering: .acquiring) {
                    shared.ask(&old)
                }
            }
        }
        let sink = CollectingSink()
        var next: UInt64 = 1
        while next <= Self.eventCount {
            let numbers = next...next + Self.groupEventCount - 1
            store.submit(Submission(group: Self.group(log, numbers), sink: sink, ticket: next))
            #expect(
                sink.outcome(next) == .committed(firstSequence: numbers.lowerBound, lastSequence: numbers.upperBound))
            next += Self.groupEventCount
        }
        shared.isDone.store(true, ordering: .releasing)
        for reader in readers { reader.join() }
        #expect(shared.problems.withLock { $0 } == [])
        #expect(shared.questionCount.load(ordering: .relaxed) > 0)
        let last = try store.snapshot(of: log)
        #expect(last.lastSequence == Self.eventCount)
        #expect(try Self.problem(with: last) == nil)
        #expect(store.cacheStatus.tailExtensionCount > 0)
        #expect(store.cacheStatus.openSegmentCount <= 3)
        store.shutdown()
    }

    /// What the asking threads share.
    private final class Watch: Sendable {
        let store: Store
        let log: LogID
        let isDone = Atomic<Bool>(false)
        let problems = Mutex<[String]>([])
        let questionCount = Atomic<Int>(0)

        init(store: Store, log: LogID) {
            self.store = store
            self.log = log
        }

        /// Asks a new snapshot, and then the one before it again.
        func ask(_ old: inout OrganizationSnapshot?) {
            do {
                let snapshot = try store.snapshot(of: log)
                for asked in [snapshot, old ?? snapshot] {
                    if let problem = try TailStressTests.problem(with: asked) {
                        problems.withLock { $0.append(problem) }
                    }
                }
                old = snapshot
                questionCount.add(1, ordering: .relaxed)
            } catch {
                problems.withLock { $0.append("\(error)") }
            }
        }
    }
}
