internal import DaybookFormat

extension StringTable {
    /// The codes that `codes` uses, in the order of their strings' bytes, and for each code of the table its rank among
    /// them. Complexity: O(n log n), n distinct strings.
    func sortedCodes(usedBy codes: [UInt32]) -> (sorted: [UInt32], ranks: [UInt32]) {
        var used = [Bool](repeating: false, count: count)
        for code in codes where code != CodeColumn.missing { used[Int(code)] = true }
        var keys: [(prefix: UInt64, code: UInt32)] = []
        keys.reserveCapacity(count)
        for code in 0..<UInt32(count) where used[Int(code)] { keys.append((prefix(of: code), code)) }
        // The first eight bytes decide almost always.
        keys.sort { left, right in
            left.prefix != right.prefix ? left.prefix < right.prefix : precedes(left.code, right.code)
        }
        var ranks = [UInt32](repeating: 0, count: count)
        for (rank, key) in keys.enumerated() { ranks[Int(key.code)] = UInt32(rank) }
        return (keys.map(\.code), ranks)
    }

    /// The first eight bytes as a number that sorts as they do; shorter strings are filled up with zeros.
    private func prefix(of code: UInt32) -> UInt64 {
        var value: UInt64 = 0
        let range = range(of: code)
        for index in range.prefix(8) { value = value << 8 | UInt64(bytes[index]) }
        return value << UInt64(8 * max(0, 8 - range.count))
    }

    private func precedes(_ left: UInt32, _ right: UInt32) -> Bool {
        bytes[range(of: left)].lexicographicallyPrecedes(bytes[range(of: right)])
    }

    /// The strings of `codes`, in that order.
    func column(of codes: [UInt32]) -> ByteColumn {
        var kept: [UInt8] = []
        var ends: [UInt32] = [0]
        ends.reserveCapacity(codes.count + 1)
        for code in codes {
            kept.append(contentsOf: bytes[range(of: code)])
            ends.append(UInt32(kept.count))
        }
        return ByteColumn(bytes: kept, offsets: ends, present: nil)
    }
}
