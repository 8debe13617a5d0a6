import ArgumentParser

struct BenchVerbs: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "bench", abstract: "Make realistic events and measure a server with them.",
        subcommands: [Generate.self, Ingest.self, Load.self, Query.self, Limits.self])
}
