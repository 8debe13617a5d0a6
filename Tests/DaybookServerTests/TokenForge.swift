import DaybookCrypto
import DaybookFormat
import DaybookSystem
import DaybookTestSupport
import Foundation

@testable import DaybookControl

/// Makes tokens that a store would not make, with the store's own key.
struct TokenForge: Sendable {
    struct Member: Sendable {
        var name: String
        var json: String
    }

    let keys: SigningKeys
    let modulus: String
    var header: [Member]
    var claims: [Member]
    /// Nil: with the store's key.
    var sign: (@Sendable ([UInt8]) throws -> [UInt8])?

    /// - Parameter token: a good one of the store in this directory.
    init(root: String, like token: String) throws {
        let path = URL(filePath: root).appending(path: Layout.signingKeys)
        let bytes = [UInt8](try Data(contentsOf: path))
        let file = try bytes.withRawSpan { (span) throws(FormatError) in try SigningKeysFile(reading: span) }
        keys = try SigningKeys(file)
        modulus = keys.signer.publicMembers.first { $0.name == "n" }?.value ?? ""
        header = [
            Member(name: "alg", json: #""RS256""#), Member(name: "typ", json: #""at+jwt""#),
            Member(name: "kid", json: #""\#(keys.signerName)""#),
        ]
        guard let parts = TokenText(Array(token.utf8)), case .object(let known) = parts.claims else {
            throw NotAToken()
        }
        claims = try known.map { Member(name: $0.key, json: try Self.json($0.value)) }
    }

    struct NotAToken: Error {}

    private static func json(_ value: ControlDocument) throws -> String {
        switch value {
        case .string(let text): #""\#(text)""#
        case .integer(let number): String(number)
        case .array(let items): "[" + (try items.map(json)).joined(separator: ",") + "]"
        case .null: "null"
        default: throw NotAToken()
        }
    }

    mutating func header(_ name: String, _ json: String?) { Self.set(name, json, in: &header) }
    mutating func claim(_ name: String, _ json: String?) { Self.set(name, json, in: &claims) }

    private static func set(_ name: String, _ json: String?, in members: inout [Member]) {
        members.removeAll { $0.name == name }
        if let json { members.append(Member(name: name, json: json)) }
    }

    func number(_ claim: String) -> Int64 { claims.first { $0.name == claim }.flatMap { Int64($0.json) } ?? 0 }

    static func object(_ members: [Member]) -> String {
        "{" + members.map { #""\#($0.name)":\#($0.json)"# }.joined(separator: ",") + "}"
    }

    func text() throws -> String { try text(header: Self.object(header), claims: Self.object(claims)) }

    func text(header: String, claims: String) throws -> String {
        try text(header: Array(header.utf8), claims: Array(claims.utf8))
    }

    func text(header: [UInt8], claims: [UInt8]) throws -> String {
        let signed = Base64URL.text(header) + "." + Base64URL.text(claims)
        let bytes = Array(signed.utf8)
        return signed + "." + Base64URL.text(try sign?(bytes) ?? keys.signer.sign(bytes))
    }

    func changed(_ change: (inout TokenForge) throws -> Void) rethrows -> TokenForge {
        var forge = self
        try change(&forge)
        return forge
    }
}
