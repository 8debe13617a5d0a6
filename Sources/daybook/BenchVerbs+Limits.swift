import ArgumentParser
import DaybookTools

extension BenchVerbs {
    struct Limits: ParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Measure the memory that the accounts of rate limits take.",
            discussion: """
                Makes the accounts of so many organizations in this process, each with requests
                of every kind and a batch under way, and says how much anonymous memory that
                took, as the kernel counts it. No server is asked.

                EXAMPLES:
                  daybook bench limits
                  daybook bench limits --organizations 100000 --json
                """)

        @Option(name: .long, help: "Organizations with a limit.")
        var organizations = 10_000
        @OptionGroup var output: OutputOptions

        func validate() throws {
            guard (1...10_000_000).contains(organizations) else {
                throw ValidationError("--organizations must be from 1 to 10000000.")
            }
        }

        func run() throws {
            try output.printObject(try LimitMemory(organizationCount: organizations).json())
        }
    }
}
