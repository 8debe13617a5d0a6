internal import DaybookFormat
package import DaybookRollup
internal import DaybookSystem

extension OrganizationSnapshot {
    /// Hour and day rollups of events that have expired.
    package var history: [HistoryReference] { manifest.history }

    /// The rollup beside a segment; nil when none is stored. One that is missing or damaged is told with the damage of
    /// this snapshot, and is not there: the segment has everything. Only a failing disk throws. Kept for the next one who
    /// asks.
    package func rollup(of segment: SegmentReference) throws -> RollupFile? {
        guard segment.rollupByteCount > 0 else { return nil }
        return try load(StoredRollup(segment)) { identity in identity == RollupIdentity(segment, of: log) }
    }

    /// A history file; nil when it is missing or damaged, which is told with the damage of this snapshot: nothing else
    /// knows what it held. Nil, too, when it has gone since, for its age or for a user who is to be forgotten.
    package func rollup(of history: HistoryReference) throws -> RollupFile? {
        try load(StoredRollup(history)) { isRight($0, history) }
    }

    /// The same, past everything that is kept for readers: for whoever works on the files.
    func read(_ history: HistoryReference) throws -> RollupFile? {
        try noted(StoredRollup(history)) { isRight($0, history) }
    }

    private func isRight(_ identity: RollupIdentity, _ history: HistoryReference) -> Bool {
        identity.log == log && identity.family == history.family
            && identity.firstSequence == history.firstSequence && identity.lastSequence == history.lastSequence
    }

    private func load(_ rollup: StoredRollup, isRight: (RollupIdentity) -> Bool) throws -> RollupFile? {
        guard let organization, let caches = organization.caches else { return try noted(rollup, isRight) }
        if let known = caches.rollups.find(rollup, of: log) { return known }
        guard let file = try noted(rollup, isRight) else { return nil }
        caches.rollups.keep(file, of: rollup, log) { organization.names(rollup) }
        return file
    }

    /// From the disk; damage is noted, and then there is no file.
    private func noted(_ rollup: StoredRollup, _ isRight: (RollupIdentity) -> Bool) throws -> RollupFile? {
        let path = Layout.path(folder, rollup.path)
        do {
            let bytes = try disk.readAll(path)
            let found = crc32c(bytes)
            guard UInt64(bytes.count) == rollup.byteCount else {
                throw FormatError.truncated(needed: Int(clamping: rollup.byteCount), found: bytes.count)
            }
            guard found == rollup.checksum else {
                throw FormatError.checksum(expected: rollup.checksum, found: found)
            }
            let file = try RollupFile(bytes)
            guard isRight(file.identity) else { throw FormatError.invalid("rollup of something else") }
            return file
        } catch let error as FormatError {
            note(Corruption(file: path, offset: 0, reason: error))
        } catch let error as DiskError where error.kind == .notFound {
            if let organization, !organization.names(rollup) { return nil }
            let needed = Int(clamping: rollup.byteCount)
            note(Corruption(file: path, offset: 0, reason: .truncated(needed: needed, found: 0)))
        }
        return nil
    }
}
