/// What was added up for a slot.
extension GroupedExecutions {
    /// Precondition: `slot < slotCount`.
    package func statuses(of slot: Int) -> StatusCounts {
        let counts = totals[slot].statuses
        var result = StatusCounts(
            success: UInt64(counts[0]), error: UInt64(counts[1]), timeout: UInt64(counts[2]),
            cancelled: UInt64(counts[3]))
        if slot < spilled.count { result.merge(spilled[slot].statuses) }
        return result
    }

    /// Without histograms the summary has no percentiles. Precondition: `slot < slotCount`.
    package func durations(of slot: Int) -> DurationSummary {
        let entry = totals[slot]
        var histogram = ExponentialHistogram()
        if keepsHistograms {
            let (firstIndex, counts) = histogramCounts(of: slot)
            histogram = ExponentialHistogram(count: entry.count, firstIndex: Int32(firstIndex), counts: counts)
        }
        var result = DurationSummary(
            count: entry.count, sum: UInt128(entry.sumHigh) << 64 | UInt128(entry.sumLow), minimum: entry.minimum,
            maximum: entry.maximum, histogram: histogram)
        if slot < spilled.count { result.merge(spilled[slot].durations) }
        return result
    }

    /// The histogram of a slot without its zero bucket, by rising index; nil where a summary has it.
    func buckets(of slot: Int) -> (firstIndex: Int32, counts: ArraySlice<UInt32>)? {
        guard keepsHistograms, slot >= spilled.count else { return nil }
        let (firstIndex, counts) = histogramCounts(of: slot)
        return (Int32(firstIndex), counts)
    }

    /// Without what was spilled. Complexity: O(1) for a slot that has no rows outside of its histogram.
    private func histogramCounts(of slot: Int) -> (firstIndex: Int, counts: ArraySlice<UInt32>) {
        let entry = totals[slot]
        let settled = cells[Int(entry.start)..<Int(entry.start) + Int(entry.length)]
        guard let range = runs.range(of: slot) else { return (Int(entry.firstIndex), settled) }
        var first = range.lowerBound
        var end = range.upperBound + 1
        if entry.length > 0 {
            first = min(first, Int(entry.firstIndex))
            end = max(end, Int(entry.firstIndex) + Int(entry.length))
        }
        var counts = [UInt32](repeating: 0, count: end - first)
        for (position, count) in settled.enumerated() { counts[Int(entry.firstIndex) - first + position] = count }
        runs.forEachIndex(of: slot) { counts[Int($0) - first] &+= 1 }
        return (first, counts[...])
    }

    /// Precondition: `slot < slotCount`.
    package func totals(of slot: Int) -> DurationTotals {
        guard slot >= spilled.count else { return durations(of: slot).totals }
        let entry = totals[slot]
        return DurationTotals(
            count: entry.count, sum: UInt128(entry.sumHigh) << 64 | UInt128(entry.sumLow), minimum: entry.minimum,
            maximum: entry.maximum)
    }

    /// Appends what `durations(of: slot).percentile` says of each percentile, without making a summary.
    /// Precondition: `slot < slotCount`.
    package func appendPercentiles(_ percentiles: [Percentile], of slot: Int, to answers: inout [Double?]) {
        guard !percentiles.isEmpty else { return }
        // With more buckets than a histogram may keep, its resolution would be lower.
        guard keepsHistograms, slot >= spilled.count, case (let first, let counts) = histogramCounts(of: slot),
            counts.count <= ExponentialHistogram.bucketCountMax
        else {
            let summary = durations(of: slot)
            for percentile in percentiles { answers.append(summary.percentile(percentile)) }
            return
        }
        for percentile in percentiles { answers.append(self.percentile(percentile, totals[slot], first, counts)) }
    }

    private func percentile(
        _ percentile: Percentile, _ entry: Totals, _ first: Int, _ counts: ArraySlice<UInt32>
    ) -> Double? {
        let count = entry.count
        guard count > 0 else { return nil }
        let rank = percentile.rank(in: count)
        if rank == 1 { return Double(entry.minimum) }
        if rank == count { return Double(entry.maximum) }
        // From the top: what is asked for is mostly up there.
        var above = count - rank
        let index: Int? = unsafe counts.withUnsafeBufferPointer { counts in
            for position in counts.indices.reversed() {
                let cell = UInt64(unsafe counts[position])
                if above < cell { return first + position }
                above -= cell
            }
            return nil
        }
        let value = index.map { BucketIndex.midpoint(of: Int32($0), scale: ExponentialHistogram.scaleMax) } ?? 0
        return min(max(value, Double(entry.minimum)), Double(entry.maximum))
    }
}
