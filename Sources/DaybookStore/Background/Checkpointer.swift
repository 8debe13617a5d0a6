internal import DaybookFormat
internal import DaybookLog
internal import DaybookSystem

/// Moves groups from memory to log files, makes them durable there, and gives journal files back. A state machine: each
/// step does one piece of work; a thread or a simulation decides when.
final class Checkpointer {
    enum Step: Equatable {
        case idle
        case worked
    }

    private enum Phase {
        case resting
        case writing(Run)
        case synchronizing(Run)
        case recording(Run)
    }

    private struct Run {
        /// Frames before it are in log files when the run ends.
        var position: UInt64
        var logs: [LogID]
        var next = 0
        var marks: [LogMark] = []
        var unsynced: [(log: LogID, files: OrganizationStore.UnsyncedFiles)] = []
        /// Logs whose groups could not be written: the run must not vouch for anything.
        var failure: DiskError?
    }

    private let disk: any Disk
    private let storeID: UInt64
    private let registry: OrganizationRegistry
    private let shared: SharedState
    private let checkpoints: CheckpointLog
    private let journalFiles: JournalFiles
    private let redaction: ControlRedaction
    private let options: StoreOptions
    /// Log files that stay open between checkpoints.
    static let openFileCountMax = 32
    private let files = LogFileCache(capacity: openFileCountMax)

    private var phase = Phase.resting
    private var zeroing: JournalZeroing?
    /// Logs written early, to spare memory: the next run must synchronize them although nothing is pending.
    private var early: Set<LogID> = []
    /// What a run that gave up has written and not synchronized. Kept here and not with the organizations, which may
    /// be closed by then.
    private var leftover: [(log: LogID, files: OrganizationStore.UnsyncedFiles)] = []
    private var lastRunMicroseconds: Int64
    /// Whether the last run gave up.
    private var hasFailed = false
    private static let retryMicroseconds: Int64 = 1_000_000
    private(set) var completedCount = 0
    /// A failed sync of a log is final: no checkpoint is written any more, the journal stays the truth.
    private(set) var isPoisoned = false

    init(
        disk: any Disk, storeID: UInt64, registry: OrganizationRegistry, shared: SharedState,
        checkpoints: CheckpointLog, journalFiles: JournalFiles, control: ControlBook, options: StoreOptions,
        nowMicroseconds: Int64
    ) {
        redaction = ControlRedaction(disk: disk, registry: registry, control: control)
        self.disk = disk
        self.storeID = storeID
        self.registry = registry
        self.shared = shared
        self.checkpoints = checkpoints
        self.journalFiles = journalFiles
        self.options = options
        lastRunMicroseconds = nowMicroseconds
    }

    var isResting: Bool {
        if case .resting = phase { return true }
        return false
    }

    var isWriting: Bool {
        if case .writing = phase { return true }
        return false
    }

    /// Whether a run should start: enough bytes in the journal, or enough time with something to do.
    func isDue(nowMicroseconds: Int64) -> Bool {
        guard isResting, !isPoisoned else { return false }
        // Somebody waits for it. What has just failed is not tried again at once.
        if shared.wantsCheckpoint, !hasFailed || nowMicroseconds - lastRunMicroseconds >= Self.retryMicroseconds {
            return true
        }
        guard shared.hasDirty || !early.isEmpty else { return false }
        let behind = shared.durablePosition - checkpoints.table.journalPosition
        return behind >= UInt64(options.checkpointByteCount)
            || nowMicroseconds - lastRunMicroseconds >= options.checkpointIntervalMicroseconds
            || journalFiles.cleanCount == 0
    }

    /// Starts a run over everything that is durable now.
    func begin(nowMicroseconds: Int64) {
        guard isResting, !isPoisoned else { return }
        lastRunMicroseconds = nowMicroseconds
        let (position, dirty) = shared.takeDirty()
        var logs = Set(dirty)
        logs.formUnion(early)
        logs.formUnion(registry.unopenedLogs)
        early.removeAll()
        let deletions = shared.deletions
        // As long as the journal may hold frames of a log, a start must know what they go on from.
        checkpoints.forget { deletions.isRemoved($0) }
        leftover.removeAll { deletions.contains($0.log) }
        phase = .writing(
            Run(position: position, logs: logs.filter { !deletions.contains($0) }.sorted(), unsynced: leftover))
        leftover = []
    }

    /// One piece of work. Zeroing comes first when no clean journal file is left, else last.
    func step() -> Step {
        if journalFiles.cleanCount == 0, zero() { return .worked }
        switch phase {
        case .resting: return redact() || zero() ? .worked : .idle
        case .writing(let run): writeNext(run)
        case .synchronizing(let run): synchronize(run)
        case .recording(let run): record(run)
        }
        return .worked
    }

    private func writeNext(_ current: Run) {
        var run = current
        guard run.next < run.logs.count else {
            phase = run.failure == nil ? .synchronizing(run) : .resting
            if run.failure != nil { giveUp(run) }
            return
        }
        let log = run.logs[run.next]
        run.next += 1
        do {
            try registry.with(log) { organization in
                let moved = try organization.writePending(rollByteCount: options.logFileByteCount, files: files)
                shared.moved(byteCount: moved)
                let (mark, unsynced) = organization.takeMark()
                if let mark {
                    run.marks.append(mark)
                    // An organization that is closed before the run ends is opened again with what its files hold.
                    registry.note(mark)
                }
                if !unsynced.isEmpty { run.unsynced.append((log, unsynced)) }
                if organization.sealableExtent != nil, log != .control { shared.addSealable(log) }
            }
            registry.closeIdle(keeping: options.openOrganizationCountMax)
        } catch StoreError.unknownOrganization {
            // Deleted meanwhile: nothing of it is kept.
        } catch StoreError.organizationClosed {
            salvage(log, &run)
        } catch {
            run.failure = (error as? DiskError) ?? run.failure ?? DiskError(.other, operation: "checkpoint", path: "")
            shared.note(error)
            early.insert(log)
        }
        phase = .writing(run)
    }

