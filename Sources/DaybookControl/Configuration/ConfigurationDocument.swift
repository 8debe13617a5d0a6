/// A configuration file: the part of TOML 1.0 that settings need. Every file that is understood here means the same to
/// every TOML parser; what TOML knows besides (fractions, times, arrays, inline tables, texts of several lines, quoted
/// keys) is a problem with its line. docs/decisions/0013-own-configuration-reader.md says why it is written here.
struct ConfigurationDocument {
    struct Entry: Equatable {
        /// The section and the key, with points in between.
        var name: String
        var value: ConfigurationValue
        /// From 1 on.
        var line: Int
    }

    struct Problem: Equatable {
        var line: Int
        var message: String
    }

    private(set) var entries: [Entry] = []
    private(set) var problems: [Problem] = []

    /// Nil behind a section that could not be read: its keys would be reported under a wrong name.
    private var section: String? = ""
    private var firstLines: [String: Int] = [:]
    private var sectionLines: [String: Int] = [:]

    /// Complexity: O(bytes).
    init(parsing bytes: [UInt8]) {
        var number = 0
        for line in bytes.split(separator: UInt8(ascii: "\n"), omittingEmptySubsequences: false) {
            number += 1
            var cursor = ConfigurationLine(line.last == UInt8(ascii: "\r") ? line.dropLast() : line)
            do throws(ConfigurationLine.Failure) {
                try read(&cursor, number)
            } catch {
                problems.append(Problem(line: number, message: error.message))
            }
        }
    }

    private mutating func read(_ line: inout ConfigurationLine, _ number: Int) throws(ConfigurationLine.Failure) {
        try line.checkText()
        line.skipSpace()
        guard let first = line.peek, first != UInt8(ascii: "#") else { return }
        if first == UInt8(ascii: "[") {
            section = nil
            let name = try line.section()
            if let earlier = sectionLines[name] {
                problems.append(Problem(line: number, message: "[\(name)] begins twice, first in line \(earlier)."))
            } else {
                sectionLines[name] = number
            }
            section = name
            return
        }
        let key = try line.key()
        try line.expectEquals()
        let value = try line.value()
        try line.expectEnd()
        guard let section else { return }
        let name = section.isEmpty ? key : "\(section).\(key)"
        // A key with points begins its section, too: TOML wants no header for that section afterwards.
        if let point = key.lastIndex(of: ".") {
            let begun = String(name.dropLast(key.distance(from: point, to: key.endIndex)))
            if sectionLines[begun] == nil { sectionLines[begun] = number }
        }
        if let earlier = firstLines[name] {
            problems.append(Problem(line: number, message: "\(name) is set twice, first in line \(earlier)."))
        } else {
            firstLines[name] = number
            entries.append(Entry(name: name, value: value, line: number))
        }
    }
}

/// One line, read from left to right.
struct ConfigurationLine {
    struct Failure: Error {
        var message: String

        init(_ message: String) { self.message = message }
    }

    private let bytes: ArraySlice<UInt8>
    private var position: Int

    init(_ bytes: ArraySlice<UInt8>) {
        self.bytes = bytes
        position = bytes.startIndex
    }

    var peek: UInt8? { position < bytes.endIndex ? bytes[position] : nil }

    /// TOML is UTF-8, and has no control characters but tabs.
    func checkText() throws(Failure) {
        guard String(validating: bytes, as: UTF8.self) != nil else { throw Failure("The line is not UTF-8.") }
        guard bytes.allSatisfy({ $0 >= 0x20 && $0 != 0x7F || $0 == 0x09 }) else {
            throw Failure("The line holds a control character.")
        }
    }

    mutating func skipSpace() {
        while let byte = peek, byte == 0x20 || byte == 0x09 { position += 1 }
    }

    /// `[a.b]`, to the end of the line.
    mutating func section() throws(Failure) -> String {
        position += 1
        guard peek != UInt8(ascii: "[") else { throw Failure("Arrays of tables ([[…]]) are not used here.") }
        let name = try key()
        guard peek == UInt8(ascii: "]") else { throw Failure("A section is a name in brackets, such as [server].") }
        position += 1
        try expectEnd()
        return name
    }

    /// Bare keys with points in between, and the space behind them.
    mutating func key() throws(Failure) -> String {
        var parts: [String] = []
        repeat {
            if !parts.isEmpty { position += 1 }
            skipSpace()
            if peek == UInt8(ascii: "\"") || peek == UInt8(ascii: "'") {
                throw Failure("Names stand without quotation marks here.")
            }
            let start = position
            while let byte = peek, Self.isOfName(byte) { position += 1 }
            guard position > start else {
                throw Failure("A line is empty, a comment (# …), a section ([name]), or a setting (name = value).")
            }
            parts.append(String(decoding: bytes[start..<position], as: UTF8.self))
            skipSpace()
        } while peek == UInt8(ascii: ".")
        return parts.joined(separator: ".")
    }

