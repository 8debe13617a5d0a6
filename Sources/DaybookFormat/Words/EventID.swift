/// A 128-bit identifier, printed as a UUID in lower case. The server makes version 7; clients may bring any.
package struct EventID: Hashable, Sendable, CustomStringConvertible {
    /// The first eight bytes, big-endian, then the last eight.
    package var high: UInt64
    package var low: UInt64

    package init(high: UInt64, low: UInt64) {
        self.high = high
        self.low = low
    }

    /// RFC 9562 version 7: 48 bits of milliseconds, then the given random bits.
    package init(version7At time: Timestamp, random first: UInt64, _ second: UInt64) {
        let milliseconds = UInt64(clamping: time.microseconds / 1000) & 0xFFFF_FFFF_FFFF
        high = milliseconds << 16 | 0x7000 | (first & 0x0FFF)
        low = 0x8000_0000_0000_0000 | (second >> 2)
    }

    /// Parses the 36-character form in either case; nil for anything else. Not generic: the parser calls it for every
    /// event from another module, where a generic body would not be specialized.
    package init?(text: UnsafeBufferPointer<UInt8>) {
        guard text.count == 36, unsafe text[8] == Self.hyphen, unsafe text[13] == Self.hyphen,
            unsafe text[18] == Self.hyphen, unsafe text[23] == Self.hyphen
        else { return nil }
        let start = unsafe UnsafeRawPointer(text.baseAddress!)
        // Characters 9 to 12 and 14 to 17 are one word of digits, so are 19 to 22 and 24 to 27.
        guard let first = unsafe Self.digits(start.loadUnaligned(as: UInt64.self)),
            let second = unsafe Self.digits(Self.joined(start, 9, 14)),
            let third = unsafe Self.digits(Self.joined(start, 19, 24)),
            let fourth = unsafe Self.digits(start.loadUnaligned(fromByteOffset: 28, as: UInt64.self))
        else { return nil }
        high = first << 32 | second
        low = third << 32 | fourth
    }

    private static let hyphen = UInt8(ascii: "-")

    @inline(__always)
    private static func joined(_ start: UnsafeRawPointer, _ left: Int, _ right: Int) -> UInt64 {
        let low = unsafe UInt32(littleEndian: start.loadUnaligned(fromByteOffset: left, as: UInt32.self))
        let high = unsafe UInt32(littleEndian: start.loadUnaligned(fromByteOffset: right, as: UInt32.self))
        return (UInt64(high) << 32 | UInt64(low)).littleEndian
    }

    /// The value of eight hexadecimal digits, all at once: the bytes of a word never carry into each other while each
    /// is below 0x80. Nil when one is not a digit.
    @inline(__always)
    private static func digits(_ bytes: UInt64) -> UInt64? {
        let ones: UInt64 = 0x0101_0101_0101_0101
        let text = UInt64(littleEndian: bytes)
        guard text & (0x80 * ones) == 0 else { return nil }
        // The top bit of a byte is set when it is at least "0" and below ":", at least "a" and below "g".
        let isDecimal = (text &+ 0x50 * ones) & ~(text &+ 0x46 * ones)
        let lower = text | 0x20 * ones
        let isLetter = (lower &+ 0x1F * ones) & ~(lower &+ 0x19 * ones)
        guard (isDecimal | isLetter) & (0x80 * ones) == 0x80 * ones else { return nil }
        // Letters have bit 6 set, and 9 more than their low four bits.
        var value = ((text & (0x0F * ones)) &+ (text >> 6 & ones) &* 9).byteSwapped
        value = (value | value >> 4) & 0x00FF_00FF_00FF_00FF
        value = (value | value >> 8) & 0x0000_FFFF_0000_FFFF
        return (value | value >> 16) & 0xFFFF_FFFF
    }

    package init?(_ text: String) {
        let bytes = Array(text.utf8)
        guard let id = unsafe bytes.withUnsafeBufferPointer({ unsafe EventID(text: $0) }) else { return nil }
        self = id
    }

    /// The 36 ASCII characters.
    package func appendText(to bytes: inout [UInt8]) {
        for position in 0..<32 {
            if position == 8 || position == 12 || position == 16 || position == 20 { bytes.append(UInt8(ascii: "-")) }
            let word = position < 16 ? high : low
            let nibble = UInt8(truncatingIfNeeded: word >> UInt64(60 - 4 * (position & 15))) & 15
            bytes.append(hexDigit(nibble))
        }
    }

    package var description: String {
        var bytes: [UInt8] = []
        bytes.reserveCapacity(36)
        appendText(to: &bytes)
        return String(decoding: bytes, as: UTF8.self)
    }
}

/// The value of one hexadecimal digit of either case.
package func hexValue(_ byte: UInt8) -> UInt8? {
    switch byte {
    case UInt8(ascii: "0")...UInt8(ascii: "9"): byte - UInt8(ascii: "0")
    case UInt8(ascii: "a")...UInt8(ascii: "f"): byte - UInt8(ascii: "a") + 10
    case UInt8(ascii: "A")...UInt8(ascii: "F"): byte - UInt8(ascii: "A") + 10
    default: nil
    }
}

/// The lower-case digit of a nibble. Precondition: below 16.
package func hexDigit(_ nibble: UInt8) -> UInt8 {
    precondition(nibble < 16)
    return nibble < 10 ? UInt8(ascii: "0") + nibble : UInt8(ascii: "a") + nibble - 10
}

/// `value` as `width` lower-case hexadecimal digits, the form of every number in a file name.
package func hexText(_ value: UInt64, width: Int = 16) -> String {
    var bytes: [UInt8] = []
    for position in (0..<width).reversed() {
        bytes.append(hexDigit(UInt8(truncatingIfNeeded: value >> UInt64(4 * position)) & 15))
    }
    return String(decoding: bytes, as: UTF8.self)
}

/// The inverse of `hexText`: exactly `width` lower-case digits, else nil.
package func hexNumber(_ text: some StringProtocol, width: Int = 16) -> UInt64? {
    guard text.utf8.count == width else { return nil }
    var value: UInt64 = 0
    for byte in text.utf8 {
        guard let nibble = hexValue(byte), hexDigit(nibble) == byte else { return nil }
        value = value << 4 | UInt64(nibble)
    }
    return value
}
