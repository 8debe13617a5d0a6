internal import DaybookCrypto
internal import DaybookSystem
internal import JWTKit

/// A key that signs or verifies, by jwt-kit. The one file that knows that library (docs/decisions/0015-tokens.md).
///
/// Its collections of keys are actors and read tokens themselves; what they end up with is an algorithm that is a value
/// and takes bytes. Each key is put into a collection of its own once, and only its algorithm is kept.
struct SignatureKey: Sendable {
    struct Unusable: Error, CustomStringConvertible {
        var description: String
    }

    struct Member: Sendable, Equatable {
        var name: String
        var value: String
    }

    let algorithm: SigningAlgorithm
    /// Of the public key as a JWK: its type and numbers.
    let publicMembers: [Member]
    private let implementation: any JWTAlgorithm

    private init(
        _ algorithm: SigningAlgorithm, _ publicMembers: [(String, String)],
        adding add: @escaping @Sendable (JWTKeyCollection) async -> Void
    ) throws(Unusable) {
        self.algorithm = algorithm
        self.publicMembers = publicMembers.map { Member(name: $0.0, value: $0.1) }
        implementation = try Self.explained {
            try CallersThread.run {
                let collection = JWTKeyCollection()
                await add(collection)
                return try await collection.getKey()
            }
        }
    }

    /// A private key as `makePrivateKey` gives it.
    init(privateKey bytes: [UInt8], _ algorithm: SigningAlgorithm) throws(Unusable) {
        switch algorithm {
        case .rs256:
            let pem = "-----BEGIN RSA PRIVATE KEY-----\n\(Base64URL.base64(bytes))\n-----END RSA PRIVATE KEY-----\n"
            let (key, numbers) = try Self.explained {
                let key = try Insecure.RSA.PrivateKey(pem: pem)
                return (key, try key.publicKey.getKeyPrimitives())
            }
            let members = Self.members(modulus: Array(numbers.modulus), exponent: Array(numbers.publicExponent))
            try self.init(.rs256, members) { await $0.add(rsa: key, digestAlgorithm: .sha256) }
        case .es256:
            let key = try Self.explained { try ES256PrivateKey(key: Base64URL.text(bytes)) }
            guard let point = key.parameters else { throw Unusable(description: "a point without coordinates") }
            let x = Base64URL.text(ofBase64: point.x)
            let y = Base64URL.text(ofBase64: point.y)
            try self.init(.es256, Self.members(x: x, y: y)) { await $0.add(ecdsa: key) }
        case .edDSA:
            let key = try Self.explained { try EdDSA.PrivateKey(d: Base64URL.text(bytes), curve: .ed25519) }
            let x = Base64URL.text(Array(key.publicKey.rawRepresentation))
            try self.init(.edDSA, Self.members(x: x)) { await $0.add(eddsa: key) }
        }
    }

    /// Numbers of public keys as a JWK has them, in base64url.
    init(modulus: String, exponent: String) throws(Unusable) {
        // Refuses keys of less than 2,048 bits.
        let key = try Self.explained { try Insecure.RSA.PublicKey(modulus: modulus, exponent: exponent) }
        let members = [("kty", "RSA"), ("n", modulus), ("e", exponent)]
        try self.init(.rs256, members) { await $0.add(rsa: key, digestAlgorithm: .sha256) }
    }

    /// On the curve P-256.
    init(x: String, y: String) throws(Unusable) {
        let key = try Self.explained { try ES256PublicKey(parameters: (x, y)) }
        try self.init(.es256, Self.members(x: x, y: y)) { await $0.add(ecdsa: key) }
    }

    /// On the curve Ed25519.
    init(x: String) throws(Unusable) {
        let key = try Self.explained { try EdDSA.PublicKey(x: x, curve: .ed25519) }
        try self.init(.edDSA, Self.members(x: x)) { await $0.add(eddsa: key) }
    }

    private static func members(modulus: [UInt8], exponent: [UInt8]) -> [(String, String)] {
        [("kty", "RSA"), ("n", Base64URL.text(modulus)), ("e", Base64URL.text(exponent))]
    }

    private static func members(x: String, y: String) -> [(String, String)] {
        [("kty", "EC"), ("crv", "P-256"), ("x", x), ("y", y)]
    }

    private static func members(x: String) -> [(String, String)] {
        [("kty", "OKP"), ("crv", "Ed25519"), ("x", x)]
    }

    private static func explained<Value>(_ body: () throws -> Value) throws(Unusable) -> Value {
        do {
            return try body()
        } catch {
            throw Unusable(description: "\(error)")
        }
    }

    /// A new private key: PKCS #1 DER of RSA with 2,048 bits, else 32 bytes.
    static func makePrivateKey(_ algorithm: SigningAlgorithm, entropy: any Entropy) -> [UInt8] {
        switch algorithm {
        case .rs256: return RSAPrivateKey.make()
        case .edDSA: return entropy.bytes(32)
        case .es256:
            // Nearly every number of 256 bits is one of the curve's.
            while true {
                let bytes = entropy.bytes(32)
                if (try? SignatureKey(privateKey: bytes, .es256)) != nil { return bytes }
            }
        }
    }

    /// - Throws: when this is a public key.
    func sign(_ message: [UInt8]) throws -> [UInt8] { try implementation.sign(message) }

    /// Complexity: some ten microseconds.
    func verifies(_ signature: [UInt8], of message: [UInt8]) -> Bool {
        do {
            return try implementation.verify(signature, signs: message)
        } catch {
            // Bytes that no signature has the form of.
            return false
        }
    }
}
