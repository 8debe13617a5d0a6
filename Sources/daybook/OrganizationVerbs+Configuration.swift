import ArgumentParser
import DaybookSystem
import DaybookTools

extension OrganizationVerbs {
    struct Configuration: ParsableCommand {
        static let configuration = CommandConfiguration(
            commandName: "config", abstract: "Show and set what an organization chooses for itself.",
            discussion: """
                One document: limits of requests within what daybook limits set allows,
                retention, batches, time limits, thresholds and the webhook of alerts. The
                verbs work beside a running server, where a change holds from the next
                request on, and without one.
                """,
            subcommands: [Show.self, Set.self])

        struct Show: ParsableCommand {
            static let configuration = CommandConfiguration(
                abstract: "Show an organization's configuration; - is no choice of its own.",
                discussion: """
                    EXAMPLES:
                      daybook org config show acme --data ./store
                      daybook org config show acme --data ./store --json > acme.json
                    """)

            @Argument(help: "The organization's id.")
            var id: String
            @OptionGroup var dataOptions: DataOptions
            @OptionGroup var output: OutputOptions

            func run() throws {
                try administer(AdministrativeRequest.showOrganizationConfiguration(id), dataOptions, output)
            }
        }

        struct Set: ParsableCommand {
            static let configuration = CommandConfiguration(
                abstract: "Replace an organization's configuration by a JSON document.",
                discussion: """
                    The document has the form that show --json prints. What it leaves out, or
                    says null of, is no choice of the organization's: what the server is set
                    to holds.

                    EXAMPLES:
                      daybook org config set acme acme.json --data ./store
                      echo '{"performance":{"batch_size_limit":50}}' | daybook org config set acme - --data ./store
                    """)

            @Argument(help: "The organization's id.")
            var id: String
            @Argument(help: "A file with the document; - is standard input.", completion: .file())
            var file: String
            @OptionGroup var dataOptions: DataOptions
            @OptionGroup var output: OutputOptions

            func run() throws {
                let request = try AdministrativeRequest.setOrganizationConfiguration(id, document: try document())
                try administer(request, dataOptions, output)
            }

            private func document() throws -> [UInt8] {
                let byteCountMax = 64 << 10
                do {
                    return file == "-"
                        ? try StandardStreams.readInputToEnd(byteCountMax: byteCountMax)
                        : try HostFile.read(file, byteCountMax: byteCountMax)
                } catch {
                    throw ToolError(
                        "The configuration cannot be read: \(error).",
                        cure: "Name a file of at most 64 KiB, or - for standard input.")
                }
            }
        }
    }

    struct Delete: ParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Delete an organization with everything that it has.",
            discussion: """
                Its keys open nothing from this moment on. Its events, in segments, indexes,
                rollups, log files and the journal, and the names of its users in the control
                log go in the background, across restarts. Its name is not given out again.
                A legal hold has to be lifted first.

                Works beside a running server, which then does the work, and without one.
                With a server it returns when the deletion is recorded, or with --wait when
                nothing is left; without one it always waits. Run again, it says how far it is.

                EXAMPLES:
                  daybook org delete --organization acme --confirm acme --data ./store
                  daybook org delete --organization acme --confirm acme --data ./store --wait --json
                """)

        @OptionGroup var dataOptions: DataOptions
        @Option(name: .long, help: "The organization to delete.")
        var organization: String
        @Option(name: .long, help: "Its id once more: there is no way back.")
        var confirm: String
        @Flag(name: .long, help: "Return when nothing is left, not when the deletion is recorded.")
        var wait = false
        @OptionGroup var output: OutputOptions

        func validate() throws {
            guard confirm == organization else {
                throw ValidationError("--confirm must be the id of the organization that is to be deleted.")
            }
        }

        func run() throws {
            let progress = Progress(clock: SystemClock(), isShown: StandardStreams.isTerminal(.error))
            defer { progress.finish() }
            let answer = try dataOptions.door().delete(
                organization: organization, waits: wait, clock: SystemClock(), entropy: SystemEntropy()
            ) { progress.report($0) }
            progress.finish()
            try output.printObject(answer)
        }
    }
}
