import DaybookFormat
import DaybookStore
import DaybookSystem
import DaybookTestSupport
import Foundation
import Testing

@testable import DaybookControl

/// Tokens that somebody else has made.
@Suite struct ExternalIssuerTests {
    /// An issuer with a key of its own, its files, and a store that knows it.
    private struct Provider {
        let folder: TemporaryDirectory
        let key: SignatureKey
        var path: String { folder.path + "/issuers.json" }

        init(_ algorithm: SigningAlgorithm = .es256, _ entry: String = Provider.entry) throws {
            folder = try TemporaryDirectory()
            let bytes = SignatureKey.makePrivateKey(algorithm, entropy: SystemEntropy())
            key = try SignatureKey(privateKey: bytes, algorithm)
            try write("issuers.json", #"{"issuers":[\#(entry)]}"#)
            try write("keys.json", #"{"keys":[\#(jwk())],"more":[1]}"#)
        }

        static let entry = """
            {"name":"corp","issuer":"https://id.example.com/","audience":"daybook","jwks_file":"keys.json",
             "organization_claim":"org","organizations":["acme"],"user_claim":"email","role_claim":"role"}
            """

        func write(_ name: String, _ text: String) throws {
            try Data(text.utf8).write(to: URL(filePath: folder.path).appending(path: name))
        }

        func jwk(_ name: String = "k1", _ more: String = "") -> String {
            let members = key.publicMembers.map { #""\#($0.name)":"\#($0.value)""# }.joined(separator: ",")
            return #"{\#(members),"kid":"\#(name)"\#(more)}"#
        }

        func issuers(_ ownIssuer: String = "daybook") throws -> ExternalIssuers {
            try ExternalIssuers(reading: path, ownIssuer: ownIssuer)
        }

        func fixture() throws -> IdentityFixture {
            var options = TokenOptions.quick
            options.issuersFile = path
            return try IdentityFixture(tokens: options, externals: try issuers())
        }

        /// - Parameter claims: take the place of the usual ones; an empty text leaves one out.
        func token(
            at now: Timestamp, _ claims: [String: String] = [:], type: String = "JWT", kid: String = "k1"
        ) throws -> String {
            let second = now.microseconds / 1_000_000
            var all = [
                "iss": #""https://id.example.com/""#, "aud": #"["other","daybook"]"#, "iat": "\(second)",
                "exp": "\(second + 600)", "org": #""acme""#, "email": #""ada@example.com""#, "role": #""developer""#,
                "nested": #"{"a":[true,null]}"#,
            ]
            all.merge(claims) { $1 }
            let header = #"{"alg":"\#(key.algorithm.rawValue)","typ":"\#(type)","kid":"\#(kid)"}"#
            let members = all.filter { !$0.value.isEmpty }.map { #""\#($0.key)":\#($0.value)"# }
            let signed =
                Base64URL.text(Array(header.utf8)) + "."
                + Base64URL.text(Array("{\(members.joined(separator: ","))}".utf8))
            return signed + "." + Base64URL.text(try key.sign(Array(signed.utf8)))
        }
    }

    @Test(arguments: SigningAlgorithm.allCases)
    func aTokenOpensWhatItsClaimsSay(algorithm: SigningAlgorithm) throws {
        let provider = try Provider(algorithm)
        let fixture = try provider.fixture()
        let credential = try #require(fixture.accepted(try provider.token(at: fixture.now)))
        #expect(credential.organization.id == IdentityFixture.acme)
        #expect(credential.permissions == Role.developer.permissions)
        #expect(credential.defaultUser == Array("ada@example.com".utf8))
        #expect(!credential.isOperator)
        #expect(credential.actor.text.hasPrefix("ext_corp_"))
        // Nothing in the trail leads to the user.
        let number = credential.actor.text.dropFirst("ext_corp_".count)
        #expect(number.count == 16 && number.allSatisfy(\.isHexDigit))
    }

    @Test(
        arguments: [
            ("organization not allowed", ["org": #""globex""#]), ("organization unknown", ["org": #""none""#]),
            ("no organization", ["org": ""]), ("organization as a list", ["org": #"["acme"]"#]),
            ("role unknown", ["role": #""king""#]), ("no role", ["role": ""]),
            ("two roles", ["role": #"["admin","viewer"]"#]), ("no known role", ["role": #"["a","b"]"#]),
            ("no user", ["email": ""]), ("empty user", ["email": #""""#]), ("user of stars", ["email": #""***""#]),
            ("user with a control character", ["email": #""a\nb""#]),
            ("other audience", ["aud": #""other""#]), ("no audience", ["aud": ""]),
            ("no iat", ["iat": ""]), ("no exp", ["exp": ""]), ("exp as text", ["exp": #""1767226200""#]),
            ("longer than a day", ["exp": "1767312001"]), ("our issuer", ["iss": #""daybook""#]),
            ("issuer without the slash", ["iss": #""https://id.example.com""#]),
            ("not yet", ["nbf": "1767225661"]), ("issued in the future", ["iat": "1767225661"]),
            ("ended, tolerance included", ["iat": "1767225000", "exp": "1767225540"]),
        ])
    func otherTokensAreRefused(name: String, claims: [String: String]) throws {
        let provider = try Provider()
        let fixture = try provider.fixture()
        #expect(fixture.refused(try provider.token(at: fixture.now, claims)).isRefused, "\(name)")
    }

    @Test func clocksMayDifferByAMinute() throws {
        let provider = try Provider()
        let fixture = try provider.fixture()
        for claims in [
            ["nbf": "1767225660"], ["iat": "1767225660", "exp": "1767225700"],
            ["iat": "1767225000", "exp": "1767225541"],
        ] { #expect(fixture.accepted(try provider.token(at: fixture.now, claims)) != nil, "\(claims)") }
        #expect(fixture.accepted(try provider.token(at: fixture.now, ["role": #"["x","viewer"]"#])) != nil)
    }

    @Test func typesAndKeysAreThoseOfTheIssuer() throws {
        let provider = try Provider()
        let fixture = try provider.fixture()
        #expect(fixture.accepted(try provider.token(at: fixture.now, type: "application/at+jwt")) != nil)
        #expect(fixture.refused(try provider.token(at: fixture.now, type: "id+jwt")).isRefused)
        #expect(fixture.refused(try provider.token(at: fixture.now, kid: "k2")).isRefused)
        // Another issuer's key under the same name.
        let other = try Provider()
        #expect(fixture.refused(try other.token(at: fixture.now)).isRefused)
        // Our own key signs for nobody else.
        let own = try fixture.issue(try fixture.make(.viewer)).access
        #expect(fixture.accepted(own) != nil)
    }

    @Test func fixedValuesNeedNoClaims() throws {
        let entry = """
            {"name":"corp","issuer":"https://id.example.com/","audience":"daybook","jwks_file":"keys.json",
             "organization":"globex","role":"viewer"}
            """
        let provider = try Provider(.edDSA, entry)
        let fixture = try provider.fixture()
        let token = try provider.token(at: fixture.now, ["sub": #""bob""#, "org": #""acme""#, "role": #""admin""#])
        let credential = try #require(fixture.accepted(token))
        #expect(credential.organization.id == IdentityFixture.globex)
        #expect(credential.permissions == Role.viewer.permissions)
        #expect(credential.defaultUser == Array("bob".utf8))
    }

    @Test func revocationAndErasureEndThem() throws {
        let provider = try Provider()
        let fixture = try provider.fixture()
        let tokens = try (1...2).map { try provider.token(at: fixture.now, ["number": "\($0)"]) }
        let first = try #require(fixture.accepted(tokens[0]))
        _ = try fixture.tokens.revoke(.id(first.actor.text), in: IdentityFixture.acme, .local)
        #expect(fixture.accepted(tokens[0]) == nil)
        #expect(fixture.accepted(tokens[1]) != nil)
        // Another organization's administrator does not know it.
        #expect(throws: TokenAuthority.Failure.self) {
            try fixture.tokens.revoke(.text(tokens[1]), in: IdentityFixture.globex, .local)
        }
        _ = try fixture.registry.beginErasure(of: "ada@example.com", in: IdentityFixture.acme)
        #expect(fixture.accepted(tokens[1]) == nil)
        // Who comes back gets in.
        fixture.clock.advance(seconds: 1)
        #expect(fixture.accepted(try provider.token(at: fixture.now)) != nil)
    }

    @Test func changedFilesAreReadAgain() throws {
        let provider = try Provider()
        let fixture = try provider.fixture()
        let token = try provider.token(at: fixture.now)
        #expect(fixture.accepted(token) != nil)
        #expect(try !fixture.tokens.refreshIssuers())
        try provider.write("keys.json", #"{"keys":[]}"#)
        #expect(throws: ExternalIssuers.Faults.self) { try fixture.tokens.refreshIssuers() }
        #expect(fixture.accepted(token) != nil)
        try provider.write("keys.json", #"{"keys":[\#(provider.jwk("k2"))]}"#)
        #expect(try fixture.tokens.refreshIssuers())
        #expect(fixture.accepted(token) == nil)
        #expect(fixture.accepted(try provider.token(at: fixture.now, kid: "k2")) != nil)
    }

    @Test(
        arguments: [
            ("not JSON", "{", "must be a JSON object"), ("another field", #"{"issuer":[]}"#, "must be a JSON object"),
            (
                "no name",
                #"{"issuers":[{"issuer":"i","audience":"a","jwks_file":"keys.json","organization":"acme","role":"viewer"}]}"#,
                "name must be"
            ),
            ("unknown field", #"{"issuers":[{"name":"n","colour":1}]}"#, "colour is no field"),
            (
                "no role",
                #"{"issuers":[{"name":"n","issuer":"i","audience":"a","jwks_file":"keys.json","organization":"acme"}]}"#,
                "either role or role_claim"
            ),
            (
                "both",
                #"{"issuers":[{"name":"n","issuer":"i","audience":"a","jwks_file":"keys.json","organization":"acme","organization_claim":"o","role":"viewer"}]}"#,
                "either organization"
            ),
            (
                "role of nobody",
                #"{"issuers":[{"name":"n","issuer":"i","audience":"a","jwks_file":"keys.json","organization":"acme","role":"king"}]}"#,
                "role must be one of"
            ),
            (
                "bad organization",
                #"{"issuers":[{"name":"n","issuer":"i","audience":"a","jwks_file":"keys.json","organization":"A","role":"viewer"}]}"#,
                "organization must be"
            ),
            (
                "our name",
                #"{"issuers":[{"name":"n","issuer":"daybook","audience":"a","jwks_file":"keys.json","organization":"acme","role":"viewer"}]}"#,
                "calls itself"
            ),
            (
                "no such file",
                #"{"issuers":[{"name":"n","issuer":"i","audience":"a","jwks_file":"none.json","organization":"acme","role":"viewer"}]}"#,
                "cannot be read"
            ),
        ])
    func aFileWithAFaultIsTold(name: String, text: String, words: String) throws {
        let provider = try Provider()
        try provider.write("issuers.json", text)
        do {
            _ = try provider.issuers()
            Issue.record("\(name) was taken")
        } catch let faults as ExternalIssuers.Faults {
            #expect(faults.description.contains(words), "\(name): \(faults)")
        }
    }

    @Test func faultsOfFilesAreTold() throws {
        let provider = try Provider()
        // 1,024 bits.
        let short = Base64URL.text([0xC1] + [UInt8](repeating: 0x5B, count: 127))
        for (name, keys) in [
            ("no kid", #"{"kty":"EC","crv":"P-256","x":"AA","y":"AA"}"#),
            ("a secret key", provider.jwk("k1", #","d":"AAAA""#)),
            ("a shared secret", #"{"kty":"oct","k":"AAAA","kid":"k1"}"#),
            ("another use", provider.jwk("k1", #","use":"enc""#)),
            ("other operations", provider.jwk("k1", #","key_ops":["sign"]"#)),
            ("another algorithm", provider.jwk("k1", #","alg":"HS256""#)),
            ("a point that is none", #"{"kty":"EC","crv":"P-256","x":"AAAA","y":"AAAA","kid":"k1"}"#),
            ("a short key", #"{"kty":"RSA","n":"\#(short)","e":"AQAB","kid":"k1"}"#),
            ("the same name twice", provider.jwk() + "," + provider.jwk()), ("none", ""),
        ] {
            try provider.write("keys.json", #"{"keys":[\#(keys)]}"#)
            #expect(throws: ExternalIssuers.Faults.self, "\(name)") { try provider.issuers() }
        }
        // Keys for other things do not hurt beside one that serves.
        let others = #"{"kty":"RSA","alg":"PS512","kid":"p","n":"AA","e":"AQAB"},{"kty":"EC","crv":"P-521","kid":"e"}"#
        try provider.write("keys.json", #"{"keys":[\#(others),\#(provider.jwk())]}"#)
        #expect(try provider.issuers().byIssuer.values.first?.keys.count == 1)
    }
}
