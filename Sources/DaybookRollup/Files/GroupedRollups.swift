internal import DaybookEvent

/// Sums of rollup rows for many groups at once. Histograms are not added up as rows come: each slot remembers where its
/// rows' histograms are, and they meet in one small array when percentiles are asked for. So thousands of slots cost
/// little memory, and a slot nobody asks costs nothing.
package struct GroupedRollups: Sendable {
    /// A row of this slot is left out.
    package static let noSlot: Int32 = -1

    fileprivate struct Totals {
        var statuses = StatusCounts()
        /// Of rows of metrics.
        var valueCount: UInt64 = 0
        var count: UInt64 = 0
        var sum: UInt128 = 0
        var minimum = UInt64.max
        var maximum: UInt64 = 0
        var inputTokens: UInt128 = 0
        var outputTokens: UInt128 = 0
        /// The last of its histograms, or -1.
        var histogram: Int32 = -1

        /// Everything but the histograms.
        mutating func add(_ other: Totals) {
            statuses.merge(other.statuses)
            valueCount &+= other.valueCount
            count &+= other.count
            sum &+= other.sum
            minimum = min(minimum, other.minimum)
            maximum = max(maximum, other.maximum)
            inputTokens &+= other.inputTokens
            outputTokens &+= other.outputTokens
        }
    }

    private struct Histogram {
        var stored: StoredHistogram
        var storage: Int32
        /// The one before it in the same slot, or -1.
        var previous: Int32
    }

    private var totals: [Totals] = []
    private var histograms: [Histogram] = []
    /// The files of the histograms.
    private var storages: [[UInt8]] = []
    /// Of metrics; as long as `totals`, or empty.
    private var values: [ValueSummary] = []
    /// What was not a rollup, by slot.
    private var others: [Int: DurationSummary] = [:]
    /// One count for each position of durations; all 0 between calls.
    private var scratch = [UInt64](repeating: 0, count: Int(BucketPosition.durationMax) + 1)

    package init() {}

    package var slotCount: Int { totals.count }

    /// Makes room for slots up to `count`.
    package mutating func grow(to count: Int) {
        guard count > totals.count else { return }
        totals.append(contentsOf: repeatElement(Totals(), count: count - totals.count))
        if !values.isEmpty { values.append(contentsOf: repeatElement(ValueSummary(), count: count - values.count)) }
    }

    /// Adds entry `row` of `batch` to slot `slots[row]` for every entry that was asked for, with the parts that it has.
    /// Percentiles may be asked of a slot only when all its batches had histograms.
    /// Precondition: there is one slot for each entry, `noSlot` or below `slotCount`.
    package mutating func add(_ batch: RollupBatch, slots: [Int32]) {
        precondition(slots.count == batch.entryCount)
        guard batch.shape != .values else { return addValues(batch, slots) }
        let hasDurations = !batch.parts.isDisjoint(with: [.durations, .histograms])
        let hasHistograms = batch.parts.contains(.histograms)
        let hasTokens = batch.shape == .durationsAndTokens && batch.parts.contains(.tokens)
        let storage = Int32(storages.count)
        if hasHistograms { storages.append(batch.storage) }
        for row in batch.rows {
            let slot = Int(slots[row])
            if slot < 0 { continue }
            var entry = totals[slot]
            if let status = batch.status { entry.statuses.add(status, batch.counts[row]) }
            if hasTokens {
                entry.inputTokens &+= batch.inputTokens[row]
                entry.outputTokens &+= batch.outputTokens[row]
            }
            if hasDurations, batch.durationCounts[row] > 0 {
                entry.count &+= batch.durationCounts[row]
                entry.sum &+= batch.durationSums[row]
                entry.minimum = min(entry.minimum, batch.durationMinimums[row])
                entry.maximum = max(entry.maximum, batch.durationMaximums[row])
                if hasHistograms {
                    histograms.append(
                        Histogram(stored: batch.histogram(row), storage: storage, previous: entry.histogram))
                    entry.histogram = Int32(histograms.count - 1)
                }
            }
            totals[slot] = entry
        }
    }

    private mutating func addValues(_ batch: RollupBatch, _ slots: [Int32]) {
        let hasHistograms = batch.parts.contains(.histograms)
        if hasHistograms, values.isEmpty { values = Array(repeating: ValueSummary(), count: totals.count) }
        for row in batch.rows {
            let slot = Int(slots[row])
            if slot < 0 { continue }
            totals[slot].valueCount &+= batch.counts[row]
            if hasHistograms { values[slot].merge(batch.aggregate(row).values) }
        }
    }

    /// Adds what was summed up of rows instead. Precondition: `slot < slotCount`.
    package mutating func add(_ row: AggregateRow, to slot: Int) {
        totals[slot].statuses.merge(row.statuses)
        totals[slot].inputTokens &+= row.inputTokens
        totals[slot].outputTokens &+= row.outputTokens
        if row.durations.count > 0 {
            totals[slot].count &+= row.durations.count
            totals[slot].sum &+= row.durations.sum
            totals[slot].minimum = min(totals[slot].minimum, row.durations.minimum)
            totals[slot].maximum = max(totals[slot].maximum, row.durations.maximum)
            others[slot, default: DurationSummary()].merge(row.durations)
        }
        if row.values.count > 0 {
            if values.isEmpty { values = Array(repeating: ValueSummary(), count: totals.count) }
            totals[slot].valueCount &+= row.values.count
            values[slot].merge(row.values)
        }
    }

    /// Events of a slot by status; none in metrics. Precondition, as of all below: `slot < slotCount`.
    package func statuses(of slot: Int) -> StatusCounts { totals[slot].statuses }

    /// Events of metrics.
    package func valueCount(of slot: Int) -> UInt64 { totals[slot].valueCount }

    /// Of events with a duration.
    package func durations(of slot: Int) -> DurationTotals { DurationTotals(totals[slot]) }

    package func inputTokens(of slot: Int) -> UInt128 { totals[slot].inputTokens }

    package func outputTokens(of slot: Int) -> UInt128 { totals[slot].outputTokens }

    /// Everything that was added to a slot.
    package mutating func aggregate(_ slot: Int) -> AggregateRow {
        var row = AggregateRow()
        row.statuses = totals[slot].statuses
        row.inputTokens = totals[slot].inputTokens
        row.outputTokens = totals[slot].outputTokens
        if !values.isEmpty { row.values = values[slot] }
        row.durations = durations(slot)
        return row
    }

    private mutating func durations(_ slot: Int) -> DurationSummary {
        let entry = totals[slot]
        guard entry.count > 0 else { return DurationSummary() }
        let range = gather(slot)
        var histogram = ExponentialHistogram(
            zeroCount: scratch[0], firstIndex: 1 - BucketPosition.durationOffset, counts: scratch[1...])
        clear(range)
        if let other = others[slot] { histogram.merge(other.histogram) }
        return DurationSummary(
            count: entry.count, sum: entry.sum, minimum: entry.minimum, maximum: entry.maximum, histogram: histogram)
    }
}

