internal import DaybookFormat
internal import DaybookSegment
internal import DaybookSystem

/// The user's rows go out of what is sealed.
extension Eraser {
    /// One range that is written anew.
    final class Rewrite {
        let job: RangeRewriter.Job
        let rewriter: RangeRewriter
        let tally: Tally
        var isWritten = false
        /// From here on its files may be real.
        var isPublishing = false
        private var chargedByteCount: UInt64 = 0

        init(_ job: RangeRewriter.Job, _ rewriter: RangeRewriter, _ tally: Tally) {
            self.job = job
            self.rewriter = rewriter
            self.tally = tally
        }

        /// Bytes that were moved since the last call.
        func charge() -> UInt64 {
            let byteCount = rewriter.readByteCount + rewriter.writtenByteCount
            defer { chargedByteCount = byteCount }
            return byteCount - chargedByteCount
        }
    }

    /// Rows that were left out, by family.
    final class Tally {
        var counts: [Family: UInt64] = [:]
    }

    // MARK: - Carry file

    /// A segment at a time, then the new file takes the place of the old one at once.
    func clean(_ run: Run) throws -> Step {
        // A sealing under way has read the old carry file, and would bring it back.
        guard !parts.isSealing(run.log) else {
            run.cleaner = nil
            return .waiting
        }
        if run.cleaner == nil {
            run.cleaner = try CarryCleaner(run.organization, run.users)
            guard run.cleaner != nil else {
                run.phase = .rewriting
                return .worked(byteCount: 0)
            }
        }
        if try run.cleaner?.step() == true { return .worked(byteCount: 0) }
        if let cleaned = run.cleaner?.cleaned() {
            // Set and not added: after a crash between the next two steps the same ones are found again.
            run.progress.droppedRequestCount = UInt64(cleaned.droppedRequestCount)
            run.progress.droppedSessionCount = UInt64(cleaned.droppedSessionCount)
            try run.progress.save(disk: disk, folder: run.organization.folder)
            let path = Layout.path(run.organization.folder, cleaned.carry.name)
            try cleaned.carry.encoded().withRawSpan { (span) throws(DiskError) in
                try disk.replaceAtomically(path, with: span)
            }
        }
        run.cleaner = nil
        shared.forgetAppendState(of: run.log)
        run.phase = .rewriting
        return .worked(byteCount: 0)
    }

    // MARK: - Segments

    func rewrite(_ run: Run) throws -> Step {
        if let rewrite = run.rewrite { return try go(on: rewrite, run) }
        let manifest = run.organization.snapshot().manifest
        let unknown = manifest.segments.first { $0.firstSequence <= run.through && !run.clean.contains($0.path) }
        guard let range = unknown?.range else {
            if let history = manifest.history.first(where: { !run.clean.contains($0.path) }) {
                return .worked(byteCount: try forget(history, run))
            }
            run.phase = .zeroing
            return .worked(byteCount: 0)
        }
        var job = RangeRewriter.Job(range, of: manifest)
        job.families = []
        for segment in job.inputs where !run.clean.contains(segment.path) {
            if try holdsUser(segment, run) {
                job.families.insert(segment.family)
            } else {
                run.clean.insert(segment.path)
            }
        }
        guard !job.families.isEmpty else { return .worked(byteCount: 0) }
        let tally = Tally()
        let rewriter = RangeRewriter(
            job, of: run.organization, clock: parts.clock, verdict: Self.verdict(run.users, tally))
        run.rewrite = Rewrite(job, rewriter, tally)
        return .worked(byteCount: 0)
    }

    static func verdict(_ users: ErasedUsers, _ tally: Tally) -> RowVerdict {
        { batch in
            guard let hidden = users.hiddenRows(of: batch) else { return nil }
            tally.counts[batch.family, default: 0] += UInt64(hidden.count { $0 })
            return hidden.map { $0 ? .erased : nil }
        }
    }

    /// Whether a row of the user is in a segment. Dictionaries answer for nearly all; what cannot be read may hold one.
    private func holdsUser(_ segment: SegmentReference, _ run: Run) throws -> Bool {
        do throws(SegmentError) {
            let reader = try SegmentReader.open(
                disk: disk, path: Layout.path(run.organization.folder, segment.path))
            for rowGroup in 0..<reader.rowGroupCount {
                guard reader.zone(rowGroup: rowGroup).sequenceMin <= run.through,
                    run.users.ends(in: try reader.table(rowGroup: rowGroup, .user)) != nil
                else { continue }
                let batch = try reader.read(rowGroup: rowGroup, [.sequence, .user])
                if run.users.hiddenRows(of: batch) != nil { return true }
            }
            return false
        } catch {
            switch error {
            case .corrupt: return true
            // A file that is missing holds nobody.
            case .disk(let disk): if disk.kind == .notFound { return false }
            }
            throw error
        }
    }

    private func go(on rewrite: Rewrite, _ run: Run) throws -> Step {
        guard rewrite.isWritten else {
            rewrite.isWritten = try rewrite.rewriter.step()
            return .worked(byteCount: rewrite.charge())
        }
        try publish(rewrite, run)
        run.rewrite = nil
        return .worked(byteCount: 0)
    }

    /// Notes what is about to change, and makes it real.
    private func publish(_ rewrite: Rewrite, _ run: Run) throws {
        var replacement = rewrite.rewriter.replacement
        // What cannot be read is not kept: the user may be in it.
        replacement.setAside = []
        let old = rewrite.job.inputs.filter { rewrite.job.families.contains($0.family) }
        let new = replacement.segments.filter { rewrite.job.families.contains($0.family) }
        let noted = ErasureProgress.Rewrite(
            range: rewrite.job.range, old: try files(of: old, run), new: try files(of: new, run),
            erased: rewrite.tally.counts, lostCount: rewrite.rewriter.removedCounts[.segmentDamaged] ?? 0)
        run.progress.rewrites.append(noted)
        try run.progress.save(disk: disk, folder: run.organization.folder)
        rewrite.isPublishing = true
        do {
            try run.organization.publish(replacement)
        } catch StoreError.unstable {
            // Somebody else was faster: what is there now is looked at anew.
            rewrite.rewriter.abandon()
            run.progress.rewrites.removeLast()
            try run.progress.save(disk: disk, folder: run.organization.folder)
            return
        }
        run.clean.formUnion(new.map(\.path))
        shared.compaction.update { $0.runCount += 1 }
    }

    /// The files of segments with their sizes; one that is not there is left out.
    private func files(of segments: [SegmentReference], _ run: Run) throws -> [ErasureProgress.File] {
        var files: [ErasureProgress.File] = []
        for name in segments.flatMap(\.fileNames) {
            if let byteCount = try fileSize(Layout.path(run.organization.folder, name)) {
                files.append(ErasureProgress.File(name: name, byteCount: byteCount))
            }
        }
        return files
    }

    /// Nil when there is no such file.
    func fileSize(_ path: String) throws(DiskError) -> UInt64? {
        do throws(DiskError) {
            let file = try disk.open(path, .read)
            defer { file.close() }
            return try file.byteCount()
        } catch {
            guard error.kind == .notFound else { throw error }
            return nil
        }
    }
}
