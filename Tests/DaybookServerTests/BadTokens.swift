import DaybookCrypto
import DaybookSystem

@testable import DaybookControl

/// One token that no server may take. The threats are those of RFC 8725, and what else people have tried.
struct BadToken: Sendable {
    let name: String
    let make: @Sendable (TokenForge) throws -> String

    private init(_ name: String, _ make: @escaping @Sendable (TokenForge) throws -> String) {
        self.name = name
        self.make = make
    }

    private static func header(_ name: String, _ field: String, _ json: String?) -> BadToken {
        BadToken(name) { try $0.changed { $0.header(field, json) }.text() }
    }

    private static func claim(_ name: String, _ claim: String, _ json: String?) -> BadToken {
        BadToken(name) { try $0.changed { $0.claim(claim, json) }.text() }
    }

    static let all = algorithms + keys + headers + issuers + times + identities + signatures + spellings + forms

    private static func signedByOthers(_ header: [(String, String)], _ algorithm: SigningAlgorithm)
        -> @Sendable (TokenForge) throws -> String
    {
        { forge in
            let bytes = SignatureKey.makePrivateKey(algorithm, entropy: SystemEntropy())
            let key = try SignatureKey(privateKey: bytes, algorithm)
            let members = key.publicMembers.map { #""\#($0.name)":"\#($0.value)""# }.joined(separator: ",")
            return try forge.changed { forge in
                forge.header("alg", #""\#(algorithm.rawValue)""#)
                for (name, json) in header { forge.header(name, json.replacing("JWK", with: "{\(members)}")) }
                forge.sign = { try key.sign($0) }
            }.text()
        }
    }

    private static func shared(_ name: String, _ secret: @escaping @Sendable (TokenForge) -> [UInt8]) -> BadToken {
        BadToken(name) { forge in
            let code = HMACSHA256(key: secret(forge))
            return try forge.changed { forge in
                forge.header("alg", #""HS256""#)
                forge.sign = { code.code(of: $0) }
            }.text()
        }
    }

    private static let algorithms: [BadToken] = [
        BadToken("none without a signature") { forge in
            let text = try forge.changed { $0.header("alg", #""none""#) }.text()
            return text.split(separator: ".").prefix(2).joined(separator: ".") + "."
        },
        header("none with a signature", "alg", #""none""#), header("None", "alg", #""None""#),
        header("nOnE", "alg", #""nOnE""#), header("no algorithm", "alg", nil), header("algorithm null", "alg", "null"),
        header("a number as algorithm", "alg", "256"), header("an empty algorithm", "alg", #""""#),
        header("RS384", "alg", #""RS384""#), header("RS512", "alg", #""RS512""#), header("PS256", "alg", #""PS256""#),
        header("ES256 for an RSA key", "alg", #""ES256""#), header("EdDSA for an RSA key", "alg", #""EdDSA""#),
        header("lower case", "alg", #""rs256""#), header("a list of algorithms", "alg", #"["RS256"]"#),
        shared("HS256 with the modulus as secret") { Array($0.modulus.utf8) },
        shared("HS256 with the decoded modulus") { Base64URL.decode(Array($0.modulus.utf8)) ?? [] },
        shared("HS256 with an empty secret") { _ in [] },
        shared("HS256 with a word") { _ in Array("secret".utf8) },
    ]

    private static let keys: [BadToken] = [
        header("no kid", "kid", nil), header("an empty kid", "kid", #""""#), header("a number as kid", "kid", "1"),
        header("an unknown kid", "kid", #""sig_0000000000000000""#),
        header("a path as kid", "kid", #""../../../../dev/null""#),
        header("our file as kid", "kid", #""tokens.dbt""#), header("SQL as kid", "kid", #""x' UNION SELECT 'a""#),
        header("an address as kid", "kid", #""http://127.0.0.1/keys""#),
        header("a long kid", "kid", #""\#(String(repeating: "k", count: 300))""#),
        BadToken("a key of others under our kid", signedByOthers([], .rs256)),
        BadToken("its own key in jwk", signedByOthers([("jwk", "JWK")], .rs256)),
        BadToken("its own key in jwk, on a curve", signedByOthers([("jwk", "JWK")], .es256)),
        BadToken("an address in jku", signedByOthers([("jku", #""http://127.0.0.1:9/keys""#)], .rs256)),
        BadToken("a chain in x5c", signedByOthers([("x5c", #"["MIIB"]"#)], .rs256)),
        BadToken("an address in x5u", signedByOthers([("x5u", #""http://127.0.0.1:9/chain""#)], .edDSA)),
    ]

    private static let headers: [BadToken] = [
        header("an unknown crit", "crit", #"["urn:x"]"#), header("a known crit", "crit", #"["exp"]"#),
        header("an empty crit", "crit", "[]"), header("crit null", "crit", "null"),
        header("b64 false", "b64", "false"), header("b64 true", "b64", "true"),
        header("packed", "zip", #""DEF""#), header("encrypted", "enc", #""A128GCM""#),
        header("nested", "cty", #""JWT""#),
        header("no typ", "typ", nil), header("JWT as typ", "typ", #""JWT""#), header("a number as typ", "typ", "1"),
        header("another typ", "typ", #""id+jwt""#), header("typ with more", "typ", #""at+jwt;x""#),
    ]

    private static let issuers: [BadToken] = [
        claim("no issuer", "iss", nil), claim("another issuer", "iss", #""other""#),
        claim("a list of issuers", "iss", #"["daybook"]"#), claim("issuer in capitals", "iss", #""Daybook""#),
        claim("no audience", "aud", nil), claim("another audience", "aud", #""other""#),
        claim("a list of other audiences", "aud", #"["a","b"]"#),
        claim("a list with a number", "aud", #"["daybook",1]"#),
        claim("an object as audience", "aud", #"{"daybook":1}"#),
    ]

    private static let times: [BadToken] = [
        claim("no exp", "exp", nil), claim("exp null", "exp", "null"), claim("exp zero", "exp", "0"),
        BadToken("ended") { forge in
            try forge.changed {
                $0.claim("exp", String(forge.number("iat") - 1))
                $0.claim("iat", String(forge.number("iat") - 900))
                $0.claim("nbf", String(forge.number("iat") - 900))
            }.text()
        },
        BadToken("exp as text") { try $0.changed { $0.claim("exp", #""\#($0.number("exp"))""#) }.text() },
        BadToken("exp with a fraction") { try $0.changed { $0.claim("exp", "\($0.number("exp")).5") }.text() },
        claim("exp with an exponent", "exp", "9e9"), claim("exp below zero", "exp", "-1"),
        claim("exp of 2^63", "exp", "9223372036854775808"), claim("exp beyond all", "exp", "9223372036854775807"),
        BadToken("exp as iat") { try $0.changed { $0.claim("exp", String($0.number("iat"))) }.text() },
        BadToken("longer than a day") { try $0.changed { $0.claim("exp", String($0.number("iat") + 86_401)) }.text() },
        BadToken("not yet") { try $0.changed { $0.claim("nbf", String($0.number("iat") + 800)) }.text() },
        claim("nbf as text", "nbf", #""0""#), claim("no iat", "iat", nil),
        BadToken("issued in the future") { forge in
            try forge.changed {
                $0.claim("iat", String(forge.number("iat") + 800))
                $0.claim("exp", String(forge.number("iat") + 1_400))
            }.text()
        },
    ]

    private static let identities: [BadToken] = [
        claim("no sub", "sub", nil), claim("no jti", "jti", nil), claim("jti of no form", "jti", #""1""#),
        claim("jti of another key", "jti", #""tok_0000000000000001_key_0000000000000001""#),
        claim("no azp", "azp", nil), claim("azp of another key", "azp", #""key_0000000000000001""#),
        claim("no org", "org", nil), claim("another org", "org", #""globex""#),
        claim("a list of orgs", "org", #"["acme"]"#),
        claim("no permissions", "permissions", nil), claim("permissions as text", "permissions", #""events.send""#),
        claim("an unknown grant", "sid", #""grant_0000000000000001_key_0000000000000001""#),
        claim("a grant of no form", "sid", "1"),
    ]

    private static func parts(_ forge: TokenForge) throws -> [String] {
        try forge.text().split(separator: ".", omittingEmptySubsequences: false).map(String.init)
    }

    private static let signatures: [BadToken] = [
        BadToken("no signature") { try parts($0).prefix(2).joined(separator: ".") + "." },
        BadToken("a short signature") { String(try $0.text().dropLast(4)) },
        BadToken("a long signature") { try $0.text() + "AAAA" },
        BadToken("a signature of zeroes") {
            try $0.changed { $0.sign = { _ in [UInt8](repeating: 0, count: 256) } }.text()
        },
        BadToken("one bit of the signature") { forge in
            try forge.changed { changed in
                changed.sign = {
                    var signature = try forge.keys.signer.sign($0)
                    signature[100] ^= 1
                    return signature
                }
            }.text()
        },
        BadToken("the signature of other claims") { forge in
            let other = try parts(forge.changed { $0.claim("sub", #""other""#) })
            return try parts(forge).prefix(2).joined(separator: ".") + "." + other[2]
        },
        BadToken("claims of others under a signature") { forge in
            let admin = try parts(forge.changed { $0.claim("permissions", #"["instance.organizations"]"#) })
            let own = try parts(forge)
            return [own[0], admin[1], own[2]].joined(separator: ".")
        },
        BadToken("claims signed without the header") { forge in
            let own = try parts(forge)
            let signature = try forge.keys.signer.sign(Array(own[1].utf8))
            return [own[0], own[1], Base64URL.text(signature)].joined(separator: ".")
        },
    ]

    private static let spellings: [BadToken] = [
        BadToken("padding") {
            try parts($0).map { $0 + String(repeating: "=", count: (4 - $0.count % 4) % 4) }.joined(separator: ".")
                + "="
        },
        BadToken("the other alphabet") { try $0.text().replacing("-", with: "+").replacing("_", with: "/") + "+/" },
        BadToken("bits left over") { forge in
            // 256 bytes leave two digits, of which the last has four bits to spare.
            let text = try forge.text()
            let digits = Array("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_")
            let last = digits.firstIndex(of: text.last ?? "A") ?? 0
            return text.dropLast() + String(digits[last ^ 1])
        },
        BadToken("a space inside") { try $0.text().replacing(".", with: ". ", maxReplacements: 1) },
        BadToken("a duplicate header field") { forge in
            try forge.text(
                header: #"{"alg":"none",\#(TokenForge.object(forge.header).dropFirst())"#,
                claims: TokenForge.object(forge.claims))
        },
        BadToken("a duplicate claim") { forge in
            try forge.text(
                header: TokenForge.object(forge.header),
                claims: #"{"exp":1,\#(TokenForge.object(forge.claims).dropFirst())"#)
        },
        BadToken("a duplicate claim, written otherwise") { forge in
            try forge.text(
                header: TokenForge.object(forge.header),
                claims: #"{"\u0065xp":1,\#(TokenForge.object(forge.claims).dropFirst())"#)
        },
        BadToken("claims that are not UTF-8") { forge in
            let claims = Array(#"{"x":""#.utf8) + [0xC3, 0x28] + Array(#"","#.utf8)
            return try forge.text(
                header: Array(TokenForge.object(forge.header).utf8),
                claims: claims + Array(TokenForge.object(forge.claims).utf8.dropFirst()))
        },
        claim("half a surrogate", "x", #""\ud800""#),
        claim("too deep", "x", String(repeating: "[", count: 20) + String(repeating: "]", count: 20)),
        BadToken("more behind the claims") { forge in
            try forge.text(header: TokenForge.object(forge.header), claims: TokenForge.object(forge.claims) + "{}")
        },
    ]

    private static let forms: [BadToken] = [
        BadToken("two parts") { try parts($0).prefix(2).joined(separator: ".") },
        BadToken("four parts") { try $0.text() + ".AAAA" },
        BadToken("five parts, as an encrypted one has") { try $0.text() + ".AAAA.AAAA" },
        BadToken("points alone") { _ in ".." },
        BadToken("a list as header") { try $0.text(header: "[]", claims: TokenForge.object($0.claims)) },
        BadToken("no JSON as header") { try $0.text(header: "alg", claims: TokenForge.object($0.claims)) },
        BadToken("a list as claims") { try $0.text(header: TokenForge.object($0.header), claims: "[1]") },
        BadToken("no claims") { try $0.text(header: TokenForge.object($0.header), claims: "{}") },
        claim("more than 8 KiB", "x", #""\#(String(repeating: "x", count: 8_192))""#),
        BadToken("JSON in the place of a token") { _ in #"{"payload":"e30.","signatures":[]}"# },
    ]
}