extension GroupedRollups {
    /// Percentiles of the durations of a slot in nanoseconds, the same numbers as those of its summary; nil when there
    /// are none.
    package mutating func percentiles(_ percentiles: [Percentile], of slot: Int) -> [Double]? {
        let entry = totals[slot]
        guard entry.count > 0 else { return nil }
        // More buckets than a summary may have make it coarser; one of other rows may be coarser already.
        guard others[slot] == nil, Self.isFine(from: entry.minimum, through: entry.maximum) else {
            let summary = durations(slot)
            return percentiles.compactMap { summary.percentile($0) }
        }
        let range = gather(slot, wanted: Self.greatest(percentiles, of: entry.count))
        defer { clear(range) }
        return answers(percentiles, DurationTotals(entry), in: range)
    }

    /// Percentiles of the durations of a slot here and of the same slot of `rows` together. Precondition: both have the
    /// slot, and both keep histograms.
    package mutating func percentiles(
        _ percentiles: [Percentile], of slot: Int, with rows: GroupedExecutions
    ) -> [Double]? {
        let added = rows.totals(of: slot)
        guard added.count > 0 else { return self.percentiles(percentiles, of: slot) }
        var whole = DurationTotals(totals[slot])
        whole.count &+= added.count
        whole.minimum = min(whole.minimum, added.minimum)
        whole.maximum = max(whole.maximum, added.maximum)
        guard others[slot] == nil, let (firstIndex, counts) = rows.buckets(of: slot),
            Self.isFine(from: whole.minimum, through: whole.maximum)
        else {
            var summary = durations(slot)
            summary.merge(rows.durations(of: slot))
            return percentiles.compactMap { summary.percentile($0) }
        }
        var range = gather(slot, wanted: Self.greatest(percentiles, of: whole.count))
        let low = Int(BucketPosition.of(duration: added.minimum))
        let high = Int(BucketPosition.of(duration: added.maximum))
        range = min(range.lowerBound, low)...max(range.upperBound, high)
        defer { clear(range) }
        var zeroCount = added.count
        var position = Int(firstIndex + BucketPosition.durationOffset)
        for count in counts {
            // No bucket that has events lies outside of the positions of durations.
            if count > 0 { scratch[position] &+= UInt64(count) }
            zeroCount &-= UInt64(count)
            position += 1
        }
        scratch[0] &+= zeroCount
        return answers(percentiles, whole, in: range)
    }

    /// How many of the greatest events decide percentiles: all of them when one lies in the lower half.
    private static func greatest(_ percentiles: [Percentile], of count: UInt64) -> UInt64 {
        var wanted: UInt64 = 0
        for percentile in percentiles {
            let rank = percentile.rank(in: count)
            if rank <= count / 2 { return .max }
            wanted = max(wanted, count &- rank &+ 1)
        }
        return wanted
    }

    /// Precondition: `scratch` has the histogram of what `whole` counts, all of it in `range`; of the lower half only what
    /// `greatest` wants.
    private func answers(
        _ percentiles: [Percentile], _ whole: DurationTotals, in range: ClosedRange<Int>
    ) -> [Double] {
        percentiles.map { percentile in
            let rank = percentile.rank(in: whole.count)
            if rank == 1 { return Double(whole.minimum) }
            if rank == whole.count { return Double(whole.maximum) }
            let value = value(atRank: rank, of: whole.count, in: range)
            return min(max(value, Double(whole.minimum)), Double(whole.maximum))
        }
    }

