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
        guard text.count == 36 else { return nil }
        var words: (UInt64, UInt64) = (0, 0)
        var digits = 0
        for position in 0..<36 {
            let byte = unsafe text[position]
            if position == 8 || position == 13 || position == 18 || position == 23 {
                guard byte == UInt8(ascii: "-") else { return nil }
                continue
            }
            guard let nibble = hexValue(byte) else { return nil }
            if digits < 16 { words.0 = words.0 << 4 | UInt64(nibble) } else { words.1 = words.1 << 4 | UInt64(nibble) }
            digits += 1
        }
        (high, low) = words
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
