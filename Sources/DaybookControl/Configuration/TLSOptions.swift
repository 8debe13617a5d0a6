/// How connections are encrypted. Without a certificate they are not.
package struct TLSOptions: Sendable, Equatable {
    package enum ClientCertificates: String, Sendable, CaseIterable {
        /// Clients are not asked for one.
        case none
        /// One that is shown must be good.
        case optional
        /// Without a good one there is no connection.
        case required
    }

    package enum Version: String, Sendable, CaseIterable {
        case tls12 = "1.2"
        case tls13 = "1.3"
    }

    /// PEM files. The certificate's may hold the whole chain, the server's own first.
    package var certificatePath = ""
    package var keyPath = ""
    /// Certificates of the authorities that client certificates must come from.
    package var clientAuthorityPath = ""
    package var clientCertificates = ClientCertificates.none
    package var minimumVersion = Version.tls12

    package init() {}

    package var isOn: Bool { !certificatePath.isEmpty }

    /// What does not hold together: the settings that take part, and how the sentence about the first of them goes on.
    func contradictions() -> [(names: [String], message: String)] {
        var found: [(names: [String], message: String)] = []
        if certificatePath.isEmpty != keyPath.isEmpty {
            found.append(
                (["tls.certificate", "tls.key"], "is set alone: tls.certificate and tls.key are needed together."))
        }
        if clientCertificates != .none, clientAuthorityPath.isEmpty {
            found.append((["tls.client_certificates"], "needs tls.client_ca, which says whose are good."))
        }
        if clientCertificates == .none, !clientAuthorityPath.isEmpty {
            found.append((["tls.client_ca"], "is used only when tls.client_certificates is optional or required."))
        }
        if clientCertificates != .none, !isOn {
            found.append((["tls.client_certificates"], "needs TLS: set tls.certificate and tls.key."))
        }
        return found
    }
}
