internal import DaybookEvent
internal import DaybookFormat
internal import DaybookQuery

/// The data of answers to requests that store and to questions.
extension SchemaTable {
    private static let durability: JSONTree = Schema.words(["durable", "relaxed"])
    private static let counts: [JSONTree.Member] = BodyShape.batch.members.compactMap {
        if case .items = $0.value { .init($0.name, Schema.count) } else { nil }
    }
    private static let droppedKeys = JSONTree.Member(
        "dropped_keys",
        Schema.array(Schema.text).with([
            "description": "Paths of keys that are never stored, such as `context.__proto__`."
        ]))
    /// Sequences are told of what is durable.
    private static func sequenced(_ names: [String]) -> JSONTree {
        let nothing: [JSONTree] = names.map { ["required": [.text($0)]] }
        return [
            "anyOf": [
                ["properties": ["durability": ["const": "durable"]], "required": JSONTree(names)],
                ["properties": ["durability": ["const": "relaxed"]], "not": ["anyOf": .array(nothing)]],
            ]
        ]
    }

    mutating func addReceipts() {
        add(
            "EventReceipt",
            Schema.object(
                [
                    .init("id", Schema.text.with(["description": "Of the event, or the session that it is about."])),
                    .init("created_at", Schema.time),
                    .init("sequence", Schema.count.with(["description": "The position in the organization's log."])),
                    .init("durability", Self.durability), Self.droppedKeys,
                ], required: ["id", "created_at", "durability"], Self.sequenced(["sequence"])
            ).with([
                "examples": [
                    [
                        "id": "019b8d6c-3a50-7c1e-9f2a-5b8e0d4c7a61", "created_at": "2026-01-05T09:30:00.250000Z",
                        "sequence": 42, "durability": "durable",
                    ]
                ]
            ]))
        let span: [JSONTree.Member] = [.init("first_sequence", Schema.count), .init("last_sequence", Schema.count)]
        let countNames = Self.counts.map(\.name)
        add(
            "BatchReceipt",
            Schema.object(
                Self.counts + span + [
                    .init("created_at", Schema.time), .init("processing_time_ms", Schema.amount),
                    .init("durability", Self.durability), Self.droppedKeys,
                ], required: countNames + ["created_at", "processing_time_ms", "durability"],
                Self.sequenced(span.map(\.name))))
        addImportReceipt(span)
    }

    private mutating func addImportReceipt(_ span: [JSONTree.Member]) {
        let countNames = Self.counts.map(\.name)
        let skipped = Schema.count.with([
            "description": "Good lines of chunks that were not stored because of a bad one."
        ])
        let counts: [JSONTree.Member] = [
            .init("lines", Schema.count), .init("stored", Schema.count), .init("rejected", Schema.count),
            .init("skipped", skipped),
        ]
        add(
            "RejectedLine",
            Schema.object([
                .init("line", Schema.count.with(["description": "From 1."])), .init("field", Schema.text),
                .init("message", Schema.text),
            ]))
        add(
            "ImportAnswerLine",
            [
                "anyOf": [
                    Schema.object([.init("rejected", Schema.reference("RejectedLine"))]),
                    Schema.object([.init("progress", Schema.object(counts))]),
                    Schema.answer(Schema.reference("ImportReceipt")), Schema.reference("Error"),
                ]
            ])
        add(
            "ImportReceipt",
            Schema.object(
                counts
                    + Self.counts + span + [
                        .init(
                            "errors",
                            [
                                "description": "The first rejected lines.", "type": "array",
                                "maxItems": JSONTree(FrontLimits.importListedRejectionCountMax),
                                "items": Schema.reference("RejectedLine"),
                            ]),
                        .init(
                            "skipped_chunks",
                            [
                                "description": "The first chunks of which nothing was stored.", "type": "array",
                                "maxItems": JSONTree(FrontLimits.importListedRejectionCountMax),
                                "items": Schema.object([
                                    .init("first_line", Schema.count), .init("last_line", Schema.count),
                                ]),
                            ]),
                        .init("processing_time_ms", Schema.amount), .init("durability", Self.durability),
                    ],
                required: ["lines", "stored", "rejected", "skipped", "errors", "processing_time_ms", "durability"]
                    + countNames))
    }

    mutating func addQueries() {
        add(
            "QueryMeta",
            Schema.object(
                [
                    .init("source", Schema.words(["rollup", "raw", "mixed"])), .init("scanned_rows", Schema.count),
                    .init("cache", Schema.words(["hit", "miss"])), .init("took_ms", Schema.amount),
                    .init("as_of_sequence", Schema.count), .init("warning_count", Schema.count),
                    .init("warnings", Schema.array(Schema.reference("Warning"))),
                ], required: ["source", "scanned_rows", "cache", "took_ms", "as_of_sequence"]))
        add(
            "Warning",
            Schema.object(
                [
                    .init("file", Schema.text), .init("offset", Schema.count), .init("row_group", Schema.count),
                    .init("first_row", Schema.count), .init("rows", Schema.count), .init("reason", Schema.text),
                ], required: ["file", "offset", "reason"],
                ["description": "Damage that the answer was made without."]))
        addAggregates()
    }

    private mutating func addAggregates() {
        add("DurationSummary", Self.summary(Schema.amount))
        add("ValueSummary", Self.summary(["type": "number"]))
        let statuses = ["success_count", "error_count", "timeout_count", "cancelled_count"]
        let rate = Schema.nullable(["type": "number", "minimum": 0, "maximum": 1])
        let executions = statuses.map { JSONTree.Member($0, Schema.count) } + [.init("success_rate", rate)]
        let tokens: [JSONTree.Member] = [
            // Sums may be larger than one event's.
            .init("input_tokens", ["type": "integer", "minimum": 0]),
            .init("output_tokens", ["type": "integer", "minimum": 0]),
        ]
        let duration = Schema.reference("DurationSummary")
        add("CommandAggregate", Self.aggregate(executions + [.init("execution_time_ms", duration)] + tokens))
        add("AgentAggregate", Self.aggregate(executions + [.init("processing_time_ms", duration)] + tokens))
        let states = SessionStatus.allCases.map { JSONTree.Member("\($0.name)_count", Schema.count) }
        add("SessionAggregate", Self.aggregate(states + [.init("total_duration_ms", duration)]))
        add("MetricAggregate", Self.aggregate([.init("value", Schema.reference("ValueSummary"))]))
    }

    private static func summary(_ number: JSONTree) -> JSONTree {
        Schema.object(
            [.init("sum", number)] + ["avg", "min", "max"].map { .init($0, Schema.nullable(number)) },
            [
                "description": "Percentiles are members such as `p95` and `p99.9`, within 1.1 % of the true value.",
                "patternProperties": [#"^p[0-9]{1,3}(\.[0-9]{1,6})?$"#: Schema.nullable(number)],
            ])
    }

    private static func aggregate(_ measures: [JSONTree.Member]) -> JSONTree {
        let head: [JSONTree.Member] = [
            .init("bucket_start", Schema.time), .init("bucket_end", Schema.time),
            .init("partial", ["const": true, "description": "The bucket is cut off by the range."]),
            .init(
                "group",
                [
                    "description": "One member for each grouping; null where the events have no value.",
                    "type": "object", "additionalProperties": ["type": ["string", "null"]],
                ]),
            .init("count", Schema.count),
        ]
        let all = head + measures
        return Schema.object(all, required: all.map(\.name).filter { $0 != "partial" })
    }
}
