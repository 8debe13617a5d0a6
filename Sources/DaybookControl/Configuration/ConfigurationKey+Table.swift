internal import DaybookFormat
internal import DaybookStore

extension ConfigurationKey {
    /// Every setting, in the order in which pages and verbs list them. docs/operations/configuration.md shows the same.
    package static let all: [ConfigurationKey] =
        [data, listen] + front + transport + timeouts + addresses + ingest + organizations + tokens + storing
        + compaction + memory + logging

    static let byName = Dictionary(uniqueKeysWithValues: all.map { ($0.name, $0) })

    /// A hundred years.
    static let retentionDaysMax: Int64 = 36_525
    private static let mebibyte: Int64 = 1 << 20
    private static let byteCountMax: Int64 = 1 << 50

    private static let data = ConfigurationKey(
        name: "data", form: .text("a path"), summary: "The data directory", flag: "--data",
        read: { .text($0.data) },
        write: { configuration, value in
            guard case .text(let path) = value, !path.isEmpty else { return "must be a path, not an empty text." }
            configuration.data = path
            return nil
        })

    private static let listen = ConfigurationKey(
        name: "listen", form: .text("HOST:PORT, or PORT alone"),
        summary: "Where connections are accepted; port 0 takes a free one", flag: "--listen", aliases: ["PORT"],
        read: { .text(ListenAddress(host: $0.server.host, port: $0.server.port).text) },
        write: { configuration, value in
            guard case .text(let text) = value,
                let address = ListenAddress(parsing: text, defaultHost: configuration.server.host)
            else {
                return "must be HOST:PORT, such as 127.0.0.1:8080, or PORT alone, not \(shown(value))."
            }
            configuration.server.host = address.host
            configuration.server.port = address.port
            return nil
        })

    private static let front: [ConfigurationKey] = [
        .integer(
            "server.event_loops", \.server.eventLoopCount, 1...Int64(ServerOptions.eventLoopCountMax),
            flag: "--event-loops", "Threads that read requests and write answers"),
        .integer(
            "server.query_threads", \.server.queryThreadCount, 1...64,
            "Threads that answer questions and carry out administrative acts"),
        .integer(
            "server.connections", \.server.connectionCountMax, 1...100_000,
            "Connections at a time; one more is answered 503"),
        .integer(
            "server.backlog", \.server.backlog, 1...65_535,
            "Connections that the kernel keeps until they are accepted"),
    ]

    private static let timeouts: [ConfigurationKey] = [
        .integer(
            "timeouts.request_milliseconds", \.server.timeLimits.requestMilliseconds, 100...3_600_000,
            "Head and body of a request, from the first byte on; of an import, each pause"),
        .integer(
            "timeouts.handshake_milliseconds", \.server.timeLimits.handshakeMilliseconds, 100...600_000,
            "The TLS handshake of a connection"),
        .integer(
            "timeouts.idle_milliseconds", \.server.timeLimits.idleMilliseconds, 100...3_600_000,
            "A connection between two requests"),
        .integer(
            "timeouts.stalled_write_milliseconds", \.server.timeLimits.stalledWriteMilliseconds, 100...3_600_000,
            "An answer that the client does not read"),
        .integer(
            "timeouts.commit_milliseconds", \.server.timeLimits.commitMilliseconds, 100...600_000,
            aliases: ["COLLECTION_TIMEOUT_MS"],
            "A commit, after which the client is told that the outcome is not known"),
        .integer(
            "timeouts.query_milliseconds", \.server.timeLimits.queryMilliseconds, 100...600_000,
            "A question, which ends with 503 then"),
        .integer(
            "timeouts.left_query_milliseconds", \.server.timeLimits.leftQueryMilliseconds, 0...600_000,
            "A question whose client has ended its side of the connection"),
        .integer(
            "timeouts.linger_milliseconds", \.server.timeLimits.lingerMilliseconds, 0...60_000,
            "Reading on after the last answer, so that no reset overtakes it"),
        .integer(
            "timeouts.check_milliseconds", \.server.timeLimits.checkIntervalMilliseconds, 10...10_000,
            "How often the times above are looked at; each is met up to so much later"),
    ]

