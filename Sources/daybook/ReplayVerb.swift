import ArgumentParser
import DaybookExport
import DaybookFormat
import DaybookQuery
import DaybookStore
import DaybookSystem
import DaybookTools

struct ReplayVerb: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "replay",
        abstract: "Write the events of a log again, in sequence order, as NDJSON.",
        discussion: """
            Reads the data directory itself, with or without a running server, and never
            writes to it. Each line has `type`, `sequence` and all fields of its event. A
            server that runs there notes the replay in its audit trail, a dry run excepted.

            --from and --to take a sequence (both ends count) or an RFC 3339 time of the
            event (the end does not count). --output takes - for standard output, a new
            file, or the URL of another Daybook, which then imports the events into the
            organization of --key.

            EXAMPLES:
              daybook replay --data ./store --organization acme
              daybook replay --data ./store --organization acme --from 1000 --to 2000 \\
                --output part.ndjson
              daybook replay --data ./store --organization acme \\
                --from 2026-06-15T00:00:00Z --family command_execution
              daybook replay --data ./store --organization acme --speed 10 \\
                --output http://127.0.0.1:9090 --key KEY
              daybook replay --data ./store --organization acme --dry-run --json
            """)

    @OptionGroup var dataOptions: DataOptions
    @OptionGroup var organizationOptions: OrganizationOptions
    @OptionGroup var selectionOptions: SelectionOptions
    @Option(
        name: .long, help: "Keep the rhythm of the arrivals: 1 as it was, 10 ten times as fast. [default: no waiting]")
    var speed: Double?
    @Flag(name: .long, help: "Only count what would be written.")
    var dryRun = false
    @Option(name: .long, help: "-, a new file, or a URL.")
    var output = "-"
    @Option(name: .long, help: "The key of the target, when --output is a URL. [default: $DAYBOOK_KEY]")
    var key: String?
    @OptionGroup var outputOptions: OutputOptions

    func validate() throws {
        if let speed, !(speed > 0 && speed <= 1_000_000) {
            throw ValidationError("--speed must be above 0 and at most 1000000.")
        }
        if isURL, !dryRun, targetKey == nil {
            throw ValidationError("--output \(output) needs the target's key: --key KEY, or set DAYBOOK_KEY.")
        }
    }

    private var isURL: Bool { output.hasPrefix("http://") || output.hasPrefix("https://") }
    private var targetKey: String? { key ?? ProcessEnvironment.variable("DAYBOOK_KEY") }

    func run() throws {
        let door = try dataOptions.door()
        let store = try door.openReadOnly()
        let id = try organizationOptions.resolved(among: store.organizations().map(\.id))
        let record = try StoreDoor.organization(id, in: store)
        if !dryRun { try door.noteExport(of: id, isReplay: true) }
        let snapshot = try StoreDoor.snapshot(of: record, in: store)
        let clock = SystemClock()
        let progress = Progress(clock: clock)
        defer { progress.finish() }
        let summary = try ReplayRun(record.id, selectionOptions.selection(), speed: speed, clock: clock).run(
            snapshot, target: dryRun ? nil : try target(id)
        ) { count in progress.report("\(count) of \(snapshot.lastSequence) events") }
        try reportDamage(of: snapshot)
        // On standard output the events themselves are the result.
        if dryRun || output != "-" { try outputOptions.printObject(summary.json()) }
    }

    private func target(_ organization: String) throws -> any ReplayTarget {
        if isURL, let targetKey { return try ServerTarget(url: output, key: targetKey, organization: organization) }
        return SinkTarget(try outputSink(output))
    }
}

/// Damage that reading met means that events are missing: that is a failure, whatever was written.
func reportDamage(of snapshot: OrganizationSnapshot) throws {
    guard let first = snapshot.damage.first else { return }
    throw ToolError(
        "Events are missing: \(snapshot.damage.count) stretches of the log are damaged, the first is \(first).",
        cure: "What could be read was written. Look at the damage with: daybook inspect log")
}
