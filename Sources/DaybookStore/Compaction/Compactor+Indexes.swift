internal import DaybookFormat
internal import DaybookSegment

extension Compactor {
    /// Makes one index that a question missed. Returns whether there was one to make.
    ///
    /// One that cannot be made is left alone until the next patrol: the disk may be full, and without it everything is
    /// found all the same, only later.
    func rebuildIndex(_ organization: OrganizationStore, _ manifest: Manifest) -> Bool {
        guard let caches = organization.caches, !shared.space.isLow else { return false }
        let log = organization.log
        let missing = caches.segments.segmentsWithoutIndex(of: log).subtracting(unindexed[log] ?? [])
        guard !missing.isEmpty, let segment = manifest.segments.first(where: { missing.contains($0.path) }) else {
            return false
        }
        do {
            _ = try organization.snapshot().openIndex(of: segment)
        } catch {
            unindexed[log, default: []].insert(segment.path)
            fail(error)
        }
        return true
    }
}
