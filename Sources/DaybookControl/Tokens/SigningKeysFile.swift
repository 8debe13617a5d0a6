internal import DaybookFormat
internal import DaybookSystem

/// One key pair of this store, as its file has it.
struct SigningKey: Sendable, Equatable {
    var id: UInt64
    var algorithm: SigningAlgorithm
    var madeAt: Timestamp
    /// Nil while it signs; then, when the last token that it signed has ended.
    var verifiesUntil: Timestamp?
    var privateKey: [UInt8]

    /// What tokens and JWKS call it.
    var name: String { "sig_" + hexText(id) }
}

/// The file with the keys that sign access tokens, and the secret that refresh tokens are made with.
/// Spec: docs/format/tokens.md.
struct SigningKeysFile: Sendable, Equatable {
    static let magic: UInt32 = 0x5442_4444  // "DDBT" in the file
    static let version: UInt32 = 1
    static let keyCountMax = 16
    static let secretByteCount = 32
    private static let headerByteCount = 12 + secretByteCount
    private static let privateKeyByteCountMax = 4_096

    /// 32 bytes.
    var grantSecret: [UInt8]
    /// The oldest first; the last one signs, and it alone.
    var keys: [SigningKey]

    func encoded() -> [UInt8] {
        precondition(grantSecret.count == Self.secretByteCount && (1...Self.keyCountMax).contains(keys.count))
        var bytes = [UInt8](magic: Self.magic, version: Self.version, byteCount: 4_096)
        bytes.append(littleEndian: UInt16(keys.count))
        bytes.append(littleEndian: UInt16(0))
        bytes.append(contentsOf: grantSecret)
        for key in keys {
            bytes.append(littleEndian: key.id)
            bytes.append(littleEndian: key.madeAt.microseconds)
            bytes.append(littleEndian: key.verifiesUntil?.microseconds ?? 0)
            bytes.append(key.algorithm.number)
            bytes.append(key.verifiesUntil == nil ? 0 : 1)
            bytes.append(littleEndian: UInt16(key.privateKey.count))
            bytes.append(contentsOf: key.privateKey)
        }
        bytes.appendChecksum()
        return bytes
    }

    /// Reads a whole file. Whether its numbers are keys is not looked at here.
    init(reading bytes: RawSpan) throws(FormatError) {
        let body = bytes.extracting(try bytes.verifiedBody(headerByteCount: Self.headerByteCount))
        var reader = ByteReader()
        try reader.readMagic(Self.magic, version: Self.version, body)
        let count = Int(try reader.uint16(body))
        guard (1...Self.keyCountMax).contains(count) else { throw .invalid("number of signing keys") }
        guard try reader.uint16(body) == 0 else { throw .invalid("signing keys reserved field") }
        grantSecret = body.toArray(try reader.range(Self.secretByteCount, body))
        keys = []
        for _ in 0..<count {
            let key = try Self.key(&reader, body)
            guard !keys.contains(where: { $0.id == key.id }) else { throw .invalid("id of a signing key") }
            keys.append(key)
        }
        guard keys.dropLast().allSatisfy({ $0.verifiesUntil != nil }), keys.last?.verifiesUntil == nil else {
            throw .invalid("the signing key is not the last")
        }
        guard reader.offset == body.byteCount else { throw .invalid("signing keys length") }
    }

    init(grantSecret: [UInt8], keys: [SigningKey]) {
        self.grantSecret = grantSecret
        self.keys = keys
    }

    private static func key(_ reader: inout ByteReader, _ bytes: RawSpan) throws(FormatError) -> SigningKey {
        let id = try reader.uint64(bytes)
        let madeAt = Timestamp(microseconds: try reader.int64(bytes))
        let until = try reader.int64(bytes)
        let number = try reader.uint8(bytes)
        guard let algorithm = SigningAlgorithm.allCases.first(where: { $0.number == number }) else {
            throw .invalid("algorithm of a signing key")
        }
        let isRetired = try reader.uint8(bytes)
        guard isRetired <= 1, isRetired == 1 || until == 0 else { throw .invalid("state of a signing key") }
        let byteCount = Int(try reader.uint16(bytes))
        let isPlausible = algorithm == .rs256 ? byteCount <= privateKeyByteCountMax : byteCount == 32
        guard isPlausible else { throw .invalid("length of a signing key") }
        return SigningKey(
            id: id, algorithm: algorithm, madeAt: madeAt,
            verifiesUntil: isRetired == 1 ? Timestamp(microseconds: until) : nil,
            privateKey: bytes.toArray(try reader.range(byteCount, bytes)))
    }
}
