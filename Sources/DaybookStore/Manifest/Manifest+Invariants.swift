internal import DaybookFormat

// What must hold whenever a manifest is published. `ManifestLog` asks before every publication and after every load.
//
//  I1  sealedThrough never goes back
//  I2  the generation rises with every edit
//  I3  a name stays that of one file
//  I4  what is absent stays absent
//  I5  a segment holds rows of an organization's family
//  I6  a segment's name states its range and family
//  I7  segments are in order, one for each family and range
//  I8  segments of different ranges do not overlap
//  I9  every sequence is in one range, live or absent
//  I10 rows and absent events of a range are as many as its sequences
//  I11 the carry file is named after a sealed sequence
//  I12 absences are in order, one for each reason and range
//  I13 history files are of sealed ranges, each with a name of its own
extension Manifest {
    /// The first rule that this manifest breaks as the successor of `previous`. Complexity: O(segments).
    package func firstBrokenInvariant(after previous: Manifest) -> StaticString? {
        if sealedThrough < previous.sealedThrough { return "I1 sealedThrough never goes back" }
        if generation <= previous.generation { return "I2 the generation rises with every edit" }
        if hasGivenNameAway(since: previous) { return "I3 a name stays that of one file" }
        let counts = absences.eventCounts()
        guard previous.absences.eventCounts().allSatisfy({ counts[$0.key, default: 0] >= $0.value }) else {
            return "I4 what is absent stays absent"
        }
        return firstBrokenInvariant
    }

    /// Whether a name stands for another file than before.
    private func hasGivenNameAway(since previous: Manifest) -> Bool {
        // Nearly always nothing was removed: then the start of a list is the old list, and no name is looked up.
        if !history.starts(with: previous.history) {
            let before = Dictionary(previous.history.map { ($0.path, $0) }) { first, _ in first }
            for file in history where before[file.path].map({ $0 != file }) ?? false { return true }
        }
        if segments.starts(with: previous.segments) { return false }
        let before = Dictionary(previous.segments.map { ($0.path, $0) }) { first, _ in first }
        return segments.contains { segment in
            before[segment.path].map { $0 != segment } ?? false
        }
    }

    /// The first rule that this manifest breaks by itself. Complexity: O(segments).
    package var firstBrokenInvariant: StaticString? {
        brokenSegment ?? brokenOrder ?? brokenAbsence ?? brokenAccount ?? brokenCarry ?? brokenHistory
    }

    private var brokenSegment: StaticString? {
        for segment in segments {
            guard segment.holdsRows else { return "I5 a segment holds rows of an organization's family" }
            guard segment.isNamedRightly else {
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

    private var brokenAbsence: StaticString? {
        for (left, right) in zip(absences, absences.dropFirst()) where !Absence.precedes(left, right) {
            return "I12 absences are in order, one for each reason and range"
        }
        return nil
    }

    /// Walks segments and absences side by side; together their ranges must tile 1...sealedThrough.
    private var brokenAccount: StaticString? {
        let tiling: StaticString = "I9 every sequence is in one range, live or absent"
        let rows: StaticString = "I10 rows and absent events of a range are as many as its sequences"
        var covered: UInt64 = 0
        var absent = absences[...]
        var live = segments[...]
        while covered < sealedThrough {
            let first = covered + 1
            let absence = absent.first.flatMap { $0.range.lowerBound == first ? $0 : nil }
            let segment = live.first.flatMap { $0.firstSequence == first ? $0 : nil }
            guard let range = segment?.range ?? absence?.range else { return tiling }
            var eventCount: UInt64 = 0
            while let absence = absent.first, absence.range.lowerBound == first {
                guard absence.range == range else { return tiling }
                let (sum, overflow) = eventCount.addingReportingOverflow(absence.eventCount)
                guard absence.eventCount >= 1, !overflow else { return rows }
                eventCount = sum
                absent = absent.dropFirst()
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
        return covered == sealedThrough && absent.isEmpty && live.isEmpty ? nil : tiling
    }

    private var brokenHistory: StaticString? {
        let rule: StaticString = "I13 history files are of sealed ranges, each with a name of its own"
        guard history.allSatisfy({ $0.isPossible && $0.lastSequence <= sealedThrough }) else { return rule }
        return zip(history, history.dropFirst()).allSatisfy(HistoryReference.precedes) ? nil : rule
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
            && firstSequence >= 1 && firstSequence <= lastSequence && lastSequence < .max
            && rowCount >= 1 && UInt64(rowCount) <= lastSequence - firstSequence + 1
            && timestampMin <= timestampMax
            && (1...Self.byteCountMax).contains(byteCount)
            && rollupByteCount <= Self.byteCountMax
            && (rollupByteCount > 0 || rollupChecksum == 0)
    }

    /// Far beyond any file we write; sums of sizes cannot overflow.
    static let byteCountMax: UInt64 = 1 << 40
}
