import ArgumentParser
import DaybookControl
import DaybookFormat
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

            SIGHUP reads the files of TLS anew; open connections stay as they are.

            Every setting, and where it comes from: daybook config show. Exit code 78 says
            that the configuration is wrong.

            EXAMPLES:
              daybook serve --data ./store
              daybook serve --data ./store --listen 127.0.0.1:9090
              DAYBOOK_DATA=./store DAYBOOK_LISTEN=0.0.0.0:8080 daybook serve
              daybook serve --data ./store --event-loops 2
              daybook serve --config /etc/daybook.toml --log-format json
              daybook serve --data ./store --set tls.certificate=chain.pem --set tls.key=key.pem
              daybook serve --data ./store --set timeouts.query_milliseconds=10000
            """)

    @OptionGroup var settings: ConfigurationOptions
    @OptionGroup var output: OutputOptions

    func run() async throws {
        let wanted = try settings.configuration()
        guard !wanted.data.isEmpty else { throw ValidationError(DataOptions.missing) }
        let externals = try Self.externalIssuers(wanted.tokens)
        let door = StoreDoor(directory: wanted.data)
        let clock = SystemClock()
        let logSwitch = LogSwitch(wanted.log.level)
        let sink = Self.startLog(wanted.log, logSwitch, clock)
        defer { sink.stop() }
        let logger = Logger(label: "daybook")
        report(wanted, to: logger)
        ProcessEnvironment.returnLargeBlocks()
        let configuration = try fit(wanted, logger)
        var options = configuration.server
        options.adminSocketPath = door.directory + "/" + StoreDoor.adminSocketName
        options.version = Version.text

        let security = try loadSecurity(options, clock, logger)
        let entropy = SystemEntropy()
        let (store, lock) = try door.openForWriting(clock: clock, entropy: entropy, options: configuration.store)
        defer { lock.release() }
        report(store.recoveryReport, to: logger)
        store.start()
        defer { store.shutdown() }
        let registry = KeyRegistry(store: store, clock: clock, entropy: entropy)
        let output = self.output
        let isRunning = Mutex(false)
        let server = DaybookServer(
            store: store, registry: registry, clock: clock, entropy: entropy, options: options, logger: logger,
            configuration: configuration, logSwitch: logSwitch, security: security, externals: externals
        ) { bound in
            isRunning.withLock { $0 = true }
            Self.announce(bound, isSecure: security != nil, output, logger)
        }
        let group = ServiceGroup(
            services: [server, ReloadSignal(security: security, logger: logger)],
            gracefulShutdownSignals: [.sigterm, .sigint], logger: logger)
        do {
            try await group.run()
        } catch {
            if isRunning.withLock({ $0 }) { throw error }
            throw ToolError(
                "The server cannot listen on \(options.host):\(options.port): \(error).",
                cure: "Stop what listens there, or give --listen another address; port 0 takes a free one.")
        }
    }

    /// What encrypts connections, or nil where nothing does. Files that cannot be used are a fault of the configuration.
    private func loadSecurity(
        _ options: ServerOptions, _ clock: any Clock, _ logger: Logger
    ) throws -> TransportSecurity? {
        guard options.tls.isOn else { return nil }
        do throws(TLSFault) {
            let security = try TransportSecurity(options, clock: clock)
            security.report(to: logger)
            return security
        } catch {
            try StandardStreams.write("The configuration has a fault:\n  \(error)\n", to: .error)
            throw ExitCode(ConfigurationOptions.faultExitCode)
        }
    }

    /// What is wrong with their files is wrong with the configuration.
    private static func externalIssuers(_ options: TokenOptions) throws -> ExternalIssuers {
        guard !options.issuersFile.isEmpty else { return .none }
        do throws(ExternalIssuers.Faults) {
            return try ExternalIssuers(reading: options.issuersFile, ownIssuer: options.issuer)
        } catch {
            let lines = error.list.map { "  \($0)\n" }.joined()
            try StandardStreams.write("The setting tokens.issuers_file leads to faults:\n\(lines)", to: .error)
            throw ExitCode(ConfigurationOptions.faultExitCode)
        }
    }

    /// Log lines go to standard error, on a thread of their own.
    private static func startLog(_ options: LogOptions, _ logSwitch: LogSwitch, _ clock: any Clock) -> LogSink {
        let sink = LogSink { count in
            LogLine(
                time: Timestamp(microseconds: clock.wallMicroseconds()), level: .warning, logger: "daybook",
                message: "Lines were lost, because standard error does not take them fast enough.",
                fields: [("lines", .integer(count))]
            ).bytes(options.format)
        } output: { bytes in
            // A standard error that is closed is no reason to end.
            bytes.withRawSpan { try? StandardStreams.write($0, to: .error) }
        }
        LoggingSystem.bootstrap { label in
            ServerLogHandler(label: label, format: options.format, logSwitch: logSwitch, sink: sink, clock: clock)
        }
        sink.start()
        return sink
    }

    private func report(_ configuration: Configuration, to logger: Logger) {
        var metadata: Logger.Metadata = [:]
        for key in ConfigurationKey.all where configuration.origins[key.name] != nil {
            metadata[key.name] = "\(key.value(in: configuration)) (\(configuration.origin(of: key)))"
        }
        logger.info("The server starts. What is not told here has its default.", metadata: metadata)
        guard !configuration.ignoredVariables.isEmpty else { return }
        logger.warning(
            "Variables of other services are set that mean nothing here; docs/operations/configuration.md says why.",
            metadata: ["variables": "\(configuration.ignoredVariables.joined(separator: " "))"])
    }

    /// Lowers defaults that need more open files than the system allows, and refuses what was set and cannot hold.
    private func fit(_ wanted: Configuration, _ logger: Logger) throws -> Configuration {
        var configuration = wanted
        let limit = try ProcessEnvironment.raiseDescriptorLimit()
        do throws(ConfigurationFaults) {
            for lowered in try configuration.fit(descriptorLimit: limit) {
                logger.warning(
                    "The system allows too few open files for a default: it is lowered. Raise the limit (ulimit -n), or set it.",
                    metadata: [
                        "setting": "\(lowered.name)", "default": .stringConvertible(lowered.standard),
                        "value": .stringConvertible(lowered.value), "open_files": .stringConvertible(limit),
                    ])
            }
        } catch {
            try StandardStreams.write("The configuration has a fault:\n  \(error)\n", to: .error)
            throw ExitCode(ConfigurationOptions.faultExitCode)
        }
        return configuration
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
    private static func announce(
        _ bound: DaybookServer.BoundAddress, isSecure: Bool, _ output: OutputOptions, _ logger: Logger
    ) {
        let host = bound.host.contains(":") ? "[\(bound.host)]" : bound.host
        let url = "\(isSecure ? "https" : "http")://\(host):\(bound.port)"
        var object = JSONObjectWriter()
        object.field("url", url)
        object.field("process_id", ProcessEnvironment.processID)
        let line =
            output.json
            ? String(decoding: object.finish(), as: UTF8.self) : "daybook serves \(url)"
        do {
            try StandardStreams.write(line + "\n")
        } catch {
            logger.warning("The line with the URL could not be printed.", metadata: ["error": "\(error)"])
        }
    }
}
