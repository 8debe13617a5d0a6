/// HMAC-SHA-256 (RFC 2104): a hash that nobody can make or compare with guesses who does not have the key.
package struct HMACSHA256: Sendable {
    private static let blockByteCount = 64

    private let inner: [UInt8]
    private let outer: [UInt8]

    /// A key of any length; 32 random bytes are what it is made for.
    package init(key: [UInt8]) {
        var block = key.count > Self.blockByteCount ? SHA256.hash(key) : key
        block.append(contentsOf: repeatElement(0, count: Self.blockByteCount - block.count))
        inner = block.map { $0 ^ 0x36 }
        outer = block.map { $0 ^ 0x5C }
    }

    /// 32 bytes.
    package func code(of message: [UInt8]) -> [UInt8] {
        var hasher = SHA256Hasher()
        hasher.update(inner)
        hasher.update(message)
        let first = hasher.finish()
        hasher.update(outer)
        hasher.update(first)
        return hasher.finish()
    }
}
