private import DaybookEvent
private import DaybookFormat

/// What a member of an object is, as far as columns go.
enum LeafKind: Int, CaseIterable {
    case string = 0
    /// Whole, and exact as a double.
    case small = 1
    /// Whole, in the range of `Int64`.
    case large = 2
    /// Whole, from 2^63 to 2^64 - 1.
    case huge = 3
    case number = 4
    case boolean = 5
    /// A scalar whose text is not the canonical one: no column can give it back.
    case odd = 6
    /// Null, an array, an empty object, what lies too deep: not a value that columns hold.
    case opaque = 7

    /// How many there are of which columns are made.
    static let typedCount = 6
}

/// A value with what a column needs of it: the bit pattern of a number, 0 or 1, or where a string stands.
struct AttributeLeaf {
    var kind: LeafKind
    var word: UInt64

    static let opaque = AttributeLeaf(kind: .opaque, word: 0)
    static let odd = AttributeLeaf(kind: .odd, word: 0)

    /// A string between its quotes. Offsets and lengths have 32 bits, as in `ByteColumn`; no string takes 2^31 bytes.
    static func string(_ range: Range<Int>, isEscaped: Bool) -> AttributeLeaf {
        AttributeLeaf(
            kind: .string, word: UInt64(range.lowerBound) << 32 | UInt64(range.count) << 1 | (isEscaped ? 1 : 0))
    }

    static func stringRange(_ word: UInt64) -> Range<Int> {
        let start = Int(word >> 32)
        return start..<start + Int(word >> 1 & 0x7FFF_FFFF)
    }

    static func isEscaped(_ word: UInt64) -> Bool { word & 1 != 0 }
}

extension ObjectCursor {
    /// Steps over a value and says what it is; nil when it is none, and the object cannot be taken apart.
    @inline(__always)
    mutating func leaf() -> AttributeLeaf? {
        switch byte() {
        case UInt8(ascii: "\""):
            let start = position &+ 1
            guard let isPlain = skipString() else { return nil }
            let range = start..<position &- 1
            return isPlain ? .string(range, isEscaped: false) : escapedString(range)
        case UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "-"):
            return numberLeaf()
        case UInt8(ascii: "t"):
            return consumeWord("true") ? AttributeLeaf(kind: .boolean, word: 1) : nil
        case UInt8(ascii: "f"):
            return consumeWord("false") ? AttributeLeaf(kind: .boolean, word: 0) : nil
        case UInt8(ascii: "n"):
            return consumeWord("null") ? .opaque : nil
        case UInt8(ascii: "{"), UInt8(ascii: "["):
            return skipValue() ? .opaque : nil
        default:
            return skipValue() ? .odd : nil
        }
    }

    /// Whether escaping what the text means gives the text again.
    func isCanonicallyEscaped(_ range: Range<Int>) -> Bool {
        unsafe withBytes(range) { text in
            var meaning: [UInt8] = []
            var again: [UInt8] = []
            let span = unsafe text.bytes
            CanonicalScanner.appendUnescaped(span, 0..<span.byteCount, to: &meaning)
            CanonicalScanner.appendEscaped(meaning, to: &again)
            return unsafe again.count == text.count && again.elementsEqual(text)
        }
    }

    @inline(never)
    private func escapedString(_ range: Range<Int>) -> AttributeLeaf {
        isCanonicallyEscaped(range) ? .string(range, isEscaped: true) : .odd
    }

    /// At a digit or a minus sign. The common forms are read here, digit by digit.
    @inline(__always)
    private mutating func numberLeaf() -> AttributeLeaf {
        let start = position
        let isNegative = byte() == UInt8(ascii: "-")
        if isNegative { position &+= 1 }
        let first = position
        var magnitude: UInt64 = 0
        // Eighteen digits cannot overflow; longer numbers are read again, slowly.
        while position &- first < 18, byte() &- UInt8(ascii: "0") < 10 {
            magnitude = magnitude &* 10 &+ UInt64(byte() &- UInt8(ascii: "0"))
            position &+= 1
        }
        let digitCount = position &- first
        guard digitCount > 0, !Self.isOfNumber(byte()) else { return longNumber(from: start) }
        guard digitCount == 1 || byte(first &- position) != UInt8(ascii: "0") else { return .odd }
        guard !isNegative || magnitude > 0 else { return .odd }
        let word = isNegative ? 0 &- magnitude : magnitude
        return AttributeLeaf(kind: magnitude <= 1 << 53 ? .small : .large, word: word)
    }

    @inline(never)
    private mutating func longNumber(from start: Int) -> AttributeLeaf {
        position = start
        guard skipValue() else { preconditionFailure("a number without a character") }
        return unsafe withBytes(start..<position) { text in unsafe Self.leaf(ofNumber: text) }
    }

    private static func leaf(ofNumber text: UnsafeRawBufferPointer) -> AttributeLeaf {
        if let decimal = unsafe shortDecimal(text) { return decimal }
        let string = unsafe String(decoding: text, as: UTF8.self)
        let number: EventNumber
        if let whole = UInt64(string) {
            number = .unsigned(whole)
        } else if let whole = Int64(string), whole < 0 {
            number = .negative(whole)
        } else if let value = Double(string), let found = EventNumber(value), case .double = found {
            number = found
        } else {
            return .odd
        }
        var canonical: [UInt8] = []
        number.appendText(to: &canonical)
        guard unsafe canonical.elementsEqual(text) else { return .odd }
        switch number {
        case .unsigned(let value):
            let kind: LeafKind = value <= 1 << 53 ? .small : value <= UInt64(Int64.max) ? .large : .huge
            return AttributeLeaf(kind: kind, word: value)
        case .negative(let value):
            return AttributeLeaf(
                kind: value.magnitude <= 1 << 53 ? .small : .large, word: UInt64(bitPattern: value))
        case .double(let value):
            return AttributeLeaf(kind: .number, word: value.bitPattern)
        }
    }

    /// Digits, a point, digits, of which at most fifteen count: one division gives the nearest double, and no shorter
    /// text reads back to it. Nil for other forms.
    private static func shortDecimal(_ text: UnsafeRawBufferPointer) -> AttributeLeaf? {
        var place = 0
        let isNegative = unsafe text[0] == UInt8(ascii: "-")
        if isNegative { place = 1 }
        let first = place
        var magnitude: UInt64 = 0
        var point = -1
        while place < text.count {
            let byte = unsafe text[place]
            if byte == UInt8(ascii: "."), point < 0 {
                point = place
            } else {
                guard byte &- UInt8(ascii: "0") < 10, magnitude < 100_000_000_000_000 else { return nil }
                magnitude = magnitude * 10 + UInt64(byte - UInt8(ascii: "0"))
            }
            place += 1
        }
        let wholeCount = point - first
        let scale = text.count - point - 1
        guard wholeCount >= 1, scale >= 1, unsafe text[text.count - 1] != UInt8(ascii: "0") else { return nil }
        if unsafe text[first] == UInt8(ascii: "0") {
            // Below a millionth the text has an exponent.
            guard wholeCount == 1, DecimalScale.isAtLeastAMillionth(magnitude, scale: scale) else { return nil }
        }
        guard scale < DecimalScale.count else { return nil }
        let value = Double(magnitude) / DecimalScale.power(scale)
        return AttributeLeaf(kind: .number, word: (isNegative ? -value : value).bitPattern)
    }
}
