import Testing

@testable import DaybookControl

@Suite struct ConfigurationDocumentTests {
    private func entries(_ text: String) -> [ConfigurationDocument.Entry] {
        let document = ConfigurationDocument(parsing: Array(text.utf8))
        #expect(document.problems == [], "\(text)")
        return document.entries
    }

    static let values: [(text: String, value: ConfigurationValue)] = [
        ("0", .integer(0)), ("-0", .integer(0)), ("+17", .integer(17)), ("1_000_000", .integer(1_000_000)),
        ("0xdead_BEEF", .integer(0xDEAD_BEEF)), ("0o17", .integer(15)), ("0b101", .integer(5)), ("0x00", .integer(0)),
        ("9223372036854775807", .integer(.max)), ("-9223372036854775808", .integer(.min)),
        ("true", .boolean(true)), ("false", .boolean(false)),
        ("\"\"", .text("")), (#""a b""#, .text("a b")), ("''", .text("")), (#"'C:\path'"#, .text(#"C:\path"#)),
        ("\"# in a text\"", .text("# in a text")), (#""\"\\\t\n\u00e9\U0001F600""#, .text("\"\\\t\n\u{e9}\u{1F600}")),
        ("\"é\"", .text("é")), ("7 # a comment", .integer(7)), ("7# a comment", .integer(7)), ("\t7\t", .integer(7)),
    ]

    @Test(arguments: values)
    func aValueIsRead(text: String, value: ConfigurationValue) {
        #expect(entries("key = \(text)") == [.init(name: "key", value: value, line: 1)])
    }

    static let wrongLines: [(text: String, message: String)] = [
        ("key", "A setting is written name = value."), ("key =", "There is no value behind the equals sign."),
        ("key = # nothing", "There is no value behind the equals sign."), ("= 1", "A line is empty"),
        ("key = 1 2", "Behind the value there may only be a comment"), ("key = word", "A value is an integer"),
        ("key = 1.5", "A value is an integer"), ("key = 1e3", "A value is an integer"),
        ("key = 007", "A value is an integer"), ("key = 1__0", "A value is an integer"),
        ("key = _1", "A value is an integer"), ("key = 1_", "A value is an integer"),
        ("key = 0x", "A value is an integer"), ("key = -0x1", "A value is an integer"),
        ("key = +", "A value is an integer"), ("key = True", "A value is an integer"),
        ("key = 2026-11-22", "A value is an integer"), ("key = \u{664}", "A value is an integer"),
        ("key = 9223372036854775808", "The number does not fit 64 bits."), ("key = [1]", "Arrays are not used here."),
        ("key = {a = 1}", "Inline tables are not used here"), ("key = \"\"\"a\"\"\"", "Texts of several lines"),
        ("key = '''a'''", "Texts of several lines"), ("key = \"a", "The closing quotation mark is missing."),
        ("key = 'a", "The closing quotation mark is missing."),
        ("key = \"a\\", "The closing quotation mark is missing."),
        (#"key = "\x41""#, "A backslash begins no such escape"), (#"key = "\u12""#, "hexadecimal digits"),
        (#"key = "\ud800""#, "hexadecimal digits"), (#"key = "\u+123""#, "hexadecimal digits"),
        ("\"key\" = 1", "Names stand without quotation marks"), ("[section", "A section is a name in brackets"),
        ("[]", "A line is empty"), ("[[list]]", "Arrays of tables"), ("[a] b", "Behind the value"),
        ("a..b = 1", "A line is empty"), ("ключ = 1", "A line is empty"), ("key = \"\u{1}\"", "control character"),
        ("# \u{7F}", "control character"),
    ]

    @Test(arguments: wrongLines)
    func aWrongLineIsNamedAndTheOthersAreRead(text: String, message: String) throws {
        let document = ConfigurationDocument(parsing: Array("first = 1\n\(text)\nlast = 2\n".utf8))
        let problem = try #require(document.problems.first, "\(text)")
        #expect(document.problems.count == 1)
        #expect(problem.line == 2)
        #expect(problem.message.contains(message), "\(text): \(problem.message)")
        #expect(document.entries.first == .init(name: "first", value: .integer(1), line: 1))
    }

    @Test func sectionsAndPointsMakeNames() {
        let text = "top = 1\n\n[ a . b ] # here\nc = 2\r\nd.e = 3\n[f]\ng = 4"
        #expect(entries(text).map(\.name) == ["top", "a.b.c", "a.b.d.e", "f.g"])
        #expect(entries(text).map(\.line) == [1, 4, 5, 7])
    }

    @Test func whatIsSetTwiceIsAProblem() {
        let document = ConfigurationDocument(parsing: Array("[a]\nb = 1\nb = 2\n[c]\n[a]\nb = 3".utf8))
        #expect(
            document.problems == [
                .init(line: 3, message: "a.b is set twice, first in line 2."),
                .init(line: 5, message: "[a] begins twice, first in line 1."),
                .init(line: 6, message: "a.b is set twice, first in line 2."),
            ])
    }

    @Test func aSectionThatPointsHaveBegunHasNoHeader() {
        let document = ConfigurationDocument(parsing: Array("a.b = 1\na.c = 2\n[a]\nd = 3".utf8))
        #expect(document.problems == [.init(line: 3, message: "[a] begins twice, first in line 1.")])
    }

    @Test func keysBehindAnUnreadableSectionAreNotReportedUnderAWrongName() {
        let document = ConfigurationDocument(parsing: Array("[a\nb = 1\n[c]\nd = 2".utf8))
        #expect(document.problems.map(\.line) == [1])
        #expect(document.entries == [.init(name: "c.d", value: .integer(2), line: 4)])
    }

    @Test func bytesThatAreNoTextAreAProblem() {
        let document = ConfigurationDocument(parsing: Array("a = \"".utf8) + [0xFF] + Array("\"\nb = 1".utf8))
        #expect(document.problems == [.init(line: 1, message: "The line is not UTF-8.")])
        #expect(document.entries.map(\.name) == ["b"])
    }
}
