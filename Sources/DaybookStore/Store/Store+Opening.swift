internal import DaybookFormat
internal import DaybookLog
package import DaybookSystem

extension Store {
    /// Lays out an empty data directory. The identity file comes last: a directory without it is not a store, so an
    /// interrupted creation can be repeated.
    package static func create(
        disk: any Disk, clock: any Clock, entropy: any Entropy, options: StoreOptions = StoreOptions()
    ) throws {
        try inStore {
            guard try !disk.exists(Layout.identity) else { throw StoreError.alreadyAStore }
            for folder in [Layout.journal, Layout.checkpoint, Layout.control, Layout.organizations, Layout.recovery]
            where try !disk.exists(folder) {
                try disk.createDirectory(folder)
            }
            let identity = StoreIdentity(
                storeID: entropy.next(), createdAt: Timestamp(microseconds: clock.wallMicroseconds()))
            for name in try disk.list(Layout.checkpoint) { try disk.remove(Layout.path(Layout.checkpoint, name)) }
            _ = try CheckpointLog.create(
                disk: disk, storeID: identity.storeID, table: CheckpointTable(), ordinal: 1)
            for slot in 0..<options.journalFileCount where try !disk.exists(JournalFiles.path(slot)) {
                let file = try disk.open(JournalFiles.path(slot), .create)
                file.close()
            }
            for folder in [Layout.journal, Layout.checkpoint, ""] { try disk.synchronizeDirectory(folder) }
            try identity.encoded().withRawSpan { (span) throws(DiskError) in
                try disk.replaceAtomically(Layout.identity, with: span)
            }
        }
    }

    /// Recovers and returns a store without threads; `start` brings them.
    ///
    /// Reads the checkpoint log, the journal from the last checkpoint on, and the control log; organizations are opened
    /// when they are asked for. Complexity: O(journal bytes since the checkpoint + number of logs); with a quota of the
    /// store also O(bytes of all manifests), because it holds from the first commit on.
    package static func open(
        disk: any Disk, clock: any Clock, entropy: any Entropy, options: StoreOptions = StoreOptions()
    ) throws -> Store {
        try inStore { try Opening(disk: disk, clock: clock, entropy: entropy, options: options).run() }
    }

    static func readIdentity(_ disk: any Disk) throws -> StoreIdentity {
        guard try disk.exists(Layout.identity) else { throw StoreError.notAStore("\(Layout.identity) is missing") }
        let bytes = try disk.readAll(Layout.identity)
        do {
            return try bytes.withRawSpan { (span) throws(FormatError) in try StoreIdentity(reading: span) }
        } catch {
            throw Corruption(file: Layout.identity, offset: 0, reason: error)
        }
    }
}

/// The steps of a start, in order.
private struct Opening {
    let disk: any Disk
    let clock: any Clock
    let entropy: any Entropy
    let options: StoreOptions

    func run() throws -> Store {
        options.check()
        let started = clock.monotonicNanoseconds()
        let identity = try Store.readIdentity(disk)
        try settle(Layout.checkpoint, evicts: true)
        try settle(Layout.journal, evicts: false)
        let checkpoints = try CheckpointLog.open(disk: disk, storeID: identity.storeID)
        let scan = try JournalScan.read(
            disk: disk, storeID: identity.storeID, from: checkpoints.table.journalPosition, isAfterStart: true)
        var report = try RecoveryReport(
            scan: scan, marks: checkpoints.table.marks, position: try PositionFile.read(disk: disk), disk: disk)
        report.durationMicroseconds = Int64((clock.monotonicNanoseconds() - started) / 1_000)
        try keep(report)
        let position = try PositionFile(disk: disk)
        // Told once: what is missing does not come back.
        if report.missingPositions != nil { position.publish(scan.endPosition) }

        let files = JournalFiles(
            conditions: conditions(scan), fileByteCount: options.journalFileByteCount, ordinal: scan.ordinal)
        let shared = SharedState(
            durablePosition: scan.endPosition, position: position, options: options)
        let registry = OrganizationRegistry(
            disk: disk, options: options, shared: shared,
            caches: ReadCaches(options, clock: clock, maintenance: shared.maintenance),
            marks: checkpoints.table.marks, groups: scan.groups)
        shared.addDirty(registry.unopenedLogs)
        let control = try readControl(registry, shared)
        if options.storeByteCountMax > 0 {
            // Deleted organizations are not among them any more.
            let survey = SpaceSurvey(disk: disk, shared: shared)
            survey.run(marks: registry.marks, groups: registry.unopenedGroups)
        }
        try prepareFirstJournalFile(files, storeID: identity.storeID)
        let queue = CommitQueue()
        let machine = makeMachine(
            identity: identity, files: files, registry: registry, shared: shared, checkpoints: checkpoints,
            queue: queue, control: control, position: scan.endPosition)
        return Store(
            StoreParts(
                disk: disk, clock: clock, options: options, queue: queue, registry: registry, shared: shared,
                journalFiles: files, machine: machine, control: control, report: report))
    }

