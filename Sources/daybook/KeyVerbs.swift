import ArgumentParser
import DaybookTools

struct KeyVerbs: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "key", abstract: "Make, list, rotate and revoke API keys.",
        discussion: "Works beside a running server, which then does the work, and without one.",
        subcommands: [Create.self, List.self, Rotate.self, Revoke.self])

    struct Create: ParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Make a key. It is shown once and kept only as a hash.",
            discussion: """
                A key has a role (admin, manager, developer, viewer or auditor), or scopes
                (ingest, ingest:any_user, read, export, admin), or both: then it may do what
                both allow. Without either it has the scopes ingest and read. The page
                docs/permissions.md has the table.

                EXAMPLES:
                  daybook key create --data ./store --organization acme --name ci
                  daybook key create --data ./store --organization acme --role developer --user ada
                  daybook key create --data ./store --organization acme --scope ingest \\
                    --user ci-robot --expires-in-days 90
                """)

        @OptionGroup var dataOptions: DataOptions
        @Option(name: .long, help: "The organization that the key belongs to.")
        var organization: String
        @Option(name: .long, help: "What the key is for, in your words.")
        var name: String?
        @Option(name: .long, help: "What its owner is in the organization.")
        var role: String?
        @Option(name: .customLong("scope"), help: "What the key may do; repeat it for more.")
        var scopes: [String] = []
        @Flag(name: .customLong("operator"), help: "Lets the key also do what is the operator's: make organizations.")
        var isOperators = false
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
                expiresInSeconds: expiresInDays.map { $0 * 86_400 }, role: role, isOperators: isOperators)
            try administer(request, dataOptions, output)
        }
    }

    struct Rotate: ParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Make a key that takes the place of another one.",
            discussion: """
                The new key has the name, user, role and scopes of the old one, and as long
                a life as that was given. The old key goes on working for a grace of 24
                hours, or of so many as --grace-hours says, 0 included.

                EXAMPLES:
                  daybook key rotate KEY_ID --data ./store
                  daybook key rotate KEY_ID --data ./store --grace-hours 1 --expires-in-days 90
                """)

        @Argument(help: "The old key's id, as `key list` shows it. Not the key itself.")
        var keyID: String
        @OptionGroup var dataOptions: DataOptions
        @Option(name: .long, help: "Rotate only if the key belongs to this organization.")
        var organization: String?
        @Option(name: .long, help: "Hours that the old key goes on working, 0 to 720. [default: 24]")
        var graceHours: Int?
        @Option(name: .long, help: "Days until the new key expires. [default: as many as the old one was given]")
        var expiresInDays: Int?
        @OptionGroup var output: OutputOptions

        func validate() throws {
            if let graceHours, !(0...720).contains(graceHours) {
                throw ValidationError("--grace-hours must be from 0 to 720.")
            }
            if let expiresInDays, !(1...36_500).contains(expiresInDays) {
                throw ValidationError("--expires-in-days must be from 1 to 36500.")
            }
        }

        func run() throws {
            let request = AdministrativeRequest.rotateKey(
                keyID, organization: organization, graceSeconds: graceHours.map { $0 * 3_600 },
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
