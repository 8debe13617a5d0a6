internal import DaybookControl
internal import HTTPTypes
internal import HummingbirdCore

/// Who has connected: a client, or a proxy whose word on its clients is taken.
struct Peer {
    /// Its address without the port; empty when the kernel does not know it any more.
    let text: String
    let address: ClientAddress?
    let isTrusted: Bool

    init(_ text: String?, _ trusted: TrustedProxies) {
        self.text = text ?? ""
        let address = text.flatMap { NetworkAddress($0) }
        self.address = address.map { ClientAddress($0) }
        isTrusted = address.map(trusted.contains) ?? false
    }

    /// How a connection tells the router's routes who asks; what a client sends under this name is taken away.
    static let innerField = "Daybook-Client"

    static func client(of request: Request) -> String {
        HTTPField.Name(innerField).flatMap { request.headers[$0] } ?? ""
    }
}

extension ConnectionHandler {
    /// Whom limits count: the client that a trusted proxy names, else whoever has connected.
    var clientAddress: ClientAddress? { request.client.map { ClientAddress($0.address) } ?? peer.address }
    /// The same for the audit trail.
    var clientText: String { request.client?.text ?? peer.text }
    /// The client's own connection is encrypted.
    var isSecure: Bool { environment.security != nil || request.isForwardedSecurely }

    /// What the head says of where the request comes from: the proxy's word, and the page in whose name a browser asks.
    func readOrigin(_ fields: RequestFields) {
        if peer.isTrusted {
            request.client = fields.forwardedFor.flatMap(environment.options.trustedProxies.client)
            // The last of several is the word of the proxy that has connected.
            let last = fields.forwardedProtocol?.split(separator: ",").last?.filter { $0 != " " && $0 != "\t" }
            request.isForwardedSecurely = last.map { equalIgnoringCase($0, "https") } ?? false
        }
        guard let origin = fields.origin, environment.answerFields.allowedOrigins.contains(origin) else { return }
        request.origin = origin
        request.isPreflight = request.method == "OPTIONS" && fields.asksForMethod
    }
}
