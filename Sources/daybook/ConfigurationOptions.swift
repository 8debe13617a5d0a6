import ArgumentParser
import DaybookControl
import DaybookSystem
import DaybookTools

/// The flags that say how a server runs. Values are kept as text: the configuration checks them all, and tells
/// everything that is wrong at once.
struct ConfigurationOptions: ParsableArguments {
    /// `EX_CONFIG` of sysexits.h.
    static let faultExitCode: Int32 = 78

    @Option(
        name: [.customLong("config"), .customLong("file")],
        help:
            "A file with settings. [default: $DAYBOOK_CONFIG, or daybook/config.toml in $XDG_CONFIG_HOME if it exists]",
        completion: .file(extensions: ["toml"]))
    var file: String?
    @Option(name: .long, help: "The data directory. [default: $DAYBOOK_DATA]", completion: .directory)
    var data: String?
    @Option(
        name: .long, help: "Address and port; port 0 takes a free one. [default: $DAYBOOK_LISTEN or 127.0.0.1:8080]")
    var listen: String?
    @Option(name: .long, help: "Threads that read requests and write answers. [default: 1]")
    var eventLoops: String?
    @Option(name: .long, help: "Seconds without an event after which what a log holds is sealed. [default: 600]")
    var sealAge: String?
    @Option(
        name: .long,
        help:
            "Bytes that all organizations may take together; ingest is refused beyond. 0 is without a bound. [default: 0]"
    )
    var quotaBytes: String?
    @Option(
        name: .long,
        help: "trace, debug (a line for each request), info, notice, warning, error or critical. [default: info]")
    var logLevel: String?
    @Option(name: .long, help: "text or json. [default: text]")
    var logFormat: String?
    @Option(name: .long, help: ArgumentHelp("Any setting; repeat it for more.", valueName: "name=value"))
    var set: [String] = []

    private var flags: [ConfigurationSources.Flag] {
        let named: [(String, String?)] = [
            ("--data", data), ("--listen", listen), ("--event-loops", eventLoops), ("--seal-age", sealAge),
            ("--quota-bytes", quotaBytes), ("--log-level", logLevel), ("--log-format", logFormat),
        ]
        return set.map { ConfigurationSources.Flag("--set", $0) }
            + named.compactMap { name, text in text.map { ConfigurationSources.Flag(name, $0) } }
    }

    /// All sources together, as `serve` uses them.
    func resolved() throws(ConfigurationFaults) -> Configuration {
        var sources = ConfigurationSources()
        sources.variables = ProcessEnvironment.variables
        sources.flags = flags
        if let place = ConfigurationPlace(flag: file, variables: sources.variables) {
            do throws(DiskError) {
                let bytes = try HostFile.read(place.path, byteCountMax: ConfigurationPlace.fileByteCountMax)
                sources.file = ConfigurationSources.File(path: place.path, bytes: bytes)
            } catch {
                let isFault = !place.isOptional || error.kind != .notFound
                if isFault { sources.fileFault = Self.fault(error, of: place) }
            }
        }
        return try Configuration(sources)
    }

    private static func fault(_ error: DiskError, of place: ConfigurationPlace) -> ConfigurationFault {
        let reason =
            switch error.kind {
            case .notFound: "does not exist."
            case .permission: "may not be read."
            case .noSpace: "is longer than \(ConfigurationPlace.fileByteCountMax) bytes."
            default: "cannot be read: \(error)."
            }
        return ConfigurationFault(name: place.path, origin: .standard, message: reason)
    }

    /// The same for verbs that need a configuration to do their work: what is wrong goes to standard error.
    func configuration() throws -> Configuration {
        do {
            return try resolved()
        } catch {
            let count = error.list.count
            let lines = error.list.map { "  \($0)\n" }.joined()
            try StandardStreams.write(
                "The configuration has \(count == 1 ? "a fault" : "\(count) faults"):\n\(lines)", to: .error)
            throw ExitCode(Self.faultExitCode)
        }
    }

    /// The configuration of a verb that takes none of these flags: file and environment.
    static func ambient() throws -> Configuration { try ConfigurationOptions.parse([]).configuration() }
}
