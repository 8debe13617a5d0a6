import DaybookEvent
import DaybookFormat
import DaybookLog
import DaybookSegment
import DaybookStore
import DaybookSystem
import DaybookTestSupport
import Synchronization

/// A whole store on a simulated disk, driven by one thread from one seed: requests, commits, checkpoints, sealing,
/// readers, faults and power losses, against a ledger of what was acknowledged.
struct StoreSimulation {
    struct Failure: Error, CustomStringConvertible {
        var seed: UInt64
        var what: String
        var description: String { "seed \(seed): \(what)" }
    }

    /// Takes outcomes by ticket.
    final class Sink: AcknowledgementSink {
        private let outcomes = Mutex<[(UInt64, CommitOutcome)]>([])
        func acknowledge(_ list: [Acknowledged]) {
            outcomes.withLock { outcomes in
                for item in list { outcomes.append((item.ticket, item.outcome)) }
            }
        }
        func take() -> [(ticket: UInt64, outcome: CommitOutcome)] {
            outcomes.withLock { outcomes in
                defer { outcomes.removeAll() }
                return outcomes.map { (ticket: $0.0, outcome: $0.1) }
            }
        }
    }

    static let logs = (16..<19).map { LogID($0) }
    static let organizations = logs.map { OrganizationID("organization-\($0.rawValue)")! }

    let seed: UInt64
    var random: SeededRandom
    var disk: SimulatedDisk
    let clock = ManualClock()
    var entropy: SeededEntropy
    var store: Store
    var sink = Sink()
    var models: [LogID: LogModel] = [:]
    var waiting: [UInt64: (log: LogID, request: LogModel.Request)] = [:]
    /// The acts that are under way, if any, and what they mean.
    var act: (ticket: UInt64, acts: [ControlEvent], erasure: Erasure?)?
    /// Erasures whose begin was acknowledged, or found in the ledger.
    var erasures: [UInt64: Erasure] = [:]

    struct Erasure {
        var record: ErasureRecord
        var log: LogID
        var user: String
        var isDone = false
    }
    /// Dead letters that the control log has, as far as anybody saw.
    var letters: [UInt64: DeadLetter] = [:]
    /// Ids of sessions that were begun, or tried to be.
    var sessions: [LogID: [String]] = [:]
    /// Ranges of history files that were seen, by log and family.
    private var historySeen: [LogID: [Family: Set<ClosedRange<UInt64>>]] = [:]
    /// Those of them that took the place of others.
    var mergedHistory: [LogID: Set<String>] = [:]
    var nextTicket: UInt64 = 1
    var nextEvent: UInt64 = 1
    var options: StoreOptions
    /// What the disk only pretends to do, if anything: the simulation must notice.
    let lies: FaultPlan

    /// What the run has met, so that a test can insist that it met everything.
    var sealedSeen = 0
    var tailSeen = 0
    var journalOnlySeen = 0
    var restartCount = 0
    var recoveredOpenCount = 0
    var mergedSeen = 0
    var expiredSeen = 0
    var historyMergedSeen = 0
    var erasedSeen = 0
    var interruptedErasureCount = 0
    var letterSeen = 0
    var letterAfterRestartSeen = 0
    var letterReplayedSeen = 0
    var mergedHistoryAskedSeen = 0

    /// - Parameter lies: what the disk only pretends to do.
    init(seed: UInt64, lies: FaultPlan = FaultPlan()) throws {
        self.seed = seed
        self.lies = lies
        random = SeededRandom(seed: seed)
        disk = SimulatedDisk(seed: seed)
        entropy = SeededEntropy(seed: seed)
        options = StoreOptions()
        options.journalFileByteCount = 16 << 10
        options.logFileByteCount = 4 << 10
        options.checkpointByteCount = 12 << 10
        options.checkpointIntervalMicroseconds = 5_000_000
        options.sealRowCountMin = 8
        options.sealAgeMicroseconds = 60_000_000
        options.pendingByteCountMax = 6 << 10
        options.commitByteCountTarget = 4 << 10
        options.openOrganizationCountMax = 1
        options.individualSyncCountMax = random.oneIn(2) ? 0 : 8
        options.compaction.fanInMin = 2 + random.below(3)
        options.compaction.fanInMax = 6
        options.compaction.rowCountMax = 600
        options.compaction.bytesPerSecond = 1 << 30
        options.compaction.firstPatrolMicroseconds = 2_000_000
        options.compaction.patrolMicroseconds = 10_000_000
        options.retention = RetentionPolicy(commands: 2, agents: 2, sessions: 4, productivity: 0)
        try Store.create(disk: disk, clock: clock, entropy: entropy, options: options)
        disk.arm(lies)
        store = try Store.open(disk: disk, clock: clock, entropy: entropy, options: options)
        for log in Self.logs { models[log] = LogModel() }
        try createOrganizations()
    }

