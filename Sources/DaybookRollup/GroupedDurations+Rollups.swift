package import DaybookFormat

extension GroupedDurations {
    /// Adds the durations of entry `row` of `batch` to slot `slots[row]` for every entry that was asked for, so that one
    /// slot can hold raw rows and rollups of many files. Without histograms in the batch, no percentile may be asked of
    /// the slots.
    /// Precondition: the batch has durations; there is one slot for each entry, `noSlot` or below `slotCount`.
    package mutating func add(_ batch: RollupBatch, slots: [Int32]) throws(FormatError) {
        precondition(slots.count == batch.entryCount && batch.durationSums.count == batch.entryCount)
        let hasHistograms = batch.parts.contains(.histograms)
        for row in batch.rows {
            let slot = Int(slots[row])
            let count = batch.durationCounts[row]
            if slot < 0 || count == 0 { continue }
            precondition(slot < totals.count)
            add(batch, row, count, to: slot)
            if hasHistograms { try addHistogram(of: batch, row, to: slot) }
        }
    }

    private mutating func add(_ batch: RollupBatch, _ row: Int, _ count: UInt64, to slot: Int) {
        let sum = batch.durationSums[row]
        totals[slot].count += count
        let (low, overflow) = totals[slot].sumLow.addingReportingOverflow(UInt64(truncatingIfNeeded: sum))
        totals[slot].sumLow = low
        totals[slot].sumHigh += UInt64(truncatingIfNeeded: sum >> 64) + (overflow ? 1 : 0)
        totals[slot].minimum = min(totals[slot].minimum, batch.durationMinimums[row])
        totals[slot].maximum = max(totals[slot].maximum, batch.durationMaximums[row])
    }

    private mutating func addHistogram(of batch: RollupBatch, _ row: Int, to slot: Int) throws(FormatError) {
        let low = Int(max(1, batch.lows[row]) - BucketPosition.durationOffset)
        let high = Int(max(1, batch.highs[row]) - BucketPosition.durationOffset)
        widen(slot, toInclude: low...high)
        // Position 0 is the zero bucket; the others lie in the slot's part of `buckets`, which reaches from `low` to
        // `high` at least. Every position is between the two: reading checks that.
        let entry = totals[slot]
        let base = entry.start - entry.firstIndex - Int(BucketPosition.durationOffset)
        let lowest = batch.lows[row]
        let highest = batch.highs[row]
        precondition(base + Int(highest) < buckets.count)
        var zeroCount: UInt64 = 0
        try unsafe buckets.withUnsafeMutableBufferPointer {
            (buckets: inout UnsafeMutableBufferPointer<UInt64>) throws(FormatError) in
            let start = buckets.baseAddress!
            try batch.forEachBin(row) { position, count in
                precondition(position >= lowest && position <= highest)
                if position == 0 {
                    zeroCount &+= count
                } else {
                    unsafe start[base &+ Int(position)] &+= count
                }
            }
        }
        totals[slot].zeroCount += zeroCount
    }

    /// Makes room in a slot for all of these buckets.
    private mutating func widen(_ slot: Int, toInclude range: ClosedRange<Int>) {
        let old = totals[slot]
        let oldEnd = old.firstIndex + old.length
        if old.length > 0, range.lowerBound >= old.firstIndex, range.upperBound < oldEnd { return }
        // A little more than asked for: the next row is much like this one.
        let margin = 8
        let first = old.length > 0 ? min(old.firstIndex, range.lowerBound - margin) : range.lowerBound - margin
        let end = old.length > 0 ? max(oldEnd, range.upperBound + margin) : range.upperBound + margin
        let start = buckets.count
        buckets.append(contentsOf: repeatElement(0, count: end - first))
        for position in 0..<old.length {
            buckets[start + old.firstIndex - first + position] = buckets[old.start + position]
        }
        totals[slot].start = start
        totals[slot].length = end - first
        totals[slot].firstIndex = first
    }

    /// Durations in a slot. Precondition: `slot < slotCount`.
    package func count(of slot: Int) -> UInt64 { totals[slot].count }

    /// Nanoseconds.
    package func sum(of slot: Int) -> UInt128 { UInt128(totals[slot].sumHigh) << 64 | UInt128(totals[slot].sumLow) }

    /// Nanoseconds; `UInt64.max` when there is none.
    package func minimum(of slot: Int) -> UInt64 { totals[slot].minimum }

    /// Nanoseconds; 0 when there is none.
    package func maximum(of slot: Int) -> UInt64 { totals[slot].maximum }

    /// The same as that of the slot's summary, without making one. Precondition: `slot < slotCount`.
    package func percentile(_ percentile: Percentile, of slot: Int) -> Double? {
        let entry = totals[slot]
        // A histogram with more buckets may be a coarser one.
        guard entry.length <= ExponentialHistogram.bucketCountMax else {
            return summary(of: slot).percentile(percentile)
        }
        guard entry.count > 0 else { return nil }
        let rank = percentile.rank(in: entry.count)
        if rank == 1 { return Double(entry.minimum) }
        if rank == entry.count { return Double(entry.maximum) }
        return min(max(value(atRank: rank, entry), Double(entry.minimum)), Double(entry.maximum))
    }

    /// Counts from the nearer end.
    private func value(atRank rank: UInt64, _ entry: Totals) -> Double {
        if rank <= entry.zeroCount { return 0 }
        var bucket: Int
        if rank > entry.count / 2 {
            var above = entry.count - rank
            bucket = entry.length - 1
            while buckets[entry.start + bucket] <= above {
                above -= buckets[entry.start + bucket]
                bucket -= 1
            }
        } else {
            var rest = rank - entry.zeroCount
            bucket = 0
            while buckets[entry.start + bucket] < rest {
                rest -= buckets[entry.start + bucket]
                bucket += 1
            }
        }
        return BucketIndex.midpoint(of: Int32(entry.firstIndex + bucket), scale: ExponentialHistogram.scaleMax)
    }
}