    private static let addresses: [ConfigurationKey] = [
        .integer(
            "addresses.requests_per_minute", \.server.addressLimits.requestsPerMinuteMax,
            0...Int64(RateLimitPolicy.requestsPerMinuteMax),
            "Requests of any kind that one client address may send in any 60 seconds; 0 is without a bound"),
        .integer(
            "addresses.wrong_credentials_per_minute", \.server.addressLimits.wrongCredentialsPerMinute,
            1...Int64(RateLimitPolicy.requestsPerMinuteMax),
            "Wrong credentials of one client address in any 60 seconds, after which unknown ones are not looked at"),
    ]

    private static let ingest: [ConfigurationKey] = [
        .integer(
            "ingest.batch_events", \.server.batchEventCountMax, 1...Int64(Limits.batchEventCountMax),
            aliases: ["MAX_BATCH_SIZE"], "Events of one batch"),
        .integer(
            "ingest.session_idle_seconds", \.store.sessionIdleMicroseconds, 60...604_800, scale: 1_000_000,
            "Seconds without a change after which a session is abandoned; one that was stays so"),
    ]

    private static let organizations: [ConfigurationKey] = [
        .integer(
            "organizations.commands_retention_days", \.organizations.retention[.commandExecution],
            0...retentionDaysMax, aliases: ["DATA_RETENTION_DAYS"],
            "Days that a new organization keeps command executions; 0 keeps for ever"),
        .integer(
            "organizations.agents_retention_days", \.organizations.retention[.agentInteraction],
            0...retentionDaysMax, aliases: ["DATA_RETENTION_DAYS"], "The same for agent interactions"),
        .integer(
            "organizations.sessions_retention_days", \.organizations.retention[.sessionChange],
            0...retentionDaysMax, "The same for sessions"),
        .integer(
            "organizations.productivity_retention_days", \.organizations.retention[.productivityMetric],
            0...retentionDaysMax, "The same for productivity metrics"),
        .integer(
            "organizations.quota_bytes", \.store.organizationByteCountMax, 0...byteCountMax,
            "Bytes that an organization without a quota of its own may take; 0 is without a bound"),
        .integer(
            "organizations.requests_per_minute", \.store.rateLimits.defaultRequestsPerMinute,
            0...Int64(RateLimitPolicy.requestsPerMinuteMax), aliases: ["RATE_LIMIT_MAX_REQUESTS"],
            "Single events, and as many questions, of an organization without limits of its own in any 60 seconds, and ten times as many batches; 0 is without a bound"
        ),
    ]

    private static let storing: [ConfigurationKey] = [
        .integer(
            "store.quota_bytes", \.store.storeByteCountMax, 0...byteCountMax, flag: "--quota-bytes",
            "Bytes that all organizations may take together; 0 is without a bound"),
        .integer(
            "store.free_space_margin_bytes", \.store.spaceMarginByteCount, 0...byteCountMax,
            "Free space that ingest leaves beyond what the store needs to work"),
        .integer(
            "store.seal_age_seconds", \.store.sealAgeMicroseconds, 1...86_400, scale: 1_000_000, flag: "--seal-age",
            "Seconds without an event after which what a log holds is sealed"),
        .integer(
            "store.seal_events_min", \.store.sealRowCountMin, 1...1_000_000,
            "Events that a log must hold for its age to seal it"),
        .integer(
            "store.unsealed_bytes_max", \.store.unsealedByteCountMax, 32 * mebibyte...byteCountMax,
            "Bytes of all logs from which on the largest are sealed early"),
        .integer(
            "store.checkpoint_bytes", \.store.checkpointByteCount, mebibyte...192 * mebibyte,
            "Growth of the journal that starts a checkpoint"),
        .integer(
            "store.checkpoint_seconds", \.store.checkpointIntervalMicroseconds, 1...3_600, scale: 1_000_000,
            "Seconds after which a checkpoint starts in any case"),
        .integer(
            "store.checkpoint_single_syncs", \.store.individualSyncCountMax, 0...10_000,
            "Changed log files that a checkpoint synchronizes one by one; more are synchronized by one call for the file system"
        ),
        .integer(
            "store.commit_bytes", \.store.commitByteCountTarget, 65_536...4 * mebibyte,
            "Bytes from which on a commit takes no more requests"),
        .integer(
            "store.full_journal_wait_milliseconds", \.store.fullJournalWaitMicroseconds, 0...60_000, scale: 1_000,
            "How long a request waits for room in the journal before it is refused"),
        .integer(
            "store.open_organizations", \.store.openOrganizationCountMax, 1...100_000,
            "Organizations that stay open although nobody uses them"),
    ]

