internal import DaybookFormat
internal import DaybookRollup
internal import DaybookSegment
internal import DaybookSystem

/// The user goes out of what is kept of expired events.
extension Eraser {
    /// Writes one history file anew without the user, and returns the bytes that were moved. What is counted without
    /// regard to users stays. One that cannot be read is not kept: the user may be in it.
    func forget(_ history: HistoryReference, _ run: Run) throws -> UInt64 {
        guard history.firstSequence <= run.through, let left = try remainder(of: history, run) else {
            run.clean.insert(history.path)
            return 0
        }
        var added: [HistoryReference] = []
        let range = history.firstSequence...history.lastSequence
        if !left.isEmpty, let kind = try run.organization.unusedHistoryName(range, history.family) {
            let path = Layout.path(run.organization.folder, kind)
            try left.withRawSpan { (span) throws(DiskError) in try disk.writeAnew(path, span) }
            try disk.synchronizeDirectory(run.organization.folder)
            var new = history
            new.path = kind.name
            new.byteCount = UInt64(left.count)
            new.checksum = crc32c(left)
            added = [new]
        }
        run.progress.rewrites.append(
            ErasureProgress.Rewrite(
                range: range, old: [ErasureProgress.File(name: history.path, byteCount: history.byteCount)],
                new: added.map { ErasureProgress.File(name: $0.path, byteCount: $0.byteCount) }, erased: [:],
                lostCount: 0))
        try run.progress.save(disk: disk, folder: run.organization.folder)
        try run.organization.publishHistory(removed: [history], added: added)
        run.clean.formUnion(added.map(\.path))
        return history.byteCount + UInt64(left.count)
    }

    /// The file without the user; empty when nothing of it is left, nil when the user is not in it.
    private func remainder(of history: HistoryReference, _ run: Run) throws -> [UInt8]? {
        guard let file = try run.organization.snapshot().rollup(of: history) else { return [] }
        let users = file.users
        // Whoever came back after an erasure is another user in what came later.
        func isGone(_ user: ArraySlice<UInt8>) -> Bool { run.users.end(of: Array(user)) >= history.firstSequence }
        guard (0..<UInt32(users.count)).contains(where: { isGone(users.bytes(of: $0)) }) else { return nil }
        let names = try survivingNames(history.family, run)
        do throws(FormatError) {
            return try file.forgetting(isGone, staysNamed: { names.contains(Array($0)) })
        } catch {
            return []
        }
    }

    /// Names in segments of the family. These have no row of the user any more: somebody else has used each of them.
    private func survivingNames(_ family: Family, _ run: Run) throws -> Set<[UInt8]> {
        if let known = run.survivingNames[family] { return known }
        var names: Set<[UInt8]> = []
        let snapshot = run.organization.snapshot()
        for segment in snapshot.segments where segment.family == family {
            do {
                let reader = try snapshot.open(segment)
                for rowGroup in 0..<reader.rowGroupCount {
                    let table = try reader.table(rowGroup: rowGroup, .name)
                    for code in 0..<UInt32(table.count) { names.insert(Array(table.bytes[table.range(of: code)])) }
                }
            } catch SegmentError.corrupt {
                // Its names are vouched for by nobody.
                continue
            }
        }
        run.survivingNames[family] = names
        return names
    }
}
