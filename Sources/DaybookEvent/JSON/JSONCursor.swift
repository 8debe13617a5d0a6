/// What is not JSON, and at which byte.
struct JSONFault: Error {
    var message: StaticString
    var position: Int
}

/// A string as it stands in the body, without its quotes.
struct StringToken {
    var start: Int
    var end: Int
    /// It holds at least one backslash, each checked.
    var isEscaped: Bool

    @inline(__always) var byteCount: Int { end &- start }
}

/// A position in a body that is known to be UTF-8. Reads past the end give 0, which no JSON token starts with.
@safe struct JSONCursor {
    let base: UnsafePointer<UInt8>
    let end: Int
    var position = 0

    init(_ base: UnsafePointer<UInt8>, count: Int) {
        unsafe self.base = base
        end = count
    }

    @inline(__always)
    func byte(at offset: Int) -> UInt8 { offset < end ? unsafe base[offset] : 0 }

    func fault(_ message: StaticString) -> JSONFault { JSONFault(message: message, position: position) }

    /// Skips white space; the byte that follows, not consumed.
    @inline(__always)
    mutating func peek() -> UInt8 {
        while true {
            let byte = byte(at: position)
            if byte > 0x20 { return byte }
            guard byte == 0x20 || byte == 0x0A || byte == 0x0D || byte == 0x09 else { return byte }
            position &+= 1
        }
    }

    /// Consumes `byte` after optional white space, if it is there.
    @inline(__always)
    mutating func consume(_ byte: UInt8) -> Bool {
        guard peek() == byte else { return false }
        position &+= 1
        return true
    }

    @inline(__always)
    mutating func expect(_ byte: UInt8, _ message: StaticString) throws(JSONFault) {
        guard consume(byte) else { throw unexpected(message) }
    }

    func unexpected(_ message: StaticString) -> JSONFault {
        position < end ? fault(message) : fault("the text ends too early")
    }

    /// A member's name and its colon; leaves before the value.
    @inline(__always)
    mutating func memberName() throws(JSONFault) -> StringToken {
        try expect(UInt8(ascii: "\""), "a name in quotes was expected")
        let token = try scanString()
        try expect(UInt8(ascii: ":"), "':' was expected")
        return token
    }

    /// After a member: true when another follows, false after the closing brace.
    @inline(__always)
    mutating func continuesObject() throws(JSONFault) -> Bool {
        if consume(UInt8(ascii: ",")) { return true }
        try expect(UInt8(ascii: "}"), "',' or '}' was expected")
        return false
    }

    /// After an element: true when another follows, false after the closing bracket.
    @inline(__always)
    mutating func continuesArray() throws(JSONFault) -> Bool {
        if consume(UInt8(ascii: ",")) { return true }
        try expect(UInt8(ascii: "]"), "',' or ']' was expected")
        return false
    }

    /// `true`, `false` or `null`. Precondition: at its first letter.
    mutating func literal(_ word: StaticString) throws(JSONFault) {
        for offset in 0..<word.utf8CodeUnitCount {
            let letter = unsafe word.utf8Start[offset]
            guard byte(at: position &+ offset) == letter else {
                throw unexpected("a value was expected")
            }
        }
        position &+= word.utf8CodeUnitCount
    }

    // MARK: Strings

    /// The bytes of a word at which a string scan must stop (quote, backslash, control) have their high bit set; exact up
    /// to and including the first.
    @inline(__always)
    static func stops(in word: UInt64) -> UInt64 {
        let ones: UInt64 = 0x0101_0101_0101_0101
        // In a byte below 0x80 each difference has its high bit set only where it went below zero. Bytes from 0x80 on
        // never stop and never borrow.
        let differences =
            ((word ^ (ones &* 0x22)) &- ones) | ((word ^ (ones &* 0x5C)) &- ones) | (word &- ones &* 0x20)
        return differences & ~word & (ones &* 0x80)
    }

    /// Starts after the opening quote, leaves after the closing one. Checks every escape.
    @inline(__always)
    mutating func scanString() throws(JSONFault) -> StringToken {
        let start = position
        var at = start
        while at &+ 8 <= end {
            let word = UInt64(littleEndian: unsafe UnsafeRawPointer(base + at).loadUnaligned(as: UInt64.self))
            let hits = Self.stops(in: word)
            if hits == 0 {
                at &+= 8
                continue
            }
            at &+= hits.trailingZeroBitCount &>> 3
            if unsafe base[at] == UInt8(ascii: "\"") {
                position = at &+ 1
                return StringToken(start: start, end: at, isEscaped: false)
            }
            break
        }
        position = at
        return try scanStringSlowly(from: start)
    }

