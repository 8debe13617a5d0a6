internal import DaybookFormat

extension Manifest {
    /// The best account that can be given of the segments found in a folder whose manifest is gone, from their
    /// footers. Names no carry file; keys and sessions that it carried are forgotten.
    ///
    /// A replacement that was cut short leaves its inputs and its outputs side by side, and one that was published may
    /// leave some of its inputs. A segment is complete when its footer is there, so of one range and family the highest
    /// revision is taken, and a wider range is taken instead of the ranges within it when it has every family that they
    /// have, or more rows. Rows that no segment holds, and ranges below the last segment that none covers, are stated
    /// as lost. `unused` are the segments that the account does not name.
    /// Complexity: O(n log n).
    package static func rebuilt(
        from references: [SegmentReference]
    ) -> (manifest: Manifest, unused: [SegmentReference]) {
        var unused: [SegmentReference] = []
        let found = nested(foundRanges(in: references, unused: &unused), unused: &unused)
        let chosen = chosen(among: found, unused: &unused)
        var manifest = Manifest()
        guard let last = chosen.last else { return (manifest, unused) }
        manifest.generation = 1
        for found in chosen {
            let gap = (manifest.sealedThrough + 1, found.range.lowerBound)
            if gap.0 < gap.1 {
                let range = gap.0...gap.1 - 1
                manifest.absences.append(
                    Absence(range: range, eventCount: range.sequenceCount, reason: .segmentMissing))
            }
            if found.missingRowCount > 0 {
                manifest.absences.append(
                    Absence(range: found.range, eventCount: found.missingRowCount, reason: .segmentMissing))
            }
            manifest.segments += found.segments
            manifest.sealedThrough = found.range.upperBound
        }
        precondition(manifest.sealedThrough == last.range.upperBound)
        precondition(manifest.firstBrokenInvariant == nil)
        return (manifest, unused)
    }

    /// The segments by range, of each family the highest revision; what cannot stand in a manifest goes to `unused`.
    private static func foundRanges(
        in references: [SegmentReference], unused: inout [SegmentReference]
    ) -> [FoundRange] {
        var found: [FoundRange] = []
        for reference in references.sorted(by: isFoundBefore) {
            guard reference.holdsRows, reference.isNamedRightly else {
                unused.append(reference)
                continue
            }
            guard let last = found.last, last.range == reference.range else {
                found.append(FoundRange(range: reference.range, segments: [reference]))
                continue
            }
            guard last.segments.last?.family != reference.family, last.missingRowCount >= UInt64(reference.rowCount)
            else {
                unused.append(reference)
                continue
            }
            found[found.count - 1].segments.append(reference)
        }
        return found
    }

    /// By first sequence, wider ranges before the ranges within them, families in order, the highest revision first.
    private static func isFoundBefore(_ left: SegmentReference, _ right: SegmentReference) -> Bool {
        if left.firstSequence != right.firstSequence { return left.firstSequence < right.firstSequence }
        if left.lastSequence != right.lastSequence { return left.lastSequence > right.lastSequence }
        if left.family != right.family { return left.family.rawValue < right.family.rawValue }
        return left.revision > right.revision
    }

    /// Leaves out ranges so that any two of those that stay are apart or one within the other. Replacements leave no
    /// others behind.
    private static func nested(_ ranges: [FoundRange], unused: inout [SegmentReference]) -> [FoundRange] {
        var dropped: Set<Int> = []
        var open: [Int] = []
        for index in ranges.indices {
            while let top = open.last, ranges[top].range.upperBound < ranges[index].range.upperBound {
                if ranges[top].range.upperBound < ranges[index].range.lowerBound {
                    open.removeLast()
                } else if ranges[top].isPreferred(to: ranges[index]) {
                    dropped.insert(index)
                    break
                } else {
                    dropped.insert(open.removeLast())
                }
            }
            if !dropped.contains(index) { open.append(index) }
        }
        for index in dropped.sorted() { unused += ranges[index].segments }
        return ranges.indices.filter { !dropped.contains($0) }.map { ranges[$0] }
    }

    /// Decides between each range and the best account of what is within it, from the inside out.
    private static func chosen(among ranges: [FoundRange], unused: inout [SegmentReference]) -> [FoundRange] {
        var result: [FoundRange] = []
        /// Ranges that reach beyond what was looked at, each with the number of results before it.
        var open: [(range: FoundRange, start: Int)] = []
        func close(_ outer: FoundRange, _ start: Int) {
            let inner = result[start...]
            let families = Set(inner.flatMap { $0.segments.map(\.family) })
            let isComplete = families.isSubset(of: outer.segments.map(\.family))
            if isComplete || outer.rowCount > inner.reduce(0, { $0 + $1.rowCount }) {
                for range in inner { unused += range.segments }
                result.replaceSubrange(start..., with: [outer])
            } else {
                unused += outer.segments
            }
        }
        for range in ranges {
            while let last = open.last, last.range.range.upperBound < range.range.lowerBound {
                open.removeLast()
                close(last.range, last.start)
            }
            open.append((range, result.count))
        }
        while let last = open.popLast() { close(last.range, last.start) }
        return result
    }
}

/// The segments of one range, of those families that were found.
private struct FoundRange {
    var range: ClosedRange<UInt64>
    var segments: [SegmentReference]

    /// Never more than the sequences of the range.
    var rowCount: UInt64 { segments.reduce(0) { $0 + UInt64($1.rowCount) } }
    var missingRowCount: UInt64 { range.sequenceCount - rowCount }

    func isPreferred(to other: FoundRange) -> Bool {
        if (missingRowCount == 0) != (other.missingRowCount == 0) { return missingRowCount == 0 }
        return range.sequenceCount >= other.range.sequenceCount
    }
}