    /// What an earlier life of the process wrote and did not synchronize stands in the page cache and may still be lost.
    /// It is made durable before anybody sees it, and read back from the disk, because after a failed sync the cache may
    /// hold what the disk does not. Of the journal, the scan itself evicts what it must not rely on.
    private func settle(_ folder: String, evicts: Bool) throws {
        for name in try disk.list(folder) {
            let file = try disk.open(Layout.path(folder, name), .readWrite)
            defer { file.close() }
            try file.synchronize()
            if evicts { file.evictFromPageCache() }
        }
        try disk.synchronizeDirectory(folder)
    }

    /// A file with frames that count is full up to the end of the journal, until a checkpoint releases it. One that
    /// does not say that it is clean must be zeroed.
    private func conditions(_ scan: JournalScan) -> [JournalFiles.Condition] {
        let count = max(options.journalFileCount, scan.slotCount)
        return (0..<count).map { slot in
            if scan.slotsInUse.contains(slot) { return .full(end: scan.endPosition) }
            return scan.cleanSlots.contains(slot) ? .clean : .dirty
        }
    }

    /// The first commit must not wait for the background: when no file is clean, one is zeroed here.
    private func prepareFirstJournalFile(_ files: JournalFiles, storeID: UInt64) throws {
        guard files.cleanCount == 0, let slot = files.nextDirty() else { return }
        var zeroing = try JournalZeroing(
            disk: disk, storeID: storeID, slot: slot, byteCount: options.journalFileByteCount)
        while try !zeroing.step() {}
        try disk.synchronizeDirectory(Layout.journal)
        files.markClean(slot)
    }

    /// Damaged journal bytes are copied and the report is written before anything may overwrite them.
    private func keep(_ report: RecoveryReport) throws {
        guard !report.isClean else { return }
        let now = Timestamp(microseconds: clock.wallMicroseconds())
        let stem = hexText(UInt64(clamping: now.microseconds))
        for damage in report.damages {
            let file = try disk.open(JournalFiles.path(damage.slot), .read)
            defer { file.close() }
            var bytes: [UInt8] = []
            try file.read(damage.range.count, at: UInt64(damage.range.lowerBound), appendingTo: &bytes)
            let name = "\(stem)-\(damage.slot)-\(hexText(UInt64(damage.range.lowerBound), width: 8))"
            try bytes.withRawSpan { (span) throws(DiskError) in
                try disk.replaceAtomically(Layout.path(Layout.recovery, .quarantine(of: name)), with: span)
            }
        }
        try Array(report.json(at: now).utf8).withRawSpan { (span) throws(DiskError) in
            try disk.replaceAtomically(Layout.path(Layout.recovery, .quarantineReport(of: stem)), with: span)
        }
    }

    private func readControl(_ registry: OrganizationRegistry, _ shared: SharedState) throws -> ControlBook {
        let history = try registry.with(.control) { try $0.snapshot().controlHistory() }
        let book = ControlBook(history, shared)
        // Nobody has opened them yet: what the journal and the checkpoint know of them is forgotten at once.
        for log in history.state.deletions.keys { _ = registry.retire(log) }
        return book
    }

    private func makeMachine(
        identity: StoreIdentity, files: JournalFiles, registry: OrganizationRegistry, shared: SharedState,
        checkpoints: CheckpointLog, queue: CommitQueue, control: ControlBook, position: UInt64
    ) -> StoreMachine {
        let participation = CommitParticipation(registry: registry, shared: shared)
        let journal = Journal(
            disk: disk, entropy: entropy, storeID: identity.storeID, files: files, position: position)
        let committer = Committer(
            queue: queue, journal: journal, participant: participation,
            commitByteCountTarget: options.commitByteCountTarget)
        let checkpointer = Checkpointer(
            disk: disk, storeID: identity.storeID, registry: registry, shared: shared, checkpoints: checkpoints,
            journalFiles: files, control: control, options: options, nowMicroseconds: clock.wallMicroseconds())
        shared.noteCheckpoint(of: checkpoints.table.journalPosition)
        let sealer = Sealer(disk: disk, registry: registry, shared: shared, clock: clock)
        let parts = EraserParts(
            disk: disk, registry: registry, shared: shared, journalFiles: files, clock: clock,
            queue: queue, control: control, isSealing: { [unowned sealer] in sealer.isSealing($0) })
        return StoreMachine(
            committer: committer, participation: participation, checkpointer: checkpointer, sealer: sealer,
            ageing: Ageing(registry: registry, shared: shared, options: options),
            tailKeeper: TailKeeper(registry: registry, shared: shared, clock: clock),
            compactor: Compactor(
                registry: registry, shared: shared, journalFiles: files, clock: clock, options: options,
                eraser: Eraser(parts), remover: OrganizationRemover(parts)),
            patrol: MaintenancePatrol(registry: registry, queue: shared.maintenance, options: options.compaction),
            guardian: SpaceGuard(disk: disk, shared: shared, options: options),
            recorder: DeadLetterRecorder(shared: shared, queue: queue, control: control, clock: clock),
            journal: journal, shared: shared, options: options, clock: clock)
    }
}

extension ControlState {
    /// Takes in an act from the log; one that contradicts those before it is damage.
    mutating func take(_ act: ControlEvent) throws {
        do {
            try apply(act)
        } catch {
            throw Corruption(file: Layout.control, offset: 0, reason: .invalid("control act"))
        }
    }
}
