/// Values of `width` bits each, the first in the lowest bits, in little-endian words of 64 bits; the last word is
/// filled up with zeros. The loops are free functions over pointers: they are the inner loop of every scan.
enum BitPacking {
    /// Bits that `value` needs; 0 for 0.
    @inline(__always)
    static func width(of value: UInt64) -> Int { 64 - value.leadingZeroBitCount }

    /// Bytes that `count` values of `width` bits take. Precondition: at most 2^24 values, width 0 to 64.
    static func byteCount(_ count: Int, width: Int) -> Int {
        precondition(count >= 0 && count <= 1 << 24)
        precondition(width >= 0 && width <= 64)
        return (count * width + 63) / 64 * 8
    }

    /// Appends `values` less `base` (wrapping), each in `width` bits. Precondition: they fit.
    static func append(_ values: UnsafeBufferPointer<UInt64>, base: UInt64, width: Int, to bytes: inout [UInt8]) {
        guard width > 0 else { return }
        var word: UInt64 = 0
        var filled = 0
        let start = bytes.count
        bytes.append(contentsOf: repeatElement(0, count: byteCount(values.count, width: width)))
        unsafe bytes.withUnsafeMutableBytes { target in
            var next = start
            for index in 0..<values.count {
                let value = unsafe values[index] &- base
                word |= value &<< UInt64(filled)
                filled += width
                if filled >= 64 {
                    unsafe target.storeBytes(of: word.littleEndian, toByteOffset: next, as: UInt64.self)
                    next += 8
                    filled -= 64
                    word = filled == 0 ? 0 : value &>> UInt64(width - filled)
                }
            }
            if filled > 0 { unsafe target.storeBytes(of: word.littleEndian, toByteOffset: next, as: UInt64.self) }
        }
    }

    /// Writes `count` values plus `base` (wrapping) to `target`. Preconditions, checked by the caller against what it
    /// read: `source` holds `byteCount(count, width:)` bytes, `target` room for `count` values.
    static func unpack(
        _ source: UnsafeRawBufferPointer, count: Int, width: Int, base: UInt64, to target: UnsafeMutablePointer<UInt64>
    ) {
        precondition(source.count >= byteCount(count, width: width))
        guard width > 0, count > 0, let start = source.baseAddress else {
            for index in 0..<count { unsafe target[index] = base }
            return
        }
        var done = 0
        if width <= 56 {
            // One load of eight bytes holds any value; the last few values, whose load would reach past the end, are
            // left to the loop below.
            done = min(count, ((source.count - 8) * 8 + 7) / width)
            unsafe unpackNarrow(start, count: done, width: width, base: base, to: target)
        }
        unsafe unpackWide(
            start, from: done, to: count, width: width, base: base, words: source.count / 8, target: target)
    }

    @inline(__always)
    private static func unpackNarrow(
        _ source: UnsafeRawPointer, count: Int, width: Int, base: UInt64, to target: UnsafeMutablePointer<UInt64>
    ) {
        let mask = (1 as UInt64) &<< UInt64(width) &- 1
        var bit = 0
        for index in 0..<count {
            let word = UInt64(littleEndian: unsafe source.loadUnaligned(fromByteOffset: bit &>> 3, as: UInt64.self))
            unsafe target[index] = (word &>> UInt64(bit & 7)) & mask &+ base
            bit &+= width
        }
    }

    @inline(__always)
    private static func unpackWide(
        _ source: UnsafeRawPointer, from first: Int, to end: Int, width: Int, base: UInt64, words: Int,
        target: UnsafeMutablePointer<UInt64>
    ) {
        let mask = width == 64 ? UInt64.max : (1 as UInt64) &<< UInt64(width) &- 1
        for index in first..<end {
            let bit = index &* width
            let word = bit &>> 6
            let shift = UInt64(bit & 63)
            let low = UInt64(littleEndian: unsafe source.loadUnaligned(fromByteOffset: word &* 8, as: UInt64.self))
            let high = UInt64(
                littleEndian: unsafe source.loadUnaligned(
                    fromByteOffset: min(word &+ 1, words &- 1) &* 8, as: UInt64.self))
            // For a shift of 0 the second word moves out entirely; where it is not needed, the mask takes it away.
            let value = low &>> shift | (high &<< 1) &<< (63 &- shift)
            unsafe target[index] = value & mask &+ base
        }
    }
}
