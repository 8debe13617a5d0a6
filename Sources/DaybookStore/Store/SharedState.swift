internal import DaybookFormat
internal import DaybookLog
internal import DaybookSystem
internal import Synchronization

/// What the store's threads tell each other.
final class SharedState: Sendable {
    private struct State {
        var durablePosition: UInt64
        /// Logs with groups that are not yet in a log file.
        var dirty: Set<LogID> = []
        /// Logs with whole files to seal.
        var isSealing = false
        var sealable: Set<LogID> = []
        var lastError: String?
        var isStopping = false
        var isPoisoned = false
        /// A checkpoint is to come at once when the last one is of a position before this.
        var wantedCheckpoint: UInt64 = 0
        var checkpoint: UInt64 = 0
        /// Logs of which the committing thread must forget what it knows.
        var forgotten: Set<LogID> = []
    }

    private let state: Mutex<State>
    /// Bytes committed and not yet in a log file.
    private let pending = Atomic<Int>(0)
    private let eventCount = Atomic<UInt64>(0)
    let maintenance = MaintenanceQueue()
    let compaction = CompactionBoard()
    let settings: SettingsTable
    let space: SpaceTable
    let erasures = ErasureBoard()
    let members = MemberTable()
    let deletions = DeletionBoard()
    let redaction = RedactionDesk()
    let retries = RetryBoard()
    let sessionIdleMicroseconds: Int64
    private let hasForgotten = Atomic<Bool>(false)
    /// Where offline readers find the durable position while the server runs; nil in tools and before the start.
    private let position: PositionFile?

    init(durablePosition: UInt64, position: PositionFile?, options: StoreOptions) {
        sessionIdleMicroseconds = options.sessionIdleMicroseconds
        settings = SettingsTable(
            standard: options.retention, quotaByteCount: options.organizationByteCountMax,
            rateLimits: options.rateLimits)
        space = SpaceTable(quotaByteCount: options.storeByteCountMax)
        state = Mutex(State(durablePosition: durablePosition))
        self.position = position
    }

    /// Called by the committing thread after each commit.
    func published(durablePosition: UInt64, byteCount: Int, dirty: [LogID], groups: [CommittedGroup]) {
        pending.add(byteCount, ordering: .relaxed)
        var count: UInt64 = 0
        for group in groups { count += UInt64(group.eventCount) }
        eventCount.add(count, ordering: .relaxed)
        state.withLock { state in
            state.durablePosition = durablePosition
            for log in dirty { state.dirty.insert(log) }
        }
        position?.publish(durablePosition)
    }

    func addDirty(_ logs: some Sequence<LogID>) {
        state.withLock { $0.dirty.formUnion(logs) }
    }

    /// The durable position and the logs that were dirty up to it. Every group before the position is already with
    /// its organization, because publishing hands it over first.
    func takeDirty() -> (position: UInt64, logs: [LogID]) {
        state.withLock { state in
            defer { state.dirty.removeAll() }
            return (state.durablePosition, state.dirty.sorted())
        }
    }

    /// Frames that name no group have moved the end of the journal.
    func advance(durablePosition: UInt64) {
        state.withLock { $0.durablePosition = max($0.durablePosition, durablePosition) }
    }

    /// What the control log says is in force from now on, and the compactor looks where it changed something.
    func adopt(_ control: ControlState) {
        for log in settings.adopt(control) { maintenance.addPatrolled(log) }
        take(control)
    }

    /// The same at the start, when the patrol comes to everybody anyway.
    func begin(with control: ControlState) {
        _ = settings.adopt(control)
        take(control)
    }

    private func take(_ control: ControlState) {
        deletions.adopt(control)
        members.adopt(control)
        erasures.adopt(control)
        retries.adopt(control)
    }

    // MARK: - What erasures ask of other threads

    /// Precondition: not beyond the durable position.
    func wantCheckpoint(of position: UInt64) {
        state.withLock { $0.wantedCheckpoint = max($0.wantedCheckpoint, position) }
    }

    var wantsCheckpoint: Bool { state.withLock { $0.wantedCheckpoint > $0.checkpoint } }
    /// Frames before it are in log files.
    var checkpointPosition: UInt64 { state.withLock { $0.checkpoint } }
    func noteCheckpoint(of position: UInt64) { state.withLock { $0.checkpoint = max($0.checkpoint, position) } }

