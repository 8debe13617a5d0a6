internal import DaybookFormat
internal import DaybookLog
internal import DaybookSegment
internal import DaybookSystem
internal import Synchronization

/// Publishing segments: the sealer's part.
extension OrganizationStore {
    /// Makes the segments of the oldest log file real and lets the file go.
    ///
    /// Precondition: `extent` is the oldest log file, the segments and the carry file are durable, so is the folder.
    func publishSeal(
        _ extent: LogExtent, segments: [SegmentReference], carry: String, lost: [ClosedRange<UInt64>]
    ) throws {
        var manifest = try ManifestLog.open(disk: disk, folder: folder, log: log)
        let range = extent.firstSequence...extent.lastSequence
        // Sequences between what was sealed and this file were acknowledged once and are in no file.
        if manifest.manifest.sealedThrough + 1 < range.lowerBound {
            try manifest.append(.lost(manifest.manifest.sealedThrough + 1...range.lowerBound - 1, .logMissing))
        }
        let lostCount = lost.reduce(UInt64(0)) { $0 + $1.upperBound - $1.lowerBound + 1 }
        let rowCount = segments.reduce(UInt64(0)) { $0 + UInt64($1.rowCount) }
        precondition(rowCount + lostCount == range.upperBound - range.lowerBound + 1)
        if segments.isEmpty {
            try manifest.append(.lost(range, .logDamaged))
        } else {
            try manifest.append(.seal(range, segments: segments, carry: carry))
        }
        let published = manifest.manifest
        let obsolete = state.withLock { state -> (LogFileHandle, String?) in
            precondition(state.extents.first?.file === extent.file)
            let before = state.manifest.carry
            let replaced = state.adopt(published, disk: disk, folder: folder)
            precondition(replaced.isEmpty)
            state.extents.removeFirst()
            state.retire([RetiredFile(extent.file)])
            if state.extents.isEmpty { state.isRolled = false }
            return (extent.file, before == published.carry ? nil : before)
        }
        caches?.tails.noteSealed(log, through: published.sealedThrough)
        obsolete.0.retire()
        // The carry file before this one is named by nothing any more; one that stays is swept at the next opening.
        if let name = obsolete.1 { try? disk.remove(Layout.path(folder, name)) }
    }
}

extension SegmentReference {
    /// - Parameter path: of the segment, folder included.
    init(_ summary: SegmentSummary, name path: String) {
        let folder = parentDirectory(of: path)
        self.init(
            family: summary.family, firstSequence: summary.firstSequence, lastSequence: summary.lastSequence,
            rowCount: summary.rowCount, timestampMin: summary.timestampMin, timestampMax: summary.timestampMax,
            path: String(path.dropFirst(folder.count + 1)), byteCount: summary.byteCount,
            footerChecksum: summary.footerChecksum, arrivalMax: summary.arrivalMax)
    }
}
