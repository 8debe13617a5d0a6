import ArgumentParser
import DaybookSystem
import DaybookTools

struct VerifyVerbs: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "verify",
        abstract: "Check every file of a data directory against its checksums and against each other.",
        discussion: """
            Reads manifests, segments, indexes, carry files, log files, journal and
            checkpoint completely, with or without a running server, and never writes to
            them. Damage is told with its file and offset. A damaged index is told too, and
            is no damage of the store: it is made again when it is needed.

            EXIT CODES:
              0   sound
              1   damage was found
              2   the command line is wrong, or there is no store

            EXAMPLES:
              daybook verify --data ./store
              daybook verify --data ./store --json
            """,
        subcommands: [Files.self],
        defaultSubcommand: Files.self)

    /// The exit code of a command line that cannot be carried out.
    static let usageExitCode: Int32 = 2

    struct Files: ParsableCommand {
        static let configuration = CommandConfiguration(
            commandName: "files", abstract: "Every file, which is what `verify` alone does.")
        @OptionGroup var dataOptions: DataOptions
        @OptionGroup var output: OutputOptions

        func run() throws {
            let door = try dataOptions.door()
            let report: VerifyReport
            do {
                // The result comes after all of it, so the line of progress is never in its way.
                let progress = Progress(clock: SystemClock(), isShown: StandardStreams.isTerminal(.error))
                defer { progress.finish() }
                report = try door.verify { progress.report("reading \($0)") }
            } catch let error as ToolError {
                try StandardStreams.write("Error: \(error)\n", to: .error)
                throw ExitCode(VerifyVerbs.usageExitCode)
            }
            try StandardStreams.write(
                output.json ? String(decoding: report.json(), as: UTF8.self) + "\n" : report.text())
            if !report.isSound { throw ExitCode.failure }
        }
    }
}
