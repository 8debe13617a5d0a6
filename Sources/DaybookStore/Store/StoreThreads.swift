internal import DaybookLog
internal import DaybookSystem
internal import Synchronization

/// Thin shells around the state machines: one hot committing thread, a checkpoint thread, and a sealing thread at low
/// priority. None of them wakes up while there is nothing to do, but for one look a second of the checkpoint
/// thread, and twenty while tails are asked.
final class StoreThreads: Sendable {
    private static let idleLookMicroseconds: UInt64 = 1_000_000
    /// A rest is looked at anew this often: there may be something to seal.
    private static let compactionRestMicroseconds: UInt64 = 250_000
    private static let watermarkDelayMicroseconds: UInt64 = 200_000
    /// Synchronizing and sealing what an earlier life left leaves the first questions this much time.
    private static let startGraceNanoseconds: UInt64 = 250_000_000

    let machine: StoreMachine
    private let commitWakeup = Wakeup()
    private let checkpointWakeup = Wakeup()
    private let sealWakeup = Wakeup()
    private let threads = Mutex<[SystemThread]>([])
    /// Held by whoever appends to the control log.
    let administering = Mutex<Void>(())
    private let commitsAreDone = Atomic<Bool>(false)
    private let isStopping = Atomic<Bool>(false)

    init(machine: StoreMachine) { self.machine = machine }

    func wakeCommitter() { commitWakeup.signal() }

    func start(_ store: Store) {
        store.readCaches.tails.setWaker { [checkpointWakeup] in checkpointWakeup.signal() }
        let committing = SystemThread.start(name: "commit", slice: .short) { [self] in runCommitter(store) }
        let checkpointing = SystemThread.start(name: "checkpoint", niceness: 5) { [self] in runCheckpointer(store) }
        let sealing = SystemThread.start(name: "seal", niceness: 10) { [self] in runSealer(store) }
        threads.withLock { $0 = [committing, checkpointing, sealing] }
    }

    func stop() {
        isStopping.store(true, ordering: .releasing)
        commitWakeup.signal()
        let running = threads.withLock { threads in
            defer { threads.removeAll() }
            return threads
        }
        for thread in running {
            checkpointWakeup.signal()
            sealWakeup.signal()
            thread.join()
        }
        machine.close()
    }

    private var stopping: Bool { isStopping.load(ordering: .acquiring) }

    private func runCommitter(_ store: Store) {
        var wroteWatermark = false
        while true {
            wait(store, while: { store.shared.pendingByteCount > store.options.pendingByteCountLimit })
            switch machine.stepCommitter() {
            case .committed:
                wroteWatermark = false
                if store.shared.pendingByteCount > store.options.pendingByteCountMax { checkpointWakeup.signal() }
            case .blocked:
                wait(store, while: { store.journalFiles.cleanCount == 0 })
            case .idle:
                if stopping { break }
                if wroteWatermark {
                    commitWakeup.wait()
                } else if !commitWakeup.wait(microseconds: Self.watermarkDelayMicroseconds) {
                    _ = machine.committer.writeWatermark()
                    wroteWatermark = true
                }
                continue
            }
            if stopping, !machine.committer.hasWork { break }
        }
        _ = machine.committer.writeWatermark()
        commitsAreDone.store(true, ordering: .releasing)
        checkpointWakeup.signal()
    }

    /// The journal or the memory for groups is full: the checkpoint thread makes room. Clients wait for it, but not
    /// for ever.
    private func wait(_ store: Store, while isFull: () -> Bool) {
        guard isFull() else { return }
        let started = store.clock.monotonicNanoseconds()
        let limit = UInt64(store.options.fullJournalWaitMicroseconds) * 1_000
        while isFull() {
            checkpointWakeup.signal()
            _ = commitWakeup.wait(microseconds: 2_000)
            if store.shared.isPoisoned || store.clock.monotonicNanoseconds() - started > limit {
                machine.committer.refuseAll(.storageUnavailable)
                return
            }
        }
    }

    private func runCheckpointer(_ store: Store) {
        // What the journal alone held at the start goes to log files soon, so that its files come free.
        if store.recoveryReport.journalGroupCount > 0 { startGently(store) }
        while true {
            while machine.stepCheckpointer() {
                machine.stepTails()
                wakeSealer(store)
            }
            wakeSealer(store)
            if commitsAreDone.load(ordering: .acquiring) { break }
            _ = checkpointWakeup.wait(microseconds: machine.stepTails() ?? Self.idleLookMicroseconds)
        }
        // A clean end: the next start has nothing to take from the journal.
        guard !store.shared.isPoisoned else { return }
        _ = machine.stepCheckpointer(force: true)
        while !machine.checkpointer.isResting { _ = machine.stepCheckpointer() }
    }

    /// Takes groups out of the journal at once, because the first question needs them, and then waits a little, unless
    /// ingest already needs room.
    private func startGently(_ store: Store) {
        let end = store.clock.monotonicNanoseconds() + Self.startGraceNanoseconds
        _ = machine.stepCheckpointer(force: true)
        while machine.checkpointer.isWriting, !stopping { _ = machine.stepCheckpointer() }
        while !stopping, store.journalFiles.cleanCount > 0,
            store.shared.pendingByteCount <= store.options.pendingByteCountMax
        {
            let now = store.clock.monotonicNanoseconds()
            guard now < end else { return }
            _ = checkpointWakeup.wait(microseconds: (end - now) / 1_000 + 1)
        }
    }

    private func wakeSealer(_ store: Store) {
        let shared = store.shared
        let hasWork = shared.sealableCount > 0 || shared.maintenance.count > 0 || shared.retries.hasUnrecorded
        if hasWork || shared.erasures.hasWork || shared.deletions.hasWork { sealWakeup.signal() }
    }

    /// What the sealing thread waits for is done by the other two.
    private func wakeOthers(_ store: Store) {
        if store.shared.wantsCheckpoint || store.shared.redaction.isWanted { checkpointWakeup.signal() }
        if store.journalFiles.isLeaving || store.shared.erasures.hasWork || store.shared.deletions.hasWork {
            commitWakeup.signal()
        }
    }

    /// There is an erasure or a deletion to be carried out, or a dead letter to be tried again.
    func wakeSealer() { sealWakeup.signal() }

    /// Sealing first: it makes room for ingest. Compaction takes what is left of the thread, and rests on it.
    private func runSealer(_ store: Store) {
        while !stopping {
            if machine.stepSealer() {
                if machine.recorder.isRecording { commitWakeup.signal() }
                continue
            }
            switch machine.stepCompactor() {
            case .worked: continue
            case .resting(let nanoseconds):
                wakeOthers(store)
                _ = sealWakeup.wait(microseconds: min(nanoseconds / 1_000 + 1, Self.compactionRestMicroseconds))
            case .idle: sealWakeup.wait()
            }
        }
    }
}
