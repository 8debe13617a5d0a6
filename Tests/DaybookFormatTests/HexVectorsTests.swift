import DaybookTestSupport
import Testing

/// The loader of the examples, on pages made for the purpose.
struct HexVectorsTests {
    @Test func bytesAndTheirMeaningAreOneVector() throws {
        let page = """
            Text before.

            ```hex name=first
            00 11 2233   # a comment
            ff           # in either case FF
            ```
            ```json name=first
            {"value": 7}
            ```
            """
        let vectors = try HexVectors.parse(page)
        #expect(vectors.count == 1)
        #expect(vectors[0].name == "first")
        #expect(vectors[0].bytes == [0x00, 0x11, 0x22, 0x33, 0xFF])
        #expect(try vectors[0].fields()["value"]?.unsigned == 7)
    }

    @Test func theMeaningMayBeMissing() throws {
        let vectors = try HexVectors.parse("```hex name=a\n01\n```\n```hex name=b\n02\n```\n```json name=b\n{}\n```")
        #expect(vectors.map(\.name) == ["a", "b"])
        #expect(vectors[0].json.isEmpty)
        #expect(throws: ParsedJSON.Mistake.self) { try vectors[0].fields() }
        #expect(!vectors[1].json.isEmpty)
    }

    @Test func blocksOfOtherLanguagesAreNotVectors() throws {
        let vectors = try HexVectors.parse("```\nplain\n```\n```json\n{}\n```\n```hex name=a\n01\n```\n```sh\nls\n```")
        #expect(vectors.map(\.name) == ["a"])
    }

    @Test(arguments: [
        ("```hex name=a\n0\n```", HexVectors.PageError.badHex(line: 2)),
        ("```hex name=a\n00\n0g\n```", .badHex(line: 3)),
        ("```hex name=a\n+1\n```", .badHex(line: 2)),
        ("```hex name=a\n# nothing\n```", .badHex(line: 1)),
        ("```hex\n00\n```", .badFence(line: 1)),
        ("```hex name=\n00\n```", .badFence(line: 1)),
        ("```hex name=a more\n00\n```", .badFence(line: 1)),
        ("```hex name=a\n00\n", .unclosedFence(line: 1)),
        ("```hex name=a\n00\n```\n```hex name=a\n00\n```", .duplicateName("a", line: 4)),
        ("```json name=a\n{}\n```", .withoutBytes("a", line: 1)),
        ("```hex name=a\n00\n```\n```json name=b\n{}\n```", .withoutBytes("b", line: 4)),
        ("```hex name=a\n00\n```\n```sh\nls\n```\n```json name=a\n{}\n```", .withoutBytes("a", line: 7)),
        ("no fences at all", .noVectors),
    ])
    func aMistakeOnThePageIsFoundWithItsLine(page: String, expected: HexVectors.PageError) {
        #expect(throws: expected) { try HexVectors.parse(page) }
    }

    @Test func aMissingPageIsAnError() {
        #expect(throws: HexVectors.PageError.unreadable(page: "docs/format/missing.md")) {
            try HexVectors.load(page: "docs/format/missing.md")
        }
    }
}

struct ParsedJSONTests {
    @Test func valuesOfEveryKindAreRead() throws {
        let text =
            #" {"a": [1, -2.5e3, true, false, null], "b": {"c": "x\n\u00e9\ud83d\ude00"}, "d": 18446744073709551615} "#
        let value = try ParsedJSON(parsing: Array(text.utf8))
        #expect(value["a"]?.elements?.count == 5)
        #expect(value["a"]?[0]?.integer == 1)
        #expect(value["a"]?[1]?.double == -2500)
        #expect(value["a"]?[2]?.boolean == true)
        #expect(value["a"]?[4] == .null)
        #expect(value["b"]?["c"]?.string == "x\n\u{E9}\u{1F600}")
        #expect(value["d"]?.unsigned == .max)
    }

    @Test func composedAndDecomposedKeysAreTwoKeys() throws {
        let value = try ParsedJSON(parsing: Array("{\"\u{E9}\": 1, \"e\u{301}\": 2}".utf8))
        #expect(value.members?.count == 2)
    }

    @Test(arguments: [
        "", "{", "[1,]", "{\"a\":1,}", "{\"a\" 1}", "{\"a\":1,\"a\":2}", "01", "1.", "1e", "+1", "tru", "\"\\x\"",
        "\"\\ud800\"",
        "\"\\u12\"", "\"open", "\"\u{1}\"", "1 2", "nul", "-",
    ])
    func whatIsNotJSONIsRefused(text: String) {
        #expect(throws: ParsedJSON.Mistake.self) { try ParsedJSON(parsing: Array(text.utf8)) }
    }
}
