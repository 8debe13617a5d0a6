@testable import DaybookEvent
import DaybookFormat
import DaybookTestSupport
import Testing

struct CanonicalJSONTests {
    static func canonical(_ text: String) -> String? {
        Array(text.utf8).withRawSpan { CanonicalJSON.canonicalize($0) }.map { String(decoding: $0, as: UTF8.self) }
    }

    @Test(
        arguments: [
            ("0", "0"), ("-0", "0"), ("-0.0", "0"), ("0e999999999999999999999", "0"), ("1.0", "1"), ("1e2", "100"),
            ("10E-1", "1"), ("1e0", "1"), ("100e-2", "1"), ("-1e3", "-1000"), ("0.1e1", "1"),
            ("9007199254740991", "9007199254740991"), ("9007199254740992", "9007199254740992"),
            ("9007199254740993", "9007199254740993"), ("9007199254740993.0", "9007199254740993"),
            ("9007199254740993.5", "9007199254740994"), ("18446744073709551615", "18446744073709551615"),
            ("18446744073709551615.0", "18446744073709551615"), ("1844674407370955161500e-2", "18446744073709551615"),
            ("18446744073709551616", "18446744073709552000"), ("18446744073709551615.5", "18446744073709552000"),
            ("-9223372036854775808", "-9223372036854775808"), ("-9223372036854775809", "-9223372036854775808"),
            ("-9223372036854777000", "-9223372036854778000"), ("-18446744073709551615", "-18446744073709552000"),
            ("12345678901234567890123", "1.2345678901234568e+22"), ("1e19", "10000000000000000000"),
            ("1e20", "100000000000000000000"), ("1e21", "1e+21"), ("123e19", "1.23e+21"), ("1.5", "1.5"),
            ("-7.25", "-7.25"),
            ("0.1", "0.1"), ("0.30000000000000004", "0.30000000000000004"), ("0.1000", "0.1"), ("1e-6", "0.000001"),
            ("0.0000015", "0.0000015"), ("1e-7", "1e-7"), ("1.25e-7", "1.25e-7"),
            ("123456789.123456789", "123456789.12345679"),
            ("5e-324", "5e-324"), ("3e-324", "5e-324"), ("2e-324", "0"), ("-1e-400", "0"),
            ("1e-999999999999999999", "0"),
            ("1.7976931348623157e308", "1.7976931348623157e+308"),
            ("2.2250738585072014e-308", "2.2250738585072014e-308"),
            ("123456789012345.6", "123456789012345.6"), ("0.12345678901234567890123456789", "0.12345678901234568"),
            ("4.35", "4.35"), ("1E400000000000000000000000000000e", nil), ("1e400", nil), ("-1e309", nil),
            ("1e99999999999999999999999", nil), ("1.7976931348623159e308", nil), ("01", nil), ("-", nil), ("+1", nil),
            (".5", nil), ("1.", nil), ("1e", nil), ("1e+", nil), ("0x10", nil), ("NaN", nil), ("Infinity", nil),
            ("-Infinity", nil), ("1_000", nil), ("１", nil),
        ] as [(String, String?)])
    func numbersAreDecidedOnTheirDecimalValue(text: String, expected: String?) {
        #expect(Self.canonical("{\"n\":\(text)}") == expected.map { "{\"n\":\($0)}" })
    }

    @Test func numbersOfManyDigitsAreRoundedToTheNearestDouble() {
        let half = "9007199254740992" + String(repeating: "0", count: 20) + "1e-21"
        #expect(Self.canonical("{\"n\":\(half)}") == "{\"n\":9007199254740992}")
        // Halfway between two doubles, then a digit far behind that decides.
        let zeros = String(repeating: "0", count: 2_000)
        #expect(Self.canonical("{\"n\":1.00000000000000011102230246251565404236316680908203125}") == "{\"n\":1}")
        let above = "1.00000000000000011102230246251565404236316680908203125\(zeros)1"
        #expect(Self.canonical("{\"n\":\(above)}") == "{\"n\":1.0000000000000002}")
        #expect(Self.canonical("{\"n\":0.\(zeros)1e2001}") == "{\"n\":1}")
        #expect(Self.canonical("{\"n\":1\(zeros)e-2000}") == "{\"n\":1}")
    }

    @Test func randomDoublesKeepTheirValue() throws {
        var random = SeededRandom(seed: 21)
        for _ in 0..<20_000 {
            let value = Double(bitPattern: random.next())
            guard value.isFinite else { continue }
            let text = try #require(Self.canonical("{\"n\":\(value)}"))
            let read = try #require(Double(text.dropFirst(5).dropLast()))
            #expect(read == value)
            #expect(Self.canonical(text) == text)
        }
    }

    @Test func shortDecimalsAgreeWithTheStandardLibrary() throws {
        var random = SeededRandom(seed: 22)
        for _ in 0..<20_000 {
            let digits = random.next() % (1 << UInt64(1 + random.below(60)))
            let text = "\(digits)e\(random.below(80) - 60)"
            let canonical = try #require(Self.canonical("{\"n\":\(text)}"))
            #expect(Double(canonical.dropFirst(5).dropLast()) == Double(text), "\(text)")
            #expect(Self.canonical(canonical) == canonical)
        }
    }

