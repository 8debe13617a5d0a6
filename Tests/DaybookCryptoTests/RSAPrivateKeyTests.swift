import DaybookCrypto
import Testing

struct RSAPrivateKeyTests {
    /// The outer form of PKCS #1: a sequence of version 0, a modulus of 257 bytes whose first is the sign, and so on.
    @Test func aKeyHasTheFormAndTheLengthOfItsKind() {
        let key = RSAPrivateKey.make()
        #expect(key.starts(with: [0x30, 0x82]))
        #expect(Int(key[2]) << 8 | Int(key[3]) == key.count - 4)
        #expect(key[4..<12].elementsEqual([0x02, 0x01, 0x00, 0x02, 0x82, 0x01, 0x01, 0x00]))
        #expect(key[12] & 0x80 != 0)
        // The public exponent stands behind the modulus.
        #expect(key[268..<273].elementsEqual([0x02, 0x03, 0x01, 0x00, 0x01]))
    }

    @Test func noTwoKeysAreTheSame() { #expect(RSAPrivateKey.make() != RSAPrivateKey.make()) }
}
