internal import DaybookFormat

/// The public names of tokens: what the audit trail, lists and revocations call them. None of them opens anything.
///
/// | name | what |
/// | --- | --- |
/// | `tok_` 16 digits `_` id of the key | an access token of this store; its claim `jti` |
/// | `grant_` 16 digits `_` id of the key | the refresh tokens that follow each other |
/// | `ext_` name of the issuer `_` 16 digits | an access token of an external issuer |
enum TokenIdentifier: Equatable {
    case access(number: UInt64, keyID: String)
    case grant(number: UInt64, keyID: String)
    case external(issuer: String, number: UInt64)

    private static let byteCountMax = 255
    private static let digitCount = 16

    var text: String {
        switch self {
        case .access(let number, let keyID): "tok_\(hexText(number))_\(keyID)"
        case .grant(let number, let keyID): "grant_\(hexText(number))_\(keyID)"
        case .external(let issuer, let number): "ext_\(issuer)_\(hexText(number))"
        }
    }

    init?(_ text: String) {
        guard text.utf8.count <= Self.byteCountMax else { return nil }
        if text.hasPrefix("ext_") {
            let rest = text.dropFirst(4)
            guard let line = rest.lastIndex(of: "_"), line > rest.startIndex,
                let number = hexNumber(rest[rest.index(after: line)...])
            else { return nil }
            self = .external(issuer: String(rest[..<line]), number: number)
            return
        }
        let isGrant = text.hasPrefix("grant_")
        guard isGrant || text.hasPrefix("tok_") else { return nil }
        let rest = text.dropFirst(isGrant ? 6 : 4)
        let keyID = rest.dropFirst(Self.digitCount)
        guard let number = hexNumber(rest.prefix(Self.digitCount)), keyID.hasPrefix("_"), keyID.count > 1 else {
            return nil
        }
        let owner = String(keyID.dropFirst())
        self = isGrant ? .grant(number: number, keyID: owner) : .access(number: number, keyID: owner)
    }
}