    private static func isOfName(_ byte: UInt8) -> Bool {
        switch byte {
        case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
            UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "_"), UInt8(ascii: "-"):
            true
        default: false
        }
    }

    mutating func expectEquals() throws(Failure) {
        guard peek == UInt8(ascii: "=") else { throw Failure("A setting is written name = value.") }
        position += 1
        skipSpace()
    }

    mutating func expectEnd() throws(Failure) {
        skipSpace()
        guard peek == nil || peek == UInt8(ascii: "#") else {
            throw Failure("Behind the value there may only be a comment (# …).")
        }
    }

    mutating func value() throws(Failure) -> ConfigurationValue {
        switch peek {
        case nil, UInt8(ascii: "#"): throw Failure("There is no value behind the equals sign.")
        case UInt8(ascii: "\""): return .text(try basicText())
        case UInt8(ascii: "'"): return .text(try literalText())
        case UInt8(ascii: "["): throw Failure("Arrays are not used here.")
        case UInt8(ascii: "{"): throw Failure("Inline tables are not used here: write a section.")
        default: return try word()
        }
    }

    private func refuseManyLines(_ quote: UInt8) throws(Failure) {
        if bytes[position...].starts(with: [quote, quote, quote]) {
            throw Failure("Texts of several lines are not used here.")
        }
    }

    private mutating func literalText() throws(Failure) -> String {
        try refuseManyLines(UInt8(ascii: "'"))
        position += 1
        guard let end = bytes[position...].firstIndex(of: UInt8(ascii: "'")) else {
            throw Failure("The closing quotation mark is missing.")
        }
        defer { position = end + 1 }
        return String(decoding: bytes[position..<end], as: UTF8.self)
    }

    private mutating func basicText() throws(Failure) -> String {
        try refuseManyLines(UInt8(ascii: "\""))
        position += 1
        var text: [UInt8] = []
        while let byte = peek {
            position += 1
            switch byte {
            case UInt8(ascii: "\""): return String(decoding: text, as: UTF8.self)
            case UInt8(ascii: "\\"): text.append(contentsOf: String(Character(try escaped())).utf8)
            default: text.append(byte)
            }
        }
        throw Failure("The closing quotation mark is missing.")
    }

    private mutating func escaped() throws(Failure) -> Unicode.Scalar {
        guard let byte = peek else { throw Failure("The closing quotation mark is missing.") }
        position += 1
        switch byte {
        case UInt8(ascii: "\""), UInt8(ascii: "\\"): return Unicode.Scalar(byte)
        case UInt8(ascii: "b"): return "\u{8}"
        case UInt8(ascii: "t"): return "\t"
        case UInt8(ascii: "n"): return "\n"
        case UInt8(ascii: "f"): return "\u{C}"
        case UInt8(ascii: "r"): return "\r"
        case UInt8(ascii: "u"): return try scalar(digitCount: 4)
        case UInt8(ascii: "U"): return try scalar(digitCount: 8)
        default: throw Failure("A backslash begins no such escape; a text in single quotation marks has none.")
        }
    }

    private mutating func scalar(digitCount: Int) throws(Failure) -> Unicode.Scalar {
        let digits = bytes[position...].prefix(digitCount)
        let isHexadecimal = digits.allSatisfy { byte in
            switch byte {
            case UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "a")...UInt8(ascii: "f"),
                UInt8(ascii: "A")...UInt8(ascii: "F"):
                true
            default: false
            }
        }
        guard digits.count == digitCount, isHexadecimal,
            let number = UInt32(String(decoding: digits, as: UTF8.self), radix: 16), let scalar = Unicode.Scalar(number)
        else { throw Failure("\\u and \\U take four and eight hexadecimal digits of a Unicode character.") }
        position += digitCount
        return scalar
    }

    /// What stands without quotation marks: an integer, true or false.
    private mutating func word() throws(Failure) -> ConfigurationValue {
        let start = position
        while let byte = peek, byte != 0x20, byte != 0x09, byte != UInt8(ascii: "#") { position += 1 }
        let word = String(decoding: bytes[start..<position], as: UTF8.self)
        if let flag = Bool(word) { return .boolean(flag) }
        if let number = try Self.integer(word) { return .integer(number) }
        throw Failure("A value is an integer, true, false, or a text in quotation marks.")
    }

    /// Nil for what is no integer of TOML. Throws for one that 64 bits do not hold.
    private static func integer(_ word: String) throws(Failure) -> Int64? {
        let isSigned = word.hasPrefix("+") || word.hasPrefix("-")
        var digits = isSigned ? word.dropFirst() : word[...]
        let radix = isSigned ? 10 : ["0x": 16, "0o": 8, "0b": 2][digits.prefix(2)] ?? 10
        if radix != 10 { digits = digits.dropFirst(2) }
        // An underscore stands between two digits, and a decimal number has no leading zero.
        let parts = digits.split(separator: "_", omittingEmptySubsequences: false)
        guard parts.allSatisfy({ !$0.isEmpty && $0.allSatisfy { isDigit($0, radix) } }) else { return nil }
        let text = parts.joined()
        guard radix != 10 || text == "0" || !text.hasPrefix("0") else { return nil }
        guard let number = Int64((word.hasPrefix("-") ? "-" : "") + text, radix: radix) else {
            throw Failure("The number does not fit 64 bits.")
        }
        return number
    }

    private static func isDigit(_ character: Character, _ radix: Int) -> Bool {
        guard let value = character.hexDigitValue, character.isASCII else { return false }
        return value < radix
    }
}