    func fail(_ what: String) -> Failure { Failure(seed: seed, what: what) }

    // MARK: Requests

    mutating func submitSomething() {
        let log = Self.logs[random.below(Self.logs.count)]
        if random.oneIn(6), let known = models[log]!.answered.last(where: { $0.request.key != nil }) {
            submit(log, known.request)
        } else if random.oneIn(6), let lost = models[log]!.refused.popLast(), lost.key != nil {
            submit(log, lost)
        } else {
            submit(log, makeRequest(log))
        }
    }

    mutating func submit(_ log: LogID, _ request: LogModel.Request) {
        let now = Timestamp(microseconds: clock.wallMicroseconds())
        let hash = request.key.map { IdempotencyHash($0, 0, 0, 0) }
        var group = GroupBuilder(log: log, arrival: now, keyHash: hash, bodyHash: hash)
        for (family, encoding) in zip(request.families, request.encodings) {
            encoding.withRawSpan { group.append(family, schemaVersion: 1, encoding: $0) }
        }
        var request = request
        request.arrival = now
        waiting[nextTicket] = (log, request)
        store.submit(Submission(group: group, sink: sink, ticket: nextTicket))
        nextTicket += 1
    }

    /// Takes the answers and enters them in the ledger.
    mutating func collect() throws {
        for (ticket, outcome) in sink.take() {
            if ticket == act?.ticket {
                try collectAct(outcome)
                continue
            }
            guard let (log, request) = waiting.removeValue(forKey: ticket) else {
                throw fail("ticket \(ticket) was answered twice")
            }
            switch outcome {
            case .committed(let first, let last):
                guard last - first + 1 == UInt64(request.encodings.count) else { throw fail("wrong range answered") }
                if let problem = models[log]!.acknowledge(request, first: first) { throw fail("commit: \(problem)") }
            case .duplicate(let first, let count, _, _):
                let known = models[log]!.answered.contains {
                    $0.first == first && $0.request == request && count == request.encodings.count
                }
                guard known else { throw fail("answered as a duplicate of something else") }
            case .refused(.durabilityUnknown): models[log]!.open.append(request)
            case .refused(.storageUnavailable), .refused(.quotaExceeded): models[log]!.refused.append(request)
            // The session is over, or its beginning was lost with the power. Also a request whose key is no longer known
            // after a day: the session that it started ended long ago.
            case .refused(.sessionEnded) where request.families.contains(.sessionChange): continue
            case .refused(.sessionNotFound) where request.families.contains(.sessionChange): continue
            case .refused, .relaxed: throw fail("unexpected outcome \(outcome)")
            }
        }
    }

    // MARK: Reading

    func events(_ snapshot: OrganizationSnapshot) throws -> [(sequence: UInt64, encoding: [UInt8])] {
        var found: [(sequence: UInt64, encoding: [UInt8])] = []
        for reference in snapshot.segments {
            let segment = try snapshot.open(reference)
            for rowGroup in 0..<segment.rowGroupCount {
                let batch = try segment.read(rowGroup: rowGroup, .all)
                for row in 0..<batch.rowCount {
                    var encoding: [UInt8] = []
                    batch.appendEncoding(row: row, to: &encoding)
                    found.append((batch.sequences[row], encoding))
                }
            }
        }
        found.sort { $0.sequence < $1.sequence }
        try snapshot.forEachTailGroup(from: 1) { header, record in
            var entries = GroupEntries(of: header)
            while let entry = try entries.next(record) {
                found.append((entry.sequence, record.toArray(entry.encoding)))
            }
            return true
        }
        guard snapshot.damage.isEmpty else { throw fail("damage: \(snapshot.damage)") }
        return found
    }

