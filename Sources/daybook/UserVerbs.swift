import ArgumentParser
import DaybookTools

struct UserVerbs: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "user", abstract: "List, show, set and delete the users of an organization.",
        discussion: """
            Events and keys name users without a record, too. A record says which team the
            user's events belong to, and what the user's keys may do at most. The verbs work
            beside a running server, where a change holds from the next request on, and
            without one.
            """,
        subcommands: [List.self, Show.self, Set.self, Delete.self])

    struct List: ParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "List the users of an organization.",
            discussion: """
                EXAMPLES:
                  daybook user list --organization acme --data ./store
                  daybook user list --organization acme --team core --data ./store --json
                """)

        @OptionGroup var dataOptions: DataOptions
        @Option(name: .long, help: "The organization.")
        var organization: String
        @Option(name: .long, help: "Only the members of this team.")
        var team: String?
        @OptionGroup var output: OutputOptions

        func run() throws {
            try administer(AdministrativeRequest.listUsers(organization: organization, team: team), dataOptions, output)
        }
    }

    struct Show: ParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Show a user.",
            discussion: """
                EXAMPLES:
                  daybook user show ada --organization acme --data ./store
                """)

        @Argument(help: "The user, as user_id names them.")
        var user: String
        @OptionGroup var dataOptions: DataOptions
        @Option(name: .long, help: "The organization.")
        var organization: String
        @OptionGroup var output: OutputOptions

        func run() throws {
            try administer(
                AdministrativeRequest.user("user.show", user, organization: organization), dataOptions, output)
        }
    }

    struct Set: ParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Make the record of a user, or change it.",
            discussion: """
                What is not named stays. A role bounds what the user's keys may do; it gives
                nothing that a key does not have. The keys of a disabled user open nothing
                from the next request on, and again once the user is enabled. Events belong to
                the team that their user is in when they arrive.

                EXAMPLES:
                  daybook user set ada --organization acme --team core --role manager --data ./store
                  daybook user set ada --organization acme --name "Ada L." --data ./store
                  daybook user set ada --organization acme --no-team --no-role --data ./store
                  daybook user set ada --organization acme --disabled on --data ./store
                """)

        enum Switch: String, ExpressibleByArgument, CaseIterable { case on, off }

        @Argument(help: "The user, as user_id names them: 1 to 128 of A-Z, a-z, 0-9 and _.@-")
        var user: String
        @OptionGroup var dataOptions: DataOptions
        @Option(name: .long, help: "The organization.")
        var organization: String
        @Option(name: .long, help: "What people call the user; an empty text takes it away.")
        var name: String?
        @Option(name: .long, help: "admin, manager, developer, viewer or auditor.")
        var role: String?
        @Flag(name: .customLong("no-role"), help: "Takes the role away: keys may do all that they were made for.")
        var hasNoRole = false
        @Option(name: .long, help: "The team that the user is in.")
        var team: String?
        @Flag(name: .customLong("no-team"), help: "Takes the user out of the team.")
        var hasNoTeam = false
        @Option(name: .long, help: "Whether the user's keys open nothing.")
        var disabled: Switch?
        @OptionGroup var output: OutputOptions

        func validate() throws {
            guard role == nil || !hasNoRole else { throw ValidationError("--role and --no-role exclude each other.") }
            guard team == nil || !hasNoTeam else { throw ValidationError("--team and --no-team exclude each other.") }
        }

        func run() throws {
            let request = AdministrativeRequest.setUser(
                user, organization: organization, name: name, role: hasNoRole ? .some(nil) : role,
                team: hasNoTeam ? .some(nil) : team, isDisabled: disabled.map { $0 == .on })
            try administer(request, dataOptions, output)
        }
    }

    struct Delete: ParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "End the record of a user and revoke the user's keys.",
            discussion: """
                The user's events stay, and so does the name in the control log: to forget a
                user, see daybook erase.

                EXAMPLES:
                  daybook user delete ada --organization acme --data ./store
                """)

        @Argument(help: "The user, as user_id names them.")
        var user: String
        @OptionGroup var dataOptions: DataOptions
        @Option(name: .long, help: "The organization.")
        var organization: String
        @OptionGroup var output: OutputOptions

        func run() throws {
            try administer(
                AdministrativeRequest.user("user.delete", user, organization: organization), dataOptions, output)
        }
    }
}
