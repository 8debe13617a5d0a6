/// Counts the distinct values of a page, up to a limit, in a small open table.
struct DistinctValues {
    /// Four times the limit, so that probes stay short whatever the values.
    private static let slotCount = 1_024
    private var keys = [UInt64](repeating: 0, count: slotCount)
    /// 0 is empty; else the position in `found` plus one.
    private var slots = [UInt16](repeating: 0, count: slotCount)
    private var found: [UInt64] = []

    @inline(__always)
    private static func slot(of value: UInt64) -> Int {
        Int(truncatingIfNeeded: (value &* 0x9E37_79B9_7F4A_7C15) >> 54)
    }

    /// The number of distinct values, nil when above `limit`. Precondition: `limit` at most 256.
    mutating func count(_ values: UnsafeBufferPointer<UInt64>, limit: Int) -> Int? {
        precondition(limit <= Self.slotCount / 4)
        found.removeAll(keepingCapacity: true)
        for index in 0..<Self.slotCount { slots[index] = 0 }
        var previous: UInt64 = 0
        for index in 0..<values.count {
            let value = unsafe values[index]
            if index > 0 && value == previous { continue }
            previous = value
            var slot = Self.slot(of: value)
            while slots[slot] != 0 && keys[slot] != value { slot = (slot + 1) & (Self.slotCount - 1) }
            if slots[slot] == 0 {
                if found.count == limit { return nil }
                found.append(value)
                keys[slot] = value
                slots[slot] = UInt16(found.count)
            }
        }
        return found.count
    }

    /// After `count` found few: the values in the order of their distance from `base`, and the position of each row's.
    mutating func codes(
        of values: UnsafeBufferPointer<UInt64>, base: UInt64, sorted: inout [UInt64], codes: inout [UInt64]
    ) {
        sorted = found.sorted { $0 &- base < $1 &- base }
        for (rank, value) in sorted.enumerated() { slots[position(of: value)] = UInt16(rank + 1) }
        codes.removeAll(keepingCapacity: true)
        for index in 0..<values.count { codes.append(UInt64(slots[position(of: unsafe values[index])] - 1)) }
    }

    @inline(__always)
    private func position(of value: UInt64) -> Int {
        var slot = Self.slot(of: value)
        while keys[slot] != value || slots[slot] == 0 { slot = (slot + 1) & (Self.slotCount - 1) }
        return slot
    }
}
