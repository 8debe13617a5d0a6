internal import DaybookStore

/// A variable that the services document whose place Daybook takes. docs/operations/configuration.md shows the same
/// table, so that nobody who comes from them has to guess.
package struct ForeignVariable: Sendable {
    package let name: String
    /// What Daybook does with it, or why nothing.
    package let meaning: String
    private let kind: Kind

    private enum Kind: Equatable {
        case honoured, ignored, ofClients
        /// What the one value asks for is what Daybook does; every other is ignored.
        case fixed(String)
    }

    /// It sets something here.
    package var isHonoured: Bool { kind == .honoured }

    /// What becomes of it, for people.
    package var fate: String {
        switch kind {
        case .honoured: "honoured"
        case .ignored: "ignored, with a warning"
        case .ofClients: "ignored"
        case .fixed(let value): "`\(value)` is what is done; else ignored, with a warning"
        }
    }

    /// Whether this value means nothing here, so that a server that finds it says so once. It is never shown: some are
    /// secrets.
    func isIgnored(_ value: String) -> Bool {
        switch kind {
        case .honoured, .ofClients: false
        case .ignored: true
        case .fixed(let known): value.lowercased() != known
        }
    }

    private init(_ name: String, ignored meaning: String) {
        self.name = name
        self.meaning = meaning
        kind = .ignored
    }

    private init(_ name: String, sets meaning: String) {
        self.name = name
        self.meaning = meaning
        kind = .honoured
    }

    private init(_ name: String, fixed value: String, _ meaning: String) {
        self.name = name
        self.meaning = meaning
        kind = .fixed(value)
    }

    /// A client's variable: not the server's business, so no word about it.
    private init(_ name: String, ofClients meaning: String) {
        self.name = name
        self.meaning = meaning
        kind = .ofClients
    }

    /// What the other service's value of a variable is here.
    static func translated(_ text: String, of name: String) -> String {
        switch name {
        case "LOG_LEVEL":
            let level = text.lowercased()
            return ["warn": "warning", "http": "debug", "verbose": "debug", "silly": "debug"][level] ?? level
        case "COLLECTION_TIMEOUT_MS":
            guard let milliseconds = Int64(text) else { return text }
            return String(min(milliseconds, Int64(TimeLimits().commitMilliseconds)))
        default: return text
        }
    }

    package static let all: [ForeignVariable] = honoured + fixed + ignored + ofClients

    private static let honoured: [ForeignVariable] = [
        ForeignVariable("PORT", sets: "`listen`, its port alone"),
        ForeignVariable(
            "LOG_LEVEL", sets: "`log.level`; `warn` is `warning`, `http`, `verbose` and `silly` are `debug`"),
        ForeignVariable("MAX_BATCH_SIZE", sets: "`ingest.batch_events`"),
        ForeignVariable(
            "DATA_RETENTION_DAYS",
            sets: "`organizations.commands_retention_days` and `organizations.agents_retention_days`"),
        ForeignVariable("RATE_LIMIT_MAX_REQUESTS", sets: "`organizations.requests_per_minute`"),
        ForeignVariable(
            "COLLECTION_TIMEOUT_MS",
            sets: "`timeouts.commit_milliseconds`; more than 4000 is 4000, because no answer takes 5 s"),
    ]

    private static let fixed: [ForeignVariable] = [
        ForeignVariable("RATE_LIMIT_WINDOW_MS", fixed: "60000", "limits are for any 60 seconds"),
        ForeignVariable(
            "RATE_LIMIT_STORAGE", fixed: "memory", "counted in memory, and kept across a clean restart"),
        ForeignVariable(
            "DEAD_LETTER_QUEUE_SIZE", fixed: "\(DeadLetter.countMax)",
            "the queue of dead letters takes so many and drops the oldest"),
    ]

    private static let ignored: [ForeignVariable] = [
        ForeignVariable("DATABASE_URL", ignored: noDatabase),
        ForeignVariable("DATABASE_MAX_CONNECTIONS", ignored: noDatabase),
        ForeignVariable("DATABASE_TIMEOUT_MS", ignored: noDatabase), ForeignVariable("DB_HOST", ignored: noDatabase),
        ForeignVariable("DB_PORT", ignored: noDatabase), ForeignVariable("DB_NAME", ignored: noDatabase),
        ForeignVariable("DB_USER", ignored: noDatabase), ForeignVariable("DB_PASSWORD", ignored: noDatabase),
        ForeignVariable("DB_POOL_SIZE", ignored: noDatabase), ForeignVariable("POSTGRES_DB", ignored: noDatabase),
        ForeignVariable("POSTGRES_USER", ignored: noDatabase),
        ForeignVariable("POSTGRES_PASSWORD", ignored: noDatabase),
        ForeignVariable("COLLECTION_BATCH_SIZE", ignored: "commits take whatever waits while the disk is busy"),
        ForeignVariable("COLLECTION_RETRY_ATTEMPTS", ignored: "what is acknowledged is stored; clients retry"),
        ForeignVariable("PERFORMANCE_MONITORING_ENABLED", ignored: "`/metrics` is always there"),
        ForeignVariable("PERFORMANCE_RESET_INTERVAL_MS", ignored: "counters are never reset"),
        ForeignVariable("CACHE_TTL_SECONDS", ignored: "answers are not cached; see the section `memory`"),
        ForeignVariable("AGGREGATION_WINDOWS", ignored: "all of 1m, 5m, 15m, 1h and 1d are there"),
        ForeignVariable("FLUSH_INTERVAL_MS", ignored: "nothing waits to be flushed; see `store.checkpoint_seconds`"),
        ForeignVariable("MAX_MEMORY_MB", ignored: "memory is bounded by 64 MiB; see the section `memory`"),
        ForeignVariable("PARTITION_RETENTION_DAYS", ignored: "there are no partitions; retention removes files"),
        ForeignVariable("HEALTH_CHECK_INTERVAL", ignored: "health is looked at when it is asked for"),
        ForeignVariable("NODE_ENV", ignored: oneWay), ForeignVariable("ENVIRONMENT", ignored: oneWay),
        ForeignVariable("APP_VERSION", ignored: "the version is that of the binary"),
        ForeignVariable("JWT_SECRET", ignored: "tokens are signed with key pairs of the store: see `tokens.algorithm`"),
        ForeignVariable("BACKUP_PATH", ignored: noBackup), ForeignVariable("RETENTION_DAYS", ignored: noBackup),
        ForeignVariable("AWS_S3_BUCKET", ignored: noBackup),
        ForeignVariable("MONITORING_URL", ignored: noPush), ForeignVariable("DATADOG_API_KEY", ignored: noPush),
    ]

    private static let ofClients: [ForeignVariable] = [
        ForeignVariable("FORTIUM_METRICS_URL", ofClients: ofAClient),
        ForeignVariable("FORTIUM_API_KEY", ofClients: ofAClient),
        ForeignVariable("FORTIUM_ORG_ID", ofClients: ofAClient), ForeignVariable("FORTIUM_DEBUG", ofClients: ofAClient),
    ]

    private static let noDatabase = "the store is a directory: `data`"
    private static let oneWay = "there is one way to run"
    private static let noBackup = "backups are not made by the server"
    private static let noPush = "monitoring asks `/metrics`"
    private static let ofAClient = "a client's; the server does not look at it"
}

