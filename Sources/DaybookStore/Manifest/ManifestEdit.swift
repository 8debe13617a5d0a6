/// One publication.
package enum ManifestEdit: Sendable, Equatable {
    /// A whole manifest; only at the start of a file.
    case snapshot(Manifest)
    /// The next range of the log became segments, of all its families at once. Names the carry file of that moment.
    /// Sequences of the range that are in none of the segments were damaged in the log and are lost.
    case seal(ClosedRange<UInt64>, segments: [SegmentReference], carry: String?)
    /// The next range of the log is gone.
    case lost(ClosedRange<UInt64>, AbsenceReason)
    /// Whole ranges that follow each other are from now on what is said here: for compaction, expiry, erasure, and
    /// damaged segments that are set aside. What stays as it was is repeated. History files of events that have gone are
    /// added.
    case replace(
        ClosedRange<UInt64>, segments: [SegmentReference], absences: [Absence], history: [HistoryReference] = [])
    /// History files go, because they are too old or were written anew; others take their place.
    case history(removed: [String], added: [HistoryReference])
}

// What an edit alone can break.
//
//  E1  a snapshot begins a manifest
//  E2  an edit continues where the last one ended
//  E3  segments and absences lie in the range of their edit
//  E4  a replacement covers whole ranges
//  E5  a replacement lets no kind of absence shrink
//  E6  a file that is written anew has a higher revision
//  E7  only losses come from the log
//  E8  a history file that goes is there
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
            guard segments.allSatisfy({ $0.covers(range) }) else { throw Self.outside }
            next.segments += segments.sorted(by: SegmentReference.precedes)
            let rowCount = segments.reduce(UInt64(0)) { $0 &+ UInt64(clamping: $1.rowCount) }
            if rowCount < range.sequenceCount {
                next.absences.append(
                    Absence(range: range, eventCount: range.sequenceCount - rowCount, reason: .logDamaged))
            }
            next.carry = carry
        case .lost(let range, let reason):
            try next.extend(over: range)
            guard reason.isLoss else { throw ManifestViolation("E7 only losses come from the log") }
            next.absences.append(Absence(range: range, eventCount: range.sequenceCount, reason: reason))
        case .replace(let range, let segments, let absences, let history):
            try next.replace(range, segments, absences)
            guard history.allSatisfy({ range.contains($0.firstSequence...max($0.firstSequence, $0.lastSequence)) })
            else { throw Self.outside }
            next.add(history)
        case .history(let removed, let added):
            let gone = Set(removed)
            guard generation < .max, gone.count == removed.count, gone.isSubset(of: history.map(\.path)) else {
                throw ManifestViolation("E8 a history file that goes is there")
            }
            next.history.removeAll { gone.contains($0.path) }
            next.add(added)
            next.generation += 1
        }
        return next
    }

    private static let outside = ManifestViolation("E3 segments and absences lie in the range of their edit")

    private mutating func add(_ added: [HistoryReference]) {
        guard !added.isEmpty else { return }
        history = (history + added).sorted(by: HistoryReference.precedes)
    }

    private mutating func extend(over range: ClosedRange<UInt64>) throws(ManifestViolation) {
        guard sealedThrough < .max, generation < .max, range.lowerBound == sealedThrough + 1 else {
            throw ManifestViolation("E2 an edit continues where the last one ended")
        }
        sealedThrough = range.upperBound
        generation += 1
    }

    private mutating func replace(
        _ range: ClosedRange<UInt64>, _ newSegments: [SegmentReference], _ newAbsences: [Absence]
    ) throws(ManifestViolation) {
        let oldSegments = segmentIndices(in: range)
        let oldAbsences = absenceIndices(in: range)
        guard generation < .max, coversWholeRanges(range, oldSegments, oldAbsences) else {
            throw ManifestViolation("E4 a replacement covers whole ranges")
        }
        guard newSegments.allSatisfy({ $0.lies(in: range) }), newAbsences.allSatisfy({ range.contains($0.range) })
        else { throw Self.outside }
        let before = absences[oldAbsences].eventCounts()
        let after = newAbsences.eventCounts()
        guard before.allSatisfy({ after[$0.key, default: 0] >= $0.value }) else {
            throw ManifestViolation("E5 a replacement lets no kind of absence shrink")
        }
        for old in segments[oldSegments] {
            let isRevised = newSegments.allSatisfy { new in
                new == old || new.family != old.family || new.firstSequence != old.firstSequence
                    || new.lastSequence != old.lastSequence || new.revision > old.revision
            }
            guard isRevised else { throw ManifestViolation("E6 a file that is written anew has a higher revision") }
        }
        segments.replaceSubrange(oldSegments, with: newSegments.sorted(by: SegmentReference.precedes))
        absences.replaceSubrange(oldAbsences, with: newAbsences.sorted(by: Absence.precedes))
        generation += 1
    }

    /// Whether the range begins and ends where a range of this manifest does: nothing that was found reaches out of it,
    /// and nothing in front of it reaches in.
    private func coversWholeRanges(
        _ range: ClosedRange<UInt64>, _ found: Range<Int>, _ absent: Range<Int>
    ) -> Bool {
        range.lowerBound >= 1 && range.upperBound <= sealedThrough
            && segments[found].allSatisfy { $0.lastSequence <= range.upperBound }
            && absences[absent].allSatisfy { $0.range.upperBound <= range.upperBound }
            && segments[..<found.lowerBound].last.map { $0.lastSequence < range.lowerBound } ?? true
            && absences[..<absent.lowerBound].last.map { $0.range.upperBound < range.lowerBound } ?? true
    }
}

extension Manifest {
    /// Of the segments that begin in `range`. Complexity: O(log n).
    package func segmentIndices(in range: ClosedRange<UInt64>) -> Range<Int> {
        let start = segments.partitioningIndex { $0.firstSequence >= range.lowerBound }
        // Those of a damaged file may be in any order until its rules were checked.
        return start..<max(start, segments.partitioningIndex { $0.firstSequence > range.upperBound })
    }

    /// Of the absences that begin in `range`. Complexity: O(log n).
    package func absenceIndices(in range: ClosedRange<UInt64>) -> Range<Int> {
        let start = absences.partitioningIndex { $0.range.lowerBound >= range.lowerBound }
        return start..<max(start, absences.partitioningIndex { $0.range.lowerBound > range.upperBound })
    }
}

extension SegmentReference {
    fileprivate func covers(_ range: ClosedRange<UInt64>) -> Bool {
        firstSequence == range.lowerBound && lastSequence == range.upperBound
    }

    fileprivate func lies(in range: ClosedRange<UInt64>) -> Bool {
        firstSequence >= range.lowerBound && lastSequence <= range.upperBound
    }
}

extension ClosedRange<UInt64> {
    fileprivate func contains(_ other: ClosedRange<UInt64>) -> Bool {
        lowerBound <= other.lowerBound && other.upperBound <= upperBound
    }
}

extension Array {
    /// Index of the first element for which `isLater` holds; from there on it holds for all. Complexity: O(log n).
    func partitioningIndex(where isLater: (Element) -> Bool) -> Int {
        var low = 0
        var high = count
        while low < high {
            let middle = low + (high - low) / 2
            if isLater(self[middle]) { high = middle } else { low = middle + 1 }
        }
        return low
    }
}
