/// Whole words of eight bytes at a time, for what is long and looked at for every request.
extension Span where Element == UInt8 {
    private static var wordByteCount: Int { MemoryLayout<UInt64>.size }

    /// Whether the bytes of a range are the expected ones. Every byte is looked at whatever the others are, so that the
    /// time tells nothing about how many agree.
    ///
    /// Precondition: the range is within bounds.
    package func matches(_ range: Range<Int>, _ expected: [UInt8]) -> Bool {
        guard range.count == expected.count else { return false }
        return unsafe extracting(range).withUnsafeBytes { found in
            unsafe expected.withUnsafeBytes { wanted in
                var difference: UInt64 = 0
                var offset = 0
                while offset &+ Self.wordByteCount <= found.count {
                    difference |=
                        unsafe found.loadUnaligned(fromByteOffset: offset, as: UInt64.self)
                        ^ wanted.loadUnaligned(fromByteOffset: offset, as: UInt64.self)
                    offset &+= Self.wordByteCount
                }
                while offset < found.count {
                    difference |= unsafe UInt64(found[offset] ^ wanted[offset])
                    offset &+= 1
                }
                return difference == 0
            }
        }
    }

    /// Where the first byte stands from `start` on that is no printable ASCII (0x20 to 0x7E); the end where all are.
    ///
    /// Precondition: `start` is within bounds or at the end.
    package func endOfPrintable(from start: Int) -> Int {
        unsafe extracting(start..<count).withUnsafeBytes { bytes in
            var offset = 0
            while offset &+ Self.wordByteCount <= bytes.count,
                Self.isPrintable(unsafe bytes.loadUnaligned(fromByteOffset: offset, as: UInt64.self))
            {
                offset &+= Self.wordByteCount
            }
            while offset < bytes.count, (0x20...0x7E).contains(unsafe bytes[offset]) { offset &+= 1 }
            return start + offset
        }
    }

    /// A byte below 0x20 borrows from its highest bit, which only bytes of 0x80 and more have set before; 0x7F carries into
    /// it. A borrow or carry into the next byte comes from a byte that has been found out by then.
    private static func isPrintable(_ word: UInt64) -> Bool {
        let highBits: UInt64 = 0x8080_8080_8080_8080
        let below = word &- 0x2020_2020_2020_2020
        let above = word &+ 0x0101_0101_0101_0101
        return (word | below | above) & highBits == 0
    }
}
