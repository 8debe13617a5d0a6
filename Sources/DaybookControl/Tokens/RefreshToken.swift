internal import DaybookCrypto

/// A refresh token: `dbr_`, then in base64url (59 characters) the number of its grant, its own number in the grant and an
/// HMAC-SHA-256 of these and the id of the key, then that id.
///
/// Nothing of it is stored. Whatever it says is this store's word because of the code; the control log tells which number
/// of a grant may be used, so that every earlier one is known to have been used when it comes again.
struct RefreshToken: Equatable {
    static let prefix = "dbr_"
    private static let textByteCountMax = 512
    private static let bodyByteCount = 8 + 4 + 32
    private static let digitCount = 59

    let grant: UInt64
    let number: UInt32
    let keyID: String
    let text: String

    init(grant: UInt64, number: UInt32, keyID: String, code: HMACSHA256) {
        self.grant = grant
        self.number = number
        self.keyID = keyID
        let head = Self.head(grant, number)
        text = Self.prefix + Base64URL.text(head + code.code(of: Self.message(head, keyID))) + keyID
    }

    /// Nil unless the code is right. Complexity: one HMAC.
    init?(parsing text: String, code: HMACSHA256) {
        let bytes = Array(text.utf8)
        let start = Self.prefix.utf8.count
        guard bytes.count <= Self.textByteCountMax, bytes.count > start + Self.digitCount,
            bytes.starts(with: Self.prefix.utf8),
            let body = Base64URL.decode(bytes[start..<start + Self.digitCount]), body.count == Self.bodyByteCount
        else { return nil }
        let keyID = String(decoding: bytes[(start + Self.digitCount)...], as: UTF8.self)
        let head = Array(body[..<12])
        guard constantTimeEquals(Array(body[12...]), code.code(of: Self.message(head, keyID))) else { return nil }
        grant = head[..<8].reduce(0) { $0 << 8 | UInt64($1) }
        number = head[8...].reduce(0) { $0 << 8 | UInt32($1) }
        self.keyID = keyID
        self.text = text
    }

    /// Most significant byte first.
    private static func head(_ grant: UInt64, _ number: UInt32) -> [UInt8] {
        (0..<8).map { UInt8(truncatingIfNeeded: grant >> UInt64(56 - 8 * $0)) }
            + (0..<4).map { UInt8(truncatingIfNeeded: number >> UInt32(24 - 8 * $0)) }
    }

    private static func message(_ head: [UInt8], _ keyID: String) -> [UInt8] {
        Array("daybook refresh token ".utf8) + head + Array(keyID.utf8)
    }
}
