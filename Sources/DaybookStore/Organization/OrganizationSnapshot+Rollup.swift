internal import DaybookFormat
package import DaybookRollup
internal import DaybookSystem

extension OrganizationSnapshot {
    /// The rollup beside a segment; nil when none is stored. One that is missing or damaged is told with the damage of
    /// this snapshot, and is not there: the segment has everything. Only a failing disk throws. Kept for the next one who
    /// asks.
    package func rollup(of segment: SegmentReference) throws -> RollupFile? {
        guard segment.rollupByteCount > 0 else { return nil }
        let caches = organization?.caches
        if let known = caches?.rollups.find(segment, of: log) { return known }
        let path = Layout.path(folder, segment.rollupPath)
        do {
            let bytes = try disk.readAll(path)
            let found = crc32c(bytes)
            guard UInt64(bytes.count) == segment.rollupByteCount else {
                throw FormatError.truncated(needed: Int(clamping: segment.rollupByteCount), found: bytes.count)
            }
            guard found == segment.rollupChecksum else {
                throw FormatError.checksum(expected: segment.rollupChecksum, found: found)
            }
            let file = try RollupFile(bytes)
            guard file.identity == RollupIdentity(segment, of: log) else {
                throw FormatError.invalid("rollup of another segment")
            }
            if let organization { caches?.rollups.keep(file, of: segment, log) { organization.names(segment) } }
            return file
        } catch let error as FormatError {
            note(Corruption(file: path, offset: 0, reason: error))
        } catch let error as DiskError where error.kind == .notFound {
            let needed = Int(clamping: segment.rollupByteCount)
            note(Corruption(file: path, offset: 0, reason: .truncated(needed: needed, found: 0)))
        }
        return nil
    }
}
