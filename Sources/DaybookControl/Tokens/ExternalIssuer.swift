internal import DaybookFormat
internal import DaybookStore

/// Somebody else who makes access tokens that are accepted here: whose they are, with which keys, and which claims say
/// what their holder may do. Never what is the operator's.
struct ExternalIssuer: Sendable {
    /// Where the value of a claim comes from.
    enum Source: Sendable, Equatable {
        case fixed(String)
        case claim(String)
    }

    /// Letters of ours; in the audit trail.
    var name: String
    /// As the claim `iss` has it.
    var issuer: String
    var audience: String
    var organization: Source
    /// Those that the claim may name; empty: all.
    var organizations: Set<String>
    var user: Source
    var role: Source
    /// Accepted values of the header field `typ`, in lower case.
    var types: Set<String>
    var keys: [String: SignatureKey] = [:]

    /// Who a verified token is about; nil when a claim is missing or says something that is not known here.
    func holder(of token: TokenText) -> (organization: OrganizationID, user: String, role: Role)? {
        guard token.names(audience, in: "aud"), let name = text(organization, token),
            organizations.isEmpty || organizations.contains(name), let id = OrganizationID(name),
            let user = text(user, token), Self.isUser(user), let role = role(token)
        else { return nil }
        return (id, user, role)
    }

    private func text(_ source: Source, _ token: TokenText) -> String? {
        switch source {
        case .fixed(let text): text
        case .claim(let name): token.text(name)
        }
    }

    /// A text, or a list of texts of which just one is a role of ours.
    private func role(_ token: TokenText) -> Role? {
        switch role {
        case .fixed(let text): return Role(rawValue: text)
        case .claim(let name):
            if let text = token.text(name) { return Role(rawValue: text) }
            let known = Set(token.claims[name]?.arrayValue?.compactMap(\.stringValue).compactMap(Role.init) ?? [])
            return known.count == 1 ? known.first : nil
        }
    }

    /// Events can be for such a user. The stars are what is left of one who is forgotten.
    private static func isUser(_ text: String) -> Bool {
        (1...Limits.userByteCountMax).contains(text.utf8.count) && text.utf8.allSatisfy { $0 >= 0x20 && $0 != 0x7F }
            && text.contains { $0 != "*" }
    }
}
