import ArgumentParser
import DaybookFormat
import DaybookSystem
import DaybookTools

extension BenchVerbs {
    struct Query: ParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Ask a server the questions of the query benchmark, and measure the answers.",
            discussion: """
                One connection asks one question after the other; a latency goes from the
                first byte of the request to the last one of the answer. Parameters are drawn
                anew for each question. The questions are about the commands of the key's
                organization, whatever put them there; see `daybook bench load`.

                LINES:
                  q1            24 h by command: count, avg, p95, success rate
                  q2-rollup     30 days hourly, from rollups
                  q2-raw        30 days hourly, from raw rows
                  q3            a page of 100 errors of one command, 7 days, newest first
                  q4            p95 by command over all raw rows
                  q5            10,000 raw rows by user, anywhere in the newest 30 days (--newest)
                  q5-attribute  10,000 raw rows by context.project

                EXIT CODES:
                  0   every question was answered; a figure that was missed is told, not an error
                  1   something was refused, incomplete, or rollups and raw rows differ

                EXAMPLES:
                  daybook bench query --key KEY --server-pid $(pgrep -x daybook)
                  daybook bench query --key KEY --line q1 --line q3 --repeat 200 --json
                  daybook bench query --key KEY --tail --line q1 --line q3 --line q5
                  daybook bench query --key KEY --write-plan plan.txt --repeat 10
                """)

        @Option(name: .long, help: "The server: http:// and an address in numbers.")
        var url = "http://127.0.0.1:8080"
        @Option(name: .long, help: "The API key of the organization that is asked. [default: $DAYBOOK_KEY]")
        var key: String?
        @Option(name: .long, help: "Only this line; repeat it for more.")
        var line: [QueryLine] = []
        @Option(name: .customLong("repeat"), help: "Questions of each line.")
        var repeatCount = 50
        @Option(name: .long, help: "Questions of each line before the first that counts.")
        var warmup = 5
        @Option(name: .long, help: "Decides which questions are drawn.")
        var seed: UInt64 = 1
        @Flag(name: .long, help: "Ask about this moment, where the newest events are not sealed.")
        var tail = false
        @Option(name: .long, help: "q5 asks about stretches of the newest time so long, such as 30d or 12h.")
        var newest = SpanArgument(microseconds: 30 * 86_400_000_000)
        @Option(name: .long, help: "Questions that are put to rollups and to raw rows, to compare.")
        var compare = 20
        @Option(name: .long, help: "The server's process id: its memory and CPU time are reported.")
        var serverPid: Int?
        @Option(name: .long, help: "Draw the questions and write them to a file instead of asking.")
        var writePlan: String?
        @Option(name: .long, help: "Ask the questions of such a file, and nothing before them.", completion: .file())
        var plan: String?
        @OptionGroup var output: OutputOptions

        func validate() throws {
            guard (1...1_000_000).contains(repeatCount) else { throw ValidationError("--repeat must be at least 1.") }
            guard warmup >= 0, compare >= 0 else {
                throw ValidationError("--warmup and --compare must not be below 0.")
            }
            if plan != nil, writePlan != nil { throw ValidationError("Give either --plan or --write-plan.") }
        }

        func run() throws {
            let clock = SystemClock()
            let run = try QueryRun(try options(), clock: clock)
            if let writePlan {
                let text = Array(try run.planned().map(\.text).joined().utf8)
                return try text.withRawSpan { try HostFile.write(writePlan, $0) }
            }
            let progress = Progress(clock: clock)
            let report = try run.run { progress.report($0) }
            progress.finish()
            let text = output.json ? String(decoding: report.json(), as: UTF8.self) : report.table()
            try StandardStreams.write(text + "\n")
            if report.failed { throw ExitCode.failure }
        }

        private func options() throws -> QueryRunOptions {
            var options = QueryRunOptions()
            (options.host, options.port) = try ServerURL.parse(url)
            guard let key = key ?? ProcessEnvironment.variable("DAYBOOK_KEY") else {
                throw ValidationError("No key: name one with --key KEY, or set DAYBOOK_KEY.")
            }
            options.key = key
            options.lines = line.isEmpty ? QueryLine.allCases : line
            options.repeatCount = repeatCount
            options.warmupCount = warmup
            options.seed = seed
            options.isTail = tail
            options.newestMicroseconds = newest.microseconds
            options.comparisonCount = tail ? 0 : compare
            options.serverProcessID = serverPid
            options.plan = try plan.map { path in
                let text = String(decoding: try HostFile.read(path, byteCountMax: 64 << 20), as: UTF8.self)
                return try text.split(separator: "\n").map { line in
                    guard let query = PlannedQuery(line) else {
                        throw ValidationError("\(path) is no file of --write-plan: \(line)")
                    }
                    return query
                }
            }
            return options
        }
    }
}

extension QueryLine: ExpressibleByArgument {}
