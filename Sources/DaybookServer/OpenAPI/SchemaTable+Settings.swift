internal import DaybookControl
internal import DaybookFormat
internal import DaybookStore

/// What organizations are set to, their end, and dead letters.
extension SchemaTable {
    private static let organization = JSONTree.Member("organization", Schema.organization)

    mutating func addSettings() {
        addConfiguration()
        addLimits()
        add(
            "DeletedOrganization",
            Schema.object([
                Self.organization, .init("deleted_at", Schema.time),
                .init(
                    "removed_at",
                    Schema.nullable(Schema.time).with(["description": "When the last of its files was gone."])),
                .init("last_error", Schema.nullable(Schema.text)),
            ]))
        add(
            "DeadLetter",
            Schema.object([
                .init("dead_letter_id", Schema.text), Self.organization,
                .init("kind", Schema.words(DeadLetter.Kind.allCases.map(\.name))),
                .init("first_sequence", Schema.count), .init("last_sequence", Schema.count),
                .init("subject", Schema.text.with(["description": "The file that the work is about, or empty."])),
                .init("attempts", Schema.count), .init("first_attempt_at", Schema.time),
                .init("last_attempt_at", Schema.time), .init("error", Schema.text),
            ]))
        add("PurgedDeadLetters", Schema.object([.init("purged", Schema.count)]))
        add("ReplayedDeadLetters", Schema.object([.init("replayed", Schema.count)]))
    }

    // MARK: Chosen by the organization

    private static let sections: [(name: String, members: [JSONTree.Member])] = [
        (
            "rate_limiting",
            [
                .init("window_ms", ["const": 60_000]),
                .init("max_requests", Schema.integer(1, RateLimitPolicy.requestsPerMinuteMax)),
                .init("burst_allowance", Schema.integer(0, RateLimitPolicy.requestsPerMinuteMax)),
            ]
        ),
        (
            "data_retention",
            ["command_executions_days", "agent_interactions_days", "user_sessions_days", "productivity_metrics_days"]
                .map { .init($0, Schema.integer(0, Administration.retentionDaysMax)) }
        ),
        (
            "performance",
            [
                .init("batch_size_limit", Schema.integer(1, Limits.batchEventCountMax)),
                .init(
                    "processing_timeout_ms",
                    Schema.integer(
                        OrganizationConfiguration.processingTimeoutMilliseconds.lowerBound,
                        OrganizationConfiguration.processingTimeoutMilliseconds.upperBound)),
                .init("concurrent_requests", Schema.integer(1, RateLimitPolicy.concurrentBatchCountMax)),
            ]
        ),
        (
            "alerts",
            [
                .init(
                    "high_error_rate_threshold",
                    [
                        "type": "number", "minimum": 0, "maximum": 100,
                        "description": "Percent, with at most three decimals.",
                    ]),
                .init(
                    "slow_response_threshold_ms",
                    Schema.integer(1, OrganizationConfiguration.slowResponseThresholdMillisecondsMax)),
                .init(
                    "webhook_url",
                    Schema.text(byteCountMax: OrganizationConfiguration.webhookURLByteCountMax)
                        .with(["description": .text("Such a URL \(WebhookURL.rule).")])),
            ]
        ),
    ]

    private mutating func addConfiguration() {
        add(
            "SetConfiguration",
            Schema.request(
                [Self.organization] + Self.sections.map { .init($0.name, Schema.request($0.members)) }
            ).with([
                "description":
                    "Limits are at most what the operator allows. Families without days are kept as others are."
            ]))
        add(
            "Configuration",
            Schema.object(
                [Self.organization]
                    + Self.sections.map { section in
                        .init(
                            section.name,
                            Schema.object(section.members.map { .init($0.name, Schema.nullable($0.value)) }))
                    }, ["description": "Null is no choice, or no bound; 0 days keep for ever."]))
    }

    // MARK: Set by the operator

    private mutating func addLimits() {
        let tiers = RateLimitPolicy.Tier.allCases
        let bound = Schema.integer(1, RateLimitPolicy.requestsPerMinuteMax)
        add(
            "Limits",
            Schema.object(
                [Self.organization, .init("tier", Schema.words(tiers.map(\.name)))]
                    + ["single_per_minute", "batch_per_minute", "query_per_minute"].map {
                        .init($0, Schema.nullable(Schema.count))
                    } + [
                        .init("burst", Schema.count), .init("adaptive", Schema.flag),
                        .init("concurrent_batches", Schema.count),
                    ], ["description": "Null is without a bound."]))
        add(
            "SetLimits",
            Schema.request([
                Self.organization, .init("tier", Schema.words(tiers.filter { $0 != .own }.map(\.name))),
                .init("requests_per_minute", bound),
                .init(
                    "burst",
                    Schema.integer(0, RateLimitPolicy.requestsPerMinuteMax).with([
                        "description": "Beside the limit, and at most as large; none without a limit."
                    ])),
                .init("adaptive", Schema.flag),
                .init("concurrent_batches", Schema.integer(1, RateLimitPolicy.concurrentBatchCountMax)),
            ]).with([
                "not": [
                    "required": ["tier", "requests_per_minute"],
                    "properties": ["tier": ["type": "string"], "requests_per_minute": ["type": "number"]],
                ]
            ]))
    }
}
