internal import DaybookFormat
internal import DaybookLog
internal import DaybookSegment
internal import DaybookSystem

/// What one step of the compactor came to.
package enum CompactionStep: Equatable, Sendable {
    /// Nothing waits.
    case idle
    case worked
    /// Something waits, and is to be left alone for this long.
    case resting(nanoseconds: UInt64)
}

/// Merges small ranges of segments into larger ones, one range a run. A state machine like the sealer, and stepped by
/// the same thread: each step does one piece of work, at most a page's worth of rows or one finished file.
///
/// Order: new segments are written and synchronized, then their folder, then the manifest's edit, which is the moment
/// they become real; only then are the old ones let go. A run that is cut short leaves files that nothing names.
final class Compactor {
    enum Phase {
        case resting
        case rewriting(Run)
        case publishing(Run)
    }

    final class Run {
        let organization: OrganizationStore
        let work: any RangeWork
        /// By which rows were left out.
        let table: VisibilityTable
        var chargedByteCount: UInt64 = 0

        init(_ organization: OrganizationStore, _ work: any RangeWork, _ table: VisibilityTable) {
            self.organization = organization
            self.work = work
            self.table = table
        }
    }

    let registry: OrganizationRegistry
    let shared: SharedState
    let journalFiles: JournalFiles
    let clock: any Clock
    let options: StoreOptions
    private let eraser: Eraser
    private let remover: OrganizationRemover
    private var pacer: CompactionPacer
    private var rate = ByteRate()
    var phase = Phase.resting
    /// Segments that the disk could not read, by log: the rest goes on without them until the next patrol.
    var blocked: [LogID: Set<String>] = [:]
    /// Segments whose index could not be made, by log; as above.
    var unindexed: [LogID: Set<String>] = [:]
    /// What is known of history files that may be merged, by log and name; asked again in each patrol.
    var historyGroups: [LogID: [String: HistoryGroup?]] = [:]
    /// Segments whose expired rows were counted, with the wall time from which on they are counted again.
    var countedAgain: [String: Int64] = [:]
    /// What is to be merged, and since when.
    private var debts: [LogID: (byteCount: UInt64, since: UInt64)] = [:]

    /// While ingest needs everything, this long.
    private static let pressedRestNanoseconds: UInt64 = 50_000_000
    /// While an erasure waits for another thread or a reader.
    private static let waitNanoseconds: UInt64 = 50_000_000

    init(
        registry: OrganizationRegistry, shared: SharedState, journalFiles: JournalFiles, clock: any Clock,
        options: StoreOptions, eraser: Eraser, remover: OrganizationRemover
    ) {
        self.eraser = eraser
        self.remover = remover
        self.registry = registry
        self.shared = shared
        self.journalFiles = journalFiles
        self.clock = clock
        self.options = options
        pacer = CompactionPacer(clock: clock, limits: options.compaction.pacerLimits)
    }

    /// One piece of work, unless it is time to rest.
    func step() -> CompactionStep {
        if case .resting = phase, shared.maintenance.count == 0, !eraser.hasWork, !remover.hasWork { return .idle }
        pacer.look(committedEventCount: shared.committedEventCount)
        // The committer waits for room, or soon will: nothing may take the disk from the checkpoint now.
        if journalFiles.cleanCount == 0 || shared.pendingByteCount > options.pendingByteCountMax {
            pacer.rest(nanoseconds: Self.pressedRestNanoseconds)
        }
        let rest = pacer.restNanoseconds()
        guard rest == 0 else { return .resting(nanoseconds: rest) }
        let start = clock.monotonicNanoseconds()
        guard let byteCount = work() else { return .resting(nanoseconds: Self.waitNanoseconds) }
        pacer.charge(byteCount: byteCount, startedAt: start)
        report(byteCount)
        return .worked
    }

    /// Returns the bytes it moved; nil when there is nothing but to wait. What is to be gone comes first.
    private func work() -> UInt64? {
        switch phase {
        case .resting:
            let steps = [remover.step(), eraser.step()]
            for case .worked(let byteCount) in steps { return byteCount }
            if steps.contains(.waiting), shared.maintenance.count == 0 { return nil }
            begin()
        case .rewriting(let run) where isWanted(run.organization.log):
            run.work.abandon()
            end(run)
        case .rewriting(let run):
            attempt(run) { if try run.work.step() { phase = .publishing(run) } }
            let byteCount = run.work.readByteCount + run.work.writtenByteCount
            defer { run.chargedByteCount = byteCount }
            return byteCount - run.chargedByteCount
        case .publishing(let run): attempt(run) { try publish(run) }
        }
        return 0
    }

