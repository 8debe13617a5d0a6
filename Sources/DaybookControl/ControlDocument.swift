/// The small JSON of administrative requests. Of numbers that are no integers only the text is kept. Events never
/// come this way; they have their own one-pass parser.
package enum ControlDocument: Equatable, Sendable {
    case object([String: ControlDocument])
    case array([ControlDocument])
    case string(String)
    case integer(Int64)
    /// Any other number, as it was written.
    case decimal(String)
    case boolean(Bool)
    case null

    package struct Malformed: Error, Equatable {}

    /// Requests are one short object; anything deeper is refused before it can exhaust the stack.
    private static let depthMax = 8

    /// - Throws: `Malformed` for anything but one document, duplicate keys included.
    package init(parsing bytes: [UInt8]) throws(Malformed) {
        var parser = Parser(bytes: bytes)
        self = try parser.value(depth: 0)
        parser.skipSpace()
        guard parser.isAtEnd else { throw Malformed() }
    }

    package subscript(key: String) -> ControlDocument? {
        guard case .object(let fields) = self, let value = fields[key], value != .null else { return nil }
        return value
    }

    /// Whether the field is there, and null.
    package func isNull(_ key: String) -> Bool {
        guard case .object(let fields) = self else { return false }
        return fields[key] == .null
    }

    package var fieldNames: [String] { if case .object(let fields) = self { Array(fields.keys) } else { [] } }
    package var stringValue: String? { if case .string(let value) = self { value } else { nil } }
    package var integerValue: Int64? { if case .integer(let value) = self { value } else { nil } }
    /// A number in thousandths; nil for what is no number, has more than three decimals, or is a fraction with an exponent.
    package var thousandths: Int64? {
        switch self {
        case .integer(let value):
            let (product, overflow) = value.multipliedReportingOverflow(by: 1_000)
            return overflow ? nil : product
        case .decimal(let text):
            let parts = text.split(separator: ".", omittingEmptySubsequences: false)
            guard parts.count == 2 else { return nil }
            let decimals = parts[1].reversed().drop { $0 == "0" }
            guard decimals.count <= 3 else { return nil }
            let padding = String(repeating: "0", count: 3 - decimals.count)
            return Int64(parts[0] + String(decimals.reversed()) + padding)
        default: return nil
        }
    }
    package var arrayValue: [ControlDocument]? { if case .array(let value) = self { value } else { nil } }

    private struct Parser {
        let bytes: [UInt8]
        var position = 0

        init(bytes: [UInt8]) { self.bytes = bytes }

        var isAtEnd: Bool { position == bytes.count }
        var peek: UInt8? { position < bytes.count ? bytes[position] : nil }

        mutating func skipSpace() {
            while let byte = peek, byte == 0x20 || byte == 0x09 || byte == 0x0A || byte == 0x0D { position += 1 }
        }

        mutating func take(_ byte: UInt8) -> Bool {
            skipSpace()
            guard peek == byte else { return false }
            position += 1
            return true
        }

        mutating func expect(_ byte: UInt8) throws(Malformed) {
            guard take(byte) else { throw Malformed() }
        }

        mutating func value(depth: Int) throws(Malformed) -> ControlDocument {
            guard depth < ControlDocument.depthMax else { throw Malformed() }
            skipSpace()
            switch peek {
            case UInt8(ascii: "{"): return try object(depth: depth)
            case UInt8(ascii: "["): return try array(depth: depth)
            case UInt8(ascii: "\""): return .string(try string())
            case UInt8(ascii: "t"): return try word("true", .boolean(true))
            case UInt8(ascii: "f"): return try word("false", .boolean(false))
            case UInt8(ascii: "n"): return try word("null", .null)
            default: return try number()
            }
        }

        mutating func word(_ text: String, _ value: ControlDocument) throws(Malformed) -> ControlDocument {
            guard bytes[position...].starts(with: text.utf8) else { throw Malformed() }
            position += text.utf8.count
            return value
        }

        /// RFC 8259: no plus sign, no leading zero, a digit on both sides of the point.
        mutating func number() throws(Malformed) -> ControlDocument {
            let start = position
            _ = skip(UInt8(ascii: "-"))
            let isZero = peek == UInt8(ascii: "0")
            guard try digits() == 1 || !isZero else { throw Malformed() }
            if skip(UInt8(ascii: ".")) { _ = try digits() }
            if skip(UInt8(ascii: "e")) || skip(UInt8(ascii: "E")) {
                _ = skip(UInt8(ascii: "+")) || skip(UInt8(ascii: "-"))
                _ = try digits()
            }
            let text = String(decoding: bytes[start..<position], as: UTF8.self)
            if let integer = Int64(text) { return .integer(integer) }
            // So few digits are exact as a double: `1.0` and `1e3` are integers, too.
            if text.utf8.count <= 16, let value = Double(text), let integer = Int64(exactly: value) {
                return .integer(integer)
            }
            return .decimal(text)
        }

        /// At least one; how many.
        private mutating func digits() throws(Malformed) -> Int {
            let start = position
            while let byte = peek, (0x30...0x39).contains(byte) { position += 1 }
            guard position > start else { throw Malformed() }
            return position - start
        }

        private mutating func skip(_ byte: UInt8) -> Bool {
            guard peek == byte else { return false }
            position += 1
            return true
        }

        mutating func object(depth: Int) throws(Malformed) -> ControlDocument {
            position += 1
            var fields: [String: ControlDocument] = [:]
            if take(UInt8(ascii: "}")) { return .object(fields) }
            repeat {
                skipSpace()
                guard peek == UInt8(ascii: "\"") else { throw Malformed() }
                let key = try string()
                try expect(UInt8(ascii: ":"))
                guard fields.updateValue(try value(depth: depth + 1), forKey: key) == nil else { throw Malformed() }
            } while take(UInt8(ascii: ","))
            try expect(UInt8(ascii: "}"))
            return .object(fields)
        }

        mutating func array(depth: Int) throws(Malformed) -> ControlDocument {
            position += 1
            var items: [ControlDocument] = []
            if take(UInt8(ascii: "]")) { return .array(items) }
            repeat { items.append(try value(depth: depth + 1)) } while take(UInt8(ascii: ","))
            try expect(UInt8(ascii: "]"))
            return .array(items)
        }

        mutating func string() throws(Malformed) -> String {
            position += 1
            var text: [UInt8] = []
            while let byte = peek {
                position += 1
                switch byte {
                case UInt8(ascii: "\""):
                    guard let string = String(validating: text, as: UTF8.self) else { throw Malformed() }
                    return string
                case UInt8(ascii: "\\"): try escape(into: &text)
                case 0x00..<0x20: throw Malformed()
                default: text.append(byte)
                }
            }
            throw Malformed()
        }

        mutating func escape(into text: inout [UInt8]) throws(Malformed) {
            guard let byte = peek else { throw Malformed() }
            position += 1
            switch byte {
            case UInt8(ascii: "\""), UInt8(ascii: "\\"), UInt8(ascii: "/"): text.append(byte)
            case UInt8(ascii: "b"): text.append(0x08)
            case UInt8(ascii: "f"): text.append(0x0C)
            case UInt8(ascii: "n"): text.append(0x0A)
            case UInt8(ascii: "r"): text.append(0x0D)
            case UInt8(ascii: "t"): text.append(0x09)
            case UInt8(ascii: "u"): text.append(contentsOf: String(Character(try scalar())).utf8)
            default: throw Malformed()
            }
        }

        /// One code unit, or the two of a surrogate pair; half of one is refused.
        mutating func scalar() throws(Malformed) -> Unicode.Scalar {
            var value = try codeUnit()
            if (0xD800..<0xDC00).contains(value) {
                guard bytes[position...].starts(with: [UInt8(ascii: "\\"), UInt8(ascii: "u")]) else {
                    throw Malformed()
                }
                position += 2
                let low = try codeUnit()
                guard (0xDC00..<0xE000).contains(low) else { throw Malformed() }
                value = 0x1_0000 + (value - 0xD800) << 10 + (low - 0xDC00)
            }
            guard let scalar = Unicode.Scalar(value) else { throw Malformed() }
            return scalar
        }

        /// Four hexadecimal digits.
        mutating func codeUnit() throws(Malformed) -> UInt32 {
            guard bytes.count - position >= 4,
                let value = UInt32(String(decoding: bytes[position..<position + 4], as: UTF8.self), radix: 16),
                bytes[position] != UInt8(ascii: "+"), bytes[position] != UInt8(ascii: "-")
            else { throw Malformed() }
            position += 4
            return value
        }
    }
}
