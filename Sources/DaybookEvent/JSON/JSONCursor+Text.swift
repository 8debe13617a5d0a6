extension JSONCursor {
    /// The UTF-8 byte count of the text that `token` stands for.
    func textByteCount(_ token: StringToken) -> Int {
        guard token.isEscaped else { return token.byteCount }
        var count = 0
        var at = token.start
        while at < token.end {
            guard byte(at: at) == UInt8(ascii: "\\") else {
                count += 1
                at += 1
                continue
            }
            switch escapedScalar(&at) {
            case 0..<0x80: count += 1
            case 0x80..<0x800: count += 2
            case 0x800..<0x10000: count += 3
            default: count += 4
            }
        }
        return count
    }

    /// The first eight bytes of a string, big-endian, filled up with zeros; nil for strings with escapes.
    @inline(__always)
    func prefix(_ token: StringToken) -> UInt64? {
        guard !token.isEscaped else { return nil }
        // A word may reach behind the string, not behind the body; a key is followed by a value and a brace at least.
        guard token.start &+ 8 <= end, token.byteCount > 0 else { return token.byteCount == 0 ? 0 : nil }
        let word = UInt64(bigEndian: unsafe UnsafeRawPointer(base + token.start).loadUnaligned(as: UInt64.self))
        return token.byteCount >= 8 ? word : word & ~(UInt64.max >> UInt64(8 &* token.byteCount))
    }

    /// Appends the canonical form of a string with escapes: the shortest for what must be escaped, plain for the rest.
    func appendCanonical(_ token: StringToken, to sink: inout ByteSink) {
        let start = sink.count
        unescape(token, into: &sink)
        let end = sink.count
        var needsEscape = false
        for at in start..<end where Self.mustBeEscaped(sink.byte(at: at)) { needsEscape = true }
        guard needsEscape else { return }
        for at in start..<end { Self.appendEscaped(sink.byte(at: at), to: &sink) }
        sink.moveEnd(from: end, to: start)
    }

    @inline(__always)
    static func mustBeEscaped(_ byte: UInt8) -> Bool {
        byte < 0x20 || byte == UInt8(ascii: "\"") || byte == UInt8(ascii: "\\")
    }

    static func appendEscaped<Output: ByteAppending & ~Copyable>(_ byte: UInt8, to output: inout Output) {
        guard mustBeEscaped(byte) else {
            output.append(byte)
            return
        }
        output.append(UInt8(ascii: "\\"))
        switch byte {
        case 8: output.append(UInt8(ascii: "b"))
        case 9: output.append(UInt8(ascii: "t"))
        case 10: output.append(UInt8(ascii: "n"))
        case 12: output.append(UInt8(ascii: "f"))
        case 13: output.append(UInt8(ascii: "r"))
        case 0..<0x20:
            output.append(text: "u00")
            output.append(byte >> 4 | UInt8(ascii: "0"))
            output.append(byte & 15 < 10 ? byte & 15 | UInt8(ascii: "0") : byte & 15 &+ 87)
        default: output.append(byte)
        }
    }

    /// The text of a key for a message: at most 64 characters.
    func displayText(_ token: StringToken) -> String {
        var text = ByteSink(capacity: 64)
        unescape(token, into: &text)
        let whole = unsafe String(
            decoding: UnsafeBufferPointer(start: text.base, count: min(text.count, 512)), as: UTF8.self)
        return text.count > 512 || whole.count > 64 ? String(whole.prefix(64)) + "…" : whole
    }
}

/// Compares as many bytes as `text` has. Precondition: so many can be read.
@inline(__always)
func matches(_ bytes: UnsafePointer<UInt8>, _ text: StaticString) -> Bool {
    let count = text.utf8CodeUnitCount
    let start = unsafe text.utf8Start
    var at = 0
    while at &+ 8 <= count {
        let left = unsafe UnsafeRawPointer(bytes + at).loadUnaligned(as: UInt64.self)
        let right = unsafe UnsafeRawPointer(start + at).loadUnaligned(as: UInt64.self)
        if left != right { return false }
        at &+= 8
    }
    while at < count {
        let left = unsafe bytes[at]
        let right = unsafe start[at]
        if left != right { return false }
        at &+= 1
    }
    return true
}

extension DecimalText {
    /// Shortest digits without a detour over a double: up to 15 significant digits, away from the ends of the range, are
    /// what a double reads back. Nil for integers in range and everything else.
    var shortest: ShortestDecimal? {
        guard !isTruncated, significand > 0, significand < 1_000_000_000_000_000_000 else { return nil }
        var digits = significand
        var exponent = exponent
        while digits % 10 == 0 {
            digits /= 10
            exponent += 1
        }
        guard digits < 1_000_000_000_000_000, exponent < 0, exponent > -290 else { return nil }
        var count = 1
        var rest = digits
        while rest >= 10 {
            rest /= 10
            count += 1
        }
        return ShortestDecimal(isNegative: isNegative, digits: digits, point: count + exponent)
    }
}