    @Test(arguments: [
        (#"{"b":1,"a":2}"#, #"{"a":2,"b":1}"#),
        (#" { "a" : [ 1 , { "d" : null , "c" : true } , [ ] , { } ] } "#, #"{"a":[1,{"c":true,"d":null},[],{}]}"#),
        (#"{"aa":1,"a":2,"":3}"#, #"{"":3,"a":2,"aa":1}"#),
        ("{\"\u{e9}\":1,\"e\u{301}\":2,\"z\":3}", "{\"e\u{301}\":2,\"z\":3,\"\u{e9}\":1}"),
        (#"{"a.b":1,"a":{"b":2}}"#, #"{"a":{"b":2},"a.b":1}"#),
        (#"{"\u0041":1,"\/":2}"#, #"{"/":2,"A":1}"#),
        (##"{"\"":1,"!":2,"#":3}"##, ##"{"!":2,"\"":1,"#":3}"##),
        (#"{"[":1,"\\":2,"]":3}"#, #"{"[":1,"\\":2,"]":3}"#),
        (#"{"\n":1,"\u0001":2,"\u000B":3," ":4,"\t":5}"#, #"{"\u0001":2,"\t":5,"\n":1,"\u000b":3," ":4}"#),
        (
            #"{"s":"\u0000\u001f\u007f\u2028\ud83d\ude00\b\f\n\r\t\"\\\/"}"#,
            "{\"s\":\"\\u0000\\u001f\u{7f}\u{2028}\u{1F600}\\b\\f\\n\\r\\t\\\"\\\\/\"}"
        ),
        ("{\"\u{1F600}\":1,\"\u{FFFD}\":2}", "{\"\u{FFFD}\":2,\"\u{1F600}\":1}"),
        (#"{"a":1,"__proto__":{"x":1},"b":{"constructor":2,"prototype":[3]},"proto":4}"#, #"{"a":1,"b":{},"proto":4}"#),
        (#"{"\u005f_proto__":1}"#, "{}"),
    ])
    func objectsAreSortedAndEscapedOneWay(text: String, expected: String) {
        #expect(Self.canonical(text) == expected)
        #expect(Self.canonical(expected) == expected)
    }

    @Test(arguments: [
        #"{"a":1,"a":2}"#, #"{"b":1,"a":2,"b":3}"#, #"{"a":1,"\u0061":2}"#, #"{"x":{"c":1,"b":2,"c":3}}"#,
        #"{"__proto__":1,"__proto__":2}"#, #"{"__proto__":{"a":1,"a":2}}"#, #"{"a":1,}"#, #"{,}"#, #"{"a"}"#,
        #"{"a":}"#,
        #"{"a":[1,]}"#, #"{"a":[,1]}"#, #"{"a":[1 2]}"#, #"{"a":1 "b":2}"#, #"{a:1}"#, #"{'a':1}"#, #"{"a":tru}"#,
        #"{"a":nul}"#, #"{"a":"x}"#, #"{"a":"\x"}"#, #"{"a":"\u12"}"#, #"{"a":"\u12g4"}"#, #"{"a":"\ud800"}"#,
        #"{"a":"\udc00"}"#, #"{"a":"\ud800\u0041"}"#, #"{"a":"\ud800\ud800"}"#, "{\"a\":\"\n\"}", "{\"a\":\"\u{0}\"}",
        #"{"a":1}}"#, #"{"a":1} x"#, #"{"a":{"b":1}"#, "[1]", "1", "", " ", "{", "{\"a\":1}\u{0}", "\u{FEFF}{}",
        #"{"a":"\"#,
        #"{"a":"\u"#, #"{"a":"\ud83d\"#, #"{"a":-}"#, #"{"a":"#, "{\u{00A0}}", "{/**/}",
    ])
    func whatIsNotStrictJSONIsRefused(text: String) {
        #expect(Self.canonical(text) == nil)
    }

    @Test func limitsHoldExactly() {
        func object(keyCount: Int) -> String {
            "{" + (0..<keyCount).map { "\"k\($0)\":\($0)" }.joined(separator: ",") + "}"
        }
        func nested(_ depth: Int) -> String {
            String(repeating: "{\"a\":", count: depth - 1) + "{}" + String(repeating: "}", count: depth - 1)
        }
        func text(_ count: Int) -> String { "{\"a\":\"" + String(repeating: "x", count: count) + "\"}" }
        #expect(Self.canonical(object(keyCount: 50)) != nil)
        #expect(Self.canonical(object(keyCount: 51)) == nil)
        #expect(Self.canonical("{\"a\":\(object(keyCount: 50)),\"b\":\(object(keyCount: 50))}") != nil)
        #expect(Self.canonical("{\"a\":\(object(keyCount: 51))}") == nil)
        #expect(Self.canonical(nested(8)) != nil)
        #expect(Self.canonical(nested(9)) == nil)
        #expect(Self.canonical(nested(5_000)) == nil)
        #expect(
            Self.canonical("{\"a\":" + String(repeating: "[", count: 7) + String(repeating: "]", count: 7) + "}") != nil
        )
        #expect(
            Self.canonical("{\"a\":" + String(repeating: "[", count: 8) + String(repeating: "]", count: 8) + "}") == nil
        )
        #expect(Self.canonical(text(8_192)) != nil)
        #expect(Self.canonical(text(8_193)) == nil)
        let escaped = "{\"a\":\"" + String(repeating: "\\u0041", count: 8_192) + "\"}"
        #expect(Self.canonical(escaped)?.utf8.count == 8_200)
        // 65,536 bytes in all: braces, key, brackets, numbers, commas.
        let longest = "{\"a\":[" + String(repeating: "1,", count: 32_763) + "11]}"
        #expect(Self.canonical(longest)?.utf8.count == 65_536)
        #expect(Self.canonical("{\"a\":[" + String(repeating: "1,", count: 32_763) + "111]}") == nil)
    }
}
