import ArgumentParser
import DaybookEvent
import DaybookFormat
import DaybookSystem
import DaybookTools

extension BenchVerbs {
    struct Generate: ParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Make up events of all families from a seed.",
            discussion: """
                The same options give the same bytes on every machine. With a directory as
                --output there is one file for each organization; with - everything goes to
                standard output.

                PROFILES:
                  day       a day of work as clients send it: many forms, scripts and sizes
                  queries   what `bench load` loads: made fast, a quarter of it one organization's;
                            its ndjson holds whole sessions, which an import does not take

                FORMATS:
                  ndjson    one event a line, as POST /api/v1/metrics/import takes it
                  batches   one request a line: {"organization","method","path","idempotency_key","events","body"}

                EXAMPLES:
                  daybook bench generate --seed 7 --events 1000
                  daybook bench generate --seed 2026 --events 12000 --organizations 3 --day 2026-06-15 \\
                    --format batches --output data/sample
                  daybook bench generate --profile queries --events 1000000 --organizations 10 \\
                    --start 2026-05-16T00:00:00Z --end 2026-06-15T00:00:00Z > dataset.ndjson
                """)

        @Option(name: .long, help: "day or queries.")
        var profile = GeneratorProfile.day
        @Option(name: .long, help: "Any number; it decides everything.")
        var seed: UInt64 = 1
        @Option(name: .long, help: "How many events.")
        var events = 10_000
        @Option(name: .long, help: "How many organizations; the first is the largest.")
        var organizations = 3
        @Option(name: .long, help: "The day of the events, such as 2026-06-15, in UTC. [default: 2026-01-01]")
        var day: String?
        @Option(name: .long, help: "Start of the span instead of a day, RFC 3339.")
        var start: String?
        @Option(name: .long, help: "End of the span, RFC 3339.")
        var end: String?
        @Option(name: .long, help: "A directory, or - for standard output.")
        var output = "-"
        @Option(name: .long, help: "ndjson or batches.")
        var format = GeneratorFormat.ndjson

        func validate() throws {
            guard (1...1_000_000_000).contains(events) else { throw ValidationError("--events must be at least 1.") }
            guard (1...100_000).contains(organizations) else {
                throw ValidationError("--organizations must be from 1 to 100000.")
            }
            _ = try span()
        }

        func run() throws {
            let (start, end) = try span()
            if profile == .queries { return try writeDataset(from: start, to: end) }
            var options = GeneratorOptions(start: start, end: end)
            options.seed = seed
            options.eventCount = events
            options.organizationCount = organizations
            let progress = Progress(clock: SystemClock())
            defer { progress.finish() }
            try GeneratorOutput(format: format, directory: output == "-" ? nil : output).write(options) { count in
                progress.report("\(count) of \(events) events")
            }
        }

        private func writeDataset(from start: Timestamp, to end: Timestamp) throws {
            var options = DatasetOptions(start: start, end: end)
            options.seed = seed
            options.eventCount = events
            options.organizationCount = organizations
            let directory = output == "-" ? nil : output
            let sinks = try GeneratorOutput.sinks(directory: directory, organizationCount: organizations)
            let progress = Progress(clock: SystemClock())
            defer { progress.finish() }
            try DatasetOutput(format: format).write(options, into: sinks) { count in
                progress.report("\(count) of \(events) events")
            }
            // Standard output stands there once for all organizations.
            for sink in directory == nil ? Array(sinks.prefix(1)) : sinks { try sink.finish() }
        }

        private func span() throws -> (start: Timestamp, end: Timestamp) {
            if start != nil || end != nil {
                guard day == nil, let start, let end else {
                    throw ValidationError("Give either --day, or --start together with --end.")
                }
                guard let first = TimestampText.parse(start), let last = TimestampText.parse(end), first < last else {
                    throw ValidationError(
                        "--start and --end must be times such as 2026-06-15T08:00:00Z, the first before the second.")
                }
                return (first, last)
            }
            guard let first = TimestampText.parse((day ?? "2026-01-01") + "T00:00:00Z") else {
                throw ValidationError("--day must be a date such as 2026-06-15.")
            }
            return (first, first.adding(microseconds: 86_400_000_000))
        }
    }
}

extension GeneratorFormat: ExpressibleByArgument {}

/// Which made-up events.
enum GeneratorProfile: String, ExpressibleByArgument, CaseIterable {
    case day, queries
}
