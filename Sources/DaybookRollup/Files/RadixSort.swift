/// Sorts numbers and remembers where each one stood.
enum RadixSort {
    /// Sorts `keys`, whose bits from `bitCount` on are 0, and returns for each place where its key stood before. Equal
    /// keys keep their order. Complexity: O(n) for each eight bits in which keys differ.
    static func sort(_ keys: inout [UInt64], bitCount: Int) -> [UInt32] {
        precondition(keys.count <= Int(UInt32.max))
        var order = Array(0..<UInt32(keys.count))
        var otherKeys = [UInt64](repeating: 0, count: keys.count)
        var otherOrder = [UInt32](repeating: 0, count: keys.count)
        for shift in stride(from: 0, to: bitCount, by: 8) {
            guard let starts = starts(of: keys, shift: UInt64(shift)) else { continue }
            scatter(keys, order, shift: UInt64(shift), starts, &otherKeys, &otherOrder)
            swap(&keys, &otherKeys)
            swap(&order, &otherOrder)
        }
        return order
    }

    /// Where each digit begins; nil when all keys have the same digit.
    private static func starts(of keys: [UInt64], shift: UInt64) -> [Int]? {
        var counts = [Int](repeating: 0, count: 256)
        unsafe counts.withUnsafeMutableBufferPointer { counts in
            for key in keys { unsafe counts[Int(truncatingIfNeeded: key &>> shift) & 255] &+= 1 }
        }
        var start = 0
        for digit in 0..<256 {
            let count = counts[digit]
            if count == keys.count { return nil }
            counts[digit] = start
            start += count
        }
        return counts
    }

    private static func scatter(
        _ keys: [UInt64], _ order: [UInt32], shift: UInt64, _ starts: [Int], _ targetKeys: inout [UInt64],
        _ targetOrder: inout [UInt32]
    ) {
        precondition(targetKeys.count == keys.count && targetOrder.count == keys.count && order.count == keys.count)
        var next = starts
        unsafe next.withUnsafeMutableBufferPointer { next in
            unsafe targetKeys.withUnsafeMutableBufferPointer { targetKeys in
                unsafe targetOrder.withUnsafeMutableBufferPointer { targetOrder in
                    for index in keys.indices {
                        // Places count up to the number of keys of each digit: never past the end.
                        let key = keys[index]
                        let digit = Int(truncatingIfNeeded: key &>> shift) & 255
                        let place = unsafe next[digit]
                        unsafe next[digit] = place &+ 1
                        unsafe targetKeys[place] = key
                        unsafe targetOrder[place] = order[index]
                    }
                }
            }
        }
    }
}
