import ArgumentParser
import DaybookSystem
import DaybookTools

struct VerifyVerbs: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "verify",
        abstract: "Check every file of a data directory against its checksums and against each other.",
        discussion: """
            Reads manifests, segments, indexes, rollups, carry files, log files, journal and
            checkpoint completely, with or without a running server, and never writes to
            them. Damage is told with its file and offset. A damaged index or rollup is told
            too, and is no damage of the store: the segment has everything.

            EXIT CODES:
              0   sound
              1   damage was found
              2   the command line is wrong, or there is no store

            EXAMPLES:
              daybook verify --data ./store
              daybook verify --data ./store --json
              daybook verify rollups --data ./store
            """,
        subcommands: [Files.self, Rollups.self],
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

    struct Rollups: ParsableCommand {
        static let configuration = CommandConfiguration(
            commandName: "rollups",
            abstract: "Add up every segment's rows again and compare with its stored rollup, byte by byte.",
            discussion: """
                Reads all rows once, with or without a running server, and writes nothing. Says
                of each rollup that is not what its rows add up to which file and segment it is,
                and where it differs first: grain, window and the window's start.

                EXIT CODES:
                  0   every rollup is what its rows add up to
                  1   one is not, one that the manifest names is missing, or its segment cannot be read
                  2   the command line is wrong, or there is no such store or organization

                EXAMPLES:
                  daybook verify rollups --data ./store
                  daybook verify rollups --data ./store --organization acme --json
                """)
        @OptionGroup var dataOptions: DataOptions
        @Option(name: .long, help: "Only this organization's. [default: all]")
        var organization: String?
        @OptionGroup var output: OutputOptions

        func run() throws {
            let door = try dataOptions.door()
            let report: RollupVerifyReport
            do {
                let progress = Progress(clock: SystemClock(), isShown: StandardStreams.isTerminal(.error))
                defer { progress.finish() }
                report = try door.verifyRollups(organization: organization) { progress.report("adding up \($0)") }
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
