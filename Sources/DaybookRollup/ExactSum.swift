package import DaybookFormat

/// The exact sum of any doubles and 64-bit integers, in any order: a fixed-point number in two's complement that reaches
/// from the last bit of the smallest double over the largest double, with 77 bits of room for carries. Rounding happens
/// once, when the result is read.
package struct ExactSum: Equatable, Sendable {
    /// 34 * 64 = 2,176 bits, the lowest worth 2^-1074.
    private static let limbCount = 34
    /// Bits below the point.
    private static let fractionBitCount = 1_074

    /// Little-endian; empty while the sum is zero and nothing was added.
    private var limbs: [UInt64] = []

    package init() {}

    /// Precondition: finite.
    package mutating func add(_ value: Double) {
        precondition(value.isFinite)
        let bits = value.bitPattern
        let fraction = bits & 0x000F_FFFF_FFFF_FFFF
        let biasedExponent = Int(bits >> 52) & 0x7FF
        let isSubnormal = biasedExponent == 0
        add(
            magnitude: isSubnormal ? fraction : fraction | 1 << 52, shift: isSubnormal ? 0 : biasedExponent - 1,
            isNegative: value.sign == .minus)
    }

    package mutating func add(_ value: UInt64) {
        add(magnitude: value, shift: Self.fractionBitCount, isNegative: false)
    }

    package mutating func add(_ value: Int64) {
        add(magnitude: value.magnitude, shift: Self.fractionBitCount, isNegative: value < 0)
    }

    private mutating func add(magnitude: UInt64, shift: Int, isNegative: Bool) {
        guard magnitude != 0 else { return }
        if limbs.isEmpty { limbs = Array(repeating: 0, count: Self.limbCount) }
        let start = shift / 64
        let bit = UInt64(shift % 64)
        let low = magnitude << bit
        let high = bit == 0 ? 0 : magnitude >> (64 - bit)
        var carry = step(at: start, low, isNegative)
        carry = step(at: start + 1, high, carry, isNegative)
        var position = start + 2
        while carry, position < Self.limbCount {
            carry = step(at: position, 1, isNegative)
            position += 1
        }
    }

    /// Adds to or subtracts from one limb; true when the next one is owed a carry or borrow.
    private mutating func step(at position: Int, _ word: UInt64, _ isNegative: Bool) -> Bool {
        let (result, overflow) =
            isNegative
            ? limbs[position].subtractingReportingOverflow(word) : limbs[position].addingReportingOverflow(word)
        limbs[position] = result
        return overflow
    }

    private mutating func step(at position: Int, _ word: UInt64, _ carry: Bool, _ isNegative: Bool) -> Bool {
        let first = step(at: position, word, isNegative)
        let second = carry && step(at: position, 1, isNegative)
        return first || second
    }

    package mutating func merge(_ other: ExactSum) {
        guard !other.limbs.isEmpty else { return }
        guard !limbs.isEmpty else {
            limbs = other.limbs
            return
        }
        var carry = false
        for position in 0..<Self.limbCount { carry = step(at: position, other.limbs[position], carry, false) }
    }

    package static func == (left: ExactSum, right: ExactSum) -> Bool {
        if left.limbs.isEmpty || right.limbs.isEmpty { return left.isZero && right.isZero }
        return left.limbs == right.limbs
    }

    package var isZero: Bool { limbs.allSatisfy { $0 == 0 } }
    package var isNegative: Bool { limbs.last.map { $0 >> 63 == 1 } ?? false }

    private var magnitude: [UInt64] {
        guard isNegative else { return limbs }
        var words = limbs.map { ~$0 }
        for position in words.indices {
            words[position] &+= 1
            if words[position] != 0 { break }
        }
        return words
    }

    /// The nearest double, ties to even; infinite when the sum is beyond the largest one.
    package var rounded: Double {
        let words = magnitude
        guard let top = words.lastIndex(where: { $0 != 0 }) else { return 0 }
        let topBit = top * 64 + 63 - words[top].leadingZeroBitCount
        // The 53 bits from the highest one down; below 2^-1021 the format has fewer, and all of them are here.
        let lowest = max(0, topBit - 52)
        var mantissa = Self.bits(of: words, from: lowest, count: 53)
        if lowest > 0, Self.bits(of: words, from: lowest - 1, count: 1) == 1 {
            let isTie = !Self.hasBits(words, below: lowest - 1)
            if !isTie || mantissa & 1 == 1 { mantissa += 1 }
        }
        let result = Double(sign: .plus, exponent: lowest - Self.fractionBitCount, significand: Double(mantissa))
        return isNegative ? -result : result
    }

    /// The sum itself when it is a whole number of at most 127 bits.
    package var integer: Int128? {
        let words = magnitude
        guard !words.isEmpty else { return 0 }
        guard !Self.hasBits(words, below: Self.fractionBitCount) else { return nil }
        let whole = Self.fractionBitCount
        guard let top = words.lastIndex(where: { $0 != 0 }) else { return 0 }
        guard top * 64 + 63 - words[top].leadingZeroBitCount - whole < 127 else { return nil }
        let low = Self.bits(of: words, from: whole, count: 64)
        let high = Self.bits(of: words, from: whole + 64, count: 64)
        let value = Int128(high) << 64 | Int128(low)
        return isNegative ? -value : value
    }

    private static func bits(of words: [UInt64], from start: Int, count: Int) -> UInt64 {
        let word = start / 64
        let bit = UInt64(start % 64)
        var value = words[word] >> bit
        if bit > 0, word + 1 < words.count { value |= words[word + 1] << (64 - bit) }
        return count == 64 ? value : value & (1 << UInt64(count) - 1)
    }

    private static func hasBits(_ words: [UInt64], below end: Int) -> Bool {
        for word in 0..<end / 64 where words[word] != 0 { return true }
        return end % 64 > 0 && words[end / 64] & (1 << UInt64(end % 64) - 1) != 0
    }

    /// Equal sums have equal bytes: a byte for the sign, the index of the lowest limb of the magnitude that is not
    /// zero, their number, then they. Zero is sign 0, index 0, number 0.
    package func append(to bytes: inout [UInt8]) {
        let words = magnitude
        bytes.append(isNegative ? 1 : 0)
        guard let first = words.firstIndex(where: { $0 != 0 }), let last = words.lastIndex(where: { $0 != 0 }) else {
            bytes.append(0)
            bytes.append(0)
            return
        }
        bytes.append(UInt8(first))
        bytes.append(UInt8(last - first + 1))
        for word in words[first...last] { bytes.append(littleEndian: word) }
    }

    package init(_ reader: inout ByteReader, _ bytes: RawSpan) throws(FormatError) {
        let sign = try reader.uint8(bytes)
        let first = Int(try reader.uint8(bytes))
        let count = Int(try reader.uint8(bytes))
        guard sign <= 1, first + count <= Self.limbCount else { throw .invalid("exact sum") }
        guard count > 0 else {
            guard sign == 0, first == 0 else { throw .invalid("exact sum") }
            return
        }
        var words = [UInt64](repeating: 0, count: Self.limbCount)
        for position in first..<first + count { words[position] = try reader.uint64(bytes) }
        guard words[first] != 0, words[first + count - 1] != 0, words[Self.limbCount - 1] >> 63 == 0 else {
            throw .invalid("exact sum")
        }
        limbs = words
        if sign == 1 {
            // The inverse of `magnitude`: two's complement again.
            limbs = words.map { ~$0 }
            for position in limbs.indices {
                limbs[position] &+= 1
                if limbs[position] != 0 { break }
            }
        }
    }

    /// Equal sums have equal bytes: a varint of the lowest byte of the magnitude that is not zero, times two, plus one
    /// for a negative sum; a varint for the number of bytes up to the highest that is not zero; these bytes. Zero is
    /// 0, 0.
    func appendCompact(to bytes: inout [UInt8]) {
        let words = magnitude
        func byte(_ position: Int) -> UInt8 {
            UInt8(truncatingIfNeeded: words[position / 8] >> UInt64(position % 8 * 8))
        }
        let positions = 0..<words.count * 8
        guard let first = positions.first(where: { byte($0) != 0 }), let last = positions.last(where: { byte($0) != 0 })
        else { return bytes.append(contentsOf: [0, 0]) }
        bytes.append(varint: UInt64(first) * 2 + (isNegative ? 1 : 0))
        bytes.append(varint: UInt64(last - first + 1))
        for position in first...last { bytes.append(byte(position)) }
    }

    init(compact reader: inout ByteReader, _ bytes: RawSpan) throws(FormatError) {
        let head = try reader.varint(bytes)
        let byteCount = try reader.varint(bytes)
        let byteCountMax = UInt64(Self.limbCount * 8)
        guard head / 2 < byteCountMax, byteCount <= byteCountMax else { throw .invalid("exact sum") }
        let first = Int(head / 2)
        let count = Int(byteCount)
        guard first + count <= Self.limbCount * 8 else { throw .invalid("exact sum") }
        guard count > 0 else {
            guard head == 0 else { throw .invalid("exact sum") }
            return
        }
        var words = [UInt64](repeating: 0, count: Self.limbCount)
        for position in first..<first + count {
            words[position / 8] |= UInt64(try reader.uint8(bytes)) << UInt64(position % 8 * 8)
        }
        let top = first + count - 1
        guard words[first / 8] >> UInt64(first % 8 * 8) & 0xFF != 0,
            words[top / 8] >> UInt64(top % 8 * 8) & 0xFF != 0, words[Self.limbCount - 1] >> 63 == 0
        else { throw .invalid("exact sum") }
        limbs = words
        if head & 1 == 1 { negate() }
    }

    private mutating func negate() {
        for position in limbs.indices { limbs[position] = ~limbs[position] }
        for position in limbs.indices {
            limbs[position] &+= 1
            if limbs[position] != 0 { break }
        }
    }
}
