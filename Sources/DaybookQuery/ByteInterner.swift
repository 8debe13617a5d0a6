internal import DaybookFormat

/// Gives every distinct byte string a code, in order of appearance.
struct ByteInterner: Sendable {
    private(set) var bytes: [UInt8] = []
    private var ends: [Int] = []
    private var hashes: [UInt64] = []
    /// Codes plus one by hash, 0 for free; a power of two, at most half full.
    private var table = [UInt32](repeating: 0, count: 64)

    var count: Int { ends.count }

    /// Bytes in memory, about.
    var byteCount: Int { bytes.capacity + 16 * ends.capacity + 4 * table.capacity }

    func range(of code: UInt32) -> Range<Int> {
        let position = Int(code)
        return (position == 0 ? 0 : ends[position - 1])..<ends[position]
    }

    /// The code of `source[range]`. Throws when all strings together become too many bytes.
    mutating func code(of source: [UInt8], _ range: Range<Int>) throws(QueryError) -> UInt32 {
        let hash = source.withRawSpan { FieldHash.ofProcess($0.extracting(range)) }
        let mask = table.count - 1
        var slot = Int(truncatingIfNeeded: hash) & mask
        while table[slot] != 0 {
            let code = table[slot] - 1
            if hashes[Int(code)] == hash, equals(code, source, range) { return code }
            slot = (slot + 1) & mask
        }
        guard bytes.count + range.count <= QueryLimits.dimensionByteCountMax else {
            throw .outOfMemory(limit: QueryLimits.dimensionByteCountMax)
        }
        let code = UInt32(count)
        table[slot] = code + 1
        bytes.append(contentsOf: source[range])
        ends.append(bytes.count)
        hashes.append(hash)
        if count * 2 > table.count { grow() }
        return code
    }

    private func equals(_ code: UInt32, _ source: [UInt8], _ range: Range<Int>) -> Bool {
        let own = self.range(of: code)
        guard own.count == range.count else { return false }
        for offset in 0..<own.count where bytes[own.lowerBound + offset] != source[range.lowerBound + offset] {
            return false
        }
        return true
    }

    private mutating func grow() {
        let mask = table.count * 4 - 1
        table = [UInt32](repeating: 0, count: mask + 1)
        for (code, hash) in hashes.enumerated() {
            var slot = Int(truncatingIfNeeded: hash) & mask
            while table[slot] != 0 { slot = (slot + 1) & mask }
            table[slot] = UInt32(code) + 1
        }
    }

    /// For every code its place in the order of the strings' bytes.
    func ranks() -> [UInt32] {
        let start = commonPrefixByteCount
        let order = (0..<UInt32(count)).map { (prefix: prefix(of: $0, from: start), code: $0) }.sorted { left, right in
            if left.prefix != right.prefix { return left.prefix < right.prefix }
            return bytes[range(of: left.code)].lexicographicallyPrecedes(bytes[range(of: right.code)])
        }
        var ranks = [UInt32](repeating: 0, count: count)
        for (rank, element) in order.enumerated() { ranks[Int(element.code)] = UInt32(rank) }
        return ranks
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
