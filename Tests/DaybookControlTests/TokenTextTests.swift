import DaybookFormat
import DaybookTestSupport
import Testing

@testable import DaybookControl

/// Tokens taken apart, and the strict base64url under them.
@Suite struct TokenTextTests {
    @Test(arguments: 0..<200 as Range<UInt64>)
    func bytesHaveOneSpelling(seed: UInt64) {
        var random = SeededRandom(seed: seed)
        let bytes = (0..<random.below(70)).map { _ in UInt8(random.below(256)) }
        let text = Base64URL.text(bytes)
        #expect(Base64URL.decode(Array(text.utf8)) == bytes)
        #expect(Base64URL.text(ofBase64: Base64URL.base64(bytes)) == text)
        #expect(Base64URL.base64(bytes).utf8.count.isMultiple(of: 4))
        // Any other last digit either is another text, or leaves bits over.
        guard let last = text.utf8.last, bytes.count % 3 != 0 else { return }
        for digit in "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_".utf8 where digit != last {
            #expect(Base64URL.decode(Array(text.utf8.dropLast()) + [digit]) != bytes)
        }
    }

    @Test(arguments: ["A", "AAAAA", "AA=", "AA==", "AB", "AAB", "+A", "/A", "A A", "AA\n", "ÄA"])
    func otherSpellingsAreRefused(text: String) { #expect(Base64URL.decode(Array(text.utf8)) == nil) }

    @Test(arguments: [
        "", ".", "..", "...", "a.b.c", "e30.e30.e30", "e30.e30.", "dbk_x", "bnVsbA.bnVsbA.AAAA",
        "eyJhbGciOiJSUzI1NiJ9.e30.AAAA", "eyJraWQiOiIxIiwidHlwIjoiSldUIn0.e30.AAAA",
    ])
    func whatIsNoTokenIsNone(text: String) { #expect(TokenText(Array(text.utf8)) == nil) }

    @Test(arguments: 0..<300 as Range<UInt64>)
    func anyBytesAreRefusedWithoutATrap(seed: UInt64) {
        var random = SeededRandom(seed: seed)
        let alphabet = Array("eyJhbGciOiJ9.e30.AAAA-_=\"{}\u{0}\u{FF}".utf8)
        let bytes = (0..<random.below(400)).map { _ in alphabet[random.below(alphabet.count)] }
        _ = TokenText(bytes)
        _ = TokenText([UInt8](repeating: UInt8(ascii: "."), count: random.below(9_000)))
        #expect(TokenText(bytes + bytes + Array(".".utf8)) == nil)
    }

    @Test func namesOfTokensAreReadBack() {
        for name in [
            TokenIdentifier.access(number: 1, keyID: "key_0000000000000001"), .grant(number: .max, keyID: "k_1"),
            .external(issuer: "corp-1", number: 7),
        ] { #expect(TokenIdentifier(name.text) == name) }
        for text in [
            "", "tok_", "tok_0000000000000001", "tok_0000000000000001_", "tok_000000000000000X_k", "grant_1_k",
            "ext_corp", "ext__0000000000000001", "ext_corp_000000000000000G", "key_0000000000000001",
            "tok_0000000000000001_" + String(repeating: "k", count: 300),
        ] { #expect(TokenIdentifier(text) == nil, "\(text)") }
    }
}
