import ArgumentParser
import DaybookTools

struct AuditVerb: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "audit", abstract: "Show who did what, and who was not allowed to, newest first.",
        discussion: """
            Every administrative act is in the audit trail, and every access that was denied
            to a key that is known. An entry names the key's id, never a user; "local" is
            whoever may open the data directory. Works beside a running server and without
            one, and changes nothing.

            EXAMPLES:
              daybook audit --data ./store --organization acme
              daybook audit --data ./store --organization acme --limit 1000 --json
              daybook audit --data ./store --organization acme --before 120
            """)

    @OptionGroup var dataOptions: DataOptions
    @Option(
        name: .long, help: "The organization. [default: the trail of the whole store, which has numbers of its own]")
    var organization: String?
    @Option(name: .long, help: "How many entries, 1 to 1000.")
    var limit = 100
    @Option(name: .long, help: "Only entries with a smaller number: the next page.")
    var before: UInt64?
    @OptionGroup var output: OutputOptions

    func validate() throws {
        guard (1...1_000).contains(limit) else { throw ValidationError("--limit must be from 1 to 1000.") }
        if before == 0 { throw ValidationError("--before must be 1 or more.") }
    }

    func run() throws {
        try output.printObject(
            try dataOptions.door().audit(organization: organization, limit: limit, before: before))
    }
}