/// Variables beginning with `DAYBOOK_` that are no settings.
enum KnownVariable {
    static let configurationFile = "DAYBOOK_CONFIG"

    /// Of verbs other than `serve`, and of the project's own tests and tools, which start servers.
    static let ofOtherVerbs = [
        configurationFile, "DAYBOOK_KEY", "DAYBOOK_TESTABLE", "DAYBOOK_NIGHTLY", "DAYBOOK_KILLS", "DAYBOOK_GOLDEN",
        "DAYBOOK_SIMULATION_FIRST", "DAYBOOK_SIMULATION_SEEDS", "DAYBOOK_PAGES",
    ]

    /// Kubernetes puts such variables into every container of a namespace that has a service named `daybook` or
    /// `daybook-…`: `DAYBOOK_SERVICE_HOST`, `DAYBOOK_PORT=tcp://…`, `DAYBOOK_PORT_8080_TCP_ADDR`.
    static func isOfKubernetes(_ name: String, value: String) -> Bool {
        let words = name.split(separator: "_", omittingEmptySubsequences: false)
        if let service = words.lastIndex(of: "SERVICE") {
            let rest = words[(service + 1)...]
            if rest.first == "PORT" || rest.elementsEqual(["HOST"]) { return true }
        }
        return words.last == "PORT" && value.contains("://") || isOfKubernetesPort(words)
    }

    /// `…_PORT_8080_TCP`, with `_PROTO`, `_PORT` or `_ADDR` behind it.
    private static func isOfKubernetesPort(_ words: [Substring]) -> Bool {
        var words = words[...]
        if let last = words.last, ["PROTO", "PORT", "ADDR"].contains(last) { words = words.dropLast() }
        guard words.count >= 4, let transport = words.popLast(), ["TCP", "UDP", "SCTP"].contains(transport) else {
            return false
        }
        guard let number = words.popLast(), Int(number) != nil else { return false }
        return words.last == "PORT"
    }
}
