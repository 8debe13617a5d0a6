import ArgumentParser
import DaybookTools

struct DeadLetterVerbs: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "dlq", abstract: "Look after background work that is not tried any more by itself.",
        discussion: """
            Sealing and merging that failed three times are dead letters. Their events are
            where they were, and are asked like all others. Works beside a running server,
            which then does the work, and without one. The page
            docs/operations/dead-letters.md says what to do about each.
            """,
        subcommands: [List.self, Show.self, Replay.self, Purge.self])

    struct List: ParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "List dead letters, the oldest first.",
            discussion: """
                EXAMPLES:
                  daybook dlq list --data ./store
                  daybook dlq list --data ./store --organization acme --json
                """)

        @OptionGroup var dataOptions: DataOptions
        @Option(name: .long, help: "Only those of this organization.")
        var organization: String?
        @OptionGroup var output: OutputOptions

        func run() throws {
            try administer(AdministrativeRequest.listDeadLetters(organization: organization), dataOptions, output)
        }
    }

    struct Show: ParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Show one dead letter: what it is about, and its last error.",
            discussion: """
                EXAMPLES:
                  daybook dlq show 1122334455667788 --data ./store
                """)

        @Argument(help: "Its id, as `dlq list` shows it.")
        var id: String
        @OptionGroup var dataOptions: DataOptions
        @OptionGroup var output: OutputOptions

        func run() throws { try administer(AdministrativeRequest.showDeadLetter(id), dataOptions, output) }
    }

    struct Replay: ParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Try the work of a dead letter, or of all of them, again.",
            discussion: """
                It leaves the queue at once, and comes back under another id if the work
                fails three times more. Without a server the next one begins with it.

                EXAMPLES:
                  daybook dlq replay 1122334455667788 --data ./store
                  daybook dlq replay --all --data ./store
                  daybook dlq replay --all --organization acme --data ./store
                """)

        @OptionGroup var which: DeadLetterOptions
        @OptionGroup var dataOptions: DataOptions
        @OptionGroup var output: OutputOptions

        func run() throws {
            try administer(
                AdministrativeRequest.replayDeadLetters(which.id, organization: which.organization), dataOptions,
                output)
        }
    }

    struct Purge: ParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Take a dead letter, or all of them, out of the queue.",
            discussion: """
                Nothing of the events goes. The work is tried again when something happens to
                its organization, or at the next start.

                EXAMPLES:
                  daybook dlq purge 1122334455667788 --data ./store
                  daybook dlq purge --all --data ./store
                """)

        @OptionGroup var which: DeadLetterOptions
        @OptionGroup var dataOptions: DataOptions
        @OptionGroup var output: OutputOptions

        func run() throws {
            try administer(
                AdministrativeRequest.purgeDeadLetters(which.id, organization: which.organization), dataOptions,
                output)
        }
    }
}

/// One dead letter, or all.
struct DeadLetterOptions: ParsableArguments {
    @Argument(help: "Its id, as `dlq list` shows it.")
    var id: String?
    @Flag(name: .long, help: "All of them, instead of one.")
    var all = false
    @Option(name: .long, help: "Only those of this organization.")
    var organization: String?

    func validate() throws {
        guard (id == nil) == all else { throw ValidationError("Name a dead letter by its id, or all with --all.") }
    }
}
