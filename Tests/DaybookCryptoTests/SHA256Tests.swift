import DaybookCrypto
import Testing

struct SHA256Tests {
    private func hexadecimal(_ bytes: [UInt8]) -> String {
        bytes.map { String($0 >> 4, radix: 16) + String($0 & 15, radix: 16) }.joined()
    }

    /// FIPS 180-4 and NIST's short messages.
    private static let vectors = [
        ("", "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"),
        ("abc", "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"),
        (
            "abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq",
            "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1"
        ),
    ]

    @Test(arguments: vectors)
    func theStandardVectorsHold(text: String, expected: String) {
        #expect(hexadecimal(SHA256.hash(Array(text.utf8))) == expected)
    }

    @Test func aMillionLettersHashAsTheStandardSays() {
        let expected = "cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0"
        var hasher = SHA256Hasher()
        let part = [UInt8](repeating: UInt8(ascii: "a"), count: 1_000)
        for _ in 0..<1_000 { hasher.update(part) }
        #expect(hexadecimal(hasher.finish()) == expected)
    }

    @Test(arguments: [0, 1, 55, 56, 63, 64, 65, 199, 200])
    func theWayOfCuttingDoesNotMatter(cut: Int) {
        let bytes = (0..<200).map { UInt8($0) }
        var hasher = SHA256Hasher()
        hasher.update(Array(bytes[..<cut]))
        hasher.update(Array(bytes[cut...]))
        #expect(hasher.finish() == SHA256.hash(bytes))
    }

    @Test func aFinishedHasherStartsAnew() {
        var hasher = SHA256Hasher()
        hasher.update([1, 2, 3])
        let first = hasher.finish()
        hasher.update([1, 2, 3])
        #expect(hasher.finish() == first)
        #expect(hasher.finish() == SHA256.hash([]))
    }

    @Test func equalSecretsAreEqual() {
        #expect(constantTimeEquals([], []))
        #expect(constantTimeEquals([1, 2, 3], [1, 2, 3]))
        #expect(!constantTimeEquals([1, 2, 3], [1, 2, 4]))
        #expect(!constantTimeEquals([0, 2, 3], [1, 2, 3]))
        #expect(!constantTimeEquals([1, 2], [1, 2, 3]))
    }
}
