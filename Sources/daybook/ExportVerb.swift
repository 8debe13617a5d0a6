import ArgumentParser
import DaybookExport
import DaybookFormat
import DaybookQuery
import DaybookStore
import DaybookSystem
import DaybookTools

struct ExportVerb: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "export",
        abstract: "Write the events of a log as NDJSON or CSV.",
        discussion: """
            Reads the data directory itself, with or without a running server, and never
            writes to it: what comes out is one consistent prefix of the log. A server that
            runs there notes the export in its audit trail.

            CSV has one family, a header row, lines that end with CR LF and cells quoted
            as in RFC 4180. Objects are JSON text. Text that a spreadsheet would take for
            a formula gets an apostrophe in front.

            EXAMPLES:
              daybook export --data ./store --organization acme > events.ndjson
              daybook export --data ./store --organization acme --format csv \\
                --family command_execution --output commands.csv
              daybook export --data ./store --organization acme \\
                --from 2026-06-01T00:00:00Z --to 2026-07-01T00:00:00Z
            """)

    @OptionGroup var dataOptions: DataOptions
    @OptionGroup var organizationOptions: OrganizationOptions
    @Option(name: .long, help: "ndjson or csv.")
    var format = EventExport.Format.ndjson
    @OptionGroup var selectionOptions: SelectionOptions
    @Option(name: .long, help: "- for standard output, or a new file.")
    var output = "-"
    @OptionGroup var outputOptions: OutputOptions

    func validate() throws {
        if format == .csv, selectionOptions.family.count != 1 {
            throw ValidationError("--format csv needs exactly one --family, because each has columns of its own.")
        }
    }

    func run() throws {
        let door = try dataOptions.door()
        let store = try door.openReadOnly()
        let id = try organizationOptions.resolved(among: store.organizations().map(\.id))
        let record = try StoreDoor.organization(id, in: store)
        try door.noteExport(of: id, isReplay: false)
        let snapshot = try StoreDoor.snapshot(of: record, in: store)
        let sink = try outputSink(output)
        let progress = Progress(clock: SystemClock())
        defer { progress.finish() }
        let export = EventExport(format, organization: record.id, selection: selectionOptions.selection())
        let count = try export.run(snapshot) { bytes, count in
            try sink.write(bytes)
            progress.report("\(count) of \(snapshot.lastSequence) events")
        }
        try sink.finish()
        try reportDamage(of: snapshot)
        guard output != "-" else { return }
        var summary = JSONObjectWriter()
        summary.field("organization", id)
        summary.field("events", count)
        summary.field("output", output)
        try outputOptions.printObject(summary.finish())
    }
}

extension EventExport.Format: ExpressibleByArgument {}
