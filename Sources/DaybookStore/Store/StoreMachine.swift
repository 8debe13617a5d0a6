internal import DaybookFormat
package import DaybookLog
internal import DaybookSystem

/// The state machines behind a store. Each is stepped by one thread at a time: the committer by the committing
/// thread, the checkpointer by the checkpoint thread, the sealer and the compactor by the sealing thread: so only one
/// thread publishes segments.
///
/// `@unchecked Sendable`: the references are constant, and the rule above keeps each machine on one thread.
package final class StoreMachine: @unchecked Sendable {
    let committer: Committer
    let participation: CommitParticipation
    let checkpointer: Checkpointer
    let sealer: Sealer
    let ageing: Ageing
    let tailKeeper: TailKeeper
    let compactor: Compactor
    let patrol: MaintenancePatrol
    let guardian: SpaceGuard
    let recorder: DeadLetterRecorder
    private let journal: Journal
    private let shared: SharedState
    private let options: StoreOptions
    private let clock: any Clock

    init(
        committer: Committer, participation: CommitParticipation, checkpointer: Checkpointer, sealer: Sealer,
        ageing: Ageing, tailKeeper: TailKeeper, compactor: Compactor, patrol: MaintenancePatrol,
        guardian: SpaceGuard, recorder: DeadLetterRecorder, journal: Journal, shared: SharedState,
        options: StoreOptions, clock: any Clock
    ) {
        self.committer = committer
        self.participation = participation
        self.checkpointer = checkpointer
        self.sealer = sealer
        self.ageing = ageing
        self.tailKeeper = tailKeeper
        self.compactor = compactor
        self.patrol = patrol
        self.guardian = guardian
        self.recorder = recorder
        self.journal = journal
        self.shared = shared
        self.options = options
        self.clock = clock
    }

    /// One commit. Refuses everything once a sync has failed.
    package func stepCommitter() -> Committer.Step {
        if shared.deletions.hasWork { participation.dropDeleted() }
        if shared.isPoisoned {
            guard committer.hasWork else { return .idle }
            committer.refuseAll(.storageUnavailable)
            return .committed
        }
        var step = committer.step()
        if step == .idle, committer.leaveJournalFile() {
            shared.advance(durablePosition: committer.durablePosition)
            step = .committed
        }
        if committer.isPoisoned { shared.poison() }
        return step
    }

    /// One piece of checkpoint work; starts a run when one is due, or when `force` says so.
    package func stepCheckpointer(force: Bool = false) -> Bool {
        // After a failed sync nothing is synchronized any more until the next start.
        guard !shared.isPoisoned else { return false }
        let now = clock.wallMicroseconds()
        guardian.look(nowNanoseconds: clock.monotonicNanoseconds())
        if checkpointer.isResting {
            ageing.look(nowMicroseconds: now)
            patrol.look(nowMicroseconds: now)
            for work in shared.retries.takeDue(at: clock.monotonicNanoseconds()) {
                shared.tryAgain(work.kind, work.log)
            }
            if force || checkpointer.isDue(nowMicroseconds: now) {
                checkpointer.begin(nowMicroseconds: now)
                return true
            }
            if checkpointer.relieveMemory() { return true }
        }
        return checkpointer.step() == .worked
    }

    /// Extends the tails that were asked lately, when it is time. Belongs to the checkpoint thread; it only reads, so a
    /// failed sync does not end it. Returns how long the next step may wait, nil when no tail is warm.
    @discardableResult
    package func stepTails() -> UInt64? { tailKeeper.step() }

    /// Also tells the control log what is not tried any more.
    package func stepSealer() -> Bool { !shared.isPoisoned && (recorder.step() || sealer.step()) }

    /// Called by the sealing thread when there is nothing to seal.
    package func stepCompactor() -> CompactionStep { shared.isPoisoned ? .idle : compactor.step() }

    package var checkpointCount: Int { checkpointer.completedCount }
    package var sealedFileCount: Int { sealer.sealedFileCount }

    /// Lets go of everything without writing: the store is done.
    func close() {
        participation.releaseAll()
        compactor.close()
        checkpointer.close()
        journal.close()
    }
}
