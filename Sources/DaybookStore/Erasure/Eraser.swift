internal import DaybookFormat
internal import DaybookLog
internal import DaybookSegment
internal import DaybookSystem
internal import Synchronization

/// What the eraser works with.
struct EraserParts {
    var disk: any Disk
    var registry: OrganizationRegistry
    var shared: SharedState
    var journalFiles: JournalFiles
    var clock: any Clock
    var queue: CommitQueue
    var control: ControlBook
    /// Whether the sealer is making files of a log right now.
    var isSealing: (LogID) -> Bool
}

/// Carries out the erasures that the ledger says were begun. A state machine like the compactor, and stepped by it: each
/// step does one piece of work, or finds that it has to wait for another thread.
///
/// Everything it does can be done again: after a crash an erasure starts with its first phase, which finds most of the
/// work done. What the phases leave behind for the next one is on the disk and durable.
final class Eraser {
    enum Step: Equatable {
        /// Nothing is to be erased.
        case idle
        case worked(byteCount: UInt64)
        /// Another thread, or a reader, has to do something first.
        case waiting
    }

    enum Phase: String {
        /// Everything up to the sequence goes into segments.
        case sealing
        /// Idempotency keys and states of sessions are made anew.
        case carrying
        /// Segments with rows of the user are written anew.
        case rewriting
        /// Journal files that held frames of before are zeroed.
        case zeroing
        /// Names of keys are taken out of the control log.
        case redacting
        /// What nothing names goes; files that are still read are waited for.
        case sweeping
        /// The ledger is told.
        case recording
    }

    /// One erasure under way.
    final class Run {
        let task: ErasureTask
        let organization: OrganizationStore
        let users: ErasedUsers
        var phase = Phase.sealing
        var progress: ErasureProgress
        var cleaner: CarryCleaner?
        var rewrite: Rewrite?
        /// Segments without a row of the user.
        var clean: Set<String> = []
        /// Names that others use, by family; once segments are clean.
        var survivingNames: [Family: Set<[UInt8]>] = [:]
        var clearing = JournalClearing()
        var redaction: UInt64?
        var recording: RecordingSink?

        init(_ task: ErasureTask, _ organization: OrganizationStore, _ progress: ErasureProgress) {
            self.task = task
            self.organization = organization
            self.progress = progress
            users = ErasedUsers(
                [ErasedUsers.User(hash: task.record.userHash, through: task.record.through)], hash: task.hash)
        }

        var id: UInt64 { task.record.id }
        var log: LogID { task.log }
        var through: UInt64 { task.record.through }
    }

    let parts: EraserParts
    private var runs: [Run] = []
    private var nextRun = 0
    /// Erasures that met an error, with the moment from which on they are tried again.
    private var retries: [UInt64: UInt64] = [:]

    /// At the same time; others wait for their turn.
    private static let runCountMax = 4
    private static let retryNanoseconds: UInt64 = 10_000_000_000

    init(_ parts: EraserParts) { self.parts = parts }

    var shared: SharedState { parts.shared }
    var disk: any Disk { parts.disk }
    var hasWork: Bool { shared.erasures.hasWork || !runs.isEmpty }

    /// One piece of work of the next erasure that has some.
    func step() -> Step {
        dropDeleted()
        guard hasWork else { return .idle }
        begin()
        for _ in runs.indices {
            nextRun = (nextRun + 1) % runs.count
            let run = runs[nextRun]
            do {
                let step = try advance(run)
                if step != .waiting { return step }
            } catch {
                fail(run, error)
                return .worked(byteCount: 0)
            }
        }
        return .waiting
    }

    /// Takes up erasures while there is room, one of each log.
    private func begin() {
        guard runs.count < Self.runCountMax else { return }
        let now = parts.clock.monotonicNanoseconds()
        for task in shared.erasures.active where runs.count < Self.runCountMax {
            guard !runs.contains(where: { $0.log == task.log }), retries[task.record.id] ?? 0 <= now else { continue }
            do {
                runs.append(try open(task))
                retries[task.record.id] = nil
            } catch {
                postpone(task.record.id, error)
            }
        }
    }

