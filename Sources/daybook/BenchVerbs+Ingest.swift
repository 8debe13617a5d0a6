import ArgumentParser
import DaybookFormat
import DaybookSystem
import DaybookTools

extension BenchVerbs {
    struct Ingest: ParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Send events to a server as fast as it takes them, or at a rate, and measure.",
            discussion: """
                One thread sends bodies that were rendered before the clock started and says
                what it cost itself. Without --rate each connection sends again as soon as it
                is answered; with --rate requests go out at fixed times, and a latency counts
                from the intended time, so that a stall is charged to every request it
                delayed. With at least as many connections as keys, each connection stays with
                one key; else keys take turns.

                --batches and --questions mix kinds of requests; each kind then has its own
                latencies. Small questions are the last 24 hours by command and the newest 20
                commands, heavy ones 30 days of raw rows by the hour and by context.project.

                EXIT CODES:
                  0   every request was acknowledged
                  1   some were refused, lost or not answered, or there is no server

                EXAMPLES:
                  daybook bench ingest --key KEY --duration 10
                  daybook bench ingest --key KEY --batch 1000 --connections 4 --events 10000000 \\
                    --server-pid $(pgrep -x daybook) --until-idle
                  daybook bench ingest --keys keys.txt --rate 10000 --duration 60 --json
                  daybook bench ingest --key KEY --rate 16.7 --batch 100 --batches 5 --questions 5
                """)

        @Option(name: .long, help: "The server: http:// and an address in numbers.")
        var url = "http://127.0.0.1:8080"
        @Option(name: .long, help: "The API key. [default: $DAYBOOK_KEY]")
        var key: String?
        @Option(name: .long, help: "A file with one key a line, for several organizations.", completion: .file())
        var keys: String?
        @Option(name: .long, help: "Use only the first so many keys of --keys.")
        var organizations: Int?
        @Option(name: .long, help: "Connections.")
        var connections = 64
        @Option(name: .long, help: "Stop after so many events.")
        var events: UInt64?
        @Option(name: .long, help: "Stop after so many seconds. [default: 10, unless --events is given]")
        var duration: Double?
        @Option(name: .long, help: "Events in a request: 1 sends single events, up to 1000 a batch.")
        var batch = 1
        @Option(name: .long, help: "Of 100 requests, so many are batches. [default: all, when --batch is above 1]")
        var batches: Int?
        @Option(name: .long, help: "Of 100 requests, so many ask a question.")
        var questions = 0
        @Option(name: .long, help: "What is asked: small or heavy.")
        var question = LoadQuestion.small
        @Option(name: .long, help: "Requests a second in the open loop.")
        var rate: Double?
        @Option(name: .long, help: "Seed of the events.")
        var seed: UInt64 = 1
        @Option(name: .long, help: "How long before now the events' times begin, such as 24h or 5m.")
        var span = SpanArgument(microseconds: 86_400_000_000)
        @Option(name: .long, help: "The server's process id: its CPU time and memory are reported.")
        var serverPid: Int?
        @Flag(name: .long, help: "Afterwards wait until the server has nothing left to do. Needs --server-pid.")
        var untilIdle = false
        @Option(name: .long, help: "A new file for the ids of all acknowledged events, one a line.")
        var ledger: String?
        @OptionGroup var output: OutputOptions

        func validate() throws {
            guard (1...1_000).contains(batch) else { throw ValidationError("--batch must be from 1 to 1000.") }
            guard (1...60_000).contains(connections) else {
                throw ValidationError("--connections must be from 1 to 60000.")
            }
            if let rate, !(rate > 0 && rate <= 10_000_000) {
                throw ValidationError("--rate must be above 0 and at most 10000000.")
            }
            if let duration, !(duration > 0 && duration <= 86_400) {
                throw ValidationError("--duration must be above 0 and at most 86400 seconds.")
            }
            guard (0...100).contains(questions), (0...100 - questions).contains(batches ?? 0) else {
                throw ValidationError("--batches and --questions must not be below 0, nor above 100 together.")
            }
            if let batches, batches > 0, batch == 1 {
                throw ValidationError("--batches needs --batch: how many events each of them holds.")
            }
            if events != nil, mix != .singles, mix != .batches {
                throw ValidationError(
                    "--events counts requests of one size: with --batches or --questions give --duration.")
            }
            if untilIdle, serverPid == nil { throw ValidationError("--until-idle needs --server-pid.") }
            if key != nil, keys != nil { throw ValidationError("Give either --key or --keys.") }
        }

        func run() throws {
            let clock = SystemClock()
            let options = try loadOptions(clock)
            let progress = Progress(clock: clock)
            progress.report("rendering the requests")
            let workload = LoadWorkload(
                batch: batch, mix: mix, seed: seed, start: options.eventsFrom, end: options.eventsUntil)
            try ProcessEnvironment.raiseDescriptorLimit()
            let report = try LoadClient(options, workload: workload, clock: clock).run { count in
                progress.report("\(count) events acknowledged")
            }
            progress.finish()
            let text = output.json ? String(decoding: report.json(), as: UTF8.self) : report.table()
            try StandardStreams.write(text + "\n")
            if report.failed { throw ExitCode.failure }
        }

        private var mix: LoadMix {
            LoadMix(
                batchPercent: batches ?? (batch > 1 ? 100 - questions : 0), questionPercent: questions,
                question: question)
        }

        private func loadOptions(_ clock: SystemClock) throws -> LoadOptions {
            var options = LoadOptions()
            (options.host, options.port) = try ServerURL.parse(url)
            options.keys = try allKeys()
            options.connectionCount = connections
            options.eventsPerRequest = batch
            options.eventCount = events
            options.durationSeconds = duration ?? (events == nil ? 10 : nil)
            options.requestsPerSecond = rate
            options.seed = seed
            options.eventsUntil = Timestamp(microseconds: clock.wallMicroseconds())
            options.eventsFrom = options.eventsUntil.adding(microseconds: -span.microseconds)
            options.run = UInt32(truncatingIfNeeded: SystemEntropy().next())
            options.serverProcessID = serverPid
            options.waitsUntilIdle = untilIdle
            options.ledgerPath = ledger
            return options
        }

        private func allKeys() throws -> [String] {
            guard let keys else {
                guard let key = key ?? ProcessEnvironment.variable("DAYBOOK_KEY") else {
                    throw ValidationError("No key: name one with --key KEY or --keys FILE, or set DAYBOOK_KEY.")
                }
                return [key]
            }
            let text = String(decoding: try HostFile.read(keys, byteCountMax: 64 << 20), as: UTF8.self)
            let all = text.split(whereSeparator: \.isWhitespace).map(String.init)
            guard !all.isEmpty else { throw ValidationError("--keys \(keys) holds no key.") }
            return Array(all.prefix(organizations ?? all.count))
        }
    }
}

extension LoadQuestion: ExpressibleByArgument {}