    /// Whether somebody is to be forgotten in a log, or all of it.
    private func isWanted(_ log: LogID) -> Bool {
        shared.erasures.isActive(log) || shared.deletions.contains(log)
    }

    private func begin() {
        guard let (log, isPatrolled) = shared.maintenance.take() else { return }
        defer { registry.closeIdle(keeping: options.openOrganizationCountMax) }
        if isPatrolled {
            blocked[log] = nil
            unindexed[log] = nil
            historyGroups[log] = nil
        }
        do {
            let organization = try registry.lease(log)
            do {
                try plan(organization, isPatrolled: isPatrolled)
                shared.retries.succeeded(compaction(of: BackgroundWork.everything, log))
            } catch {
                registry.release(log)
                guard !isUnstable(error) else { throw error }
                fail(compaction(of: BackgroundWork.everything, log), error)
                return
            }
            if case .resting = phase { registry.release(log) }
        } catch {
            if isUnstable(error) {
                // Somebody else was faster. It is looked at anew.
                shared.maintenance.add(log)
            } else if !shared.deletions.contains(log) {
                fail(error)
            }
        }
    }

    /// Does what is cheap at once, or begins a run. What is left is found by the next look.
    private func plan(_ organization: OrganizationStore, isPatrolled: Bool) throws {
        let log = organization.log
        // One thing at a time: its end brings the log back here.
        guard !isWanted(log) else { return }
        let held = shared.retries.held(.compaction, log, at: clock.monotonicNanoseconds(), isPatrol: isPatrolled)
        guard !held.contains(BackgroundWork.everything) else { return }
        let manifest = organization.snapshot().manifest
        let table = shared.settings.visibility(of: log, at: Timestamp(microseconds: clock.wallMicroseconds()))
        let blocked = (blocked[log] ?? []).union(manifest.segmentPaths(in: held))
        let ranges = manifest.rangeSummaries(blocked: blocked)
        note(ranges, of: log)
        shared.space.set(organization.usedByteCount, of: log)
        if let isDone = try dropExpired(organization, manifest, table, held: held) {
            if isDone { shared.maintenance.add(log) }
        } else if try forgetHistory(organization, manifest, table) {
            shared.maintenance.add(log)
        } else if rebuildIndex(organization, manifest) {
            shared.maintenance.add(log)
        } else if let run = CompactionPlan.emptyRun(ranges) {
            let range = ranges[run.lowerBound].range.lowerBound...ranges[run.upperBound - 1].range.upperBound
            var empty = RangeRewriter.Job(range, of: manifest)
            empty.families = []
            try organization.publish(rewriter(empty, organization, table).replacement)
            shared.maintenance.add(log)
        } else if shared.space.isLow {
            // What only moves bytes waits; what has gone as a whole is gone.
        } else if let job = try halfExpired(organization, manifest, table, blocked: blocked) {
            begin(job, organization, table)
        } else if options.compaction.mergesRanges,
            let run = CompactionPlan.bestRun(ranges, options.compaction.planLimits)
        {
            let range = ranges[run.lowerBound].range.lowerBound...ranges[run.upperBound - 1].range.upperBound
            begin(RangeRewriter.Job(range, of: manifest), organization, table)
        } else if options.compaction.mergesRanges, try mergeHistory(organization, manifest) {
            shared.maintenance.add(log)
        } else if isPatrolled {
            try sealExpired(organization, table)
        }
    }

    private func begin(_ job: RangeRewriter.Job, _ organization: OrganizationStore, _ table: VisibilityTable) {
        phase = .rewriting(Run(organization, rewriter(job, organization, table), table))
    }

    private func rewriter(
        _ job: RangeRewriter.Job, _ organization: OrganizationStore, _ table: VisibilityTable
    ) -> RangeRewriter {
        let history = table.hidesNothing ? nil : HistoryBuilder(organization, job.range, table)
        return RangeRewriter(job, of: organization, clock: clock, history: history, verdict: Self.verdict(table))
    }

