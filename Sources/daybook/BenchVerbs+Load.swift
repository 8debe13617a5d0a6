import ArgumentParser
import DaybookEvent
import DaybookFormat
import DaybookSystem
import DaybookTools

extension BenchVerbs {
    struct Load: ParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Load the dataset of the query benchmark into a server.",
            discussion: """
                Makes the organizations, draws events of all families and sends them through
                HTTP in batches, each organization's in their order. The first organization is
                the largest, with a quarter of the events. The same options give the same
                events; leave --end out, and they end now.

                The keys of the organizations go to the file --keys, and are taken from it when
                it is there: so a second run adds to the same organizations.

                EXAMPLES:
                  daybook bench load --data ./store --keys keys.txt
                  daybook bench load --data ./store --keys keys.txt --events 10000000 --span 300d
                  daybook bench load --keys keys.txt --organizations 1 --events 50000 --span 1h --seed 2
                """)

        @Option(name: .long, help: "The server: http:// and an address in numbers.")
        var url = "http://127.0.0.1:8080"
        @Option(
            name: .long, help: "The server's data directory, to make organizations. [default: $DAYBOOK_DATA]",
            completion: .directory)
        var data: String?
        @Option(name: .long, help: "The file with the keys, one a line.", completion: .file())
        var keys: String
        @OptionGroup var dataset: DatasetArguments
        @Option(name: .long, help: "How long before now or --end the events begin, such as 30d, 6h or 90m.")
        var span = SpanArgument(microseconds: 30 * 86_400_000_000)
        @Option(name: .long, help: "When the events end, RFC 3339. [default: now]")
        var end: String?
        @Option(name: .long, help: "Events in a request, up to 1000.")
        var batch = 1_000
        @Option(name: .long, help: "The server's process id: its CPU time and memory are reported.")
        var serverPid: Int?
        @Flag(name: .long, help: "Afterwards wait until the server has nothing left to do. Needs --server-pid.")
        var untilIdle = false
        @OptionGroup var output: OutputOptions

        func validate() throws {
            guard (2...1_000).contains(batch) else { throw ValidationError("--batch must be from 2 to 1000.") }
            if untilIdle, serverPid == nil { throw ValidationError("--until-idle needs --server-pid.") }
            if let end, TimestampText.parse(end) == nil {
                throw ValidationError("--end must be a time such as 2026-06-15T08:00:00Z.")
            }
        }

        func run() throws {
            let clock = SystemClock()
            let now = Timestamp(microseconds: clock.wallMicroseconds())
            let last = end.flatMap { TimestampText.parse($0) } ?? now
            let drawn = dataset.options(from: last.adding(microseconds: -span.microseconds), to: last)
            var options = DatasetLoadOptions()
            (options.host, options.port) = try ServerURL.parse(url)
            let directory = data ?? ProcessEnvironment.variable("DAYBOOK_DATA")
            options.keys = try DatasetKeys(path: keys, door: directory.map { StoreDoor(directory: $0) })
                .resolve(organizationCount: drawn.organizationCount, clock: clock, entropy: SystemEntropy())
            options.batchEventCount = batch
            options.serverProcessID = serverPid
            options.waitsUntilIdle = untilIdle
            let progress = Progress(clock: clock)
            let report = try DatasetLoader(options, dataset: drawn, clock: clock).run { count in
                progress.report("\(count) of \(drawn.eventCount) events acknowledged")
            }
            progress.finish()
            let text = output.json ? String(decoding: report.json(), as: UTF8.self) : report.table()
            try StandardStreams.write(text + "\n")
        }
    }
}

/// What the dataset of the query benchmark depends on, its time apart.
struct DatasetArguments: ParsableArguments {
    @Option(name: .long, help: "Any number; with the other options it decides everything.")
    var seed: UInt64 = 1
    @Option(name: .long, help: "How many events, as the store counts them.")
    var events = 1_000_000
    @Option(name: .long, help: "How many organizations; the first is the largest.")
    var organizations = 10
    @Option(name: .long, help: "Of 100 events, so many bring a random id; the others get theirs from the server.")
    var clientIds = 100

    func validate() throws {
        guard (1...1_000_000_000).contains(events) else { throw ValidationError("--events must be at least 1.") }
        guard (1...1_000).contains(organizations) else {
            throw ValidationError("--organizations must be from 1 to 1000.")
        }
        guard (0...100).contains(clientIds) else { throw ValidationError("--client-ids must be from 0 to 100.") }
    }

    func options(from start: Timestamp, to end: Timestamp) -> DatasetOptions {
        var options = DatasetOptions(start: start, end: end)
        options.seed = seed
        options.eventCount = events
        options.organizationCount = organizations
        options.clientIDPercent = clientIds
        return options
    }
}

/// `30d`, `6h` or `90m`.
struct SpanArgument: ExpressibleByArgument {
    var microseconds: Int64

    init(microseconds: Int64) { self.microseconds = microseconds }

    init?(argument: String) {
        let units: [Character: Int64] = ["d": 86_400_000_000, "h": 3_600_000_000, "m": 60_000_000]
        guard let last = argument.last, let unit = units[last], let number = Int64(argument.dropLast()),
            (1...100_000).contains(number)
        else { return nil }
        microseconds = number * unit
    }

    var defaultValueDescription: String { "\(microseconds / 3_600_000_000)h" }
}
