import DaybookTestSupport

/// A random value, how clients might write it, and what it must be read as. Nothing here knows the code under test.
indirect enum RandomValue {
    case null
    case bool(Bool)
    /// As sent, and in canonical form.
    case number(String, String)
    case text([UInt8])
    case array([RandomValue])
    /// Keys are distinct as bytes; the order is the one of the body.
    case object([(key: [UInt8], value: RandomValue)])

    var canonical: ParsedJSON {
        switch self {
        case .null: .null
        case .bool(let value): .bool(value)
        case .number(_, let canonical): .number(canonical)
        case .text(let text): .text(text)
        case .array(let elements): .array(elements.map(\.canonical))
        case .object(let members):
            .object(Dictionary(uniqueKeysWithValues: members.map { ($0.key, $0.value.canonical) }))
        }
    }
}

struct RandomJSON {
    var random: SeededRandom

    static let numbers: [(String, String)] = [
        ("0", "0"), ("-0", "0"), ("-0.0", "0"), ("0e99", "0"), ("1.0", "1"), ("1e2", "100"), ("-5", "-5"),
        ("9007199254740991", "9007199254740991"), ("9007199254740993", "9007199254740993"),
        ("-9007199254740993", "-9007199254740993"), ("18446744073709551615", "18446744073709551615"),
        ("18446744073709551616", "18446744073709552000"), ("-9223372036854775808", "-9223372036854775808"),
        ("-9223372036854775809.0", "-9223372036854775808"), ("1e-7", "1e-7"), ("1E-7", "1e-7"),
        ("0.000001", "0.000001"),
        ("7.50", "7.5"), ("1e21", "1e+21"), ("1e20", "100000000000000000000"), ("1.5e300", "1.5e+300"),
        ("5e-324", "5e-324"),
        ("0.1", "0.1"), ("-2.5E-3", "-0.0025"), ("123456789.123456789", "123456789.12345679"),
    ]
    static let keys = [
        "a", "b", "a.b", "", "\u{e9}", "e\u{301}", "session_id", "é.x", "key with space", "\"", "\\", "\n", "\u{1}",
        "Z",
        "zz", "😀", "\u{FFFD}", "model", "0", "a\u{0}b", "🇩🇪", "/", "very_long_key_of_more_than_sixteen_bytes",
    ]
    static let texts = [
        "", "x", "plain text", "quote \" backslash \\ slash /", "\n\t\r\u{8}\u{c}", "\u{0}\u{1f}\u{7f}", "é",
        "e\u{301}",
        "😀 astral", "\u{2028}", "12345678", "1234567\"", "</script>", "seventeen bytes!!", "__proto__",
    ]

    init(seed: UInt64) { random = SeededRandom(seed: seed) }

    mutating func pick<Element>(_ elements: [Element]) -> Element { elements[random.below(elements.count)] }

    mutating func value(depth: Int) -> RandomValue {
        switch random.below(depth > 0 ? 9 : 7) {
        case 0: return .null
        case 1: return .bool(random.oneIn(2))
        case 2, 3:
            if random.oneIn(2) {
                let (text, canonical) = pick(Self.numbers)
                return .number(text, canonical)
            }
            let integer = Int64(bitPattern: random.next()) >> Int64(random.below(64))
            return .number("\(integer)", "\(integer)")
        case 4, 5, 6: return .text(text())
        case 7: return .array((0..<random.below(4)).map { _ in value(depth: depth - 1) })
        default: return object(depth: depth - 1)
        }
    }

    mutating func text() -> [UInt8] {
        if random.oneIn(200) { return Array(repeating: UInt8(ascii: "l"), count: 8_192) }
        if random.oneIn(4) { return Array((pick(Self.texts) + pick(Self.texts)).utf8) }
        return Array(pick(Self.texts).utf8)
    }

    mutating func object(depth: Int) -> RandomValue {
        var seen: Set<[UInt8]> = []
        var members: [(key: [UInt8], value: RandomValue)] = []
        for _ in 0..<random.below(6) {
            let key = Array((random.oneIn(5) ? pick(Self.keys) + pick(Self.keys) : pick(Self.keys)).utf8)
            if seen.insert(key).inserted { members.append((key, value(depth: depth))) }
        }
        return .object(members)
    }

    // MARK: Writing

    mutating func space(_ bytes: inout [UInt8]) {
        guard random.oneIn(6) else { return }
        for _ in 0...random.below(2) { bytes.append(pick([0x20, 0x0A, 0x0D, 0x09])) }
    }

    mutating func write(_ value: RandomValue, to bytes: inout [UInt8]) {
        space(&bytes)
        switch value {
        case .null: bytes += Array("null".utf8)
        case .bool(let value): bytes += Array((value ? "true" : "false").utf8)
        case .number(let text, _): bytes += Array(text.utf8)
        case .text(let text): write(text: text, to: &bytes)
        case .array(let elements):
            bytes.append(UInt8(ascii: "["))
            for (index, element) in elements.enumerated() {
                if index > 0 { bytes.append(UInt8(ascii: ",")) }
                write(element, to: &bytes)
            }
            space(&bytes)
            bytes.append(UInt8(ascii: "]"))
        case .object(let members):
            bytes.append(UInt8(ascii: "{"))
            for (index, member) in members.enumerated() {
                if index > 0 { bytes.append(UInt8(ascii: ",")) }
                space(&bytes)
                write(text: member.key, to: &bytes)
                space(&bytes)
                bytes.append(UInt8(ascii: ":"))
                write(member.value, to: &bytes)
            }
            space(&bytes)
            bytes.append(UInt8(ascii: "}"))
        }
        space(&bytes)
    }

    /// With needless escapes here and there.
    mutating func write(text: [UInt8], to bytes: inout [UInt8]) {
        bytes.append(UInt8(ascii: "\""))
        for scalar in String(decoding: text, as: UTF8.self).unicodeScalars {
            if scalar.value < 0x20 || scalar == "\"" || scalar == "\\" || text.count < 100 && random.oneIn(12) {
                for unit in String(scalar).utf16 {
                    let digits = String(unit, radix: 16, uppercase: random.oneIn(2))
                    bytes += Array(("\\u" + String(repeating: "0", count: 4 - digits.count) + digits).utf8)
                }
            } else {
                bytes += Array(String(scalar).utf8)
            }
        }
        bytes.append(UInt8(ascii: "\""))
    }
}
