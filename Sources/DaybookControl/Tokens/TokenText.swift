internal import DaybookFormat

/// A token taken apart, before anything in it is believed: three parts in strict base64url, header and claims one JSON
/// object each without duplicate keys, and nothing in the header that asks for more than a plain signature.
package struct TokenText {
    package static let byteCountMax = 8 << 10
    private static let nameByteCountMax = 255
    /// Header fields that change what is signed, or that promise more than is done here. `jku`, `x5u`, `jwk`, `x5c` and
    /// their like are only passed over: keys come from files that somebody configured.
    private static let refusedFields: Set<String> = ["crit", "b64", "enc", "zip", "cty"]

    /// As the header names it.
    let algorithm: String
    let keyName: String
    /// In lower case, without `application/`.
    let type: String
    let claims: ControlDocument
    /// Header and claims as they were signed.
    let signed: [UInt8]
    let signature: [UInt8]

    /// Whether a credential is one at all. API keys have no point.
    package static func isToken(_ bytes: [UInt8]) -> Bool { bytes.contains(UInt8(ascii: ".")) }

    /// Nil for anything that is no token of this form.
    init?(_ bytes: [UInt8]) {
        guard bytes.count <= Self.byteCountMax else { return nil }
        let parts = bytes.split(separator: UInt8(ascii: "."), omittingEmptySubsequences: false)
        guard parts.count == 3, let headerBytes = Base64URL.decode(parts[0]),
            let claimBytes = Base64URL.decode(parts[1]), let signature = Base64URL.decode(parts[2]),
            !signature.isEmpty, case .object(let header)? = Self.object(headerBytes),
            let claims = Self.object(claimBytes)
        else { return nil }
        guard Self.refusedFields.isDisjoint(with: header.keys), let algorithm = header["alg"]?.stringValue,
            let keyName = header["kid"]?.stringValue, (1...Self.nameByteCountMax).contains(keyName.utf8.count),
            let type = header["typ"]?.stringValue?.lowercased()
        else { return nil }
        self.algorithm = algorithm
        self.keyName = keyName
        self.type = type.hasPrefix("application/") ? String(type.dropFirst("application/".count)) : type
        self.claims = claims
        self.signature = signature
        signed = Array(bytes[..<parts[1].endIndex])
    }

    private static func object(_ bytes: [UInt8]) -> ControlDocument? {
        guard let document = try? ControlDocument(parsing: bytes), case .object = document else { return nil }
        return document
    }

    // MARK: Claims

    func text(_ name: String) -> String? { claims[name]?.stringValue }

    /// Whole seconds since 1970, up to the year 9999.
    func time(_ name: String) -> Timestamp? {
        guard let seconds = claims[name]?.integerValue, (0...253_402_300_799).contains(seconds) else { return nil }
        return Timestamp(microseconds: seconds * 1_000_000)
    }

    /// Whether a claim that is a text, or a list of texts, has this text.
    func names(_ text: String, in claim: String) -> Bool {
        switch claims[claim] {
        case .string(let only)?: only == text
        case .array(let items)?: items.allSatisfy { $0.stringValue != nil } && items.contains(.string(text))
        default: false
        }
    }

    /// When it was issued and when it ends; nil unless both are told, in this order and not too far apart.
    var life: (issuedAt: Timestamp, end: Timestamp)? {
        guard let issuedAt = time("iat"), let end = time("exp"), issuedAt < end,
            end <= issuedAt.adding(microseconds: TokenTimes.lifetimeSecondsMax * TokenTimes.secondMicroseconds)
        else { return nil }
        return (issuedAt, end)
    }

    /// Whether it may be used already, with tolerance for clocks that differ.
    func hasBegun(at now: Timestamp) -> Bool {
        let latest = now.adding(microseconds: TokenTimes.leewayMicroseconds)
        guard let issuedAt = time("iat"), issuedAt <= latest else { return false }
        guard claims["nbf"] != nil else { return true }
        return time("nbf").map { $0 <= latest } ?? false
    }
}

/// How long things about tokens last.
package enum TokenTimes {
    static let secondMicroseconds: Int64 = 1_000_000
    /// Between the clocks of issuer and reader.
    static let leewayMicroseconds: Int64 = 60 * secondMicroseconds
    /// No access token is accepted that was issued for longer.
    package static let lifetimeSecondsMax: Int64 = 86_400
    /// After so long every token that somebody has seen accepted has ended.
    static let endMicroseconds = lifetimeSecondsMax * secondMicroseconds + 2 * leewayMicroseconds
}
