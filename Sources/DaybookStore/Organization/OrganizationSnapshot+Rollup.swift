internal import DaybookFormat
package import DaybookRollup
internal import DaybookSystem

extension OrganizationSnapshot {
    /// The rollup beside a segment; nil when none is stored. One that is missing or damaged is told with the damage of
    /// this snapshot, and is not there: the segment has everything. Only a failing disk throws.
    package func rollup(of segment: SegmentReference) throws -> RollupFile? {
        guard segment.rollupByteCount > 0 else { return nil }
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
            return try RollupFile(bytes)
        } catch let error as FormatError {
            note(Corruption(file: path, offset: 0, reason: error))
        } catch let error as DiskError where error.kind == .notFound {
            note(Corruption(file: path, offset: 0, reason: .truncated(needed: Int(segment.rollupByteCount), found: 0)))
        }
        return nil
    }
}
