/// A JSON text as a tree, for tests only. Numbers stay as they are written, so that nothing is rounded; keys and texts
/// are UTF-8 bytes, because `String` takes composed and decomposed forms for the same.
package indirect enum ParsedJSON: Equatable, Sendable {
    case object([[UInt8]: ParsedJSON])
    case array([ParsedJSON])
    case text([UInt8])
    case number(String)
    case bool(Bool)
    case null

    package struct Mistake: Error, Equatable {
        package var reason: String
        package var offset: Int
    }

    /// Strict RFC 8259; a second value of one key is a mistake.
    package init(parsing bytes: [UInt8]) throws {
        var parser = Parser(bytes: bytes)
        self = try parser.document()
    }

    package subscript(key: String) -> ParsedJSON? {
        guard case .object(let members) = self else { return nil }
        return members[Array(key.utf8)]
    }

    package subscript(index: Int) -> ParsedJSON? {
        guard case .array(let elements) = self, elements.indices.contains(index) else { return nil }
        return elements[index]
    }

    package var unsigned: UInt64? {
        guard case .number(let digits) = self else { return nil }
        return UInt64(digits)
    }

    package var signed: Int64? {
        guard case .number(let digits) = self else { return nil }
        return Int64(digits)
    }

    package var integer: Int? {
        guard case .number(let digits) = self else { return nil }
        return Int(digits)
    }

    package var double: Double? {
        guard case .number(let digits) = self else { return nil }
        return Double(digits)
    }

    package var string: String? {
        guard case .text(let text) = self else { return nil }
        return String(decoding: text, as: UTF8.self)
    }

    package var boolean: Bool? {
        guard case .bool(let value) = self else { return nil }
        return value
    }

    package var elements: [ParsedJSON]? {
        guard case .array(let elements) = self else { return nil }
        return elements
    }

    package var members: [[UInt8]: ParsedJSON]? {
        guard case .object(let members) = self else { return nil }
        return members
    }
}

private struct Parser {
    let bytes: [UInt8]
    var offset = 0
    var depth = 0

    func mistake(_ reason: String) -> ParsedJSON.Mistake { ParsedJSON.Mistake(reason: reason, offset: offset) }

    var next: UInt8? { offset < bytes.count ? bytes[offset] : nil }

    mutating func document() throws -> ParsedJSON {
        let result = try value()
        skipSpace()
        guard next == nil else { throw mistake("text after the value") }
        return result
    }

    mutating func skipSpace() {
        while let byte = next, byte == 0x20 || byte == 0x09 || byte == 0x0A || byte == 0x0D { offset += 1 }
    }

    mutating func take(_ character: Unicode.Scalar) -> Bool {
        guard next == UInt8(ascii: character) else { return false }
        offset += 1
        return true
    }

    mutating func value() throws -> ParsedJSON {
        skipSpace()
        guard depth < 64 else { throw mistake("too deep") }
        depth += 1
        defer { depth -= 1 }
        switch next {
        case UInt8(ascii: "{"): return try object()
        case UInt8(ascii: "["): return try array()
        case UInt8(ascii: "\""): return .text(try string())
        case UInt8(ascii: "t"): return try word("true", .bool(true))
        case UInt8(ascii: "f"): return try word("false", .bool(false))
        case UInt8(ascii: "n"): return try word("null", .null)
        default: return .number(try number())
        }
    }

    mutating func word(_ text: String, _ value: ParsedJSON) throws -> ParsedJSON {
        guard bytes[offset...].starts(with: text.utf8) else { throw mistake("unknown word") }
        offset += text.utf8.count
        return value
    }

    mutating func object() throws -> ParsedJSON {
        offset += 1
        var members: [[UInt8]: ParsedJSON] = [:]
        skipSpace()
        if take("}") { return .object(members) }
        while true {
            skipSpace()
            let key = try string()
            skipSpace()
            guard take(":") else { throw mistake("a colon is missing") }
            let member = try value()
            guard members.updateValue(member, forKey: key) == nil else { throw mistake("a key stands twice") }
            skipSpace()
            if take("}") { return .object(members) }
            guard take(",") else { throw mistake("a comma is missing") }
        }
    }

    mutating func array() throws -> ParsedJSON {
        offset += 1
        var elements: [ParsedJSON] = []
        skipSpace()
        if take("]") { return .array(elements) }
        while true {
            elements.append(try value())
            skipSpace()
            if take("]") { return .array(elements) }
            guard take(",") else { throw mistake("a comma is missing") }
        }
    }

    mutating func string() throws -> [UInt8] {
        guard take("\"") else { throw mistake("a string is missing") }
        var text: [UInt8] = []
        while let byte = next {
            offset += 1
            switch byte {
            case UInt8(ascii: "\""):
                guard String(validating: text, as: UTF8.self) != nil else { throw mistake("not UTF-8") }
                return text
            case UInt8(ascii: "\\"): text += try escape()
            case 0..<0x20: throw mistake("a bare control character")
            default: text.append(byte)
            }
        }
        throw mistake("the string does not end")
    }

    mutating func escape() throws -> [UInt8] {
        guard let byte = next else { throw mistake("the escape does not end") }
        offset += 1
        switch byte {
        case UInt8(ascii: "\""), UInt8(ascii: "\\"), UInt8(ascii: "/"): return [byte]
        case UInt8(ascii: "b"): return [0x08]
        case UInt8(ascii: "f"): return [0x0C]
        case UInt8(ascii: "n"): return [0x0A]
        case UInt8(ascii: "r"): return [0x0D]
        case UInt8(ascii: "t"): return [0x09]
        case UInt8(ascii: "u"):
            var scalar = try codeUnit()
            if (0xD800..<0xDC00).contains(scalar) {
                guard take("\\"), take("u") else { throw mistake("a lone surrogate") }
                let low = try codeUnit()
                guard (0xDC00..<0xE000).contains(low) else { throw mistake("a lone surrogate") }
                scalar = 0x10000 + (scalar - 0xD800) << 10 + (low - 0xDC00)
            }
            guard let valid = Unicode.Scalar(scalar) else { throw mistake("a lone surrogate") }
            return Array(String(Character(valid)).utf8)
        default: throw mistake("an unknown escape")
        }
    }

    mutating func codeUnit() throws -> UInt32 {
        guard offset + 4 <= bytes.count else { throw mistake("the escape does not end") }
        let digits = bytes[offset..<offset + 4]
        guard
            digits.allSatisfy({
                UInt8(ascii: "0")...UInt8(ascii: "9") ~= $0 || UInt8(ascii: "a")...UInt8(ascii: "f") ~= $0 | 0x20
            }),
            let unit = UInt32(String(decoding: digits, as: UTF8.self), radix: 16)
        else { throw mistake("four hexadecimal digits are missing") }
        offset += 4
        return unit
    }

    mutating func number() throws -> String {
        let start = offset
        _ = take("-")
        if !take("0") { try digits() }
        if take(".") { try digits() }
        if take("e") || take("E") {
            if !take("+") { _ = take("-") }
            try digits()
        }
        return String(decoding: bytes[start..<offset], as: UTF8.self)
    }

    mutating func digits() throws {
        let start = offset
        while let byte = next, UInt8(ascii: "0")...UInt8(ascii: "9") ~= byte { offset += 1 }
        guard offset > start else { throw mistake("a value is missing") }
    }
}
