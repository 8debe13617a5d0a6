import ArgumentParser
import DaybookControl
import DaybookEvent
import DaybookServer
import DaybookSystem
import DaybookTools

struct ConfigurationVerbs: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "config", abstract: "Show and check how a server runs; change its log level.",
        discussion: """
            Settings come from built-in defaults, a file (TOML), the environment and flags,
            each stronger than the one before. A name that is unknown is a fault.
            """,
        subcommands: [Show.self, Check.self, SetLogLevel.self])

    struct Show: ParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Print every setting with its value and where that comes from.",
            discussion: """
                Takes the flags of `serve`, and prints what a server that was started so would
                use. With --running it asks the server that runs on the data directory.

                EXAMPLES:
                  daybook config show
                  daybook config show --config /etc/daybook.toml --event-loops 2
                  daybook config show --running --data ./store --json
                """)

        @OptionGroup var options: ConfigurationOptions
        @Flag(name: .long, help: "Ask the running server.")
        var running = false
        @OptionGroup var output: OutputOptions

        func run() throws {
            let configuration = try options.configuration()
            if running {
                try ask(AdministrativeRequest.showConfiguration(), configuration, output)
            } else {
                var answer = JSONObjectText()
                configuration.describe(to: &answer)
                try output.printObject(answer.finished())
            }
        }
    }

    struct Check: ParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Say everything that is wrong with a configuration.",
            discussion: """
                Takes the flags of `serve` and reads the same file and the same environment,
                and the files of TLS that these name.
                Ends with 0 when nothing is wrong, else with 78 and one line for each fault:
                its place, the name, the limit, and the name that was probably meant.

                EXAMPLES:
                  daybook config check
                  daybook config check --file /etc/daybook.toml
                  daybook config check --file /etc/daybook.toml --json
                """)

        @OptionGroup var options: ConfigurationOptions
        @OptionGroup var output: OutputOptions

        func run() throws {
            do {
                let configuration = try options.resolved()
                try checkFiles(of: configuration)
                if output.json {
                    try write([])
                } else {
                    let count = configuration.origins.count
                    try StandardStreams.write(
                        "The configuration is sound; it sets \(count) of \(ConfigurationKey.all.count) settings.\n")
                }
            } catch let faults as ConfigurationFaults {
                if output.json {
                    try write(faults.list)
                } else {
                    try StandardStreams.write(faults.list.map { "\($0)\n" }.joined(), to: .error)
                }
                throw ExitCode(ConfigurationOptions.faultExitCode)
            }
        }

        /// Certificate, key and authorities are read, and must fit each other.
        private func checkFiles(of configuration: Configuration) throws(ConfigurationFaults) {
            guard configuration.server.tls.isOn,
                let fault = TransportSecurity.fault(in: configuration.server, clock: SystemClock())
            else { return }
            throw ConfigurationFaults(list: [
                ConfigurationFault(
                    name: fault.setting, origin: configuration.origins[fault.setting] ?? .standard,
                    message: fault.message)
            ])
        }

        private func write(_ faults: [ConfigurationFault]) throws {
            var object = JSONObjectText()
            object.field("sound", faults.isEmpty)
            object.list("faults", faults) { fault, item in
                item.field("name", fault.name)
                item.field("origin", fault.origin.kind)
                if let place = fault.origin.place { item.field("place", place) } else { item.field("place", json: nil) }
                item.field("message", fault.message)
                if let name = fault.suggestion {
                    item.field("suggestion", name)
                } else {
                    item.field("suggestion", json: nil)
                }
            }
            try StandardStreams.write(String(decoding: object.finished(), as: UTF8.self) + "\n")
        }
    }

    struct SetLogLevel: ParsableCommand {
        static let configuration = CommandConfiguration(
            commandName: "set-log-level", abstract: "Change the log level of the running server.",
            discussion: """
                At once, and until the server ends. At debug and below there is a line for each
                request.

                EXAMPLES:
                  daybook config set-log-level debug --data ./store
                  daybook config set-log-level info --data ./store --json
                """)

        @Argument(help: "trace, debug, info, notice, warning, error or critical.")
        var level: String
        @OptionGroup var dataOptions: DataOptions
        @OptionGroup var output: OutputOptions

        func validate() throws {
            guard LogLevel(rawValue: level) != nil else {
                let words = LogLevel.allCases.map(\.rawValue).joined(separator: ", ")
                throw ValidationError("The level must be one of \(words).")
            }
        }

        func run() throws {
            let answer = try dataOptions.door().ask(running: AdministrativeRequest.setLogLevel(level))
            try output.printObject(answer)
        }
    }
}

private func ask(_ request: [UInt8], _ configuration: Configuration, _ output: OutputOptions) throws {
    guard !configuration.data.isEmpty else { throw ValidationError(DataOptions.missing) }
    try output.printObject(try StoreDoor(directory: configuration.data).ask(running: request))
}
