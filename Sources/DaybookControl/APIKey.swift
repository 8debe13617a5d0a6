internal import DaybookCrypto
internal import DaybookFormat
package import DaybookSystem

/// An API key as its owner holds it: `dbk_`, 32 random bytes in base64url (43 characters), and a CRC-32C of all that
/// before in base64url (6 characters). The checksum tells a typing error from a wrong key without a look-up; it is no
/// secret and proves nothing.
package struct APIKey: Sendable, Equatable {
    package static let prefix = "dbk_"
    package static let randomByteCount = 32
    package static let textByteCount = 4 + 43 + 6

    package let text: String

    /// A new key from 32 bytes of the kernel's randomness.
    package init(entropy: any Entropy) {
        self.init(randomBytes: entropy.bytes(Self.randomByteCount))
    }

    /// Precondition: 32 bytes.
    package init(randomBytes: [UInt8]) {
        precondition(randomBytes.count == Self.randomByteCount)
        var bytes = Array(Self.prefix.utf8)
        Base64URL.append(randomBytes, to: &bytes)
        Base64URL.append(Self.checksum(of: bytes), to: &bytes)
        text = String(decoding: bytes, as: UTF8.self)
    }

    /// Nil unless the text has the form of a key and its checksum fits.
    package init?(parsing text: String) {
        let bytes = Array(text.utf8)
        guard Self.isWellFormed(bytes) else { return nil }
        self.text = text
    }

    /// Whether the bytes have the form of a key and the checksum fits.
    package static func isWellFormed(_ bytes: [UInt8]) -> Bool {
        guard bytes.count == textByteCount, bytes.starts(with: prefix.utf8) else { return false }
        guard bytes[4...].allSatisfy(Base64URL.isDigit) else { return false }
        var expected: [UInt8] = []
        Base64URL.append(checksum(of: Array(bytes[..<47])), to: &expected)
        return expected.elementsEqual(bytes[47...])
    }

    /// What the control log keeps instead of the key: the SHA-256 of its text.
    package var hash: [UInt8] { Self.hash(Array(text.utf8)) }

    package static func hash(_ bytes: [UInt8]) -> [UInt8] { SHA256.hash(bytes) }

    private static func checksum(of bytes: [UInt8]) -> [UInt8] {
        let sum = crc32c(bytes)
        return (0..<4).map { UInt8(truncatingIfNeeded: sum >> UInt32(24 - 8 * $0)) }
    }
}

/// RFC 4648 section 5, without padding. Only what keys need.
enum Base64URL {
    private static let alphabet = Array("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_".utf8)

    static func append(_ source: [UInt8], to bytes: inout [UInt8]) {
        var bits: UInt32 = 0
        var bitCount: UInt32 = 0
        for byte in source {
            bits = bits << 8 | UInt32(byte)
            bitCount += 8
            while bitCount >= 6 {
                bitCount -= 6
                bytes.append(alphabet[Int(bits >> bitCount & 63)])
            }
        }
        if bitCount > 0 { bytes.append(alphabet[Int(bits << (6 - bitCount) & 63)]) }
    }

    static func isDigit(_ byte: UInt8) -> Bool {
        switch byte {
        case UInt8(ascii: "A")...UInt8(ascii: "Z"), UInt8(ascii: "a")...UInt8(ascii: "z"),
            UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "-"), UInt8(ascii: "_"):
            true
        default: false
        }
    }
}
