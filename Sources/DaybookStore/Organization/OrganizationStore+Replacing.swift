internal import DaybookFormat
internal import DaybookSystem
internal import Synchronization

/// What takes the place of whole ranges that follow each other: merged, rewritten, expired or set aside.
struct Replacement: Sendable {
    var range: ClosedRange<UInt64>
    /// The segments of the range when the work began. When they are others by now, the work was in vain.
    var inputs: [SegmentReference]
    /// All segments of the range from now on, those that stay as they were included.
    var segments: [SegmentReference] = []
    /// All absences of the range from now on.
    var absences: [Absence] = []
    /// History files of events that go with this; they are durable already.
    var history: [HistoryReference] = []
    /// Names of inputs that are damaged and kept; the report beside each of them is durable already.
    var setAside: Set<String> = []
}

/// Publishing replacements: the part of compaction, retention and erasure.
extension OrganizationStore {
    /// Makes a replacement real. Files that are not named any more go when the last snapshot has let go of them.
    ///
    /// After an error the replacement may or may not be there at the next start: its new files must stay.
    /// Preconditions: the new files and their folder are durable; no other thread publishes.
    func publish(_ replacement: Replacement) throws {
        var manifest = try ManifestLog.open(disk: disk, folder: folder, log: log)
        let found = manifest.manifest
        // A publication that failed may be there all the same. Files that it does not name stay until the next start.
        state.withLock { state in
            if state.manifest != found { _ = state.adopt(found, disk: disk, folder: folder) }
        }
        guard Array(found.segments[found.segmentIndices(in: replacement.range)]) == replacement.inputs else {
            throw StoreError.unstable
        }
        try manifest.append(
            .replace(
                replacement.range, segments: replacement.segments, absences: replacement.absences,
                history: replacement.history))
        let published = manifest.manifest
        let replaced = state.withLock { state in
            let replaced = state.adopt(published, disk: disk, folder: folder)
            state.retire(replaced.map { RetiredFile($0) })
            return replaced
        }
        caches?.forget(log, replaced.map(\.reference))
        for handle in replaced {
            handle.retire(replacement.setAside.contains(handle.reference.path) ? .setAside : .replaced)
        }
    }

    /// History files go, and others take their place. Files that are not named any more are removed here; a question
    /// that is on its way to one answers without it, as any question a moment later.
    ///
    /// After an error the edit may or may not be there at the next start: all files must stay.
    /// Preconditions: the added files and their folder are durable; no other thread publishes.
    func publishHistory(removed: [HistoryReference], added: [HistoryReference]) throws {
        try replaceHistory(removed, by: added) { _ in }
        for file in removed { try disk.remove(Layout.path(folder, file.path)) }
    }

    /// One history file takes the place of several, and counts the same events. Those go when the last snapshot from
    /// before has let go of them. Errors and preconditions are those of `publishHistory`.
    func publishMerged(_ merged: HistoryReference, of parts: [HistoryReference]) throws {
        try replaceHistory(parts, by: [merged]) { state in
            let hold = state.historyHold
            state.historyHold = hold.succeed(parts.map(\.path))
            state.retire([RetiredFile(hold, names: parts.map(\.path))])
        }
    }

    private func replaceHistory(
        _ removed: [HistoryReference], by added: [HistoryReference], _ then: (inout State) -> Void
    ) throws {
        var manifest = try ManifestLog.open(disk: disk, folder: folder, log: log)
        guard removed.allSatisfy(manifest.manifest.history.contains) else { throw StoreError.unstable }
        try manifest.append(.history(removed: removed.map(\.path), added: added))
        let published = manifest.manifest
        // What the hold from before keeps may go with it: not under the lock.
        let before = state.withLock { state in
            let before = state.historyHold
            _ = state.adopt(published, disk: disk, folder: folder)
            then(&state)
            return before
        }
        caches?.rollups.forget(log, removed.map { StoredRollup($0) })
        _ = consume before
    }