    private func open(_ task: ErasureTask) throws -> Run {
        let organization = try parts.registry.lease(task.log)
        do {
            var progress = try ErasureProgress.load(
                disk: disk, folder: organization.folder, log: task.log, id: task.record.id
            ) { shared.note($0) }
            // What was noted and never published: its old files are still the real ones. The disk is asked: a
            // publication that failed may be there all the same.
            let content = try ManifestLog.load(disk: disk, folder: organization.folder, log: task.log)
            let named = (content?.manifest ?? Manifest()).namedFiles
            progress.rewrites.removeAll { rewrite in rewrite.old.contains { named.contains($0.name) } }
            organization.caches?.forgetAll(of: task.log)
            return Run(task, organization, progress)
        } catch {
            parts.registry.release(task.log)
            throw error
        }
    }

    private func advance(_ run: Run) throws -> Step {
        shared.erasures.note(run.id) { status in
            status.phase = run.phase.rawValue
            status.lastError = nil
        }
        switch run.phase {
        case .sealing: return try seal(run)
        case .carrying: return try clean(run)
        case .rewriting: return try rewrite(run)
        case .zeroing: return try zero(run)
        case .redacting: return try redact(run)
        case .sweeping: return try sweep(run)
        case .recording: return try record(run)
        }
    }

    // MARK: - Sealing

    /// Makes the other threads write, and seal, everything up to the sequence, however little it is.
    private func seal(_ run: Run) throws -> Step {
        let unsealed = run.organization.unsealed(through: run.through)
        guard unsealed != .nothing else {
            run.phase = .carrying
            return .worked(byteCount: 0)
        }
        switch unsealed {
        case .pending: shared.wantCheckpoint(of: shared.durablePosition)
        case .rolled:
            if let letter = shared.retries.letter(.sealing, run.log) { throw StoreError.heldByDeadLetter(letter.id) }
            shared.addSealable(run.log)
        case .growing: shared.maintenance.addToRoll(run.log)
        case .nothing: break
        }
        return .waiting
    }

    // MARK: - Ends

    func end(_ run: Run) {
        runs.removeAll { $0 === run }
        nextRun = 0
        run.organization.caches?.forgetAll(of: run.log)
        parts.registry.release(run.log)
        shared.maintenance.add(run.log)
    }

    private func fail(_ run: Run, _ error: any Error) {
        if run.rewrite?.isPublishing == false { run.rewrite?.rewriter.abandon() }
        runs.removeAll { $0 === run }
        nextRun = 0
        parts.registry.release(run.log)
        postpone(run.id, error)
    }

    /// What is erased of an organization that was deleted goes with the rest of it.
    private func dropDeleted() {
        for run in runs where shared.deletions.contains(run.log) {
            if run.rewrite?.isPublishing == false { run.rewrite?.rewriter.abandon() }
            runs.removeAll { $0 === run }
            nextRun = 0
            parts.registry.release(run.log)
        }
    }

    private func postpone(_ id: UInt64, _ error: any Error) {
        shared.note(error)
        shared.erasures.note(id) { $0.lastError = "\(error)" }
        retries[id] = parts.clock.monotonicNanoseconds() + Self.retryNanoseconds
    }

    /// Lets go of everything: the store is done.
    func close() {
        for run in runs {
            if run.rewrite?.isPublishing == false { run.rewrite?.rewriter.abandon() }
            parts.registry.release(run.log)
        }
        runs = []
    }
}

/// Where events up to a sequence are that are not in segments yet.
enum UnsealedPlace {
    case nothing
    /// In memory, and in the journal.
    case pending
    /// In a log file that takes no more groups.
    case rolled
    /// In a log file that does.
    case growing
}

extension OrganizationStore {
    func unsealed(through sequence: UInt64) -> UnsealedPlace {
        state.withLock { state in
            if let first = state.pending.first, first.firstSequence <= sequence { return .pending }
            guard let first = state.extents.first(where: { !$0.isEmpty }), first.firstSequence <= sequence else {
                return .nothing
            }
            return state.extents.count > 1 || state.isRolled ? .rolled : .growing
        }
    }
}
