internal import CCrypto

/// RSA keys by OpenSSL's libcrypto and its own random generator, which is what the numbers of such a key have to be made
/// with.
package enum RSAPrivateKey {
    /// Bits of the modulus.
    package static let bitCount = 2_048

    /// A new key as PKCS #1 DER (RFC 8017, appendix A.1.2), with the public exponent 65,537. Takes some ten to some
    /// hundred milliseconds. Traps when libcrypto cannot make one: it has no memory or no randomness left.
    package static func make() -> [UInt8] {
        guard let context = unsafe EVP_PKEY_CTX_new_from_name(nil, "RSA", nil) else {
            preconditionFailure("libcrypto has no RSA")
        }
        defer { unsafe EVP_PKEY_CTX_free(context) }
        var result = unsafe EVP_PKEY_keygen_init(context)
        precondition(result == 1, "EVP_PKEY_keygen_init")
        result = unsafe EVP_PKEY_CTX_ctrl_str(context, "rsa_keygen_bits", String(bitCount))
        precondition(result > 0, "EVP_PKEY_CTX_ctrl_str")
        var made: OpaquePointer?
        result = unsafe EVP_PKEY_generate(context, &made)
        guard result == 1, let key = unsafe made else { preconditionFailure("EVP_PKEY_generate") }
        defer { unsafe EVP_PKEY_free(key) }
        let byteCount = unsafe i2d_PrivateKey(key, nil)
        precondition(byteCount > 0, "i2d_PrivateKey")
        return unsafe [UInt8](unsafeUninitializedCapacity: Int(byteCount)) { buffer, initializedCount in
            // The function moves the pointer that it is given.
            var target = buffer.baseAddress
            let written = unsafe i2d_PrivateKey(key, &target)
            precondition(written == byteCount, "i2d_PrivateKey")
            initializedCount = Int(written)
        }
    }
}
