internal import DaybookFormat

// What must hold whenever a manifest is published. `ManifestLog` asks before every publication and after every load.
//
//  I1  sealedThrough never goes back
//  I2  the generation rises with every edit
//  I3  a published segment stays published
//  I4  what was lost stays lost
//  I5  a segment holds rows of an organization's family
//  I6  a segment's name states its range and family
//  I7  segments are in order, one for each family and range
//  I8  segments of different ranges do not overlap
//  I9  every sequence is in one live or one lost range
//  I10 rows and lost events of a range are as many as its sequences
//  I11 the carry file is named after a sealed sequence
extension Manifest {
    /// The first rule that this manifest breaks as the successor of `previous`. Complexity: O(segments).
    package func firstBrokenInvariant(after previous: Manifest) -> StaticString? {
        if sealedThrough < previous.sealedThrough { return "I1 sealedThrough never goes back" }
        if generation <= previous.generation { return "I2 the generation rises with every edit" }
        if !segments.starts(with: previous.segments) { return "I3 a published segment stays published" }
        if !lost.starts(with: previous.lost) { return "I4 what was lost stays lost" }
        return firstBrokenInvariant
    }

    /// The first rule that this manifest breaks by itself. Complexity: O(segments).
    package var firstBrokenInvariant: StaticString? {
        brokenSegment ?? brokenOrder ?? brokenAccount ?? brokenCarry
    }

    private var brokenSegment: StaticString? {
        for segment in segments {
            guard segment.holdsRows else { return "I5 a segment holds rows of an organization's family" }
            guard segment.path == segment.fileKind.name else {
                return "I6 a segment's name states its range and family"
            }
        }
        return nil
    }

    private var brokenOrder: StaticString? {
        for (left, right) in zip(segments, segments.dropFirst()) {
            guard SegmentReference.precedes(left, right) else {
                return "I7 segments are in order, one for each family and range"
            }
            guard left.range == right.range || left.lastSequence < right.firstSequence else {
                return "I8 segments of different ranges do not overlap"
            }
        }
        return nil
    }

    /// Walks live and lost ranges side by side; together they must tile 1...sealedThrough.
    private var brokenAccount: StaticString? {
        let tiling: StaticString = "I9 every sequence is in one live or one lost range"
        let rows: StaticString = "I10 rows and lost events of a range are as many as its sequences"
        var covered: UInt64 = 0
        var losses = lost[...]
        var live = segments[...]
        while covered < sealedThrough {
            let first = covered + 1
            let loss = losses.first.flatMap { $0.range.lowerBound == first ? $0 : nil }
            let segment = live.first.flatMap { $0.firstSequence == first ? $0 : nil }
            guard let range = segment?.range ?? loss?.range else { return tiling }
            var eventCount: UInt64 = 0
            if let loss {
                guard loss.range == range else { return tiling }
                guard loss.eventCount >= 1 else { return rows }
                eventCount = loss.eventCount
                losses = losses.dropFirst()
            }
            while let segment = live.first, segment.range == range {
                let (sum, overflow) = eventCount.addingReportingOverflow(UInt64(segment.rowCount))
                guard !overflow else { return rows }
                eventCount = sum
                live = live.dropFirst()
            }
            guard eventCount == range.sequenceCount else { return rows }
            covered = range.upperBound
        }
        return covered == sealedThrough && losses.isEmpty && live.isEmpty ? nil : tiling
    }

    private var brokenCarry: StaticString? {
        guard let carry else { return nil }
        guard case .carry(let sealed)? = FileKind(name: carry), sealed <= sealedThrough else {
            return "I11 the carry file is named after a sealed sequence"
        }
        return nil
    }
}

extension SegmentReference {
    /// Whether each field is possible. What `range` and the name of the file rely on.
    var holdsRows: Bool {
        Family.ofOrganizations.contains(family)
            && firstSequence >= 1 && firstSequence <= lastSequence
            && rowCount >= 1 && UInt64(rowCount) <= lastSequence - firstSequence + 1
            && timestampMin <= timestampMax
            && byteCount >= 1
    }
}
