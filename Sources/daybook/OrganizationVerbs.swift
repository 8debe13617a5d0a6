import ArgumentParser
import DaybookSystem
import DaybookTools

struct OrganizationVerbs: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "org", abstract: "Make, list and repair organizations.",
        discussion: "create and list work beside a running server, which then does the work, and without one.",
        subcommands: [Create.self, List.self, Rebuild.self])

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

        func run() throws { try output.printObject(try dataOptions.door().rebuild(organization: id)) }
    }
}

/// Has the request carried out by the server or here, and prints the answer.
func administer(_ request: [UInt8], _ dataOptions: DataOptions, _ output: OutputOptions) throws {
    let answer = try dataOptions.door().administer(request, clock: SystemClock(), entropy: SystemEntropy())
    try output.printObject(answer)
}
