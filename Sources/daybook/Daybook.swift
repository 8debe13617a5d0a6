import ArgumentParser
import DaybookSystem

@main
struct Daybook: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "daybook",
        abstract: "Collects, stores, answers for and proves the metrics of AI-assisted development.",
        discussion: """
            FIRST STEPS:
              daybook init --data ./store
              daybook serve --data ./store
              curl -H "Authorization: Bearer KEY" -H "Content-Type: application/json" \\
                -d '{"command_name":"test","execution_time_ms":9,"status":"success"}' \\
                http://127.0.0.1:8080/api/v1/metrics/command-execution

            ENVIRONMENT:
              DAYBOOK_DATA     default of --data
              DAYBOOK_KEY      default of --key
              DAYBOOK_CONFIG   default of --config
              DAYBOOK_…        every setting of serve: see `daybook config show`
              NO_COLOR         honoured: daybook prints no colour with it or without it

            EXIT CODES:
              0   done
              1   the work failed; standard error says why and what to do
              64  the command line is wrong (2 for verify)
              78  the configuration is wrong; standard error lists every fault
            """,
        version: Version.text,
        subcommands: [
            Initialize.self, Serve.self, ConfigurationVerbs.self, OrganizationVerbs.self, LimitVerbs.self,
            UserVerbs.self, TeamVerbs.self, KeyVerbs.self, TokenVerbs.self, AuditVerb.self, DeadLetterVerbs.self,
            EraseVerb.self, ReplayVerb.self, ExportVerb.self, InspectVerbs.self, VerifyVerbs.self,
            BenchVerbs.self, VersionVerb.self,
        ])

    static func main() async {
        do {
            var command = try parseAsRoot()
            if var command = command as? any AsyncParsableCommand {
                try await command.run()
            } else {
                try command.run()
            }
        } catch {
            let isUsage = exitCode(for: error) == .validationFailure
            guard isUsage, CommandLine.arguments.dropFirst().first == VerifyVerbs.configuration.commandName else {
                exit(withError: error)
            }
            // A standard error that is closed is no reason to end with another code.
            try? StandardStreams.write(fullMessage(for: error) + "\n", to: .error)
            exit(withError: ExitCode(VerifyVerbs.usageExitCode))
        }
    }
}
