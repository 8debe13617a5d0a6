import ArgumentParser
import DaybookStore
import DaybookSystem
import DaybookTools

struct InspectVerbs: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "inspect",
        abstract: "Show what the files of a data directory hold.",
        discussion: """
            Reads the files as they lie there and writes nothing. With --json each finding
            is one JSON object on a line of its own.

            EXAMPLES:
              daybook inspect --data ./store
              daybook inspect log --data ./store --organization acme
              daybook inspect segment --data ./store --organization acme --json
              daybook inspect journal --data ./store
              daybook inspect tokens --data ./store
            """,
        subcommands: [
            Overview.self, Log.self, Journal.self, Segment.self, Manifest.self, Checkpoint.self, Tokens.self,
        ],
        defaultSubcommand: Overview.self)

    struct Overview: ParsableCommand {
        static let configuration = CommandConfiguration(
            commandName: "store", abstract: "The store and its organizations.")
        @OptionGroup var inspection: InspectionOptions
        func run() throws { try inspection.run { inspector, _ in try inspector.overview() } }
    }

    struct Log: ParsableCommand {
        static let configuration = CommandConfiguration(abstract: "Log files and their group records.")
        @OptionGroup var inspection: InspectionOptions
        @OptionGroup var organizationOptions: OrganizationOptions
        func run() throws {
            try inspection.run { inspector, store in try inspector.log(of: try organizationOptions.record(in: store)) }
        }
    }

    struct Journal: ParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "The groups that the commit journal holds beyond the last checkpoint.")
        @OptionGroup var inspection: InspectionOptions
        func run() throws { try inspection.run { inspector, _ in try inspector.journal() } }
    }

    struct Segment: ParsableCommand {
        static let configuration = CommandConfiguration(abstract: "Segments, their row groups and columns.")
        @Argument(help: "One segment's path inside the data directory. [default: all of the organization]")
        var path: String?
        @OptionGroup var inspection: InspectionOptions
        @OptionGroup var organizationOptions: OrganizationOptions
        func run() throws {
            try inspection.run { inspector, store in
                if let path { return try inspector.segment(path) }
                try inspector.segments(of: try organizationOptions.record(in: store))
            }
        }
    }

    struct Manifest: ParsableCommand {
        static let configuration = CommandConfiguration(abstract: "What one organization's manifest names.")
        @OptionGroup var inspection: InspectionOptions
        @OptionGroup var organizationOptions: OrganizationOptions
        func run() throws {
            try inspection.run { inspector, store in
                try inspector.manifest(of: try organizationOptions.record(in: store))
            }
        }
    }

    struct Checkpoint: ParsableCommand {
        static let configuration = CommandConfiguration(abstract: "What the last checkpoint vouches for.")
        @OptionGroup var inspection: InspectionOptions
        func run() throws { try inspection.run { inspector, _ in try inspector.checkpoint() } }
    }

    struct Tokens: ParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "The keys that sign access tokens, without their secrets.")
        @OptionGroup var inspection: InspectionOptions
        func run() throws { try inspection.run { inspector, _ in try inspector.tokens() } }
    }
}

/// `--data` and `--json`, and the way from them to an inspector.
struct InspectionOptions: ParsableArguments {
    @OptionGroup var dataOptions: DataOptions
    @OptionGroup var output: OutputOptions

    func run(_ body: (Inspector, ReadOnlyStore) throws -> Void) throws {
        let door = try dataOptions.door()
        let store = try door.openReadOnly()
        let sink = StandardOutputSink()
        let asJSON = output.json
        let inspector = Inspector(disk: try door.disk(), store: store) { record in
            try sink.write((asJSON ? record.json() : Array(record.line().utf8)) + [UInt8(ascii: "\n")])
        }
        try body(inspector, store)
        try sink.finish()
    }
}

extension OrganizationOptions {
    func record(in store: ReadOnlyStore) throws -> OrganizationRecord {
        try StoreDoor.organization(try resolved(among: store.organizations().map(\.id)), in: store)
    }
}
