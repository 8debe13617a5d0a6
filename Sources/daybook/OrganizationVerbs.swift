import ArgumentParser
import DaybookSystem
import DaybookTools

struct OrganizationVerbs: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "org", abstract: "Make, list, set, delete and repair organizations.",
        discussion:
            "All but rebuild work beside a running server, which then does the work, and without one.",
        subcommands: [
            Create.self, List.self, Show.self, Set.self, Configuration.self, Delete.self, Rebuild.self,
        ])

    struct Create: ParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Make an organization and its first key.",
            discussion: """
                EXAMPLES:
                  daybook org create acme --data ./store
                  daybook org create acme --data ./store --json
                """)

        @Argument(help: "The new organization's id: 1 to 63 of a-z, 0-9 and -, and not - at its start.")
        var id: String
        @OptionGroup var dataOptions: DataOptions
        @OptionGroup var output: OutputOptions

        func run() throws {
            try administer(AdministrativeRequest.createOrganization(id), dataOptions, output)
        }
    }

    struct List: ParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "List the organizations.",
            discussion: """
                EXAMPLES:
                  daybook org list --data ./store
                  daybook org list --data ./store --json
                """)

        @OptionGroup var dataOptions: DataOptions
        @OptionGroup var output: OutputOptions

        func run() throws {
            try administer(AdministrativeRequest.listOrganizations(), dataOptions, output)
        }
    }

    struct Show: ParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Show an organization's retention, legal hold, quota and durability.",
            discussion: """
                EXAMPLES:
                  daybook org show acme --data ./store
                  daybook org show acme --data ./store --json
                """)

        @Argument(help: "The organization's id.")
        var id: String
        @OptionGroup var dataOptions: DataOptions
        @OptionGroup var output: OutputOptions

        func run() throws { try administer(AdministrativeRequest.showOrganization(id), dataOptions, output) }
    }

    struct Set: ParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Change an organization's retention, legal hold, quota or durability.",
            discussion: """
                Takes effect at once, beside a running server, too: events that have expired by
                the new retention are not shown any more, and their files go soon after. With a
                legal hold nothing expires, whatever the retention says. The durability is that
                of requests without Prefer: durability=…: relaxed answers before the events are
                on stable storage, and without a sequence.

                EXAMPLES:
                  daybook org set acme --data ./store --retention commands=30 --retention agents=30
                  daybook org set acme --data ./store --retention sessions=0
                  daybook org set acme --data ./store --legal-hold on
                  daybook org set acme --data ./store --quota-bytes 10737418240
                  daybook org set acme --data ./store --durability relaxed
                """)

        enum Switch: String, ExpressibleByArgument, CaseIterable { case on, off }
        enum Choice: String, ExpressibleByArgument, CaseIterable { case durable, relaxed }

        @Argument(help: "The organization's id.")
        var id: String
        @Option(
            name: .long,
            help: ArgumentHelp(
                "Days that events are kept, by family: commands, agents, sessions or productivity. 0 keeps for ever.",
                valueName: "family=days"))
        var retention: [String] = []
        @Option(name: .long, help: "Whether everything is kept whatever the retention says.")
        var legalHold: Switch?
        @Option(name: .long, help: "Bytes that its segments and log files may take; 0 is no bound.")
        var quotaBytes: Int?
        @Option(name: .long, help: "When requests that do not say are answered.")
        var durability: Choice?
        @OptionGroup var dataOptions: DataOptions
        @OptionGroup var output: OutputOptions

        func validate() throws {
            if retention.isEmpty, legalHold == nil, quotaBytes == nil, durability == nil {
                throw ValidationError("Nothing to set: give --retention, --legal-hold, --quota-bytes or --durability.")
            }
            _ = try retentionDays()
        }

        func run() throws {
            let request = AdministrativeRequest.setOrganization(
                id, retentionDays: try retentionDays(), isHeld: legalHold.map { $0 == .on },
                quotaByteCount: quotaBytes, durability: durability?.rawValue)
            try administer(request, dataOptions, output)
        }

        private func retentionDays() throws -> [String: Int] {
            do {
                return try AdministrativeRequest.retentionDays(parsing: retention)
            } catch {
                throw ValidationError(error.description)
            }
        }
    }

    struct Rebuild: ParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Make the damaged manifest of a closed organization anew.",
            discussion: """
                From the segments, the log files and the salvaged groups in its folder. The
                server must be stopped. Nothing is removed: the damaged manifest and every
                file that the new one does not name stay beside it as *.quarantine. Says how
                many events no segment holds any more.

                EXAMPLES:
                  daybook inspect manifest --data ./store --organization acme
                  daybook org rebuild acme --data ./store
                """)

        @Argument(help: "The closed organization's id.")
        var id: String
        @OptionGroup var dataOptions: DataOptions
        @OptionGroup var output: OutputOptions

        func run() throws {
            let report = try dataOptions.door().rebuild(
                organization: id, clock: SystemClock(), entropy: SystemEntropy())
            try output.printObject(report)
        }
    }
}

/// Has the request carried out by the server or here, and prints the answer.
func administer(_ request: [UInt8], _ dataOptions: DataOptions, _ output: OutputOptions) throws {
    let answer = try dataOptions.door().administer(
        request, clock: SystemClock(), entropy: SystemEntropy(), configuration: try ConfigurationOptions.ambient())
    try output.printObject(answer)
}
