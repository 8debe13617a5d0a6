import DaybookFormat

@testable import DaybookControl

/// With an even first byte the rest is an access token as it comes in a header; with an odd one it is header, claims and
/// signature with zero bytes in between, which are written in base64url first. Whatever is taken apart answers what it
/// is asked for, and its three parts have no other spelling.
@_cdecl("LLVMFuzzerTestOneInput")
func fuzzTokenText(_ start: UnsafePointer<UInt8>?, _ count: Int) -> CInt {
    guard let start, count > 1 else { return 0 }
    let input = Array(UnsafeBufferPointer(start: start, count: count))
    var bytes = Array(input[1...])
    if input[0] % 2 == 1 {
        let parts = bytes.split(separator: 0, maxSplits: 2, omittingEmptySubsequences: false)
        bytes = Array(parts.map { Base64URL.text(Array($0)) }.joined(separator: ".").utf8)
    }
    for part in bytes.split(separator: UInt8(ascii: "."), omittingEmptySubsequences: false) {
        guard let decoded = Base64URL.decode(part) else { continue }
        precondition(Base64URL.text(decoded).utf8.elementsEqual(part), "bytes with two spellings")
    }
    guard let token = TokenText(bytes) else { return 0 }
    precondition(TokenText.isToken(bytes) && bytes.starts(with: token.signed), "signed was something else")
    precondition(bytes.count <= TokenText.byteCountMax && !token.signature.isEmpty)
    let now = Timestamp(microseconds: 1_780_000_000_000_000)
    if let life = token.life { precondition(life.issuedAt < life.end, "a token that ends before it begins") }
    _ = token.hasBegun(at: now)
    let issuer = ExternalIssuer(
        name: "corp", issuer: "https://id.example.com/", audience: "daybook", organization: .claim("org"),
        organizations: [], user: .claim("sub"), role: .claim("roles"), types: ["jwt"])
    if let holder = issuer.holder(of: token) { precondition(!holder.user.isEmpty, "a holder without a name") }
    return 0
}
