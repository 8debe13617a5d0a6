internal import DaybookFormat

/// The tokens of text: runs of ASCII letters, digits and bytes of other characters, letters in lower case, cut after 64
/// bytes. Spec: docs/format/index.md, "Tokens".
package enum TextTokens {
    package static let byteCountMax = 64

    /// The tokens of plain text in its order, repeated ones too.
    package static func of(_ text: [UInt8]) -> [[UInt8]] {
        var tokens: [[UInt8]] = []
        unsafe text.withUnsafeBytes { bytes in
            unsafe forEach(in: bytes, isEscaped: false) { token in unsafe tokens.append(Array(token)) }
        }
        return tokens
    }

    /// The tokens of the string values of canonical JSON, keys left out.
    package static func ofStrings(inJSON json: [UInt8]) -> [[UInt8]] {
        var tokens: [[UInt8]] = []
        unsafe json.withUnsafeBytes { bytes in
            unsafe forEachString(inJSON: 0..<bytes.count, of: bytes) { range in
                let string = unsafe UnsafeRawBufferPointer(rebasing: bytes[range])
                unsafe forEach(in: string, isEscaped: true) { token in unsafe tokens.append(Array(token)) }
            }
        }
        return tokens
    }

    /// Calls `body` with each token.
    /// - Parameter isEscaped: the text is a canonical JSON string between its quotes. What canonical JSON escapes
    ///   belongs to no token, so an escape parts tokens.
    @inline(__always)
    static func forEach(
        in text: UnsafeRawBufferPointer, isEscaped: Bool, _ body: (UnsafeRawBufferPointer) -> Void
    ) {
        unsafe withUnsafeTemporaryAllocation(byteCount: byteCountMax, alignment: 8) { buffer in
            var count = 0
            var offset = 0
            while offset < text.count {
                let byte = unsafe text[offset]
                offset &+= 1
                let folded = lowerCase(byte)
                if folded != 0 {
                    if count < byteCountMax { unsafe buffer[count] = folded }
                    count &+= 1
                    continue
                }
                if count > 0 {
                    unsafe body(UnsafeRawBufferPointer(rebasing: buffer[0..<min(count, byteCountMax)]))
                    count = 0
                }
                if isEscaped, byte == UInt8(ascii: "\\"), offset < text.count {
                    offset &+= unsafe text[offset] == UInt8(ascii: "u") ? 5 : 1
                }
            }
            if count > 0 { unsafe body(UnsafeRawBufferPointer(rebasing: buffer[0..<min(count, byteCountMax)])) }
        }
    }

    /// The byte as it stands in a token; 0 when it parts tokens.
    @inline(__always)
    private static func lowerCase(_ byte: UInt8) -> UInt8 {
        let folded = byte | 0x20
        if byte >= 0x80 || byte &- UInt8(ascii: "0") < 10 { return byte }
        return folded &- UInt8(ascii: "a") < 26 ? folded : 0
    }

    /// Calls `body` with each string value of the JSON that stands at `json` in `bytes`, still escaped and without its
    /// quotes. A string before a colon is a key.
    @inline(__always)
    static func forEachString(
        inJSON json: Range<Int>, of bytes: UnsafeRawBufferPointer, _ body: (Range<Int>) -> Void
    ) {
        precondition(json.lowerBound >= 0 && json.upperBound <= bytes.count)
        var offset = json.lowerBound
        while offset < json.upperBound {
            offset &+= 1
            guard unsafe bytes[offset &- 1] == UInt8(ascii: "\"") else { continue }
            let start = offset
            let end = unsafe endOfString(in: bytes, from: start, to: json.upperBound)
            offset = end &+ 1
            if offset < json.upperBound, unsafe bytes[offset] == UInt8(ascii: ":") { continue }
            body(start..<end)
        }
    }

    /// Where the closing quote of a string stands, or `limit` when there is none before. Precondition: within `bytes`.
    @inline(__always)
    private static func endOfString(in bytes: UnsafeRawBufferPointer, from start: Int, to limit: Int) -> Int {
        var offset = start
        while offset < limit {
            // Eight bytes at once, while there are as many.
            while offset &+ 8 <= limit {
                let word = unsafe bytes.loadUnaligned(fromByteOffset: offset, as: UInt64.self)
                let found = zeroBytes(word ^ 0x2222_2222_2222_2222) | zeroBytes(word ^ 0x5C5C_5C5C_5C5C_5C5C)
                if found != 0 {
                    offset &+= UInt64(littleEndian: found).trailingZeroBitCount / 8
                    break
                }
                offset &+= 8
            }
            while offset < limit {
                let byte = unsafe bytes[offset]
                if byte == UInt8(ascii: "\"") { return offset }
                offset &+= 1
                if byte == UInt8(ascii: "\\") {
                    offset &+= 1
                    break
                }
            }
        }
        return limit
    }

    /// The highest bit of every byte that is 0, and of no other.
    @inline(__always)
    private static func zeroBytes(_ word: UInt64) -> UInt64 {
        let low: UInt64 = 0x7F7F_7F7F_7F7F_7F7F
        return ~(((word & low) &+ low) | word | low)
    }
}
