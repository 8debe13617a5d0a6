import ArgumentParser
import DaybookTools

struct KeyVerbs: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "key", abstract: "Make, list and revoke API keys.",
        discussion: "Works beside a running server, which then does the work, and without one.",
        subcommands: [Create.self, List.self, Revoke.self])

    struct Create: ParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Make a key. It is shown once and kept only as a hash.",
            discussion: """
                EXAMPLES:
                  daybook key create --data ./store --organization acme --name ci
                  daybook key create --data ./store --organization acme --scope ingest --user ci-robot --expires-in-days 90
                """)

        @OptionGroup var dataOptions: DataOptions
        @Option(name: .long, help: "The organization that the key belongs to.")
        var organization: String
        @Option(name: .long, help: "What the key is for, in your words.")
        var name: String?
        @Option(name: .customLong("scope"), help: "What the key may do; repeat it for more. [default: ingest and read]")
        var scopes: [String] = []
        @Option(name: .long, help: "Whom events are for when they name nobody.")
        var user: String?
        @Option(name: .long, help: "Days until the key expires. [default: never]")
        var expiresInDays: Int?
        @OptionGroup var output: OutputOptions

        func validate() throws {
            if let expiresInDays, !(1...36_500).contains(expiresInDays) {
                throw ValidationError("--expires-in-days must be from 1 to 36500.")
            }
        }

        func run() throws {
            let request = AdministrativeRequest.createKey(
                organization: organization, name: name, scopes: scopes, user: user,
                expiresInSeconds: expiresInDays.map { $0 * 86_400 })
            try administer(request, dataOptions, output)
        }
    }

    struct List: ParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "List an organization's keys, without the keys themselves.",
            discussion: """
                EXAMPLES:
                  daybook key list --data ./store --organization acme
                """)

        @OptionGroup var dataOptions: DataOptions
        @Option(name: .long, help: "The organization.")
        var organization: String
        @OptionGroup var output: OutputOptions

        func run() throws {
            try administer(AdministrativeRequest.listKeys(organization: organization), dataOptions, output)
        }
    }

    struct Revoke: ParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Revoke a key: it opens nothing from then on.",
            discussion: """
                EXAMPLES:
                  daybook key revoke KEY_ID --data ./store
                """)

        @Argument(help: "The key's id, as `key list` shows it. Not the key itself.")
        var keyID: String
        @OptionGroup var dataOptions: DataOptions
        @Option(name: .long, help: "Revoke only if the key belongs to this organization.")
        var organization: String?
        @OptionGroup var output: OutputOptions

        func run() throws {
            try administer(
                AdministrativeRequest.revokeKey(keyID, organization: organization), dataOptions, output)
        }
    }
}
