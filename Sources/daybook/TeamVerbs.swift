import ArgumentParser
import DaybookTools

struct TeamVerbs: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "team", abstract: "List, show, set and delete the teams of an organization.",
        discussion: """
            An event belongs to the team that its user is in when it arrives. Who is in a
            team is said with daybook user set. The verbs work beside a running server and
            without one.
            """,
        subcommands: [List.self, Show.self, Set.self, Delete.self])

    struct List: ParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "List the teams of an organization.",
            discussion: """
                EXAMPLES:
                  daybook team list --organization acme --data ./store
                """)

        @OptionGroup var dataOptions: DataOptions
        @Option(name: .long, help: "The organization.")
        var organization: String
        @OptionGroup var output: OutputOptions

        func run() throws {
            try administer(AdministrativeRequest.listTeams(organization: organization), dataOptions, output)
        }
    }

    struct Show: ParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Show a team and its members.",
            discussion: """
                EXAMPLES:
                  daybook team show core --organization acme --data ./store
                """)

        @Argument(help: "The team, as team_id names it.")
        var team: String
        @OptionGroup var dataOptions: DataOptions
        @Option(name: .long, help: "The organization.")
        var organization: String
        @OptionGroup var output: OutputOptions

        func run() throws {
            try administer(
                AdministrativeRequest.team("team.show", team, organization: organization), dataOptions, output)
        }
    }

    struct Set: ParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Make a team, or name it otherwise.",
            discussion: """
                Events keep the id of a team for ever, and erasing a user leaves it: call no
                team after a person.

                EXAMPLES:
                  daybook team set core --organization acme --data ./store
                  daybook team set core --organization acme --name "Core platform" --data ./store
                """)

        @Argument(help: "The team, as team_id names it: 1 to 128 of A-Z, a-z, 0-9 and _.@-")
        var team: String
        @OptionGroup var dataOptions: DataOptions
        @Option(name: .long, help: "The organization.")
        var organization: String
        @Option(name: .long, help: "What people call the team; an empty text takes it away.")
        var name: String?
        @OptionGroup var output: OutputOptions

        func run() throws {
            try administer(
                AdministrativeRequest.setTeam(team, organization: organization, name: name), dataOptions, output)
        }
    }

    struct Delete: ParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "End a team that has no members.",
            discussion: """
                Events that belong to it go on belonging to it.

                EXAMPLES:
                  daybook team delete core --organization acme --data ./store
                """)

        @Argument(help: "The team, as team_id names it.")
        var team: String
        @OptionGroup var dataOptions: DataOptions
        @Option(name: .long, help: "The organization.")
        var organization: String
        @OptionGroup var output: OutputOptions

        func run() throws {
            try administer(
                AdministrativeRequest.team("team.delete", team, organization: organization), dataOptions, output)
        }
    }
}
