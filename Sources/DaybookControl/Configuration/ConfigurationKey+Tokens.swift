/// Settings of access tokens.
extension ConfigurationKey {
    static let tokens: [ConfigurationKey] = [
        name("tokens.issuer", \.tokens.issuer, "What the store calls itself in its tokens: their claim iss"),
        name("tokens.audience", \.tokens.audience, "Whom its tokens are for: their claim aud"),
        .choice(
            "tokens.algorithm", \.tokens.algorithm,
            "How a signing key that is made from now on signs; `daybook token rotate-key` makes one"),
        .integer(
            "tokens.access_seconds", \.tokens.accessSeconds, 60...TokenTimes.lifetimeSecondsMax,
            "Seconds until an access token ends"),
        .integer(
            "tokens.refresh_seconds", \.tokens.refreshSeconds, 300...7_776_000,
            "Seconds until refresh tokens end that came of one API key, however often they are used"),
        ConfigurationKey(
            name: "tokens.issuers_file", form: .text("a path, or nothing"),
            summary: "A file with other issuers whose access tokens are accepted",
            read: { .text($0.tokens.issuersFile) },
            write: { configuration, value in
                if case .text(let path) = value { configuration.tokens.issuersFile = path }
                return nil
            }),
    ]

    private static func name(
        _ name: String, _ path: Field<String>, _ summary: String
    ) -> ConfigurationKey {
        ConfigurationKey(
            name: name, form: .text("1 to 255 visible ASCII characters"), summary: summary,
            read: { .text($0[keyPath: path]) },
            write: { configuration, value in
                guard case .text(let text) = value, (1...255).contains(text.utf8.count),
                    text.utf8.allSatisfy({ (0x21...0x7E).contains($0) })
                else { return "must be 1 to 255 visible ASCII characters, not \(shown(value))." }
                configuration[keyPath: path] = text
                return nil
            })
    }
}
