import Testing

@testable import DaybookControl

/// Settings of TLS, proxies and browsers.
@Suite struct TransportSettingTests {
    private func result(_ settings: [String]) -> (configuration: Configuration?, faults: [String]) {
        var sources = ConfigurationSources()
        sources.flags = settings.map { ConfigurationSources.Flag("--set", $0) }
        do {
            return (try Configuration(sources), [])
        } catch {
            return (nil, error.list.map(\.description))
        }
    }

    @Test func everythingThatIsSetIsThere() throws {
        let configuration = try #require(
            result([
                "tls.certificate=c.pem", "tls.key=k.pem", "tls.client_ca=ca.pem", "tls.client_certificates=optional",
                "tls.minimum=1.3", "server.http2=false", "server.hsts_seconds=0",
                "server.shed_after_milliseconds=250", "server.trusted_proxies=10.0.0.0/8, ::1",
                "cors.origins=https://a.example", "timeouts.handshake_milliseconds=500",
            ]).configuration)
        let server = configuration.server
        #expect(server.tls.isOn)
        #expect(server.tls.certificatePath == "c.pem" && server.tls.keyPath == "k.pem")
        #expect(server.tls.clientAuthorityPath == "ca.pem")
        #expect(server.tls.clientCertificates == .optional)
        #expect(server.tls.minimumVersion == .tls13)
        #expect(!server.speaksHTTP2)
        #expect(server.strictTransportSeconds == 0)
        #expect(server.timeLimits.shedMilliseconds == 250)
        #expect(server.timeLimits.handshakeMilliseconds == 500)
        #expect(server.trustedProxies.text == "10.0.0.0/8,::1")
        #expect(server.allowedOrigins.contains("https://a.example"))
        #expect(!Configuration().server.tls.isOn)
    }

    @Test func whatDoesNotHoldTogetherIsNamed() {
        for (settings, fault) in [
            (
                ["tls.certificate=c.pem"],
                "tls.certificate is set alone: tls.certificate and tls.key are needed together."
            ),
            (["tls.key=k.pem"], "tls.key is set alone: tls.certificate and tls.key are needed together."),
            (
                ["tls.certificate=c.pem", "tls.key=k.pem", "tls.client_certificates=required"],
                "tls.client_certificates needs tls.client_ca, which says whose are good."
            ),
            (
                ["tls.certificate=c.pem", "tls.key=k.pem", "tls.client_ca=ca.pem"],
                "tls.client_ca is used only when tls.client_certificates is optional or required."
            ),
            (
                ["tls.client_certificates=optional", "tls.client_ca=ca.pem"],
                "tls.client_certificates needs TLS: set tls.certificate and tls.key."
            ),
        ] {
            #expect(result(settings).faults == ["command line: \(fault)"])
        }
    }

    @Test func wrongListsAreToldWithTheirPart() {
        for (setting, part) in [
            ("server.trusted_proxies=10.0.0.0/8,proxy", "\"proxy\""),
            ("server.trusted_proxies=10.0.0.0/99", "10.0.0.0/99"),
            ("cors.origins=*", "\"*\""), ("cors.origins=https://a.example/", "https://a.example/"),
            ("tls.minimum=1.1", "\"1.1\""), ("tls.client_certificates=maybe", "\"maybe\""),
        ] {
            let faults = result([setting]).faults
            #expect(faults.count == 1)
            #expect(faults.first?.contains(part) == true, "\(faults)")
            #expect(faults.first?.hasPrefix("command line: --set ") == true, "\(faults)")
        }
    }
}