    private static let compaction: [ConfigurationKey] = [
        .boolean("compaction.merges", \.store.compaction.mergesRanges, "Whether small segments are merged"),
        .integer(
            "compaction.segments_min", \.store.compaction.fanInMin, 2...64, "Segments that are merged at once, at least"
        ),
        .integer(
            "compaction.segments_max", \.store.compaction.fanInMax, 2...64, "Segments that are merged at once, at most"),
        .integer(
            "compaction.events_max", \.store.compaction.rowCountMax, 65_536...524_288,
            "Events of the largest segment that merging makes"),
        .integer(
            "compaction.bytes_max", \.store.compaction.byteCountMax, mebibyte...1_024 * mebibyte,
            "Bytes of the largest segment that merging makes"),
        .integer(
            "compaction.bytes_per_second", \.store.compaction.bytesPerSecond, mebibyte...10_240 * mebibyte,
            "Bytes that merging reads and writes in a second"),
        .integer(
            "compaction.idle_percent", \.store.compaction.idlePercent, 1...100,
            "Share of one core that merging takes while nobody writes"),
        .integer(
            "compaction.busy_percent", \.store.compaction.busyPercent, 1...100, "The same while many write"),
        .integer(
            "compaction.busy_events_per_second", \.store.compaction.busyEventsPerSecond, 1...10_000_000,
            "How many events a second are many"),
        .integer(
            "compaction.patrol_seconds", \.store.compaction.patrolMicroseconds, 60...2_592_000, scale: 1_000_000,
            "Seconds in which every organization is looked at once for what has expired"),
        .integer(
            "compaction.first_patrol_seconds", \.store.compaction.firstPatrolMicroseconds, 1...2_592_000,
            scale: 1_000_000, "The same for the first time after a start"),
    ]

    private static let memory: [ConfigurationKey] = [
        .integer(
            "memory.read_bytes", \.store.readCacheByteCountMax, mebibyte...64 * mebibyte,
            "Tails, rollups and pages together"),
        .integer(
            "memory.tail_bytes", \.store.tailByteCountMax, mebibyte...64 * mebibyte,
            "Unsealed events in columns, of organizations that were asked lately"),
        .integer(
            "memory.page_bytes", \.store.pageCacheByteCountMax, mebibyte...64 * mebibyte, "Decoded pages of segments"),
        .integer(
            "memory.rollup_bytes", \.store.rollupByteCountMax, mebibyte...64 * mebibyte,
            "Rollup files that were asked lately"),
        .integer(
            "memory.directory_bytes", \.store.segmentDirectoryByteCountMax, mebibyte...64 * mebibyte,
            "Footers and directories of open segments"),
        .integer(
            "memory.open_segments", \.store.openSegmentCountMax, 8...65_536,
            "Segments that stay open: as many descriptors"
        ),
        .integer(
            "memory.pending_bytes", \.store.pendingByteCountMax, 65_536...64 * mebibyte,
            "Committed groups from which on they are moved to log files before the checkpoint"),
        .integer(
            "memory.pending_bytes_max", \.store.pendingByteCountLimit, 65_536...64 * mebibyte,
            "Committed groups at which commits wait for them to be moved"),
        .integer(
            "memory.query_bytes", \.server.queryMemoryByteCountMax, 8 * mebibyte...1_024 * mebibyte,
            "All questions that run, with their answers; two thirds of it for one organization"),
    ]

    private static let logging: [ConfigurationKey] = [
        .choice(
            "log.level", \.log.level, flag: "--log-level", aliases: ["LOG_LEVEL"],
            "The least important lines that are written; debug has a line for each request"),
        .choice("log.format", \.log.format, flag: "--log-format", "One JSON object a line, or text"),
        .integer(
            "log.slow_milliseconds", \.server.timeLimits.slowMilliseconds, 0...600_000,
            "A request that takes so long once it is whole is a warning; 0 is never"),
    ]
}
