import DaybookCrypto
import Testing

/// The test cases of RFC 4231 that fit SHA-256.
struct HMACTests {
    private static func bytes(_ hex: String) -> [UInt8] {
        stride(from: 0, to: hex.count, by: 2).map { offset in
            let start = hex.index(hex.startIndex, offsetBy: offset)
            return UInt8(hex[start..<hex.index(start, offsetBy: 2)], radix: 16)!
        }
    }

    @Test(
        arguments: [
            (
                [UInt8](repeating: 0x0B, count: 20), Array("Hi There".utf8),
                "b0344c61d8db38535ca8afceaf0bf12b881dc200c9833da726e9376c2e32cff7"
            ),
            (
                Array("Jefe".utf8), Array("what do ya want for nothing?".utf8),
                "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843"
            ),
            (
                [UInt8](repeating: 0xAA, count: 20), [UInt8](repeating: 0xDD, count: 50),
                "773ea91e36800e46854db8ebd09181a72959098b3ef8c122d9635514ced565fe"
            ),
            (
                [UInt8](repeating: 0xAA, count: 131),
                Array("Test Using Larger Than Block-Size Key - Hash Key First".utf8),
                "60e431591ee0b67f0d8a26aacbf5b77f8e0bc6213728c5140546040f0ee37f54"
            ),
        ] as [([UInt8], [UInt8], String)])
    func `the codes of RFC 4231 come out`(key: [UInt8], message: [UInt8], code: String) {
        #expect(HMACSHA256(key: key).code(of: message) == Self.bytes(code))
    }

    @Test func `other keys and other messages give other codes`() {
        let code = HMACSHA256(key: [1]).code(of: [2])
        #expect(HMACSHA256(key: [2]).code(of: [2]) != code)
        #expect(HMACSHA256(key: [1]).code(of: [3]) != code)
        #expect(HMACSHA256(key: [1]).code(of: [2]) == code)
    }
}
