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
        var row = 0
        while true {
            row = Self.add(slots, nanoseconds, from: row, &totals, &buckets)
            guard row < slots.count else { return }
            widen(Int(slots[row]), toInclude: Int(BucketIndex.of(nanoseconds[row])))
        }
    }

    /// Adds rows until the end, or until one needs a bucket that its slot has no place for; returns that row. Pointers,
    /// because array accesses would check uniqueness and bounds several times a row; every slot and offset is checked
    /// here instead.
    private static func add(
        _ slots: [Int32], _ nanoseconds: [UInt64], from first: Int, _ totals: inout [Totals],
        _ buckets: inout [UInt64]
    ) -> Int {
        unsafe totals.withUnsafeMutableBufferPointer { totals in
            unsafe buckets.withUnsafeMutableBufferPointer { buckets in
                unsafe BucketIndex.withTables { tables in
                    for row in first..<slots.count {
                        let slot = Int(slots[row])
                        if slot < 0 { continue }
                        precondition(slot < totals.count)
                        let value = nanoseconds[row]
                        var entry = unsafe totals[slot]
                        if value < DurationSummary.zeroBucketEnd {
                            entry.zeroCount &+= 1
                        } else {
                            let offset = Int(unsafe tables.index(of: value)) &- entry.firstIndex
                            if UInt(bitPattern: offset) >= UInt(bitPattern: entry.length) { return row }
                            unsafe buckets[entry.start &+ offset] &+= 1
                        }
                        entry.count &+= 1
                        let (low, overflow) = entry.sumLow.addingReportingOverflow(value)
                        entry.sumLow = low
                        entry.sumHigh &+= overflow ? 1 : 0
                        entry.minimum = min(entry.minimum, value)
                        entry.maximum = max(entry.maximum, value)
                        unsafe totals[slot] = entry
                    }
                    return slots.count
                }
            }
        }
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