    /// A name for a new history file of this range, as `unusedName`.
    func unusedHistoryName(_ range: ClosedRange<UInt64>, _ family: Family) throws(DiskError) -> FileKind? {
        let known = state.withLock { state in
            state.manifest.history.filter {
                $0.firstSequence == range.lowerBound && $0.lastSequence == range.upperBound && $0.family == family
            }.map(\.revision).max()
        }
        guard known != .max else { return nil }
        for revision in (known.map { $0 + 1 } ?? 0)...UInt16.max {
            let kind = FileKind.history(
                first: range.lowerBound, last: range.upperBound, family: family, revision: revision)
            if try !disk.exists(Layout.path(folder, kind)) { return kind }
        }
        return nil
    }

    /// A name for a new segment of this range: one that neither the manifest nor any file in the folder has, not even
    /// a file that only waits for its last reader.
    /// - Returns: nil when a range was written anew too often; then it stays as it is.
    func unusedName(_ range: ClosedRange<UInt64>, _ family: Family) throws(DiskError) -> FileKind? {
        var revision: UInt16 = 0
        let known = state.withLock { state in
            state.manifest.segments[state.manifest.segmentIndices(in: range)]
                .filter { $0.range == range && $0.family == family }.map(\.revision).max()
        }
        if let known {
            guard known < .max else { return nil }
            revision = known + 1
        }
        while true {
            let kind = FileKind.segment(
                first: range.lowerBound, last: range.upperBound, family: family, revision: revision)
            if try !disk.exists(Layout.path(folder, kind)) { return kind }
            guard revision < .max else { return nil }
            revision += 1
        }
    }

    /// What counts against quotas: its segments, rollups, history files and log files, and events that only the journal
    /// holds. Indexes do not, which can be made anew, nor what is kept once for a folder.
    var usedByteCount: UInt64 {
        state.withLock { state in
            let unsealed = state.extents.reduce(state.pendingByteCount) { $0 + $1.byteCount }
            return state.sealedByteCount + UInt64(unsealed)
        }
    }

    /// Files of replaced segments that still wait for a reader, or that could not be removed.
    func filesAwaitingRemoval() throws(DiskError) -> [String] {
        let named = state.withLock { $0.manifest.namedFiles }
        return try disk.list(folder).filter { name in
            switch FileKind(name: name) {
            case .segment?, .index?, .rollup?, .history?: !named.contains(name)
            default: false
            }
        }
    }
}

/// Files that go when the last reader has let go of them.
struct RetiredFile: Sendable {
    let names: [String]
    private weak var holder: (any AnyObject & Sendable)?

    init(_ handle: SegmentHandle) {
        names = handle.reference.fileNames
        holder = handle
    }

    init(_ hold: HistoryHold, names: [String]) {
        self.names = names
        holder = hold
    }

    init(_ handle: LogFileHandle) {
        names = [fileName(of: handle.path)]
        holder = handle
    }

    var isHeld: Bool { holder != nil }
}

/// A path without its folder.
func fileName(of path: String) -> String {
    let folder = parentDirectory(of: path)
    return folder.isEmpty ? path : String(path.dropFirst(folder.count + 1))
}

extension OrganizationStore.State {
    mutating func retire(_ files: [RetiredFile]) {
        retired.removeAll { !$0.isHeld }
        retired += files
    }

    /// Takes over what was published; returns the handles of segments that are not named any more, in order.
    mutating func adopt(_ published: Manifest, disk: any Disk, folder: String) -> [SegmentHandle] {
        let before = segmentHandles
        let known = Dictionary(before.map { ($0.reference.path, $0) }) { first, _ in first }
        manifest = published
        sealedByteCount = published.byteCount
        segmentHandles = published.segments.map { segment in
            known[segment.path] ?? SegmentHandle(segment, disk: disk, folder: folder)
        }
        let named = Set(published.segments.map(\.path))
        return before.filter { !named.contains($0.reference.path) }
    }
}