    private func publish(_ run: Run) throws {
        guard !isWanted(run.organization.log) else { throw StoreError.unstable }
        let replacement = run.work.replacement
        try publish(replacement, run.table, of: run.organization)
        shared.retries.succeeded(compaction(of: run.work.range, run.organization.log))
        let removed = run.work.removedCounts
        shared.compaction.update { status in
            status.runCount += 1
            status.setAsideCount += UInt64(replacement.setAside.count)
            status.expiredEventCount += removed[.expired, default: 0]
            status.lostEventCount += removed[.segmentDamaged, default: 0]
        }
        end(run)
    }

    // MARK: - Ends

    private func end(_ run: Run) {
        phase = .resting
        shared.maintenance.add(run.organization.log)
        registry.release(run.organization.log)
    }

    /// A failure ends the run. What it wrote goes, unless it may have been published.
    private func attempt(_ run: Run, _ body: () throws -> Void) {
        do {
            try body()
        } catch StoreError.unstable {
            // Somebody else was faster, or the policy is another one by now. Nothing was published.
            run.work.abandon()
            end(run)
        } catch {
            let log = run.organization.log
            var work = compaction(of: run.work.range, log)
            if case .rewriting = phase {
                run.work.abandon()
                // The rest goes on without it.
                if let input = run.work.currentInput, isUnreadable(error) {
                    (work.sequences, work.subject) = (input.range, Layout.path(run.organization.folder, input.path))
                    blocked[log, default: []].insert(input.path)
                    shared.maintenance.add(log)
                }
            }
            fail(work, error)
            phase = .resting
            registry.release(run.organization.log)
        }
    }

    private func isUnstable(_ error: any Error) -> Bool {
        if case StoreError.unstable = error { true } else { false }
    }

    private func compaction(of range: ClosedRange<UInt64>, _ log: LogID) -> BackgroundWork {
        BackgroundWork(kind: .compaction, log: log, sequences: range)
    }

    /// Counts the attempt, too.
    private func fail(_ work: BackgroundWork, _ error: any Error) {
        fail(error)
        let now = Timestamp(microseconds: clock.wallMicroseconds())
        shared.retries.failed(work, error, at: now, clock.monotonicNanoseconds())
    }

    func fail(_ error: any Error) {
        shared.note(error)
        shared.compaction.update { $0.failureCount += 1 }
    }

    /// The disk does not give the file's bytes. One that is full, or out of descriptors, is another matter: what was
    /// tried is tried again when something happens to the organization.
    func isUnreadable(_ error: any Error) -> Bool {
        switch error {
        case SegmentError.disk(let error): error.kind == .inputOutput || error.kind == .notFound
        default: false
        }
    }

    /// Lets go of everything: the store is done.
    func close() {
        eraser.close()
        switch phase {
        case .resting: return
        case .rewriting(let run):
            run.work.abandon()
            registry.release(run.organization.log)
        case .publishing(let run): registry.release(run.organization.log)
        }
        phase = .resting
    }

    // MARK: - Status

    private func note(_ ranges: [RangeSummary], of log: LogID) {
        let debt =
            options.compaction.mergesRanges
            ? CompactionPlan.debtByteCount(ranges, options.compaction.planLimits) : 0
        if debt == 0 {
            debts[log] = nil
        } else {
            debts[log] = (debt, debts[log]?.since ?? clock.monotonicNanoseconds())
        }
    }

    private func report(_ byteCount: UInt64) {
        let now = clock.monotonicNanoseconds()
        rate.add(byteCount, at: now)
        let perSecond = rate.perSecond(at: now)
        let debt = debts.values.reduce(0) { $0 + $1.byteCount }
        let oldest = debts.values.map(\.since).min()
        let isRunning = if case .resting = phase { false } else { true }
        let waitingCount = shared.maintenance.count
        shared.compaction.update { status in
            status.isRunning = isRunning
            status.debtByteCount = debt
            status.oldestWorkMicroseconds = oldest.map { Int64((now - $0) / 1_000) } ?? 0
            status.waitingLogCount = waitingCount
            status.bytesPerSecond = perSecond
            status.movedByteCount += byteCount
        }
    }
}

extension RangeRewriter.Job {
    /// Everything that the manifest has in this range, all families.
    init(_ range: ClosedRange<UInt64>, of manifest: Manifest) {
        self.init(
            range: range, inputs: Array(manifest.segments[manifest.segmentIndices(in: range)]),
            absences: Array(manifest.absences[manifest.absenceIndices(in: range)]),
            families: Set(Family.ofOrganizations))
    }
}
