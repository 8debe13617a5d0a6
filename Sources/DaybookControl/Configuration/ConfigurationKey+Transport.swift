extension ConfigurationKey {
    /// Encryption, proxies, browsers and overload.
    static let transport: [ConfigurationKey] = [
        path("tls.certificate", \.server.tls.certificatePath, "PEM file of the server's certificate and its chain"),
        path("tls.key", \.server.tls.keyPath, "PEM file of the certificate's private key"),
        .choice(
            "tls.client_certificates", \.server.tls.clientCertificates, "Whether clients have to show a certificate"),
        path(
            "tls.client_ca", \.server.tls.clientAuthorityPath,
            "PEM file of the authorities whose client certificates are good"),
        .choice("tls.minimum", \.server.tls.minimumVersion, "The oldest version of TLS that is spoken"),
        .boolean("server.http2", \.server.speaksHTTP2, "Whether HTTP/2 is offered where TLS is on"),
        .integer(
            "server.hsts_seconds", \.server.strictTransportSeconds, 0...63_072_000,
            "How long browsers shall keep to HTTPS after an answer that came over TLS; 0 does not say"),
        .integer(
            "server.shed_after_milliseconds", \.server.timeLimits.shedMilliseconds, 0...60_000,
            "An event loop that is so far behind answers 503 until it has caught up; 0 never"),
        ConfigurationKey(
            name: "server.trusted_proxies", form: .text("addresses and ranges with commas in between, or nothing"),
            summary: "Proxies whose X-Forwarded-For and X-Forwarded-Proto are believed",
            read: { .text($0.server.trustedProxies.text) },
            write: { configuration, value in
                guard case .text(let text) = value else { return nil }
                do throws(ListFault) {
                    configuration.server.trustedProxies = try TrustedProxies(parsing: text)
                    return nil
                } catch {
                    return fault(error, "must hold addresses such as 10.0.0.1 or ranges such as 10.0.0.0/8")
                }
            }),
        ConfigurationKey(
            name: "cors.origins", form: .text("origins with commas in between, or nothing"),
            summary: "Web pages whose scripts may call the server, such as https://app.example.com",
            read: { .text($0.server.allowedOrigins.text) },
            write: { configuration, value in
                guard case .text(let text) = value else { return nil }
                do throws(ListFault) {
                    configuration.server.allowedOrigins = try AllowedOrigins(parsing: text)
                    return nil
                } catch {
                    return fault(
                        error,
                        "must hold origins as browsers send them, such as https://app.example.com: lower case, no path, no usual port, no *"
                    )
                }
            }),
    ]

    private static func path(_ name: String, _ path: Field<String>, _ summary: String) -> ConfigurationKey {
        ConfigurationKey(
            name: name, form: .text("a path"), summary: summary, read: { .text($0[keyPath: path]) },
            write: { configuration, value in
                if case .text(let text) = value { configuration[keyPath: path] = text }
                return nil
            })
    }

    private static func fault(_ fault: ListFault, _ demand: String) -> String {
        switch fault {
        case .tooMany(let countMax): "\(demand), at most \(countMax) of them."
        case .part(let part): "\(demand), not \(shown(.text(part)))."
        }
    }
}
