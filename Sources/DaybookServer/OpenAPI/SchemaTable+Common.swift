internal import DaybookEvent
internal import DaybookFormat

/// What many schemas share, and the errors.
extension SchemaTable {
    mutating func addCommon() {
        add(
            "Time",
            [
                "description": "RFC 3339 in UTC, with microseconds.", "type": "string", "format": "date-time",
                "examples": ["2026-01-05T09:30:00.250000Z"],
            ])
        let milliseconds = TimestampText.printable
        add(
            "TimeInput",
            [
                "description":
                    "RFC 3339 with any offset, or milliseconds since 1970; from year 1 to 9999, finer than microseconds is cut.",
                "anyOf": [
                    ["type": "string", "format": "date-time"],
                    [
                        "type": "number", "minimum": JSONTree(milliseconds.lowerBound.microseconds / 1_000),
                        "maximum": JSONTree(milliseconds.upperBound.microseconds / 1_000),
                    ],
                ],
                "examples": ["2026-01-05T11:30:00+02:00", 1_767_605_400_250],
            ])
        addFreeObjects()
        add(
            "RateLimit",
            Schema.object([
                .init(
                    "limit",
                    Schema.count.with(["description": "Requests in any 60 seconds; 2^53-1 is without a limit."])),
                .init("remaining", Schema.count),
                .init("reset_time", Schema.time.with(["description": "When the whole limit is there again."])),
            ]))
        add(
            "Performance",
            Schema.object(
                [
                    .init("processing_latency_ms", Schema.amount),
                    .init(
                        "ingestion_rate",
                        Schema.count.with(["description": "Events of this request for each second it took."])),
                ], required: ["processing_latency_ms"]))
        add(
            "Pagination",
            Schema.object([
                .init(
                    "next_cursor",
                    Schema.nullable(Schema.text).with([
                        "description": "For the parameter `cursor`; null on the last page."
                    ])),
                .init("has_more", Schema.flag),
            ]))
        addErrors()
    }

    private mutating func addFreeObjects() {
        add(
            "FreeObject",
            [
                "description": """
                Any object of at most \(Limits.objectDepthMax) levels, itself included, and \
                \(Limits.objectByteCountMax >> 10) KiB in canonical form. The keys `__proto__`, `constructor` and \
                `prototype` are dropped, and the answer says so.
                """,
                "type": "object", "maxProperties": JSONTree(Limits.objectKeyCountMax),
                "additionalProperties": Schema.reference("FreeValue"),
            ])
        add(
            "FreeValue",
            [
                "description":
                    "Texts have at most \(Limits.objectStringByteCountMax >> 10) KiB, numbers are finite as doubles.",
                "anyOf": [
                    Schema.text(byteCountMax: Limits.objectStringByteCountMax), ["type": "number"],
                    ["type": ["boolean", "null"]], Schema.array(Schema.reference("FreeValue")),
                    Schema.reference("FreeObject"),
                ],
            ])
    }

    private mutating func addErrors() {
        add(
            "FieldFailure",
            Schema.object([
                .init(
                    "field",
                    Schema.text.with([
                        "description": "A path such as `command_executions[3].context.model`, `body`, or a parameter."
                    ])),
                .init("message", Schema.text.with(["description": "What is wrong, with the limit."])),
            ]))
        var codes: [String] = []
        for row in ErrorTable.all where !codes.contains(row.code) { codes.append(row.code) }
        add(
            "Error",
            Schema.object(
                [
                    .init("success", ["const": false]), .init("code", Schema.words(codes)),
                    .init("message", Schema.text),
                    .init(
                        "errors",
                        [
                            "type": "array", "items": Schema.reference("FieldFailure"), "minItems": 1,
                            "maxItems": JSONTree(Limits.listedFieldErrorCountMax),
                        ]),
                    .init("retry_after", Schema.count.with(["description": "Seconds, as in `Retry-After`."])),
                    .init("rate_limit", Schema.reference("MetRateLimit")),
                    .init("performance", Schema.reference("Performance")),
                    .init("request_id", Schema.text.with(["description": "As in `X-Request-Id`."])),
                ], required: ["success", "code", "message", "request_id"],
                ["description": "Every error of every route. Nothing of the request was stored."]))
        add(
            "MetRateLimit",
            [
                "allOf": [
                    Schema.reference("RateLimit"),
                    Schema.object([.init("retry_after", Schema.count.with(["description": "Seconds."]))]),
                ]
            ])
    }
}
