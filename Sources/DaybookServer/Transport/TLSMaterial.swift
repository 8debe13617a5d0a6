internal import DaybookControl
internal import DaybookSystem
internal import NIOCore
internal import NIOSSL

/// Why the files of TLS cannot be used.
package struct TLSFault: Error, Equatable, Sendable, CustomStringConvertible {
    /// The setting whose file it is.
    package var setting: String
    /// Continues a sentence that begins with the name of the setting.
    package var message: String

    package var description: String { "\(setting) \(message)" }
}

/// Certificate, key and authorities as they were read at one moment, found to fit each other.
struct TLSMaterial: Sendable {
    static let fileByteCountMax = 1 << 20
    /// Forward secrecy and authenticated encryption only; TLS 1.3 has nothing else.
    private static let ciphers = "ECDH+AESGCM:ECDH+CHACHA20"
    /// Whoever has its key may pose as the server.
    private static let unwantedKeyPermissions = 0o027

    let context: NIOSSLContext
    /// When the first certificate of the chain ends, in seconds since 1970.
    let expirySeconds: Int64
    /// Who may touch the key file, when that are too many.
    let keyPermissions: Int?

    /// - Parameter nowSeconds: since 1970; what has expired is refused.
    init(_ options: TLSOptions, speaksHTTP2: Bool) throws(TLSFault) {
        let chain = try Self.certificates(options.certificatePath, "tls.certificate")
        let key = try Self.key(options.keyPath)
        var configuration = TLSConfiguration.makeServerConfiguration(
            certificateChain: chain.map { .certificate($0) }, privateKey: .privateKey(key))
        configuration.minimumTLSVersion = options.minimumVersion == .tls13 ? .tlsv13 : .tlsv12
        configuration.cipherSuites = Self.ciphers
        configuration.applicationProtocols = speaksHTTP2 ? ["h2", "http/1.1"] : ["http/1.1"]
        // How long a connection that ends waits for its peer to agree.
        configuration.shutdownTimeout = .seconds(1)
        if options.clientCertificates != .none {
            let authorities = try Self.certificates(options.clientAuthorityPath, "tls.client_ca")
            configuration.trustRoots = .certificates(authorities)
            configuration.certificateVerification =
                options.clientCertificates == .required ? .noHostnameVerification : .optionalVerification
            configuration.sendCANameList = true
        }
        do {
            context = try NIOSSLContext(configuration: configuration)
        } catch {
            throw TLSFault(setting: "tls.key", message: "is not the key of the certificate in tls.certificate.")
        }
        expirySeconds = chain.map { Int64($0.notValidAfter) }.min() ?? 0
        let permissions = try Self.reading("tls.key", options.keyPath) { () throws(DiskError) in
            try HostFile.permissions(options.keyPath)
        }
        keyPermissions = permissions & Self.unwantedKeyPermissions == 0 ? nil : permissions
    }

    private static func certificates(_ path: String, _ setting: String) throws(TLSFault) -> [NIOSSLCertificate] {
        let bytes = try read(path, setting)
        guard let certificates = try? NIOSSLCertificate.fromPEMBytes(bytes), !certificates.isEmpty else {
            throw TLSFault(setting: setting, message: "names \(path), which holds no certificates in PEM form.")
        }
        return certificates
    }

    private static func key(_ path: String) throws(TLSFault) -> NIOSSLPrivateKey {
        let bytes = try read(path, "tls.key")
        guard let key = try? NIOSSLPrivateKey(bytes: bytes, format: .pem) else {
            throw TLSFault(
                setting: "tls.key", message: "names \(path), which holds no private key in PEM form without a password."
            )
        }
        return key
    }

    private static func read(_ path: String, _ setting: String) throws(TLSFault) -> [UInt8] {
        try reading(setting, path) { () throws(DiskError) in
            try HostFile.read(path, byteCountMax: fileByteCountMax)
        }
    }

    private static func reading<Value>(
        _ setting: String, _ path: String, _ work: () throws(DiskError) -> Value
    ) throws(TLSFault) -> Value {
        do throws(DiskError) {
            return try work()
        } catch {
            let reason =
                switch error.kind {
                case .notFound: "which does not exist."
                case .permission: "which may not be read."
                case .noSpace: "which is longer than \(fileByteCountMax) bytes."
                default: "which cannot be read: \(error)."
                }
            throw TLSFault(setting: setting, message: "names \(path), \(reason)")
        }
    }
}