    /// The files of a log say less than before: what was read of them is to be read again.
    func forgetAppendState(of log: LogID) {
        state.withLock { _ = $0.forgotten.insert(log) }
        hasForgotten.store(true, ordering: .releasing)
    }

    func takeForgotten() -> Set<LogID> {
        guard hasForgotten.load(ordering: .acquiring) else { return [] }
        return state.withLock { state in
            defer { state.forgotten.removeAll() }
            hasForgotten.store(false, ordering: .releasing)
            return state.forgotten
        }
    }

    func moved(byteCount: Int) { pending.subtract(byteCount, ordering: .relaxed) }
    func adopted(byteCount: Int) { pending.add(byteCount, ordering: .relaxed) }

    var pendingByteCount: Int { pending.load(ordering: .relaxed) }
    var committedEventCount: UInt64 { eventCount.load(ordering: .relaxed) }
    var durablePosition: UInt64 { state.withLock { $0.durablePosition } }
    var hasDirty: Bool { state.withLock { !$0.dirty.isEmpty } }

    func addSealable(_ log: LogID) { state.withLock { _ = $0.sealable.insert(log) } }
    /// The lowest one: the order must not depend on hashing, or a seed would not tell the same story.
    func takeSealable() -> LogID? {
        state.withLock { state in
            guard let log = state.sealable.min() else { return nil }
            state.sealable.remove(log)
            state.isSealing = true
            return log
        }
    }
    func sealingEnded() { state.withLock { $0.isSealing = false } }
    /// Logs with something to seal, the one under way included.
    var sealableCount: Int { state.withLock { $0.sealable.count + ($0.isSealing ? 1 : 0) } }

    /// Remembers a failure that no client hears of in words. A failed synchronization, whoever met it, is final for the
    /// whole store: a later one would report success for data that is lost.
    func note(_ error: any Error) {
        let disk = diskError(in: error)
        state.withLock { state in
            state.lastError = "\(error)"
            if disk?.isFailedSynchronization == true { state.isPoisoned = true }
        }
    }
    var lastError: String? { state.withLock { $0.lastError } }

    func poison() { state.withLock { $0.isPoisoned = true } }
    var isPoisoned: Bool { state.withLock { $0.isPoisoned } }
    func stop() { state.withLock { $0.isStopping = true } }
    var isStopping: Bool { state.withLock { $0.isStopping } }
}

/// A small file in which a running server says how far its journal is durable: readers beside it go no further, and a
/// start that finds less in the journal knows that a file of it is cut or gone. Not part of the truth: it is never
/// synchronized. Spec: docs/format/journal.md, "Position file".
final class PositionFile: Sendable {
    static let path = "position.dbp"
    static let magic: UInt32 = 0x5042_4444  // "DDBP" in the file
    static let byteCount = 24

    private let file: any DiskFile

    init(disk: any Disk) throws(DiskError) {
        file = try disk.exists(Self.path) ? disk.open(Self.path, .readWrite) : disk.open(Self.path, .create)
    }

    func publish(_ position: UInt64) {
        var bytes: [UInt8] = []
        bytes.reserveCapacity(Self.byteCount)
        bytes.append(littleEndian: Self.magic)
        bytes.append(littleEndian: UInt32(1))
        bytes.append(littleEndian: position)
        bytes.append(littleEndian: UInt32(0))
        bytes.append(littleEndian: crc32c(bytes))
        // A reader that finds an old position sees less, never something untrue.
        do { try bytes.withRawSpan { (span) throws(DiskError) in try file.write(span, at: 0) } } catch {}
    }

    /// Nil when there is none, or when it is being written.
    static func read(disk: any Disk) throws(DiskError) -> UInt64? {
        guard try disk.exists(path) else { return nil }
        let bytes = try disk.readAll(path)
        return try? bytes.withRawSpan { (span) throws(FormatError) -> UInt64 in
            var reader = ByteReader()
            guard try reader.uint32(span) == magic, try reader.uint32(span) == 1 else {
                throw .invalid("position file")
            }
            let position = try reader.uint64(span)
            _ = try reader.uint32(span)
            guard try reader.uint32(span) == crc32c(span.extracting(0..<byteCount - 4)) else {
                throw .invalid("position file")
            }
            return position
        }
    }
}
