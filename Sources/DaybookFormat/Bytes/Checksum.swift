private import CChecksum

/// CRC-32C of `bytes`, continued from `crc` (0 to start). Complexity: O(n), about 9 GB/s with the CPU's instruction.
package func crc32c(_ bytes: RawSpan, continuing crc: UInt32 = 0) -> UInt32 {
    unsafe bytes.withUnsafeBytes { unsafe daybook_crc32c(crc, $0.baseAddress, $0.count) }
}

package func crc32c(_ bytes: [UInt8], continuing crc: UInt32 = 0) -> UInt32 {
    unsafe crc32c(bytes.span.bytes, continuing: crc)
}

/// Runs `body` with checksums that are always 0 on this thread: a store without the comparison of checksums. Exists so
/// that the simulation can show that it would notice; nothing else calls it.
package func withConstantChecksums<R>(_ body: () throws -> R) rethrows -> R {
    daybook_crc32c_set_constant(1)
    defer { daybook_crc32c_set_constant(0) }
    return try body()
}
