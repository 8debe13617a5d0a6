package import DaybookFormat

/// What may be told of a key that signs access tokens.
package struct SigningKeySummary: Sendable, Equatable {
    /// What tokens and the key set call it.
    package var name: String
    package var algorithm: SigningAlgorithm
    package var madeAt: Timestamp
    /// Nil while it signs; then, when the last token that it signed has ended.
    package var verifiesUntil: Timestamp?

    /// The keys of a signing keys file, the oldest first. Nothing else of it gets out.
    /// - Throws: when the file is not sound.
    package static func all(reading bytes: RawSpan) throws(FormatError) -> [SigningKeySummary] {
        try SigningKeysFile(reading: bytes).keys.map { key in
            SigningKeySummary(
                name: key.name, algorithm: key.algorithm, madeAt: key.madeAt, verifiesUntil: key.verifiesUntil)
        }
    }
}
