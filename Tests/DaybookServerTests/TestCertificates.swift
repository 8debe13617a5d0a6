import DaybookSystem
import DaybookTestSupport

/// Certificates made for one test with the `openssl` command: an authority, and whom it vouches for.
struct TestCertificates: Sendable {
    struct Identity: Sendable {
        let certificatePath: String
        let keyPath: String
    }

    struct Failed: Error {
        let output: String
    }

    private let directory: TemporaryDirectory
    let authority: Identity

    static func make() async throws -> TestCertificates {
        let directory = try TemporaryDirectory()
        let authority = identity("authority", in: directory)
        try await openssl(
            ["req", "-x509", "-days", "2", "-subj", "/CN=Test authority", "-out", authority.certificatePath]
                + newKey(authority))
        return TestCertificates(directory: directory, authority: authority)
    }

    private static func identity(_ name: String, in directory: TemporaryDirectory) -> Identity {
        Identity(certificatePath: directory.path + "/\(name).crt", keyPath: directory.path + "/\(name).key")
    }

    private static func newKey(_ identity: Identity) -> [String] {
        ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-keyout", identity.keyPath]
    }

    /// A certificate of `localhost`, which is also good for a client.
    /// - Parameter days: from now on; a negative number makes one that has expired.
    func issue(_ name: String, days: Int = 2) async throws -> Identity {
        let identity = Self.identity(name, in: directory)
        let request = directory.path + "/\(name).csr"
        let extensions = directory.path + "/\(name).ext"
        try Array("subjectAltName=DNS:localhost,IP:127.0.0.1\nbasicConstraints=CA:FALSE\n".utf8).withRawSpan {
            try HostFile.write(extensions, $0)
        }
        try await Self.openssl(["req", "-new", "-subj", "/CN=\(name)", "-out", request] + Self.newKey(identity))
        try await Self.openssl([
            "x509", "-req", "-in", request, "-CA", authority.certificatePath, "-CAkey", authority.keyPath,
            "-CAcreateserial", "-days", String(days), "-extfile", extensions, "-out", identity.certificatePath,
        ])
        return identity
    }

    /// Puts one identity's files in the place of another's.
    func replace(_ old: Identity, by new: Identity) throws {
        for (from, to) in [(new.certificatePath, old.certificatePath), (new.keyPath, old.keyPath)] {
            let bytes = try HostFile.read(from, byteCountMax: 1 << 20)
            try bytes.withRawSpan { try HostFile.write(to, $0) }
        }
    }

    private static func openssl(_ arguments: [String]) async throws {
        try await onThread {
            let child = try ChildProcess.start("/usr/bin/env", ["openssl"] + arguments, output: .pipe, error: .pipe)
            let output = try child.readOutputToEnd()
            guard child.wait() == .exited(0) else { throw Failed(output: String(decoding: output, as: UTF8.self)) }
        }
    }
}
