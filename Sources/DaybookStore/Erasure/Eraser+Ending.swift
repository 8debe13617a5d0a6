internal import DaybookFormat
internal import DaybookLog
internal import DaybookSystem
internal import Synchronization

/// What is left of the user outside of segments goes, and the ledger is told.
extension Eraser {
    // MARK: - Journal

    /// Every file that holds frames from before is let go by a checkpoint and written full of zeroes.
    func zero(_ run: Run) throws -> Step {
        guard let slots = run.clearing.step(parts) else { return .waiting }
        let zeroed = slots.map { slot in
            ErasureProgress.File(name: JournalFiles.path(slot), byteCount: UInt64(parts.journalFiles.fileByteCount))
        }
        ErasureProgress.add(zeroed, to: &run.progress.zeroed)
        try run.progress.save(disk: disk, folder: run.organization.folder)
        run.phase = .redacting
        return .worked(byteCount: 0)
    }

    // MARK: - Control log

    func redact(_ run: Run) throws -> Step {
        guard let request = run.redaction else {
            run.redaction = shared.redaction.request()
            return .worked(byteCount: 0)
        }
        guard let outcome = shared.redaction.outcome(of: request) else { return .waiting }
        let rewritten = try outcome.get().map { ErasureProgress.File(name: $0.path, byteCount: $0.byteCount) }
        ErasureProgress.add(rewritten, to: &run.progress.redacted)
        try run.progress.save(disk: disk, folder: run.organization.folder)
        run.phase = .sweeping
        return .worked(byteCount: 0)
    }

    // MARK: - Files that nothing names

    /// Removes what may hold the user and is real for nobody, and waits for what is still read.
    func sweep(_ run: Run) throws -> Step {
        guard !parts.isSealing(run.log) else { return .waiting }
        let folder = run.organization.folder
        let place = run.organization.sweepable(through: run.through)
        var removed: [ErasureProgress.File] = []
        var awaited: [String] = []
        for name in try disk.list(folder) where place.isLeft(name) {
            if place.held.contains(name) {
                awaited.append(name)
            } else if let byteCount = try remove(Layout.path(folder, name)) {
                removed.append(ErasureProgress.File(name: name, byteCount: byteCount))
            } else {
                // Its last reader has just let go, and may have left it under another name.
                awaited.append(name)
            }
        }
        for name in try disk.list(Layout.recovery) {
            guard case .quarantine? = FileKind(name: name) else { continue }
            let path = Layout.path(Layout.recovery, name)
            if let byteCount = try remove(path) {
                removed.append(ErasureProgress.File(name: path, byteCount: byteCount))
            }
        }
        guard removed.isEmpty && awaited.isEmpty else {
            ErasureProgress.add(removed, to: &run.progress.removed)
            if !removed.isEmpty { try run.progress.save(disk: disk, folder: folder) }
            try note(awaited, run)
            return removed.isEmpty ? .waiting : .worked(byteCount: 0)
        }
        // Also what readers have removed when they let go of it.
        try disk.synchronizeDirectory(folder)
        try disk.synchronizeDirectory(Layout.recovery)
        run.phase = .recording
        return .worked(byteCount: 0)
    }

    /// The size that it had; nil when it is gone already.
    private func remove(_ path: String) throws(DiskError) -> UInt64? {
        guard let byteCount = try fileSize(path) else { return nil }
        do throws(DiskError) {
            try disk.remove(path)
        } catch {
            guard error.kind == .notFound else { throw error }
            return nil
        }
        return byteCount
    }

    /// Says in the certificate what is waited for, when it is something else than before.
    private func note(_ awaited: [String], _ run: Run) throws(DiskError) {
        guard shared.erasures.status(of: run.id)?.awaited != awaited else { return }
        try write(ErasureCertificate(record: run.task.record, progress: run.progress, awaited: awaited), run)
        shared.erasures.note(run.id) { $0.awaited = awaited }
    }

    private func write(_ certificate: ErasureCertificate, _ run: Run) throws(DiskError) {
        let path = Layout.path(run.organization.folder, .certificate(id: run.id))
        try certificate.json.withRawSpan { (span) throws(DiskError) in try disk.replaceAtomically(path, with: span) }
    }

    // MARK: - Ledger

    /// Writes the certificate, then tells the ledger; both are done again when the process ends in between.
    func record(_ run: Run) throws -> Step {
        guard let recording = run.recording else {
            let now = Timestamp(microseconds: parts.clock.wallMicroseconds())
            try write(ErasureCertificate(record: run.task.record, progress: run.progress, finishedAt: now), run)
            let act = ControlEvent.erasureDone(id: run.id, generation: run.organization.generation, at: now)
            let sink = RecordingSink([act])
            run.recording = sink
            let submission = Submission(group: ControlEvent.group(of: [act], at: now), sink: sink, ticket: 0)
            guard parts.queue.add(submission) else { throw StoreError.refused(.shuttingDown) }
            return .worked(byteCount: 0)
        }
        guard let outcome = recording.outcome else { return .waiting }
        guard case .committed(let firstSequence, _) = outcome else {
            guard case .refused(let refusal) = outcome else { preconditionFailure("an act asks for an answer") }
            throw StoreError.refused(refusal)
        }
        shared.erasures.finish(run.id)
        parts.control.take(recording.acts, from: firstSequence)
        end(run)
        return .worked(byteCount: 0)
    }
}

/// Which files of a folder may hold events up to a sequence and are not real.
struct SweepPlace {
    var through: UInt64
    /// Real.
    var named: Set<String>
    /// Not real any more, and in somebody's hands.
    var held: Set<String>

    func isLeft(_ name: String) -> Bool {
        switch FileKind(name: name) {
        case .segment(let first, _, _, _)?, .index(let first, _, _, _)?, .rollup(let first, _, _, _)?,
            .history(let first, _, _, _)?, .logFile(let first)?:
            first <= through && !named.contains(name)
        case .carry?: !named.contains(name)
        case .quarantine?, .temporary?: true
        default: false
        }
    }
}

extension OrganizationStore {
    func sweepable(through sequence: UInt64) -> SweepPlace {
        state.withLock { state in
            var named = state.manifest.namedFiles
            for segment in state.manifest.segments { named.insert(segment.rollupPath) }
            named.formUnion(state.extents.map { fileName(of: $0.file.path) })
            return SweepPlace(
                through: sequence, named: named,
                held: Set(state.retired.filter(\.isHeld).flatMap(\.names)))
        }
    }
}
