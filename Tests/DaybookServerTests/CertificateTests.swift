import DaybookControl
import DaybookSystem
import DaybookTestSupport
import Foundation
import Logging
import NIOSSL
import Testing

@testable import DaybookServer

/// The versions of TLS that a test client may be held to.
enum TLSVersionOfTest {
    case tls11, tls12, tls13

    var value: TLSVersion {
        switch self {
        case .tls11: .tlsv11
        case .tls12: .tlsv12
        case .tls13: .tlsv13
        }
    }
}

/// The files of TLS: what is wrong with them, when they change, and when they end.
@Suite(.timeLimit(.minutes(15))) struct CertificateTests {
    private func fault(_ options: ServerOptions) -> TLSFault? {
        TransportSecurity.fault(in: options, clock: SystemClock())
    }

    @Test func newConnectionsGetWhatWasReadAnewAndOldOnesGoOn() async throws {
        let first = try await TestCertificates.make()
        let second = try await TestCertificates.make()
        let identity = try await first.issue("server")
        let next = try await second.issue("next")
        let log = CapturedLog(.info, format: .text)
        try await TestServer.with(log: log, options: .using(identity)) { server in
            let old = try await server.connectSecurely(first)
            #expect(try await old.request("GET", "/health/live", key: nil).status == 200)
            try first.replace(identity, by: next)
            await onThread { server.security?.reload(log.logger) }
            #expect(try await server.secureRequest("GET", "/health/live", second).status == 200)
            #expect((try? await server.secureRequest("GET", "/health/live", first)) == nil)
            #expect(try await old.request("GET", "/health/live", key: nil).status == 200)
            old.close()
        }
        #expect(log.lines().contains { $0.contains("New connections get the certificate that was read just now.") })
    }

    @Test func filesThatCannotBeUsedChangeNothingAndAreTold() async throws {
        let certificates = try await TestCertificates.make()
        let identity = try await certificates.issue("server")
        let expired = try await certificates.issue("expired", days: -1)
        let good = try await certificates.issue("good")
        let log = CapturedLog(.info, format: .text)
        try await TestServer.with(log: log, options: .using(identity)) { server in
            func expectDegraded(_ isDegraded: Bool) async throws {
                let health = try await server.secureRequest("GET", "/health", certificates)
                #expect(health.status == 200)
                #expect(try health.json()["status"]?.string == (isDegraded ? "degraded" : "healthy"))
                #expect(health.text.contains("the new TLS certificate could not be used") == isDegraded)
                let metrics = try await server.secureRequest("GET", "/metrics", certificates).text
                #expect(metrics.contains("\ndaybook_tls_reload_failed \(isDegraded ? 1 : 0)\n"))
            }
            try await expectDegraded(false)
            try Array("x".utf8).withRawSpan { try HostFile.write(identity.certificatePath, $0) }
            await onThread { server.security?.reload(log.logger) }
            try await expectDegraded(true)
            try certificates.replace(identity, by: expired)
            await onThread { server.security?.reload(log.logger) }
            try await expectDegraded(true)
            try certificates.replace(identity, by: good)
            await onThread { server.security?.reload(log.logger) }
            try await expectDegraded(false)
        }
        let lines = log.lines().filter { $0.contains("The files of TLS cannot be used") }
        #expect(lines.count == 2)
        #expect(lines.first?.contains("holds no certificates in PEM form") == true)
        #expect(lines.last?.contains("has expired") == true)
    }

    @Test func theEndOfTheCertificateIsInTheMetrics() async throws {
        let certificates = try await TestCertificates.make()
        let identity = try await certificates.issue("server", days: 2)
        try await TestServer.with(options: .using(identity)) { server in
            let text = try await server.secureRequest("GET", "/metrics", certificates).text
            let line = text.split(separator: "\n").first {
                $0.hasPrefix("daybook_tls_certificate_expiry_seconds ")
            }
            let seconds = try #require(line?.split(separator: " ").last.flatMap { Int($0) })
            #expect((86_400...2 * 86_400).contains(seconds))
        }
    }

    @Test func anExpiredCertificateServesAndIsToldEverywhere() async throws {
        let certificates = try await TestCertificates.make()
        let expired = try await certificates.issue("expired", days: -1)
        let log = CapturedLog(.info, format: .text)
        let security = try TransportSecurity(.using(expired), clock: SystemClock())
        security.report(to: log.logger)
        #expect(security.status.isExpired)
        #expect(log.lines().contains { $0.contains("The TLS certificate has expired.") })
        #expect(fault(.using(expired))?.setting == "tls.certificate")
        #expect(fault(.using(expired))?.message.hasSuffix("which has expired.") == true)
    }

    @Test func aCertificateThatEndsSoonIsSpokenOf() async throws {
        let certificates = try await TestCertificates.make()
        let log = CapturedLog(.info, format: .text)
        let soon = try TransportSecurity(.using(try await certificates.issue("soon")), clock: SystemClock())
        soon.remind(log.logger)
        #expect(log.lines().contains { $0.contains("The TLS certificate expires soon.") })
        let later = CapturedLog(.info, format: .text)
        let good = try await certificates.issue("good", days: 90)
        try TransportSecurity(.using(good), clock: SystemClock()).remind(later.logger)
        #expect(later.lines().isEmpty)
    }

    @Test func aKeyThatOthersMayReadIsSpokenOf() async throws {
        let certificates = try await TestCertificates.make()
        let identity = try await certificates.issue("server", days: 90)
        for (mode, isSpokenOf) in [(0o600, false), (0o640, false), (0o644, true), (0o620, true)] {
            try FileManager.default.setAttributes([.posixPermissions: mode], ofItemAtPath: identity.keyPath)
            let log = CapturedLog(.info, format: .text)
            try TransportSecurity(.using(identity), clock: SystemClock()).report(to: log.logger)
            #expect(log.lines().contains { $0.contains("may touch the private key") } == isSpokenOf, "\(mode)")
        }
    }

    @Test func whatIsWrongWithAFileIsNamed() async throws {
        let certificates = try await TestCertificates.make()
        let identity = try await certificates.issue("server")
        let other = try await certificates.issue("other")
        let empty = try TemporaryDirectory()
        let garbage = empty.path + "/garbage.pem"
        try Array("-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n".utf8).withRawSpan {
            try HostFile.write(garbage, $0)
        }
        #expect(fault(.using(identity)) == nil)
        let cases: [(setting: String, ending: String, change: (inout TLSOptions) -> Void)] = [
            ("tls.certificate", "which does not exist.", { $0.certificatePath = "/nowhere/at/all.pem" }),
            ("tls.certificate", "which holds no certificates in PEM form.", { $0.certificatePath = garbage }),
            ("tls.certificate", "which holds no certificates in PEM form.", { $0.certificatePath = identity.keyPath }),
            ("tls.key", "which does not exist.", { $0.keyPath = empty.path + "/key" }),
            ("tls.key", "which holds no private key in PEM form without a password.", { $0.keyPath = garbage }),
            ("tls.key", "is not the key of the certificate in tls.certificate.", { $0.keyPath = other.keyPath }),
            (
                "tls.client_ca", "which holds no certificates in PEM form.",
                {
                    $0.clientAuthorityPath = garbage
                    $0.clientCertificates = .required
                }
            ),
        ]
        for (setting, ending, change) in cases {
            var options = ServerOptions.using(identity)
            change(&options.tls)
            let fault = try #require(self.fault(options))
            #expect(fault.setting == setting)
            #expect(fault.message.hasSuffix(ending), "\(fault)")
        }
    }
}
