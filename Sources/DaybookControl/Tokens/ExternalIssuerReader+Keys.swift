/// Key sets (RFC 7517) of external issuers. Keys for other purposes and of other algorithms stand in many sets and are
/// passed over; what must not stand there is a fault.
extension ExternalIssuerReader {
    private static let keyCountMax = 64

    mutating func keys(of bytes: [UInt8], in path: String) -> [String: SignatureKey] {
        guard let document = try? ControlDocument(parsing: bytes), let items = document["keys"]?.arrayValue,
            items.count <= Self.keyCountMax
        else {
            faults.append(
                "\(path) must be a JSON object with the field keys: a list of at most \(Self.keyCountMax) keys")
            return [:]
        }
        var keys: [String: SignatureKey] = [:]
        for (position, item) in items.enumerated() {
            let place = "\(path): keys[\(position)]"
            if item["d"] != nil || item["k"] != nil {
                faults.append("\(place) is a secret key, which has no place in this file")
                continue
            }
            guard let name = item["kid"]?.stringValue, Self.mayVerify(item) else { continue }
            do throws(SignatureKey.Unusable) {
                guard let key = try Self.key(item) else { continue }
                if keys.updateValue(key, forKey: name) != nil { faults.append("\(place) has the kid of another key") }
            } catch {
                faults.append("\(place) cannot be used: \(error)")
            }
        }
        if keys.isEmpty {
            faults.append("\(path) has no key with a kid for RS256, ES256 or EdDSA")
        }
        return keys
    }

    private static func mayVerify(_ item: ControlDocument) -> Bool {
        if let use = item["use"], use != .string("sig") { return false }
        guard let operations = item["key_ops"] else { return true }
        return operations.arrayValue?.contains(.string("verify")) ?? false
    }

    /// Nil for a key of another algorithm.
    private static func key(_ item: ControlDocument) throws(SignatureKey.Unusable) -> SignatureKey? {
        func text(_ name: String) throws(SignatureKey.Unusable) -> String {
            guard let text = item[name]?.stringValue, let bytes = Base64URL.decode(Array(text.utf8)), !bytes.isEmpty
            else { throw SignatureKey.Unusable(description: "\(name) is not base64url") }
            return text
        }
        let algorithm = item["alg"]?.stringValue
        let curve = item["crv"]?.stringValue
        switch item["kty"]?.stringValue {
        case "RSA" where algorithm == nil || algorithm == SigningAlgorithm.rs256.rawValue:
            return try SignatureKey(modulus: try text("n"), exponent: try text("e"))
        case "EC" where curve == "P-256" && (algorithm == nil || algorithm == SigningAlgorithm.es256.rawValue):
            return try SignatureKey(x: try text("x"), y: try text("y"))
        case "OKP" where curve == "Ed25519" && (algorithm == nil || algorithm == SigningAlgorithm.edDSA.rawValue):
            return try SignatureKey(x: try text("x"))
        default: return nil
        }
    }
}
