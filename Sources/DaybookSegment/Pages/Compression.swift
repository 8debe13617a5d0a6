private import CLZ4
internal import DaybookFormat

/// LZ4 blocks.
package enum Compression {
    /// Which compressor writes; all are read alike.
    package enum Effort: Sendable {
        case none
        /// About 0.7 ns a byte.
        case fast
        /// LZ4 HC of level 4: 5 to 15 ns a byte, a quarter smaller.
        case high
    }

    /// Appends `source` compressed to at most `limit` bytes, and returns true; or appends nothing and returns false.
    static func append(_ source: [UInt8], effort: Effort, limit: Int, to target: inout [UInt8]) -> Bool {
        guard effort != .none, limit > 0, source.count <= SegmentLimits.pageByteCountMax else { return false }
        let start = target.count
        target.append(contentsOf: repeatElement(0, count: limit))
        let written = unsafe source.withUnsafeBytes { input in
            unsafe target.withUnsafeMutableBytes { output in
                let from = unsafe input.baseAddress?.assumingMemoryBound(to: CChar.self)
                let to = unsafe output.baseAddress?.advanced(by: start).assumingMemoryBound(to: CChar.self)
                return effort == .high
                    ? unsafe LZ4_compress_HC(from, to, Int32(input.count), Int32(limit), 4)
                    : unsafe LZ4_compress_default(from, to, Int32(input.count), Int32(limit))
            }
        }
        target.removeLast(limit - Int(max(0, written)))
        return written > 0
    }

    /// Replaces `target` by the `byteCount` bytes that `source` expands to.
    static func expand(
        _ source: UnsafeRawBufferPointer, byteCount: Int, to target: inout [UInt8]
    ) throws(FormatError) {
        precondition(byteCount >= 0 && byteCount <= SegmentLimits.pageByteCountMax)
        guard let sourceByteCount = Int32(exactly: source.count) else { throw .invalid("compressed length") }
        // At least one byte, so that the buffer has an address.
        target.removeAll(keepingCapacity: true)
        target.append(contentsOf: repeatElement(0, count: max(1, byteCount)))
        let written = unsafe target.withUnsafeMutableBytes { output in
            unsafe LZ4_decompress_safe(
                source.baseAddress?.assumingMemoryBound(to: CChar.self),
                output.baseAddress?.assumingMemoryBound(to: CChar.self), sourceByteCount, Int32(byteCount))
        }
        guard Int(written) == byteCount else { throw .invalid("compressed page") }
        if byteCount == 0 { target.removeAll(keepingCapacity: true) }
    }
}
