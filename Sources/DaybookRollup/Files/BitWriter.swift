internal import DaybookFormat

/// Numbers of any width, one behind the other, the first in the lowest bits of the first byte.
struct BitWriter {
    private(set) var bytes: [UInt8] = []
    private var word: UInt64 = 0
    private var filled: UInt64 = 0

    var bitCount: Int { bytes.count * 8 + Int(filled) }

    /// Precondition: width 0 to 64, and the value fits.
    mutating func append(_ value: UInt64, width: Int) {
        precondition(width >= 0 && width <= 64)
        guard width > 0 else { return }
        precondition(width == 64 || value >> UInt64(width) == 0)
        word |= value << filled
        let total = filled + UInt64(width)
        guard total >= 64 else {
            filled = total
            return
        }
        bytes.append(littleEndian: word)
        let written = 64 - filled
        word = written == 64 ? 0 : value >> written
        filled = total - 64
    }

    /// That many bits that are 0, then so many that are 1.
    mutating func appendUnary(zeros: Int, ones: Int) {
        if zeros + ones < 64 {
            append((1 << UInt64(ones) - 1) << UInt64(zeros), width: zeros + ones)
            return
        }
        var rest = zeros
        while rest > 0 {
            append(0, width: min(64, rest))
            rest -= 64
        }
        rest = ones
        while rest > 0 {
            append(UInt64.max >> UInt64(max(0, 64 - rest)), width: min(64, rest))
            rest -= 64
        }
    }

    /// Fills the last byte up with zeros.
    mutating func finish() -> [UInt8] {
        while filled > 0 {
            bytes.append(UInt8(truncatingIfNeeded: word))
            word >>= 8
            filled = filled > 8 ? filled - 8 : 0
        }
        return bytes
    }
}

/// How far a load of a `BitSource` may read on.
let bitSourcePaddingByteCount = 16

/// Bytes with at least `bitSourcePaddingByteCount` more behind them, so that every load inside may read on. Positions
/// are checked by whoever computes them: `end` is the first bit that may not be used.
@unsafe struct BitSource {
    let start: UnsafeRawPointer
    /// Bits.
    let end: Int

    /// Precondition: `bytes` has the padding; positions count from its start, and those below `byteCount` are real.
    @inline(__always)
    init(_ bytes: UnsafeRawBufferPointer, byteCount: Int) {
        precondition(byteCount >= 0 && byteCount <= bytes.count - bitSourcePaddingByteCount)
        // A buffer with padding is not empty.
        unsafe start = bytes.baseAddress!
        unsafe end = byteCount * 8
    }

    /// Precondition: 0 to 64 bits, all before `end`.
    @inline(__always)
    func bits(at position: Int, width: Int) -> UInt64 {
        let mask = width >= 64 ? UInt64.max : (1 as UInt64) &<< UInt64(width) &- 1
        let shift = UInt64(truncatingIfNeeded: position & 7)
        let low = UInt64(
            littleEndian: unsafe start.loadUnaligned(fromByteOffset: position &>> 3, as: UInt64.self))
        var value = low &>> shift
        if width &+ (position & 7) > 64 {
            let high = unsafe start.load(fromByteOffset: position &>> 3 &+ 8, as: UInt8.self)
            value |= UInt64(high) &<< (64 &- shift)
        }
        return value & mask
    }
}
