import DaybookTestSupport
import Testing

@testable import DaybookSegment

/// Tokens as a plain reading of the page has them: slow, and not by the code under test.
enum PlainTokens {
    static func of(_ text: [UInt8]) -> [[UInt8]] {
        let letters = text.map { byte -> UInt8? in
            switch byte {
            case UInt8(ascii: "A")...UInt8(ascii: "Z"): byte + 32
            case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "0")...UInt8(ascii: "9"), 0x80...: byte
            default: nil
            }
        }
        return letters.split(separator: nil).map { Array($0.compactMap { $0 }.prefix(64)) }
    }

    static func ofStrings(in value: ParsedJSON) -> [[UInt8]] {
        switch value {
        case .text(let text): of(text)
        case .array(let elements): elements.flatMap(ofStrings)
        case .object(let members): members.values.flatMap(ofStrings)
        default: []
        }
    }
}

struct TextTokensTests {
    private func tokens(_ text: String) -> [String] {
        TextTokens.of(Array(text.utf8)).map { String(decoding: $0, as: UTF8.self) }
    }

    private func tokens(inJSON json: String) -> [String] {
        TextTokens.ofStrings(inJSON: Array(json.utf8)).map { String(decoding: $0, as: UTF8.self) }
    }

    @Test func `the examples of the page hold`() {
        #expect(tokens("Timed out after 120000 ms") == ["timed", "out", "after", "120000", "ms"])
        #expect(tokens("feature/login_v2") == ["feature", "login", "v2"])
        #expect(tokens("Größe: 3×4") == ["größe", "3×4"])
    }

    @Test func `text without letters has no tokens`() {
        #expect(tokens("").isEmpty)
        #expect(tokens(" -_/@[`{\u{7F}\0").isEmpty)
    }

    @Test func `a long run is cut after 64 bytes and does not begin another token`() {
        let long = String(repeating: "a", count: 100)
        #expect(tokens("x \(long) y") == ["x", String(repeating: "a", count: 64), "y"])
        #expect(tokens(long) == [String(repeating: "a", count: 64)])
    }

    @Test func `keys, numbers and truth values are no texts`() {
        let json = #"{"key":"one","n":12,"o":{"inner":["two",{"deep":"three"},true,null]},"p":"four"}"#
        #expect(tokens(inJSON: json) == ["one", "two", "three", "four"])
    }

    @Test func `escapes part tokens and lend no letters`() {
        #expect(tokens(inJSON: #"{"k":"a\nb\u001fc\"d\\e"}"#) == ["a", "b", "c", "d", "e"])
        #expect(tokens(inJSON: #"["x\\","y:z"]"#) == ["x", "y", "z"])
    }

    @Test func `a string that ends too early is taken as far as it goes`() {
        for json in [#"{"k":"ab"#, #"{"k":"ab\"#, #"{"k":"ab\u00"#] { #expect(tokens(inJSON: json) == ["ab"]) }
        #expect(tokens(inJSON: "\"").isEmpty)
    }

    @Test func `any bytes give the tokens of a plain reading`() {
        var random = SeededRandom(seed: 5)
        let letters = Array("aZ09 -\u{7F}@[`{/:\0é".utf8)
        for _ in 0..<2_000 {
            let text = (0..<random.below(200)).map { _ in
                random.oneIn(20) ? UInt8(random.below(256)) : letters[random.below(letters.count)]
            }
            #expect(TextTokens.of(text) == PlainTokens.of(text))
        }
    }
}
