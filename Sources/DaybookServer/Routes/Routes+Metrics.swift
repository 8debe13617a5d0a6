internal import DaybookControl
internal import DaybookStore

/// One line of `/metrics` with its explanation.
struct MetricSeries {
    enum Kind: String {
        case counter, gauge
    }

    var name: String
    var kind: Kind
    var help: String
    var value: String

    init(_ name: String, _ kind: Kind, _ help: String, _ value: some BinaryInteger) {
        self.name = name
        self.kind = kind
        self.help = help
        self.value = String(value)
    }

    /// - Parameter seconds: in the unit that Prometheus wants.
    init(_ name: String, _ kind: Kind, _ help: String, seconds: Double) {
        self.name = name
        self.kind = kind
        self.help = help
        value = String(seconds)
    }

    var text: String { "# HELP \(name) \(help)\n# TYPE \(name) \(kind.rawValue)\n\(name) \(value)\n" }
}

/// The counters of the process. docs/operations/running.md lists them all.
extension Routes {
    func prometheusText() -> String {
        let statistics = environment.store.statistics
        var series = requestSeries() + securitySeries() + limitSeries(environment.limits.counts)
        series += tokenSeries(environment.tokens.counts) + deadLetterSeries(environment.store.deadLetterStatus)
        series += storeSeries(statistics) + spaceSeries(statistics.space)
        series += compactionSeries(environment.store.compactionStatus) + cacheSeries(environment.store.cacheStatus)
        return series.map(\.text).joined()
    }

    private func requestSeries() -> [MetricSeries] {
        let counters = environment.counters.snapshot()
        let queries = pool.status
        return [
            MetricSeries("daybook_http_requests_total", .counter, "Answered requests.", counters.requests),
            MetricSeries(
                "daybook_http_client_errors_total", .counter, "Answers with a status from 400 to 499.",
                counters.clientErrors),
            MetricSeries(
                "daybook_unknown_credentials_total", .counter,
                "Requests refused without a credential, or with one that nobody knows.", counters.strangers),
            MetricSeries(
                "daybook_shed_requests_total", .counter, "Requests refused because their event loop was behind.",
                counters.shed),
            MetricSeries(
                "daybook_http_server_errors_total", .counter, "Answers with a status from 500.", counters.serverErrors),
            MetricSeries(
                "daybook_events_acknowledged_total", .counter, "Events whose storing was confirmed to a client.",
                counters.eventsAcknowledged),
            MetricSeries(
                "daybook_ingest_requests_total", .counter, "Requests that stored events.", counters.ingestRequests),
            MetricSeries("daybook_queries_total", .counter, "Queries that were run.", counters.queries),
            MetricSeries(
                "daybook_queries_given_up_total", .counter,
                "Queries that were given up, because their time was over or the client had left.",
                counters.givenUpQueries),
            MetricSeries(
                "daybook_queries_refused_total", .counter, "Queries and acts refused because too much waited already.",
                queries.refusedCount),
            MetricSeries(
                "daybook_queries_running", .gauge, "Query threads that are busy.", queries.runningCount),
            MetricSeries(
                "daybook_queries_waiting", .gauge, "Queries, and large bodies to be parsed, that wait for a thread.",
                queries.waitingQuestionCount),
            MetricSeries(
                "daybook_acts_waiting", .gauge, "Administrative work that waits for a thread.",
                queries.waitingAdministrationCount),
            MetricSeries(
                "daybook_requests_held_total", .counter,
                "Times that a request waited because its organization had had its share of an event loop.",
                counters.held),
            MetricSeries(
                "daybook_refusals_delayed_total", .counter,
                "Refusals that waited because their organization was far beyond its limits.",
                counters.delayedRefusals),
            MetricSeries(
                "daybook_connections", .gauge, "Open connections.", max(0, environment.openConnectionCount)),
            MetricSeries(
                "daybook_connections_refused_total", .counter, "Connections that came when there were too many.",
                counters.refusedConnections),
            MetricSeries(
                "daybook_http2_streams", .gauge, "Open streams of HTTP/2 connections.",
                max(0, environment.openStreamCount)),
            MetricSeries(
                "daybook_ingest_budget_bytes", .gauge, "Bytes of bodies in flight.",
                environment.bodies.byteCount),
            MetricSeries(
                "daybook_query_memory_bytes", .gauge, "Bytes held by questions and by answers that are not out yet.",
                environment.questions.byteCount),
            MetricSeries(
                "daybook_ingest_duration_seconds_total", .counter,
                "Time from head to answer, summed over ingest requests.",
                seconds: Double(counters.ingestNanoseconds) / 1e9),
        ]
    }

