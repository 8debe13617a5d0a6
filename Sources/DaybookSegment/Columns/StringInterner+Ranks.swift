extension StringInterner {
    /// For every code its place in the order of the strings' bytes. Complexity: O(n log n), n strings; O(n) when they came
    /// in that order, as those of one sorted dictionary do.
    package func ranks() -> [UInt32] {
        guard !isAscending else { return Array(0..<UInt32(count)) }
        let start = commonPrefixByteCount
        let order = (0..<UInt32(count)).map { (prefix: prefix(of: $0, from: start), code: $0) }.sorted { left, right in
            left.prefix != right.prefix ? left.prefix < right.prefix : precedes(left.code, right.code)
        }
        var ranks = [UInt32](repeating: 0, count: count)
        for (rank, element) in order.enumerated() { ranks[Int(element.code)] = UInt32(rank) }
        return ranks
    }

    private var isAscending: Bool {
        for code in stride(from: 1, to: UInt32(count), by: 1) where !precedes(code - 1, code) { return false }
        return true
    }

    /// By bytes, eight at a time.
    private func precedes(_ left: UInt32, _ right: UInt32) -> Bool {
        let (left, right) = (range(of: left), range(of: right))
        return unsafe bytes.withUnsafeBytes { bytes in
            let common = min(left.count, right.count)
            var offset = 0
            while offset &+ 8 <= common {
                // Both lie inside their strings, and these inside `bytes`.
                let leftWord = unsafe bytes.loadUnaligned(fromByteOffset: left.lowerBound &+ offset, as: UInt64.self)
                let rightWord = unsafe bytes.loadUnaligned(fromByteOffset: right.lowerBound &+ offset, as: UInt64.self)
                if leftWord != rightWord { return leftWord.bigEndian < rightWord.bigEndian }
                offset &+= 8
            }
            while offset < common {
                let leftByte = unsafe bytes[left.lowerBound &+ offset]
                let rightByte = unsafe bytes[right.lowerBound &+ offset]
                if leftByte != rightByte { return leftByte < rightByte }
                offset &+= 1
            }
            return left.count < right.count
        }
    }

    /// How many bytes all strings begin with.
    private var commonPrefixByteCount: Int {
        guard count > 0 else { return 0 }
        var length = range(of: 0).count
        for code in 1..<UInt32(count) {
            let own = range(of: code)
            length = min(length, own.count)
            var same = 0
            while same < length, bytes[own.lowerBound + same] == bytes[same] { same += 1 }
            length = same
        }
        return length
    }

    /// Eight bytes, zeros behind the end: they are nearly always enough to tell two strings apart.
    private func prefix(of code: UInt32, from start: Int) -> UInt64 {
        let range = range(of: code)
        var prefix: UInt64 = 0
        for offset in start..<start + 8 {
            prefix = prefix << 8 | (offset < range.count ? UInt64(bytes[range.lowerBound + offset]) : 0)
        }
        return prefix
    }
}
