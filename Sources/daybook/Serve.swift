import ArgumentParser
import DaybookControl
import DaybookServer
import DaybookStore
import DaybookSystem
import DaybookTools
import Logging
import ServiceLifecycle
import Synchronization
import UnixSignals

struct Serve: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Serve a store over HTTP.",
        discussion: """
            Prints one line with the URL when connections are accepted, and runs until
            SIGTERM or SIGINT: then it takes no new connections, answers every open
            request, and ends with exit code 0. Log lines go to standard error.

            One event loop serves all connections: on few cores one busy thread answers
            sooner than several. More of them pay only where that thread is the limit and
            cores are idle beside it, the committing thread and the query threads.

            EXAMPLES:
              daybook serve --data ./store
              daybook serve --data ./store --listen 127.0.0.1:9090
              DAYBOOK_DATA=./store DAYBOOK_LISTEN=0.0.0.0:8080 daybook serve
              daybook serve --data ./store --event-loops 2
            """)

    @OptionGroup var dataOptions: DataOptions
    @Option(
        name: .long, help: "Address and port; port 0 takes a free one. [default: $DAYBOOK_LISTEN or 127.0.0.1:8080]")
    var listen: String?
    @Option(name: .long, help: "Threads that read requests and write answers, 1 to \(ServerOptions.eventLoopCountMax).")
    var eventLoops = ServerOptions().eventLoopCount
    @Option(name: .long, help: "Seconds without an event after which what a log holds is sealed. [default: 600]")
    var sealAge: Int?
    @Option(
        name: .long,
        help:
            "Bytes that all organizations may take together; ingest is refused beyond. 0 is without a bound. [default: 0]"
    )
    var quotaBytes: UInt64 = 0
    @OptionGroup var output: OutputOptions

    func validate() throws {
        guard (1...ServerOptions.eventLoopCountMax).contains(eventLoops) else {
            throw ValidationError("--event-loops must be from 1 to \(ServerOptions.eventLoopCountMax).")
        }
        if let sealAge, !(1...86_400).contains(sealAge) {
            throw ValidationError("--seal-age must be from 1 to 86400 seconds.")
        }
    }

    func run() async throws {
        let door = try dataOptions.door()
        var options = ServerOptions()
        (options.host, options.port) = try address()
        options.eventLoopCount = eventLoops
        options.adminSocketPath = door.directory + "/" + StoreDoor.adminSocketName
        options.version = Version.text
        LoggingSystem.bootstrap(StreamLogHandler.standardError)
        let logger = Logger(label: "daybook")
        ProcessEnvironment.returnLargeBlocks()
        try ProcessEnvironment.raiseDescriptorLimit()

        let clock = SystemClock()
        let entropy = SystemEntropy()
        var storeOptions = StoreOptions()
        if let sealAge { storeOptions.sealAgeMicroseconds = Int64(sealAge) * 1_000_000 }
        storeOptions.storeByteCountMax = quotaBytes
        let (store, lock) = try door.openForWriting(clock: clock, entropy: entropy, options: storeOptions)
        defer { lock.release() }
        report(store.recoveryReport, to: logger)
        store.start()
        defer { store.shutdown() }
        let registry = KeyRegistry(store: store, clock: clock, entropy: entropy)
        let output = self.output
        let isRunning = Mutex(false)
        let server = DaybookServer(
            store: store, registry: registry, clock: clock, entropy: entropy, options: options, logger: logger
        ) { bound in
            isRunning.withLock { $0 = true }
            Self.announce(bound, output, logger)
        }
        let group = ServiceGroup(
            services: [server], gracefulShutdownSignals: [.sigterm, .sigint], logger: logger)
        do {
            try await group.run()
        } catch {
            if isRunning.withLock({ $0 }) { throw error }
            throw ToolError(
                "The server cannot listen on \(options.host):\(options.port): \(error).",
                cure: "Stop what listens there, or give --listen another address; port 0 takes a free one.")
        }
    }

    private func address() throws -> (host: String, port: Int) {
        let text = listen ?? ProcessEnvironment.variable("DAYBOOK_LISTEN") ?? "127.0.0.1:8080"
        guard let colon = text.lastIndex(of: ":"), let port = Int(text[text.index(after: colon)...]),
            (0...65_535).contains(port)
        else {
            throw ValidationError("--listen must be HOST:PORT, such as 127.0.0.1:8080.")
        }
        var host = text[..<colon]
        if host.hasPrefix("["), host.hasSuffix("]") { host = host.dropFirst().dropLast() }
        guard !host.isEmpty else { throw ValidationError("--listen must be HOST:PORT, such as 127.0.0.1:8080.") }
        return (String(host), port)
    }

    private func report(_ recovery: RecoveryReport, to logger: Logger) {
        guard !recovery.isClean else { return }
        logger.error(
            "Recovery found damage; it was set aside and a report was kept in the directory recovery.",
            metadata: [
                "damages": "\(recovery.damages.count)", "logs_with_gaps": "\(recovery.gaps.count)",
                "torn_writes": "\(recovery.tornCount)",
            ])
    }

    /// Scripts wait for this line. A server whose standard output is closed serves all the same.
    private static func announce(_ bound: DaybookServer.BoundAddress, _ output: OutputOptions, _ logger: Logger) {
        let host = bound.host.contains(":") ? "[\(bound.host)]" : bound.host
        var object = JSONObjectWriter()
        object.field("url", "http://\(host):\(bound.port)")
        object.field("process_id", ProcessEnvironment.processID)
        let line =
            output.json
            ? String(decoding: object.finish(), as: UTF8.self) : "daybook serves http://\(host):\(bound.port)"
        do {
            try StandardStreams.write(line + "\n")
        } catch {
            logger.warning("The line with the URL could not be printed.", metadata: ["error": "\(error)"])
        }
    }
}