    /// True when the buckets between two durations cannot be too many.
    private static func isFine(from minimum: UInt64, through maximum: UInt64) -> Bool {
        let low = BucketPosition.of(duration: minimum)
        let high = BucketPosition.of(duration: maximum)
        return Int(high - low) < ExponentialHistogram.bucketCountMax
    }

    /// Adds the histograms of a slot up in `scratch`, and returns between which positions.
    /// - Parameter wanted: so many of the greatest events are enough.
    private mutating func gather(_ slot: Int, wanted: UInt64 = .max) -> ClosedRange<Int> {
        var low = Int32(scratch.count - 1)
        var high = 0
        var next = totals[slot].histogram
        unsafe scratch.withUnsafeMutableBufferPointer { scratch in
            while next >= 0 {
                let histogram = histograms[Int(next)]
                next = histogram.previous
                high = max(high, Int(histogram.stored.high))
                // Of durations: 0 to the last of `scratch`; all others lie between these two.
                precondition(histogram.stored.low >= 0 && Int(histogram.stored.high) < scratch.count)
                let counts = unsafe scratch.baseAddress.unsafelyUnwrapped
                histogram.stored.forEachBinFromTop(storages[Int(histogram.storage)], wanted) { position, count in
                    unsafe counts[Int(position)] &+= count
                    low = min(low, position)
                }
            }
        }
        return min(Int(low), high)...high
    }

    private mutating func clear(_ range: ClosedRange<Int>) {
        unsafe scratch.withUnsafeMutableBufferPointer { scratch in
            for position in range { unsafe scratch[position] = 0 }
        }
    }

    /// Counts from the nearer end. Precondition: as many events are in `range` as that needs.
    private func value(atRank rank: UInt64, of count: UInt64, in range: ClosedRange<Int>) -> Double {
        precondition(range.lowerBound >= 0 && range.upperBound < scratch.count)
        let position = unsafe scratch.withUnsafeBufferPointer { scratch in
            if rank > count / 2 {
                var above = count - rank
                var position = range.upperBound
                while position > range.lowerBound, unsafe scratch[position] <= above {
                    above -= unsafe scratch[position]
                    position -= 1
                }
                return position
            }
            var rest = rank
            var position = range.lowerBound
            while position < range.upperBound, unsafe scratch[position] < rest {
                rest -= unsafe scratch[position]
                position += 1
            }
            return position
        }
        guard position > 0 else { return 0 }
        return BucketIndex.midpoint(
            of: Int32(position) - BucketPosition.durationOffset, scale: ExponentialHistogram.scaleMax)
    }
}

extension GroupedRollups {
    /// Bytes in memory, about, those of the files apart.
    package var byteCount: Int {
        totals.capacity * MemoryLayout<Totals>.stride + histograms.capacity * MemoryLayout<Histogram>.stride
            + storages.capacity * 8 + scratch.count * 8 + 1_024 * (values.count + others.count)
    }

    /// Adds each slot of `other` to `slots[thatSlot]`. In any order the answers are the same to the bit.
    /// Precondition: one slot for each of the other's, all below `slotCount`.
    package mutating func merge(_ other: GroupedRollups, slots: [Int32]) {
        precondition(slots.count == other.slotCount)
        let storageBase = Int32(storages.count)
        let histogramBase = Int32(histograms.count)
        storages += other.storages
        histograms.reserveCapacity(histograms.count + other.histograms.count)
        for var histogram in other.histograms {
            histogram.storage += storageBase
            if histogram.previous >= 0 { histogram.previous += histogramBase }
            histograms.append(histogram)
        }
        if !other.values.isEmpty, values.isEmpty { values = Array(repeating: ValueSummary(), count: totals.count) }
        for (position, slot) in slots.enumerated() {
            let slot = Int(slot)
            let added = other.totals[position]
            totals[slot].add(added)
            if added.histogram >= 0 {
                // The first of the other's goes behind the last one here.
                let last = Int(added.histogram + histogramBase)
                var first = last
                while histograms[first].previous >= 0 { first = Int(histograms[first].previous) }
                histograms[first].previous = totals[slot].histogram
                totals[slot].histogram = Int32(last)
            }
            if !other.values.isEmpty { values[slot].merge(other.values[position]) }
            if let summary = other.others[position] { others[slot, default: DurationSummary()].merge(summary) }
        }
    }
}

extension DurationTotals {
    fileprivate init(_ entry: GroupedRollups.Totals) {
        self.init(count: entry.count, sum: entry.sum, minimum: entry.minimum, maximum: entry.maximum)
    }
}

extension StatusCounts {
    fileprivate mutating func add(_ status: EventStatus, _ count: UInt64) {
        switch status {
        case .success: success &+= count
        case .error: error &+= count
        case .timeout: timeout &+= count
        case .cancelled: cancelled &+= count
        }
    }
}
