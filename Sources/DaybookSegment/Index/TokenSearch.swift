internal import DaybookFormat

/// Looks for a few tokens in the texts of events, as the index understands texts: the same tokens, the same letters.
package struct TokenSearch: Hashable, Sendable {
    package static let tokenCountMax = 16

    /// Distinct, in the order of the text.
    package let tokens: [[UInt8]]

    /// Nil when the text has no token, or more than `tokenCountMax`.
    package init?(_ text: [UInt8]) {
        var tokens: [[UInt8]] = []
        for token in TextTokens.of(text) where !tokens.contains(token) { tokens.append(token) }
        guard (1...Self.tokenCountMax).contains(tokens.count) else { return nil }
        self.tokens = tokens
    }

    /// A bit for each token.
    package var all: UInt32 { UInt32(truncatingIfNeeded: (1 as UInt64) << UInt64(tokens.count) - 1) }

    /// The bits of the tokens that stand in plain text.
    package func found(inText text: RawSpan) -> UInt32 {
        unsafe text.withUnsafeBytes { bytes in unsafe found(in: bytes, isEscaped: false) }
    }

    /// The bits of the tokens that stand in string values of canonical JSON; keys do not count.
    package func found(inJSON json: RawSpan) -> UInt32 {
        unsafe json.withUnsafeBytes { bytes in
            var bits: UInt32 = 0
            unsafe TextTokens.forEachString(inJSON: 0..<bytes.count, of: bytes) { range in
                let string = unsafe UnsafeRawBufferPointer(rebasing: bytes[range])
                bits |= unsafe found(in: string, isEscaped: true)
            }
            return bits
        }
    }

    private func found(in text: UnsafeRawBufferPointer, isEscaped: Bool) -> UInt32 {
        var bits: UInt32 = 0
        unsafe TextTokens.forEach(in: text, isEscaped: isEscaped) { token in
            for position in tokens.indices where unsafe Self.isEqual(tokens[position], token) {
                bits |= 1 &<< UInt32(truncatingIfNeeded: position)
            }
        }
        return bits
    }

    @inline(__always)
    private static func isEqual(_ wanted: [UInt8], _ token: UnsafeRawBufferPointer) -> Bool {
        guard wanted.count == token.count else { return false }
        for offset in 0..<wanted.count where unsafe wanted[offset] != token[offset] { return false }
        return true
    }
}
