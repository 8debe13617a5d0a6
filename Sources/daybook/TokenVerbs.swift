import ArgumentParser
import DaybookTools

struct TokenVerbs: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "token", abstract: "Make, list and revoke access tokens, and rotate the key that signs them.",
        discussion: "Works beside a running server, which then does the work, and without one.",
        subcommands: [Issue.self, List.self, Revoke.self, RotateKey.self])

    struct Issue: ParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Make an access token and a refresh token for an API key. They are shown once.",
            discussion: """
                The access token may do what the key may do, and ends with it. The refresh
                token gives further access tokens: POST /api/v1/auth/refresh. Each is used
                once; one that comes a second time ends all that came of it.

                EXAMPLES:
                  daybook token issue KEY_ID --data ./store
                  daybook token issue KEY_ID --data ./store --no-refresh --expires-in-minutes 60
                """)

        @Argument(help: "The key's id, as `key list` shows it. Not the key itself.")
        var keyID: String
        @OptionGroup var dataOptions: DataOptions
        @Option(name: .long, help: "Only if the key belongs to this organization.")
        var organization: String?
        @Option(
            name: .long,
            help:
                "Minutes until the access token ends, 1 to 1440. [default: tokens.access_seconds, a quarter of an hour]"
        )
        var expiresInMinutes: Int?
        @Flag(name: .customLong("no-refresh"), help: "The access token alone.")
        var isAlone = false
        @OptionGroup var output: OutputOptions

        func validate() throws {
            if let expiresInMinutes, !(1...1_440).contains(expiresInMinutes) {
                throw ValidationError("--expires-in-minutes must be from 1 to 1440.")
            }
        }

        func run() throws {
            let request = AdministrativeRequest.issueToken(
                keyID: keyID, organization: organization, expiresInSeconds: expiresInMinutes.map { $0 * 60 },
                hasRefresh: !isAlone)
            try administer(request, dataOptions, output)
        }
    }

    struct List: ParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "List an organization's grants, and access tokens that were revoked.",
            discussion: """
                A grant is what an API key has given a client: refresh tokens that follow
                each other. Access tokens are not kept, so only revoked ones can be listed.

                EXAMPLES:
                  daybook token list --data ./store --organization acme
                """)

        @OptionGroup var dataOptions: DataOptions
        @Option(name: .long, help: "The organization.")
        var organization: String
        @OptionGroup var output: OutputOptions

        func run() throws {
            try administer(AdministrativeRequest.listTokens(organization: organization), dataOptions, output)
        }
    }

    struct Revoke: ParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Revoke an access token, or a grant with every token that came of it, at once.",
            discussion: """
                A token's id is in the answer that gave it, in its claim jti, and in the
                audit trail; that of a grant also in `token list`. Revoking the API key
                (key revoke) ends all of its tokens.

                EXAMPLES:
                  daybook token revoke tok_0123456789abcdef_KEY_ID --data ./store
                  daybook token revoke grant_0123456789abcdef_KEY_ID --data ./store
                  daybook token revoke ext_corp_0123456789abcdef --organization acme --data ./store
                """)

        @Argument(help: "The id of the token or grant. Not the token itself.")
        var tokenID: String
        @OptionGroup var dataOptions: DataOptions
        @Option(name: .long, help: "Only if it belongs to this organization; needed for tokens of external issuers.")
        var organization: String?
        @OptionGroup var output: OutputOptions

        func run() throws {
            try administer(
                AdministrativeRequest.revokeToken(tokenID, organization: organization), dataOptions, output)
        }
    }

    struct RotateKey: ParsableCommand {
        static let configuration = CommandConfiguration(
            commandName: "rotate-key",
            abstract: "Make a new key that signs access tokens.",
            discussion: """
                The old key verifies what it has signed for a day more. With --at-once it
                does not: every access token and every refresh token ends now, and clients
                get new ones with their API keys. That is also the cure when the file with
                the signing keys is damaged or was seen by somebody.

                EXAMPLES:
                  daybook token rotate-key --data ./store
                  daybook token rotate-key --data ./store --at-once
                """)

        @OptionGroup var dataOptions: DataOptions
        @Flag(name: .customLong("at-once"), help: "End every token that was made before.")
        var atOnce = false
        @OptionGroup var output: OutputOptions

        func run() throws {
            try administer(AdministrativeRequest.rotateSigningKey(atOnce: atOnce), dataOptions, output)
        }
    }
}
