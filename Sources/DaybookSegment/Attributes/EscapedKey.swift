private import DaybookEvent
private import DaybookFormat

/// Keys of canonical objects, escaped as they stand there. Their order is that of the unescaped bytes.
enum EscapedKey {
    /// Below zero when `left` stands first, zero when they are the same key.
    static func compare(_ left: some Sequence<UInt8>, _ right: some Sequence<UInt8>) -> Int {
        let left = Array(left)
        let right = Array(right)
        if left == right { return 0 }
        guard left.contains(UInt8(ascii: "\\")) || right.contains(UInt8(ascii: "\\")) else {
            return left.lexicographicallyPrecedes(right) ? -1 : 1
        }
        return unescaped(left).lexicographicallyPrecedes(unescaped(right)) ? -1 : 1
    }

    static func unescaped(_ key: [UInt8]) -> [UInt8] {
        guard key.contains(UInt8(ascii: "\\")) else { return key }
        var bytes: [UInt8] = []
        key.withRawSpan { CanonicalScanner.appendUnescaped($0, 0..<key.count, to: &bytes) }
        return bytes
    }

    /// The text of a member up to its value: the key in quotes, and a colon.
    static func literal(_ key: [UInt8]) -> [UInt8] {
        var bytes: [UInt8] = [UInt8(ascii: "\"")]
        CanonicalScanner.appendEscaped(key, to: &bytes)
        bytes += [UInt8(ascii: "\""), UInt8(ascii: ":")]
        return bytes
    }
}
