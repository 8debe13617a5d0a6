/// One publication. Kinds 4 (replace, for compaction), 5 (expire) and 6 (erase) are reserved.
package enum ManifestEdit: Sendable, Equatable {
    /// A whole manifest; only at the start of a file.
    case snapshot(Manifest)
    /// The next range of the log became segments, of all its families at once. Names the carry file of that moment.
    /// Sequences of the range that are in none of the segments were damaged in the log and are lost.
    case seal(ClosedRange<UInt64>, segments: [SegmentReference], carry: String?)
    /// The next range of the log is gone.
    case lost(ClosedRange<UInt64>, LossReason)
}

extension Manifest {
    /// The manifest after one more edit. Checks what the edit alone can break; `firstBrokenInvariant(after:)` the rest.
    /// Complexity: O(segments of the edit), not counting the copy.
    package func applying(_ edit: ManifestEdit) throws(ManifestViolation) -> Manifest {
        var next = self
        switch edit {
        case .snapshot(let manifest):
            guard self == Manifest() else { throw ManifestViolation("E1 a snapshot begins a manifest") }
            return manifest
        case .seal(let range, let segments, let carry):
            try next.extend(over: range)
            for segment in segments {
                guard segment.firstSequence == range.lowerBound, segment.lastSequence == range.upperBound else {
                    throw ManifestViolation("E3 sealed segments cover the range of their edit")
                }
            }
            next.segments += segments.sorted(by: SegmentReference.precedes)
            let rowCount = segments.reduce(UInt64(0)) { $0 &+ UInt64(clamping: $1.rowCount) }
            if rowCount < range.sequenceCount {
                next.lost.append(
                    LostRange(range: range, eventCount: range.sequenceCount - rowCount, reason: .logDamaged))
            }
            next.carry = carry
        case .lost(let range, let reason):
            try next.extend(over: range)
            next.lost.append(LostRange(range: range, eventCount: range.sequenceCount, reason: reason))
        }
        return next
    }

    private mutating func extend(over range: ClosedRange<UInt64>) throws(ManifestViolation) {
        guard sealedThrough < .max, generation < .max, range.lowerBound == sealedThrough + 1 else {
            throw ManifestViolation("E2 an edit continues where the last one ended")
        }
        sealedThrough = range.upperBound
        generation += 1
    }
}
