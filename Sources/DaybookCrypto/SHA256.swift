internal import CCrypto

/// SHA-256 (FIPS 180-4) by OpenSSL's libcrypto, which uses the processor's own instructions.
package enum SHA256 {
    package static let byteCount = 32

    package static func hash(_ bytes: RawSpan) -> [UInt8] {
        var hasher = SHA256Hasher()
        hasher.update(bytes)
        return hasher.finish()
    }

    package static func hash(_ bytes: [UInt8]) -> [UInt8] {
        unsafe hash(bytes.span.bytes)
    }
}

/// The hash of bytes that arrive in parts. Used again after `finish()`, it saves what a new one costs.
///
/// libcrypto fails here only when there is no memory left; that traps, as it does everywhere in Swift.
///
/// `@unchecked Sendable`: it owns its context, and nobody else sees it.
@safe package struct SHA256Hasher: ~Copyable, @unchecked Sendable {
    private let context: OpaquePointer

    package init() {
        guard let context = unsafe EVP_MD_CTX_new() else { preconditionFailure("out of memory") }
        unsafe self.context = unsafe context
        start()
    }

    private func start() {
        let result = unsafe EVP_DigestInit_ex2(context, Algorithm.sha256.pointer, nil)
        precondition(result == 1, "EVP_DigestInit_ex2")
    }

    package mutating func update(_ bytes: RawSpan) {
        let result = unsafe bytes.withUnsafeBytes { unsafe EVP_DigestUpdate(context, $0.baseAddress, $0.count) }
        precondition(result == 1, "EVP_DigestUpdate")
    }

    package mutating func update(_ bytes: [UInt8]) {
        unsafe update(bytes.span.bytes)
    }

    /// The 32 bytes of the hash. Afterwards the hasher is as new.
    package mutating func finish() -> [UInt8] {
        let hash = unsafe [UInt8](unsafeUninitializedCapacity: SHA256.byteCount) { buffer, initializedCount in
            let result = unsafe EVP_DigestFinal_ex(context, buffer.baseAddress, nil)
            precondition(result == 1, "EVP_DigestFinal_ex")
            initializedCount = SHA256.byteCount
        }
        start()
        return hash
    }

    deinit { unsafe EVP_MD_CTX_free(context) }
}

/// Looking an algorithm up takes longer than hashing a small event, so it is done once per process.
///
/// `@unchecked Sendable`: libcrypto's own constant, never freed.
@safe private struct Algorithm: @unchecked Sendable {
    static let sha256 = Algorithm(name: "SHA256")

    let pointer: OpaquePointer

    private init(name: String) {
        guard let pointer = unsafe EVP_MD_fetch(nil, name, nil) else {
            preconditionFailure("libcrypto has no \(name)")
        }
        unsafe self.pointer = unsafe pointer
    }
}