    /// Only where TLS is on.
    private func securitySeries() -> [MetricSeries] {
        guard let status = environment.security?.status else { return [] }
        return [
            MetricSeries(
                "daybook_tls_certificate_expiry_seconds", .gauge,
                "Seconds until the certificate in use ends; negative afterwards.", status.secondsToExpiry),
            MetricSeries(
                "daybook_tls_reload_failed", .gauge, "1 when the files that are there now could not be used.",
                status.fault == nil ? 0 : 1),
            MetricSeries(
                "daybook_tls_handshake_failures_total", .counter, "TLS handshakes that failed or took too long.",
                environment.counters.snapshot().failedHandshakes),
        ]
    }

    private func limitSeries(_ counts: RequestLimits.Counts) -> [MetricSeries] {
        [
            MetricSeries(
                "daybook_rate_limited_total", .counter, "Requests refused by the rate limit of their organization.",
                counts.rateLimited),
            MetricSeries(
                "daybook_address_limited_total", .counter, "Requests refused by a limit of their client address.",
                counts.addressLimited),
            MetricSeries(
                "daybook_concurrent_batches_refused_total", .counter,
                "Batches refused because too many of their organization were under way.", counts.tooManyConcurrent),
            MetricSeries(
                "daybook_rate_limit_organizations", .gauge, "Organizations whose requests are counted.",
                counts.limitedOrganizations),
            MetricSeries(
                "daybook_rate_limit_addresses", .gauge, "Client addresses that are counted one by one.",
                counts.knownAddresses),
        ]
    }

    private func storeSeries(_ statistics: StoreStatistics) -> [MetricSeries] {
        [
            MetricSeries(
                "daybook_closed_organizations", .gauge, "Organizations closed because their manifest is damaged.",
                statistics.closedOrganizationCount),
            MetricSeries(
                "daybook_open_organizations", .gauge, "Organizations whose manifest is in memory.",
                statistics.openOrganizationCount),
            MetricSeries(
                "daybook_events_committed_total", .counter, "Events made durable since the start.",
                statistics.committedEventCount),
            MetricSeries(
                "daybook_pending_bytes", .gauge, "Bytes of groups that are in no log file yet.",
                max(0, statistics.pendingByteCount)),
            MetricSeries(
                "daybook_clean_journal_files", .gauge, "Journal files that are ready for use.",
                statistics.cleanJournalFileCount),
            MetricSeries(
                "daybook_sealable_logs", .gauge, "Logs that wait to be sealed, the one under way included.",
                statistics.sealableLogCount),
            MetricSeries(
                "daybook_open_erasures", .gauge, "Users to be forgotten of whom something may be left.",
                statistics.openErasureCount),
            MetricSeries(
                "daybook_storage_failed", .gauge, "1 when a failed sync has closed ingest until the next start.",
                statistics.isPoisoned ? 1 : 0),
        ]
    }

    private func deadLetterSeries(_ status: DeadLetterStatus) -> [MetricSeries] {
        [
            MetricSeries(
                "daybook_dead_letters", .gauge, "Background work that is not tried any more by itself.", status.count),
            MetricSeries(
                "daybook_dead_letters_total", .counter, "Dead letters that there ever were.", status.total),
            MetricSeries(
                "daybook_dead_letters_dropped_total", .counter,
                "Dead letters that were dropped because there were too many.", status.droppedCount),
            MetricSeries(
                "daybook_background_failures_total", .counter,
                "Attempts at background work that failed, and counted.", status.failedAttemptCount),
        ]
    }

    private func spaceSeries(_ space: SpaceStatus) -> [MetricSeries] {
        var series: [MetricSeries] = []
        if let free = space.freeByteCount {
            series.append(MetricSeries("daybook_disk_free_bytes", .gauge, "Bytes that the disk has free.", free))
        }
        return series + [
            MetricSeries(
                "daybook_disk_reserve_bytes", .gauge, "Ingest is refused while less is free.", space.reserveByteCount),
            MetricSeries(
                "daybook_disk_low", .gauge, "1 while ingest is refused for want of space.", space.isLow ? 1 : 0),
            MetricSeries(
                "daybook_stored_bytes", .gauge,
                "Bytes that count against quotas, of the organizations opened since the start.", space.usedByteCount),
            MetricSeries(
                "daybook_store_quota_bytes", .gauge, "Bytes that all organizations may take; 0 is without a bound.",
                space.quotaByteCount),
            MetricSeries(
                "daybook_organizations_over_quota", .gauge, "Organizations that have used up their quota.",
                environment.store.fullOrganizationCount),
        ]
    }