    /// A reader of the running store sees what was acknowledged, no less and no more.
    mutating func look(_ log: LogID) throws {
        let snapshot = try store.snapshot(of: log)
        if !snapshot.segments.isEmpty { sealedSeen += 1 }
        if snapshot.tailExtentCount > 0 { tailSeen += 1 }
        if snapshot.pendingGroupCount > 0 { journalOnlySeen += 1 }
        try checkAccount(snapshot.manifest)
        models[log]!.visibility = Self.visibility(snapshot)
        noteErasures()
        if let problem = models[log]!.difference(toVisible: try events(snapshot)) {
            throw fail("log \(log.rawValue): \(problem)")
        }
        try checkHistory(snapshot)
        try compareColumns(of: snapshot)
        store.machine.stepTails()
    }

    /// What the snapshot says, without keeping it.
    static func visibility(_ snapshot: OrganizationSnapshot) -> (Family) -> RowVisibility {
        let families = Family.ofOrganizations.map { ($0, snapshot.visibility(of: $0)) }
        let table = Dictionary(uniqueKeysWithValues: families)
        return { table[$0] ?? .everything }
    }

    /// Every sealed sequence is in a segment, has expired or was erased: nothing else may happen to it here.
    mutating func checkAccount(_ manifest: Manifest) throws {
        if let rule = manifest.firstBrokenInvariant { throw fail("a manifest breaks \(rule)") }
        for absence in manifest.absences {
            switch absence.reason {
            case .expired: expiredSeen += 1
            case .erased: erasedSeen += 1
            default: throw fail("events are absent: \(absence)")
            }
        }
        // Sealing makes ranges of one log file; only merging makes them longer.
        if manifest.segments.contains(where: { $0.lastSequence - $0.firstSequence >= 120 }) { mergedSeen += 1 }
    }

    /// Every event of a user that is sealed is a row, was erased, or is counted by one history file. Sessions have no
    /// history, and are nobody's who is erased here.
    mutating func checkHistory(_ snapshot: OrganizationSnapshot) throws {
        let manifest = snapshot.manifest
        let sealed = models[snapshot.log]!.stored.prefix(Int(manifest.sealedThrough))
        let sealedCount = sealed.count { $0.family != .sessionChange }
        let rowCount = manifest.segments.reduce(0) { $0 + ($1.family == .sessionChange ? 0 : $1.rowCount) }
        let erasedCount = manifest.absences.reduce(0) { $0 + ($1.reason == .erased ? Int($1.eventCount) : 0) }
        let historyCount = manifest.history.reduce(0) { $0 + Int($1.eventCount) }
        guard sealedCount == rowCount + erasedCount + historyCount else {
            throw fail(
                "log \(snapshot.log.rawValue): of \(sealedCount) events \(rowCount) are rows, \(erasedCount) were "
                    + "erased, and \(historyCount) are counted as expired")
        }
        for file in manifest.history {
            let range = file.firstSequence...file.lastSequence
            let known = historySeen[snapshot.log, default: [:]][file.family, default: []]
            guard !known.contains(range) else { continue }
            if known.contains(where: { range.lowerBound <= $0.lowerBound && $0.upperBound <= range.upperBound }) {
                historyMergedSeen += 1
                mergedHistory[snapshot.log, default: []].insert(file.path)
            }
            historySeen[snapshot.log, default: [:]][file.family, default: []].insert(range)
        }
    }

    /// The columns of the tail are its records.
    private func compareColumns(of snapshot: OrganizationSnapshot) throws {
        var records: [(sequence: UInt64, encoding: [UInt8])] = []
        try snapshot.forEachTailGroup(from: snapshot.manifest.sealedThrough + 1) { header, record in
            var entries = GroupEntries(of: header)
            while let entry = try entries.next(record) {
                records.append((entry.sequence, record.toArray(entry.encoding)))
            }
            return true
        }
        var rows: [(sequence: UInt64, encoding: [UInt8])] = []
        for family in Family.ofOrganizations {
            for chunk in try snapshot.tailChunks(of: family, through: .max, .all) {
                for row in 0..<chunk.batch.rowCount {
                    var encoding: [UInt8] = []
                    chunk.batch.appendEncoding(row: row, to: &encoding)
                    rows.append((chunk.batch.sequences[row], encoding))
                }
            }
        }
        rows.sort { $0.sequence < $1.sequence }
        guard rows.elementsEqual(records, by: ==) else {
            throw fail("log \(snapshot.log.rawValue): \(rows.count) rows of columns, \(records.count) of records")
        }
    }
}
