internal import DaybookFormat

/// How ranges are merged. All sizes are bytes of segments.
struct CompactionLimits: Sendable {
    /// Ranges that are merged at once.
    var fanIn: ClosedRange<Int>
    var outputRowCountMax: Int
    var outputByteCountMax: UInt64
}

/// One range of a manifest as the planner sees it.
struct RangeSummary: Sendable, Equatable {
    var range: ClosedRange<UInt64>
    /// Rows that are there.
    var rowCount = 0
    /// Of the segments and what is stored beside them.
    var byteCount: UInt64 = 0
    /// One of its segments could not be read lately: it stays as it is.
    var isBlocked = false
}

extension Manifest {
    /// Of segments that have something of these ranges.
    func segmentPaths(in ranges: [ClosedRange<UInt64>]) -> [String] {
        guard !ranges.isEmpty else { return [] }
        return segments.filter { segment in ranges.contains { $0.overlaps(segment.range) } }.map(\.path)
    }

    /// All ranges in order. Complexity: O(segments + absences).
    func rangeSummaries(blocked: Set<String> = []) -> [RangeSummary] {
        var result: [RangeSummary] = []
        var absent = absences[...]
        for segment in segments {
            while let absence = absent.first, absence.range.lowerBound <= segment.firstSequence {
                if absence.range != result.last?.range { result.append(RangeSummary(range: absence.range)) }
                absent = absent.dropFirst()
            }
            if result.last?.range != segment.range { result.append(RangeSummary(range: segment.range)) }
            result[result.count - 1].rowCount += segment.rowCount
            result[result.count - 1].byteCount += segment.byteCount + segment.rollupByteCount
            if blocked.contains(segment.path) { result[result.count - 1].isBlocked = true }
        }
        for absence in absent where absence.range != result.last?.range {
            result.append(RangeSummary(range: absence.range))
        }
        return result
    }
}

/// What to merge next. Only neighbours are merged, so that ranges stay ranges; and only neighbours of similar size: the
/// largest of a run holds at most half of it. A row is therefore rewritten at most once per doubling of its range, and
/// a run is never longer than it takes to reach the largest output.
enum CompactionPlan {
    /// Opening and naming a file costs about what reading this many bytes does.
    private static let fileByteCount: UInt64 = 64 << 10

    /// Indices of the ranges to merge; the run that saves most files for the bytes it reads, the oldest of equals.
    /// Complexity: O(n * fan-in).
    static func bestRun(_ ranges: [RangeSummary], _ limits: CompactionLimits) -> Range<Int>? {
        var best: Range<Int>?
        var bestSaving = 0
        var bestCost: UInt64 = 1
        for start in ranges.indices {
            guard let end = longestRun(ranges, from: start, limits) else { continue }
            let cost = ranges[start..<end].reduce(fileByteCount) { $0 + $1.byteCount }
            let saving = end - start - 1
            let (left, _) = UInt64(saving).multipliedReportingOverflow(by: bestCost)
            let (right, _) = UInt64(bestSaving).multipliedReportingOverflow(by: cost)
            if left > right { (best, bestSaving, bestCost) = (start..<end, saving, cost) }
        }
        return best
    }

    /// The end of the longest run from `start` that may be merged.
    private static func longestRun(_ ranges: [RangeSummary], from start: Int, _ limits: CompactionLimits) -> Int? {
        var byteCount: UInt64 = 0
        var rowCount = 0
        var largest: UInt64 = 0
        var longest: Int?
        for index in start..<min(ranges.count, start + limits.fanIn.upperBound) {
            let range = ranges[index]
            byteCount += range.byteCount
            rowCount += range.rowCount
            largest = max(largest, range.byteCount)
            guard !range.isBlocked, byteCount <= limits.outputByteCountMax, rowCount <= limits.outputRowCountMax
            else { break }
            if index - start + 1 >= limits.fanIn.lowerBound, largest <= byteCount / 2 { longest = index + 1 }
        }
        return longest
    }

    /// Bytes that are to be merged as things are now.
    static func debtByteCount(_ ranges: [RangeSummary], _ limits: CompactionLimits) -> UInt64 {
        var debt: UInt64 = 0
        var start = 0
        while start < ranges.count {
            guard let end = longestRun(ranges, from: start, limits) else {
                start += 1
                continue
            }
            debt += ranges[start..<end].reduce(0) { $0 + $1.byteCount }
            start = end
        }
        return debt
    }

    /// The first neighbours that hold nothing any more: naming them together costs no bytes.
    static func emptyRun(_ ranges: [RangeSummary]) -> Range<Int>? {
        var start: Int?
        for (index, range) in ranges.enumerated() {
            if range.byteCount == 0 {
                if start == nil { start = index }
            } else if let begun = start {
                if index - begun >= 2 { return begun..<index }
                start = nil
            }
        }
        guard let begun = start, ranges.count - begun >= 2 else { return nil }
        return begun..<ranges.count
    }
}