    private func compactionSeries(_ status: CompactionStatus) -> [MetricSeries] {
        [
            MetricSeries(
                "daybook_compaction_running", .gauge, "1 while segments are rewritten.", status.isRunning ? 1 : 0),
            MetricSeries(
                "daybook_compaction_debt_bytes", .gauge, "Bytes of segments that are to be merged.",
                status.debtByteCount),
            MetricSeries(
                "daybook_compaction_debt_age_seconds", .gauge, "How long the oldest of that work has waited.",
                seconds: Double(status.oldestWorkMicroseconds) / 1e6),
            MetricSeries(
                "daybook_compaction_waiting_logs", .gauge, "Logs that wait to be looked at for merging and expiry.",
                status.waitingLogCount),
            MetricSeries(
                "daybook_compaction_bytes_per_second", .gauge, "Bytes read and written in the last minute, per second.",
                status.bytesPerSecond),
            MetricSeries(
                "daybook_compaction_bytes_total", .counter, "Bytes of segments read and written.",
                status.movedByteCount),
            MetricSeries(
                "daybook_compaction_runs_total", .counter, "Merges and rewrites that were published.", status.runCount),
            MetricSeries(
                "daybook_compaction_failures_total", .counter, "Merges and rewrites that failed.", status.failureCount),
            MetricSeries(
                "daybook_segments_set_aside_total", .counter, "Segments taken out of use because of damage.",
                status.setAsideCount),
            MetricSeries(
                "daybook_events_expired_total", .counter, "Events whose retention has ended, and that are gone.",
                status.expiredEventCount),
            MetricSeries(
                "daybook_events_lost_total", .counter, "Events that were in damaged pages or segments.",
                status.lostEventCount),
        ]
    }

    private func cacheSeries(_ status: CacheStatus) -> [MetricSeries] {
        [
            MetricSeries("daybook_tails", .gauge, "Organizations whose tail is kept in columns.", status.tailCount),
            MetricSeries("daybook_tail_bytes", .gauge, "Memory of tails in columns.", status.tailByteCount),
            MetricSeries("daybook_tail_asks_total", .counter, "Questions to tails.", status.tailAskCount),
            MetricSeries(
                "daybook_tail_extensions_total", .counter, "Times that a tail took in new events.",
                status.tailExtensionCount),
            MetricSeries(
                "daybook_tail_evictions_total", .counter, "Tails that had to make room.", status.tailEvictionCount),
            MetricSeries("daybook_open_segments", .gauge, "Segments held open.", status.openSegmentCount),
            MetricSeries(
                "daybook_segment_openings_total", .counter, "Segments opened because they were not open.",
                status.segmentOpeningCount),
            MetricSeries(
                "daybook_segment_directory_bytes", .gauge, "Memory of footers and directories of open segments.",
                status.segmentDirectoryByteCount),
            MetricSeries("daybook_mapped_indexes", .gauge, "Indexes that are mapped.", status.mappedIndexCount),
            MetricSeries("daybook_mapped_index_bytes", .gauge, "Bytes of mapped indexes.", status.mappedIndexByteCount),
            MetricSeries("daybook_cached_rollups", .gauge, "Rollup files in memory.", status.rollupCount),
            MetricSeries(
                "daybook_cached_rollup_bytes", .gauge, "Memory of rollup files.", status.rollupByteCount),
            MetricSeries("daybook_cached_pages", .gauge, "Decoded pages in memory.", status.pageCount),
            MetricSeries("daybook_cached_page_bytes", .gauge, "Memory of decoded pages.", status.pageByteCount),
            MetricSeries(
                "daybook_page_cache_hits_total", .counter, "Decoded pages that were in memory.", status.pageHitCount),
            MetricSeries(
                "daybook_page_cache_misses_total", .counter, "Decoded pages that were not.", status.pageMissCount),
        ]
    }
}