    /// From the first escape on, or near the end of the body.
    @inline(never)
    private mutating func scanStringSlowly(from start: Int) throws(JSONFault) -> StringToken {
        var isEscaped = false
        while position < end {
            let byte = unsafe base[position]
            if byte == UInt8(ascii: "\"") {
                position &+= 1
                return StringToken(start: start, end: position &- 1, isEscaped: isEscaped)
            }
            if byte == UInt8(ascii: "\\") {
                isEscaped = true
                try scanEscape()
            } else if byte < 0x20 {
                throw fault("a control character in a string must be escaped")
            } else {
                position &+= 1
            }
        }
        throw fault("the text ends inside a string")
    }

    private mutating func scanEscape() throws(JSONFault) {
        switch byte(at: position &+ 1) {
        case UInt8(ascii: "\""), UInt8(ascii: "\\"), UInt8(ascii: "/"), UInt8(ascii: "b"), UInt8(ascii: "f"),
            UInt8(ascii: "n"), UInt8(ascii: "r"), UInt8(ascii: "t"):
            position &+= 2
        case UInt8(ascii: "u"):
            guard let first = hexUnit(at: position &+ 2) else { throw fault("'\\u' needs four hexadecimal digits") }
            switch first {
            case 0xD800...0xDBFF:
                guard byte(at: position &+ 6) == UInt8(ascii: "\\"), byte(at: position &+ 7) == UInt8(ascii: "u"),
                    let second = hexUnit(at: position &+ 8), 0xDC00...0xDFFF ~= second
                else { throw fault("a surrogate stands alone") }
                position &+= 12
            case 0xDC00...0xDFFF:
                throw fault("a surrogate stands alone")
            default:
                position &+= 6
            }
        default:
            throw position &+ 1 < end ? fault("unknown escape") : fault("the text ends inside a string")
        }
    }

    private func hexUnit(at offset: Int) -> UInt32? {
        var unit: UInt32 = 0
        for place in 0..<4 {
            let byte = byte(at: offset &+ place)
            let digit: UInt8
            switch byte {
            case UInt8(ascii: "0")...UInt8(ascii: "9"): digit = byte &- UInt8(ascii: "0")
            case UInt8(ascii: "a")...UInt8(ascii: "f"): digit = byte &- UInt8(ascii: "a") &+ 10
            case UInt8(ascii: "A")...UInt8(ascii: "F"): digit = byte &- UInt8(ascii: "A") &+ 10
            default: return nil
            }
            unit = unit &<< 4 | UInt32(digit)
        }
        return unit
    }

    /// Appends the text that `token` stands for: escapes resolved, UTF-8.
    func unescape(_ token: StringToken, into sink: inout ByteSink) {
        var at = token.start
        while at < token.end {
            let byte = unsafe base[at]
            if byte == UInt8(ascii: "\\") {
                appendScalar(escapedScalar(&at), to: &sink)
            } else {
                sink.append(byte)
                at &+= 1
            }
        }
    }

    /// The scalar of the escape at `at`, which moves behind it. Precondition: `scanString` accepted it.
    func escapedScalar(_ at: inout Int) -> UInt32 {
        let letter = byte(at: at &+ 1)
        at &+= 2
        switch letter {
        case UInt8(ascii: "b"): return 8
        case UInt8(ascii: "f"): return 12
        case UInt8(ascii: "n"): return 10
        case UInt8(ascii: "r"): return 13
        case UInt8(ascii: "t"): return 9
        case UInt8(ascii: "u"):
            let first = hexUnit(at: at) ?? 0
            at &+= 4
            guard 0xD800...0xDBFF ~= first else { return first }
            let second = hexUnit(at: at &+ 2) ?? 0xDC00
            at &+= 6
            return 0x10000 &+ ((first &- 0xD800) &<< 10) &+ (second &- 0xDC00)
        default: return UInt32(letter)
        }
    }

    private func appendScalar(_ scalar: UInt32, to sink: inout ByteSink) {
        switch scalar {
        case 0..<0x80:
            sink.append(UInt8(truncatingIfNeeded: scalar))
        case 0x80..<0x800:
            sink.append(0xC0 | UInt8(truncatingIfNeeded: scalar >> 6))
            sink.append(0x80 | UInt8(truncatingIfNeeded: scalar & 0x3F))
        case 0x800..<0x10000:
            sink.append(0xE0 | UInt8(truncatingIfNeeded: scalar >> 12))
            sink.append(0x80 | UInt8(truncatingIfNeeded: scalar >> 6 & 0x3F))
            sink.append(0x80 | UInt8(truncatingIfNeeded: scalar & 0x3F))
        default:
            sink.append(0xF0 | UInt8(truncatingIfNeeded: scalar >> 18))
            sink.append(0x80 | UInt8(truncatingIfNeeded: scalar >> 12 & 0x3F))
            sink.append(0x80 | UInt8(truncatingIfNeeded: scalar >> 6 & 0x3F))
            sink.append(0x80 | UInt8(truncatingIfNeeded: scalar & 0x3F))
        }
    }
}
