internal import DaybookFormat

/// A split-block Bloom filter: a value sets one bit in each of the eight words of one block of 32 bytes, so that a
/// question reads one line of memory. Spec: docs/format/index.md, "Filters".
enum SplitBlockFilter {
    static let blockByteCount = 32
    static let wordCount = 8
    private static let multiplier: UInt64 = 0x9E37_79B9_7F4A_7C15
    private static let salts = SIMD8<UInt32>(
        0x47B6_137B, 0x4497_4D91, 0x8824_AD5B, 0xA2B7_289D, 0x7054_95C7, 0x2DF1_424B, 0x9EFC_4947, 0x5C6B_FB31)

    @inline(__always)
    private static func place(_ hash: UInt32, blockCount: Int) -> (block: Int, mask: SIMD8<UInt32>) {
        let mixed = UInt64(hash) &* multiplier
        let block = ((mixed >> 32) &* UInt64(blockCount)) >> 32
        let low = SIMD8<UInt32>(repeating: UInt32(truncatingIfNeeded: mixed))
        return (Int(block), SIMD8<UInt32>(repeating: 1) &<< ((low &* salts) &>> 27))
    }

    /// Appends the filter of `hashes`. Precondition: at least one block.
    static func append(_ hashes: some Sequence<UInt32>, blockCount: Int, to bytes: inout [UInt8]) {
        precondition(blockCount >= 1 && blockCount <= Int(UInt32.max))
        var words = [UInt32](repeating: 0, count: blockCount * wordCount)
        for hash in hashes {
            let (block, mask) = place(hash, blockCount: blockCount)
            for index in 0..<wordCount { words[block * wordCount + index] |= mask[index] }
        }
        for word in words { bytes.append(littleEndian: word) }
    }

    /// Whether the filter in `blocks` may have been given `hash`. Precondition: one block or more, and nothing else.
    static func contains(_ hash: UInt32, in blocks: RawSpan) -> Bool {
        let blockCount = blocks.byteCount / blockByteCount
        precondition(blockCount >= 1)
        let (block, mask) = place(hash, blockCount: blockCount)
        for index in 0..<wordCount {
            guard let word = blocks.word(at: block * blockByteCount + 4 * index), word & mask[index] != 0 else {
                return false
            }
        }
        return true
    }

    /// How often the filter says yes to a value that it was not given, from the bits that are set.
    static func falseShare(of blocks: RawSpan) -> Double {
        let blockCount = blocks.byteCount / blockByteCount
        var sum = 0.0
        for block in 0..<blockCount {
            var share = 1.0
            for index in 0..<wordCount {
                let word = blocks.word(at: block * blockByteCount + 4 * index) ?? .max
                share *= Double(word.nonzeroBitCount) / 32
            }
            sum += share
        }
        return blockCount == 0 ? 1 : sum / Double(blockCount)
    }
}

extension RawSpan {
    /// Four bytes as a number; nil beyond the end.
    func word(at offset: Int) -> UInt32? {
        guard offset >= 0, offset <= byteCount - 4 else { return nil }
        return UInt32(littleEndian: unsafe unsafeLoadUnaligned(fromByteOffset: offset, as: UInt32.self))
    }
}
