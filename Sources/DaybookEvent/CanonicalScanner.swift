internal import DaybookFormat

/// Finds its way through canonical JSON text without copying it: the free-form objects of events as they are stored.
///
/// The text was checked when it came in, so the grammar is not checked again; text that is damaged all the same gives
/// nil, never a trap.
package enum CanonicalScanner {
    /// The members of one object, in the order in which they stand: by the UTF-8 bytes of their keys.
    package struct Members: Sendable {
        private var position: Int
        private var isDone = false

        /// - Parameter offset: where the object's opening brace stands. Nil when there is none.
        package init?(_ bytes: RawSpan, at offset: Int = 0) {
            guard byte(bytes, offset) == UInt8(ascii: "{") else { return nil }
            position = offset + 1
        }

        /// The next member: its key between the quotes, still escaped, and its value. Nil at the end and at damage.
        package mutating func next(_ bytes: RawSpan) -> (key: Range<Int>, value: Range<Int>)? {
            guard !isDone, byte(bytes, position) == UInt8(ascii: "\""), let keyEnd = endOfString(bytes, at: position),
                byte(bytes, keyEnd) == UInt8(ascii: ":"), let valueEnd = endOfValue(bytes, at: keyEnd + 1)
            else { return nil }
            let member = (key: position + 1..<keyEnd - 1, value: keyEnd + 1..<valueEnd)
            isDone = byte(bytes, valueEnd) != UInt8(ascii: ",")
            position = valueEnd + 1
            return member
        }
    }

    /// The value at `path`, a list of escaped keys. Nil when a key is missing or an object on the way is none.
    package static func find(_ path: [[UInt8]], in bytes: RawSpan) -> Range<Int>? {
        var value = 0..<bytes.byteCount
        for key in path {
            guard var members = Members(bytes, at: value.lowerBound) else { return nil }
            var found: Range<Int>?
            while let member = members.next(bytes) {
                if equal(bytes, member.key, key) {
                    found = member.value
                    break
                }
            }
            guard let found else { return nil }
            value = found
        }
        return value
    }

    /// True when `range` holds exactly the bytes of `other`.
    package static func equal(_ bytes: RawSpan, _ range: Range<Int>, _ other: [UInt8]) -> Bool {
        guard range.count == other.count, range.upperBound <= bytes.byteCount else { return false }
        for position in 0..<other.count where byte(bytes, range.lowerBound + position) != other[position] {
            return false
        }
        return true
    }

    /// Appends `text` with the canonical escapes, without quotes.
    package static func appendEscaped(_ text: some Sequence<UInt8>, to bytes: inout [UInt8]) {
        for byte in text {
            switch byte {
            case UInt8(ascii: "\""), UInt8(ascii: "\\"):
                bytes.append(UInt8(ascii: "\\"))
                bytes.append(byte)
            case 0x08: bytes.append(contentsOf: "\\b".utf8)
            case 0x09: bytes.append(contentsOf: "\\t".utf8)
            case 0x0A: bytes.append(contentsOf: "\\n".utf8)
            case 0x0C: bytes.append(contentsOf: "\\f".utf8)
            case 0x0D: bytes.append(contentsOf: "\\r".utf8)
            case 0..<0x20:
                bytes.append(contentsOf: "\\u00".utf8)
                bytes.append(hexDigit(byte >> 4))
                bytes.append(hexDigit(byte & 15))
            default: bytes.append(byte)
            }
        }
    }

    /// Appends what the escaped text in `range` means. Canonical text has no other escapes than `appendEscaped` makes.
    package static func appendUnescaped(_ bytes: RawSpan, _ range: Range<Int>, to text: inout [UInt8]) {
        var position = range.lowerBound
        while position < range.upperBound {
            let current = byte(bytes, position)
            guard current == UInt8(ascii: "\\") else {
                text.append(current)
                position += 1
                continue
            }
            let escape = byte(bytes, position + 1)
            position += 2
            switch escape {
            case UInt8(ascii: "b"): text.append(0x08)
            case UInt8(ascii: "t"): text.append(0x09)
            case UInt8(ascii: "n"): text.append(0x0A)
            case UInt8(ascii: "f"): text.append(0x0C)
            case UInt8(ascii: "r"): text.append(0x0D)
            case UInt8(ascii: "u"):
                let high = hexValue(byte(bytes, position + 2)) ?? 0
                let low = hexValue(byte(bytes, position + 3)) ?? 0
                text.append(high << 4 | low)
                position += 4
            default: text.append(escape)
            }
        }
    }

    /// Zero, which canonical text never holds, past the end.
    @inline(__always)
    private static func byte(_ bytes: RawSpan, _ offset: Int) -> UInt8 {
        guard offset >= 0, offset < bytes.byteCount else { return 0 }
        return unsafe bytes.unsafeLoad(fromUncheckedByteOffset: offset, as: UInt8.self)
    }

    /// The offset behind the closing quote of the string that starts at `start`.
    private static func endOfString(_ bytes: RawSpan, at start: Int) -> Int? {
        var position = start + 1
        let end = bytes.byteCount
        while position < end {
            switch byte(bytes, position) {
            case UInt8(ascii: "\""): return position + 1
            case UInt8(ascii: "\\"): position += 2
            default: position += 1
            }
        }
        return nil
    }

    /// The offset behind the value that starts at `start`.
    private static func endOfValue(_ bytes: RawSpan, at start: Int) -> Int? {
        let end = bytes.byteCount
        switch byte(bytes, start) {
        case UInt8(ascii: "\""):
            return endOfString(bytes, at: start)
        case UInt8(ascii: "{"), UInt8(ascii: "["):
            var depth = 0
            var position = start
            while position < end {
                switch byte(bytes, position) {
                case UInt8(ascii: "\""):
                    guard let next = endOfString(bytes, at: position) else { return nil }
                    position = next
                    continue
                case UInt8(ascii: "{"), UInt8(ascii: "["): depth += 1
                case UInt8(ascii: "}"), UInt8(ascii: "]"):
                    depth -= 1
                    if depth == 0 { return position + 1 }
                default: break
                }
                position += 1
            }
            return nil
        default:
            var position = start
            while position < end {
                switch byte(bytes, position) {
                case UInt8(ascii: ","), UInt8(ascii: "}"), UInt8(ascii: "]"): return position > start ? position : nil
                default: position += 1
                }
            }
            return position > start ? position : nil
        }
    }
}