    /// Without a readable manifest nothing is appended to an organization's files. Its groups are copied out of the
    /// journal before the journal's files are used again.
    private func salvage(_ log: LogID, _ run: inout Run) {
        do {
            try registry.salvage(log)
        } catch {
            run.failure = (error as? DiskError) ?? DiskError(.other, operation: "salvage", path: Layout.folder(of: log))
            shared.note(error)
            early.insert(log)
        }
    }

    /// The run vouches for nothing: what it wrote is synchronized by the next one.
    private func giveUp(_ run: Run) {
        hasFailed = true
        leftover = run.unsynced
        early.formUnion(run.unsynced.map(\.log))
        shared.addDirty(run.logs)
        phase = .resting
    }

    private func synchronize(_ run: Run) {
        let paths = run.unsynced.flatMap(\.files.paths)
        do {
            if paths.count > options.individualSyncCountMax {
                try disk.synchronizeAll()
            } else {
                for path in paths { try synchronizeLogFile(path) }
                for (log, unsynced) in run.unsynced where unsynced.folderChanged {
                    try synchronizeFolder(of: log)
                }
                if run.unsynced.contains(where: \.files.folderIsNew) {
                    try disk.synchronizeDirectory(Layout.organizations)
                }
            }
            phase = .recording(run)
        } catch {
            isPoisoned = true
            shared.note(error)
            shared.poison()
            phase = .resting
        }
    }

    /// That of an organization that was deleted in the meantime may be gone.
    private func synchronizeFolder(of log: LogID) throws(DiskError) {
        do {
            try disk.synchronizeDirectory(Layout.folder(of: log))
        } catch {
            guard error.kind == .notFound, shared.deletions.contains(log) else { throw error }
        }
    }

    /// A log file that was sealed in the meantime is gone: its segments were synchronized before it went.
    private func synchronizeLogFile(_ path: String) throws(DiskError) {
        let file: any DiskFile
        do {
            file = try files.open(path, disk)
        } catch {
            guard error.kind == .notFound else { throw error }
            return
        }
        try file.synchronize()
    }

    private func record(_ run: Run) {
        phase = .resting
        do throws(LogError) {
            try checkpoints.append(position: run.position, marks: run.marks)
        } catch {
            isPoisoned = true
            shared.note(error)
            shared.poison()
            return
        }
        hasFailed = false
        journalFiles.release(before: run.position)
        shared.noteCheckpoint(of: run.position)
        completedCount += 1
    }

    /// Takes names out of the control log when somebody asks for it. Here, because nobody else writes to log files.
    private func redact() -> Bool {
        guard let request = shared.redaction.wanted else { return false }
        do {
            let rewritten = try redaction.run { files.forget($0) }
            // An organization that was deleted gives back no room while its files are open.
            files.closeAll()
            shared.redaction.finish(request, .success(rewritten))
        } catch {
            shared.note(error)
            shared.redaction.finish(request, .failure(error))
        }
        return true
    }

    /// Writes a piece of zeroes into a used journal file; false when there is none, and when the store ends and the
    /// committer can do without.
    private func zero() -> Bool {
        guard !shared.isStopping || journalFiles.cleanCount == 0 else { return false }
        do {
            if zeroing == nil {
                guard let slot = journalFiles.nextDirty() else { return false }
                zeroing = try JournalZeroing(
                    disk: disk, storeID: storeID, slot: slot, byteCount: journalFiles.fileByteCount)
            }
            if try zeroing!.step() {
                try disk.synchronizeDirectory(Layout.journal)
                journalFiles.markClean(zeroing!.slot)
                zeroing = nil
            }
            return true
        } catch {
            shared.note(error)
            zeroing = nil
            return false
        }
    }

    /// Moves pending groups to log files between checkpoints, so that memory holds a few megabytes at most.
    /// True when something was moved.
    func relieveMemory() -> Bool {
        guard isResting, !isPoisoned, shared.pendingByteCount > options.pendingByteCountMax else { return false }
        let (_, dirty) = shared.takeDirty()
        for (index, log) in dirty.enumerated() {
            early.insert(log)
            do {
                try registry.with(log) { organization in
                    let moved = try organization.writePending(rollByteCount: options.logFileByteCount, files: files)
                    shared.moved(byteCount: moved)
                    if organization.sealableExtent != nil, log != .control { shared.addSealable(log) }
                }
            } catch StoreError.unknownOrganization {
                continue
            } catch StoreError.organizationClosed {
                // The next run copies its groups out of the journal; the others must not wait for it.
                continue
            } catch {
                shared.note(error)
                shared.addDirty(dirty[index...])
                return false
            }
        }
        return !dirty.isEmpty
    }

    func close() {
        files.closeAll()
        checkpoints.close()
    }

    var table: CheckpointTable { checkpoints.table }
}
