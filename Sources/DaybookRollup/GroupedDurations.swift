/// Summaries of durations for many groups at once, filled a batch of rows at a time: the inner loop of every aggregation.
/// A row costs a few array accesses; memory grows with the groups and with the octaves that their durations span.
package struct GroupedDurations: Sendable {
    /// A row of this slot is left out.
    package static let noSlot: Int32 = -1

    private struct Totals {
        var count: UInt64 = 0
        var sumLow: UInt64 = 0
        var sumHigh: UInt64 = 0
        var minimum = UInt64.max
        var maximum: UInt64 = 0
        var zeroCount: UInt64 = 0
        /// The buckets of this slot: `buckets[start..<start + length]`, the first of index `firstIndex`.
        var start = 0
        var length = 0
        var firstIndex = 0
    }

    private var totals: [Totals] = []
    /// The bucket counts of all slots. Space that a grown slot left behind is not used again.
    private var buckets: [UInt64] = []

    package init() {}

    package var slotCount: Int { totals.count }

    /// Makes room for slots up to `count`.
    package mutating func grow(to count: Int) {
        guard count > totals.count else { return }
        totals.append(contentsOf: repeatElement(Totals(), count: count - totals.count))
    }

    /// Adds `nanoseconds[row]` to slot `slots[row]` for every row.
    /// Precondition: both have the same length, and every slot is `noSlot` or below `slotCount`.
    package mutating func add(slots: [Int32], nanoseconds: [UInt64]) {
        precondition(slots.count == nanoseconds.count)
        for row in slots.indices {
            let slot = Int(slots[row])
            if slot < 0 { continue }
            add(nanoseconds[row], to: slot)
        }
    }

    /// Precondition: `slot < slotCount`.
    @inline(__always)
    package mutating func add(_ value: UInt64, to slot: Int) {
        totals[slot].count &+= 1
        let (low, overflow) = totals[slot].sumLow.addingReportingOverflow(value)
        totals[slot].sumLow = low
        if overflow { totals[slot].sumHigh &+= 1 }
        if value < totals[slot].minimum { totals[slot].minimum = value }
        if value > totals[slot].maximum { totals[slot].maximum = value }
        guard value >= DurationSummary.zeroBucketEnd else {
            totals[slot].zeroCount &+= 1
            return
        }
        let index = Int(BucketIndex.of(value))
        var offset = index &- totals[slot].firstIndex
        if UInt(bitPattern: offset) >= UInt(bitPattern: totals[slot].length) {
            widen(slot, toInclude: index)
            offset = index &- totals[slot].firstIndex
        }
        buckets[totals[slot].start &+ offset] &+= 1
    }

    /// Moves the buckets of a slot to a place that has room for `index` and as much again on that side.
    @inline(never)
    private mutating func widen(_ slot: Int, toInclude index: Int) {
        let old = totals[slot]
        let margin = max(4, old.length / 2)
        var first = index - 4
        var end = index + 4
        if old.length > 0 {
            first = index < old.firstIndex ? index - margin : old.firstIndex
            end = max(old.firstIndex + old.length, index < old.firstIndex ? index : index + margin)
        }
        let start = buckets.count
        buckets.append(contentsOf: repeatElement(0, count: end - first))
        for position in 0..<old.length {
            buckets[start + old.firstIndex - first + position] = buckets[old.start + position]
        }
        totals[slot].start = start
        totals[slot].length = end - first
        totals[slot].firstIndex = first
    }

    /// Precondition: `slot < slotCount`.
    package func summary(of slot: Int) -> DurationSummary {
        let entry = totals[slot]
        let histogram = ExponentialHistogram(
            zeroCount: entry.zeroCount, firstIndex: Int32(entry.firstIndex),
            counts: buckets[entry.start..<entry.start + entry.length])
        return DurationSummary(
            count: entry.count, sum: UInt128(entry.sumHigh) << 64 | UInt128(entry.sumLow), minimum: entry.minimum,
            maximum: entry.maximum, histogram: histogram)
    }
}
