/// How access tokens are signed, by the names of RFC 7518. A key has one of them, from its file; what a token says of
/// itself is compared with that and chooses nothing.
package enum SigningAlgorithm: String, Sendable, CaseIterable {
    case rs256 = "RS256"
    case es256 = "ES256"
    case edDSA = "EdDSA"

    /// In docs/format/tokens.md: never renumber.
    var number: UInt8 {
        switch self {
        case .rs256: 1
        case .es256: 2
        case .edDSA: 3
        }
    }
}
