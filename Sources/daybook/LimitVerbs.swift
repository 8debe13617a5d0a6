import ArgumentParser
import DaybookTools

struct LimitVerbs: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "limits", abstract: "Show and set how much an organization may send and ask.",
        discussion: """
            Single events, batches (ten times as many) and questions are counted each on
            their own, over any 60 seconds. The verbs work beside a running server, where
            a change holds from the next request on, and without one.
            """,
        subcommands: [Show.self, Set.self])

    struct Show: ParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Show an organization's limits.",
            discussion: """
                EXAMPLES:
                  daybook limits show acme --data ./store
                  daybook limits show acme --data ./store --json
                """)

        @Argument(help: "The organization's id.")
        var id: String
        @OptionGroup var dataOptions: DataOptions
        @OptionGroup var output: OutputOptions

        func run() throws { try administer(AdministrativeRequest.showLimits(id), dataOptions, output) }
    }

    struct Set: ParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Change an organization's limits.",
            discussion: """
                An organization has no limit on requests until one is set. Tiers, in
                requests a minute: free 100, professional 1000, enterprise 5000, unlimited.

                EXAMPLES:
                  daybook limits set acme --data ./store --tier professional
                  daybook limits set acme --data ./store --requests-per-minute 2000 --burst 200
                  daybook limits set acme --data ./store --adaptive off
                  daybook limits set acme --data ./store --concurrent-batches 10
                """)

        enum Switch: String, ExpressibleByArgument, CaseIterable { case on, off }
        enum Tier: String, ExpressibleByArgument, CaseIterable { case unlimited, free, professional, enterprise }

        @Argument(help: "The organization's id.")
        var id: String
        @Option(name: .long, help: "A limit with a name. Takes a burst away.")
        var tier: Tier?
        @Option(name: .long, help: "A limit of its own instead, 1 to 10000000. Takes a burst away.")
        var requestsPerMinute: Int?
        @Option(name: .long, help: "Requests beyond the limit that are admitted now and then; at most the limit.")
        var burst: Int?
        @Option(name: .long, help: "Whether those who do not wait when they are told to get less for a while.")
        var adaptive: Switch?
        @Option(name: .long, help: "Batches and imports at a time, 1 to 1000; 5 unless set.")
        var concurrentBatches: Int?
        @OptionGroup var dataOptions: DataOptions
        @OptionGroup var output: OutputOptions

        func validate() throws {
            if tier == nil, requestsPerMinute == nil, burst == nil, adaptive == nil, concurrentBatches == nil {
                throw ValidationError(
                    "Nothing to set: give --tier, --requests-per-minute, --burst, --adaptive or --concurrent-batches.")
            }
        }

        func run() throws {
            let request = AdministrativeRequest.setLimits(
                id, tier: tier?.rawValue, requestsPerMinute: requestsPerMinute, burst: burst,
                isAdaptive: adaptive.map { $0 == .on }, concurrentBatchCount: concurrentBatches)
            try administer(request, dataOptions, output)
        }
    }
}
