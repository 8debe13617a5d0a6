package import DaybookFormat
package import DaybookLog
internal import DaybookSystem
internal import Synchronization

/// One data directory: all organizations and the control log. One process at a time.
///
/// Requests go through `submit` to the committing thread; a checkpoint thread and a low-priority sealing thread work
/// behind it. `StoreMachine` holds the three state machines, and whoever steps it, the threads of `start` or a
/// simulation, does so from one thread per machine.
package final class Store: Sendable {
    package let recoveryReport: RecoveryReport
    let disk: any Disk
    let clock: any Clock
    let options: StoreOptions
    let queue: CommitQueue
    let registry: OrganizationRegistry
    let shared: SharedState
    let journalFiles: JournalFiles
    let control: ControlBook
    let threads: StoreThreads

    init(_ parts: StoreParts) {
        recoveryReport = parts.report
        disk = parts.disk
        clock = parts.clock
        options = parts.options
        queue = parts.queue
        registry = parts.registry
        shared = parts.shared
        journalFiles = parts.journalFiles
        control = parts.control
        threads = StoreThreads(machine: parts.machine)
    }

    /// A session without a change for so long is abandoned.
    package var sessionIdleMicroseconds: Int64 { options.sessionIdleMicroseconds }

    /// Starts the three threads. Without them a simulation steps the machine itself.
    package func start() { threads.start(self) }

    /// Commits what was submitted, answers it, and ends the threads. Later submissions are refused.
    package func shutdown() {
        shared.stop()
        queue.close()
        threads.stop()
    }

    /// Never blocks. The sink hears of the outcome exactly once.
    package func submit(_ submission: Submission) {
        guard queue.add(submission) else {
            submission.sink.acknowledge([Acknowledged(ticket: submission.ticket, outcome: .refused(.shuttingDown))])
            return
        }
        threads.wakeCommitter()
    }

    /// False once a sync has failed, while the disk is nearly full, or when the store is shutting down: ingest answers
    /// 503.
    package var acceptsIngest: Bool { !shared.isPoisoned && !shared.isStopping && !shared.space.isLow }

    /// Organizations whose manifest turned out to be damaged since the start: they are closed alone. One is opened, and
    /// so found out, when somebody asks for it or the journal holds events of it.
    package var closedOrganizations: [LogID: Corruption] { registry.closed }

    /// What a simulation steps instead of starting the threads.
    package var machine: StoreMachine { threads.machine }

    package var statistics: StoreStatistics {
        StoreStatistics(
            committedEventCount: shared.committedEventCount, pendingByteCount: shared.pendingByteCount,
            openOrganizationCount: registry.openCount, sealableLogCount: shared.sealableCount,
            cleanJournalFileCount: journalFiles.cleanCount, durablePosition: shared.durablePosition,
            isPoisoned: shared.isPoisoned, lastError: shared.lastError, closedOrganizationCount: registry.closed.count,
            openErasureCount: shared.erasures.active.count, space: shared.space.status)
    }

    /// What the store keeps for readers.
    package var readCaches: ReadCaches { registry.caches }
    package var cacheStatus: CacheStatus { registry.caches.status }

    package var compactionStatus: CompactionStatus { shared.compaction.current }

    /// An immutable view of one organization up to its durable sequence.
    package func snapshot(of log: LogID) throws -> OrganizationSnapshot {
        do {
            return try registry.with(log) { organization in
                // Asked now: opening the organization may have found out that somebody is to be forgotten.
                let now = Timestamp(microseconds: clock.wallMicroseconds())
                let users = shared.erasures.users(of: log)
                return organization.snapshot(shared.settings.visibility(of: log, at: now).hiding(users))
            }
        } catch {
            // Opening an organization synchronizes its manifest: a reader may be the one who meets a failed sync.
            shared.note(error)
            throw error
        }
    }
}

/// Figures for health, metrics and tests.
package struct StoreStatistics: Sendable {
    package var committedEventCount: UInt64
    package var pendingByteCount: Int
    package var openOrganizationCount: Int
    package var sealableLogCount: Int
    package var cleanJournalFileCount: Int
    package var durablePosition: UInt64
    package var isPoisoned: Bool
    package var lastError: String?
    package var closedOrganizationCount: Int
    /// Users who are to be forgotten and of whom something may be left.
    package var openErasureCount: Int
    package var space: SpaceStatus
}
