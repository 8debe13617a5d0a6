internal import DaybookFormat
internal import DaybookLog
internal import DaybookSystem
internal import Synchronization

/// Removes what is left of organizations that were deleted. A state machine like the eraser, stepped by the same thread:
/// each step does one piece of work, or finds that it has to wait for another thread or a reader.
///
/// Everything it does can be done again: after a crash a removal starts with its first phase. The folder goes only when
/// the journal holds no frame of it any more, so that a start never misses what frames go on from.
final class OrganizationRemover {
    private enum Phase {
        /// Nobody works with the log or reads it any more.
        case closing
        /// Journal files that held frames of before are zeroed.
        case zeroing
        /// The names of its users are taken out of the control log.
        case redacting
        /// Its files go, and its folder.
        case removing
        /// The control log is told.
        case recording
    }

    private final class Run {
        let log: LogID
        var phase = Phase.closing
        var clearing = JournalClearing()
        var redaction: UInt64?
        var recording: RecordingSink?

        init(_ log: LogID) { self.log = log }
    }

    private let parts: EraserParts
    private var run: Run?
    /// Removals that met an error, with the moment from which on they are tried again.
    private var retries: [LogID: UInt64] = [:]

    private static let fileCountOfStep = 64
    private static let retryNanoseconds: UInt64 = 10_000_000_000

    init(_ parts: EraserParts) { self.parts = parts }

    private var shared: SharedState { parts.shared }
    private var disk: any Disk { parts.disk }
    var hasWork: Bool { shared.deletions.hasWork }

    /// One piece of work on the first organization that has some.
    func step() -> Eraser.Step {
        guard hasWork else { return .idle }
        let now = parts.clock.monotonicNanoseconds()
        guard let run = run ?? shared.deletions.active.first(where: { retries[$0] ?? 0 <= now }).map({ Run($0) }) else {
            return .waiting
        }
        self.run = run
        do {
            return try advance(run) ? .worked(byteCount: 0) : .waiting
        } catch {
            shared.note(error)
            shared.deletions.note("\(error)", of: run.log)
            retries[run.log] = now + Self.retryNanoseconds
            self.run = nil
            return .worked(byteCount: 0)
        }
    }

    /// False when somebody else has to do something first.
    private func advance(_ run: Run) throws -> Bool {
        switch run.phase {
        case .closing:
            guard !parts.isSealing(run.log), parts.registry.retire(run.log) else { return false }
            shared.space.set(0, of: run.log)
            run.phase = .zeroing
        case .zeroing:
            guard run.clearing.step(parts) != nil else { return false }
            run.phase = .redacting
        case .redacting:
            guard let request = run.redaction else {
                run.redaction = shared.redaction.request()
                return true
            }
            guard let outcome = shared.redaction.outcome(of: request) else { return false }
            _ = try outcome.get()
            run.phase = .removing
        case .removing: if try remove(run) { run.phase = .recording }
        case .recording: return try record(run)
        }
        return true
    }

    /// Some files, or at last the folder. True when nothing is left.
    private func remove(_ run: Run) throws(DiskError) -> Bool {
        let folder = Layout.folder(of: run.log)
        if try disk.exists(folder) {
            let names = try disk.list(folder)
            for name in names.prefix(Self.fileCountOfStep) { try disk.remove(Layout.path(folder, name)) }
            guard names.isEmpty else { return false }
            try disk.synchronizeDirectory(folder)
            try disk.removeDirectory(folder)
        }
        // What was set aside of the journal may hold its events.
        for name in try disk.list(Layout.recovery) {
            guard case .quarantine? = FileKind(name: name) else { continue }
            try disk.remove(Layout.path(Layout.recovery, name))
        }
        try disk.synchronizeDirectory(Layout.recovery)
        try disk.synchronizeDirectory(Layout.organizations)
        return true
    }

    private func record(_ run: Run) throws -> Bool {
        guard let recording = run.recording else {
            let now = Timestamp(microseconds: parts.clock.wallMicroseconds())
            let act = ControlEvent.organizationRemoved(log: run.log, at: now)
            let sink = RecordingSink([act])
            run.recording = sink
            let submission = Submission(group: ControlEvent.group(of: [act], at: now), sink: sink, ticket: 0)
            guard parts.queue.add(submission) else { throw StoreError.refused(.shuttingDown) }
            return true
        }
        guard let outcome = recording.outcome else { return false }
        guard case .committed(let firstSequence, _) = outcome else {
            guard case .refused(let refusal) = outcome else { preconditionFailure("an act asks for an answer") }
            throw StoreError.refused(refusal)
        }
        parts.control.take(recording.acts, from: firstSequence)
        self.run = nil
        return true
    }
}
