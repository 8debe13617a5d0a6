import ArgumentParser
import DaybookSystem
import DaybookTools

struct Initialize: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "init",
        abstract: "Make a store with its first organization and key.",
        discussion: """
            The directory is made if it is missing; its parent must exist. The key is
            shown once and kept only as a hash.

            EXAMPLES:
              daybook init --data ./store
              daybook init --data ./store --organization acme --json
            """)

    @OptionGroup var dataOptions: DataOptions
    @Option(name: .long, help: "Id of the first organization: 1 to 63 of a-z, 0-9 and -.")
    var organization = "default"
    @OptionGroup var output: OutputOptions

    func run() throws {
        let answer = try dataOptions.door().initialize(
            organization: organization, clock: SystemClock(), entropy: SystemEntropy(),
            configuration: try ConfigurationOptions.ambient())
        try output.printObject(answer)
    }
}
