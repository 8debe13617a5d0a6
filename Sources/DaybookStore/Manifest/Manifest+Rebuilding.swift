internal import DaybookFormat

extension Manifest {
    /// The best account that can be given of the segments found in a folder whose manifest is gone, from their
    /// footers. Names no carry file; keys and sessions that it carried are forgotten.
    ///
    /// Where ranges overlap, because a compaction was cut short, a range whose rows are all there goes first, then the
    /// wider one. Rows that no segment holds, and ranges below the last segment that none covers, are stated as lost.
    /// `unused` are the segments that the account does not name: duplicates, overlapped ones and impossible ones.
    /// Complexity: O(n log n).
    package static func rebuilt(
        from references: [SegmentReference]
    ) -> (manifest: Manifest, unused: [SegmentReference]) {
        var unused: [SegmentReference] = []
        let candidates = foundRanges(in: references, unused: &unused)
        var chosen: [FoundRange] = []
        for candidate in candidates.sorted(by: FoundRange.isPreferred) {
            let index = chosen.partitioningIndex { $0.range.lowerBound > candidate.range.upperBound }
            if index > 0, chosen[index - 1].range.upperBound >= candidate.range.lowerBound {
                unused += candidate.segments
            } else {
                chosen.insert(candidate, at: index)
            }
        }
        var manifest = Manifest()
        guard let last = chosen.last else { return (manifest, unused) }
        manifest.generation = 1
        for found in chosen {
            let gap = (manifest.sealedThrough + 1, found.range.lowerBound)
            if gap.0 < gap.1 {
                let range = gap.0...gap.1 - 1
                manifest.lost.append(
                    LostRange(range: range, eventCount: range.sequenceCount, reason: .segmentMissing))
            }
            if found.missingRowCount > 0 {
                manifest.lost.append(
                    LostRange(range: found.range, eventCount: found.missingRowCount, reason: .segmentMissing))
            }
            manifest.segments += found.segments
            manifest.sealedThrough = found.range.upperBound
        }
        precondition(manifest.sealedThrough == last.range.upperBound)
        precondition(manifest.firstBrokenInvariant == nil)
        return (manifest, unused)
    }

    /// The segments by range; what cannot stand in a manifest goes to `unused`.
    private static func foundRanges(
        in references: [SegmentReference], unused: inout [SegmentReference]
    ) -> [FoundRange] {
        var found: [FoundRange] = []
        for reference in references.sorted(by: SegmentReference.precedes) {
            guard reference.holdsRows, reference.path == reference.fileKind.name else {
                unused.append(reference)
                continue
            }
            guard let last = found.last, last.range == reference.range else {
                found.append(
                    FoundRange(
                        range: reference.range, segments: [reference],
                        missingRowCount: reference.range.sequenceCount - UInt64(reference.rowCount)))
                continue
            }
            guard last.segments.last?.family != reference.family, last.missingRowCount >= UInt64(reference.rowCount)
            else {
                unused.append(reference)
                continue
            }
            found[found.count - 1].segments.append(reference)
            found[found.count - 1].missingRowCount -= UInt64(reference.rowCount)
        }
        return found
    }
}

/// The segments of one range, of those families that were found.
private struct FoundRange {
    var range: ClosedRange<UInt64>
    var segments: [SegmentReference]
    var missingRowCount: UInt64

    static func isPreferred(_ left: FoundRange, _ right: FoundRange) -> Bool {
        if (left.missingRowCount == 0) != (right.missingRowCount == 0) { return left.missingRowCount == 0 }
        let counts = (left.range.sequenceCount, right.range.sequenceCount)
        return counts.0 == counts.1 ? left.range.lowerBound < right.range.lowerBound : counts.0 > counts.1
    }
}

extension [FoundRange] {
    /// Index of the first element for which `isLater` holds; the array is sorted by it. Complexity: O(log n).
    fileprivate func partitioningIndex(where isLater: (FoundRange) -> Bool) -> Int {
        var low = 0
        var high = count
        while low < high {
            let middle = low + (high - low) / 2
            if isLater(self[middle]) { high = middle } else { low = middle + 1 }
        }
        return low
    }
}
