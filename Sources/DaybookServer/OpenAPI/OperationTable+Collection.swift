internal import DaybookControl
internal import DaybookFormat

/// The routes that store.
extension OperationTable {
    private static let storeErrors = [
        ErrorTable.invalidJSON, ErrorTable.validationFailed, ErrorTable.unsupportedMediaType, ErrorTable.conflict,
        ErrorTable.storageUnavailable, ErrorTable.durabilityUnknown, ErrorTable.shuttingDown,
    ]

    private static let heads: [ParameterDescriptor] =
        [
            ParameterDescriptor(
                .header, "Idempotency-Key",
                idempotencyKey,
                "The same key with the same body within 24 hours gives the same answer and stores once."),
            preference, coding,
        ] + marks

    private static let idempotencyKey: JSONTree = [
        "type": "string", "pattern": "^[!-~]{1,\(Limits.idempotencyKeyByteCountMax)}$", "examples": ["run-42"],
    ]

    private static let preference = ParameterDescriptor(
        .header, "Prefer", ["type": "string", "examples": ["durability=relaxed"]],
        "`durability=durable` (default) or `durability=relaxed`, among other preferences.")

    private static let importKey = ParameterDescriptor(
        .header, "Idempotency-Key", idempotencyKey,
        "An import that is sent again with the same key and the same lines within 24 hours stores nothing twice.",
        component: "Idempotency-Key.import")

    private static let handling = ParameterDescriptor(
        .header, "Prefer", ["type": "string", "examples": ["handling=strict, durability=relaxed"]],
        "As for other events; and `handling=strict`, with which a chunk with a bad line is not stored at all.",
        component: "Prefer.import")

    private static let coding = ParameterDescriptor(
        .header, "Content-Encoding", Schema.words(["identity", "gzip", "x-gzip", "lz4"]),
        "How the body is packed; `lz4` are frames. Limits hold for what it unpacks to.")

    private static func single(
        method: String = "POST", _ paths: [String], _ id: String, _ summary: String, _ body: BodyDescriptor,
        parameters: [ParameterDescriptor] = [], links: [AnswerDescriptor.Link] = [], errors: [ErrorTable.Row] = []
    ) -> OperationDescriptor {
        OperationDescriptor(
            method: method, paths: paths, id: id, summary: summary, tag: .collection, needs: [.sendEvents],
            parameters: parameters + heads, body: body,
            answers: [
                AnswerDescriptor(
                    status: 201, meaning: "Stored.", schema: Schema.answer(Schema.reference("EventReceipt")),
                    headers: [.durability], links: links)
            ],
            errors: storeErrors + errors)
    }

    static let collection: [OperationDescriptor] = [
        single(
            ["/api/v1/metrics/command-execution", "/api/metrics/commands"], "storeCommandExecution",
            "Stores one command execution.", BodyDescriptor("CommandExecution", [.init("command", command)])),
        single(
            ["/api/v1/metrics/agent-interaction", "/api/metrics/agents"], "storeAgentInteraction",
            "Stores one interaction with an agent.", BodyDescriptor("AgentInteraction", [.init("agent", agent)])),
        single(
            ["/api/v1/metrics/productivity", "/api/metrics/productivity"], "storeProductivityMetric",
            "Stores one measure of productivity.", BodyDescriptor("ProductivityMetric", [.init("metric", metric)])),
        OperationDescriptor(
            method: "POST", paths: ["/api/v1/metrics/batch", "/api/metrics/batch"], id: "storeBatch",
            summary: "Stores events together or not at all.", tag: .collection, needs: [.sendEvents], parameters: heads,
            body: BodyDescriptor("Batch", [.init("batch", batch)]),
            answers: [
                AnswerDescriptor(
                    status: 200, meaning: "All of it is stored.",
                    schema: Schema.answer(Schema.reference("BatchReceipt")), headers: [.durability])
            ],
            errors: storeErrors + [ErrorTable.tooManyConcurrent]),
        OperationDescriptor(
            method: "POST", paths: ["/api/v1/metrics/import"], id: "importEvents",
            summary:
                "Stores events as a stream of lines, \(FrontLimits.importChunkLineCount) at a time. Lines that are wrong are listed, and cost no other.",
            tag: .collection, needs: [.sendEvents], parameters: [importKey, handling, coding] + marks,
            body: BodyDescriptor(
                mediaTypes: RequestFields.ndjsonTypes + [RequestFields.jsonType],
                [
                    "description": "One event a line, of at most \(FrontLimits.importLineByteCountMax >> 20) MiB.",
                    "type": "string", "contentMediaType": .text(RequestFields.ndjsonTypes[0]),
                    "x-item-schema": Schema.reference("ImportLine"),
                ],
                others: [
                    .init(
                        RequestFields.jsonType,
                        ["description": "The same under the type of JSON, for those who have one line only."])
                ],
                [
                    .init(
                        "lines",
                        .text(String(decoding: line.printed, as: UTF8.self) + "\n"))
                ]),
            answers: [
                AnswerDescriptor(
                    status: 200, meaning: "The body has ended; what was right is stored.",
                    schema: Schema.answer(Schema.reference("ImportReceipt")), others: [.init(lineType, answerLines)],
                    headers: [.durability])
            ],
            errors: [
                ErrorTable.unsupportedMediaType, ErrorTable.conflict, ErrorTable.tooManyConcurrent,
                ErrorTable.validationFailed, ErrorTable.storageUnavailable, ErrorTable.durabilityUnknown,
                ErrorTable.shuttingDown,
            ]),
    ]

    private static let lineType = RequestFields.ndjsonTypes[0]
    /// To clients that accept lines.
    private static let answerLines: JSONTree = [
        "description": """
        While the import goes on, a line for each rejected line and one for each chunk of \(FrontLimits.importChunkLineCount) \
        lines; the last line is the whole answer, or an error.
        """,
        "type": "string", "contentMediaType": .text(lineType), "x-item-schema": Schema.reference("ImportAnswerLine"),
    ]

    // MARK: Sessions

    private static let session = identifier(
        "session_id", Schema.session,
        "Names the session. The words that are paths of their own, `start` and `end`, have to be sent percent-encoded.")

    static let sessions: [OperationDescriptor] = [
        single(
            ["/api/v1/metrics/session/start", "/api/metrics/sessions/start"], "startSession", "Starts a session.",
            BodyDescriptor("SessionStart", [.init("start", ["context": ["project": "daybook"]])]),
            links: ["updateSession", "endSession"].map {
                .init(operation: $0, parameter: "session_id", pointer: "/data/id")
            }),
        single(
            method: "PUT", ["/api/v1/metrics/session/{}", "/api/metrics/sessions/{}"], "updateSession",
            "Tells what a session did so far.",
            BodyDescriptor(
                "SessionUpdate",
                [.init("update", ["commands_executed": 3, "agents_used": ["reviewer"], "productivity_score": 80])]),
            parameters: [session], errors: [ErrorTable.notFound]),
        single(
            ["/api/v1/metrics/session/end"], "endNamedSession", "Ends the session that the body names.",
            BodyDescriptor("NamedSessionEnd", [.init("end", ["session_id": "build-42", "productivity_score": 80])]),
            errors: [ErrorTable.notFound]),
        single(
            ["/api/metrics/sessions/{}/end"], "endSession", "Ends a session.",
            BodyDescriptor("SessionEnd", [.init("end", ["productivity_score": 80])]), parameters: [session],
            errors: [ErrorTable.notFound]),
    ]

    // MARK: Examples

    private static let command: JSONTree = [
        "command_name": "build", "execution_time_ms": 1_250, "status": "success", "user_id": "ada",
        "timestamp": "2026-01-05T09:30:00.25Z", "command_args": ["target": "release"],
        "context": ["project": "daybook", "branch": "main"],
    ]
    private static let line = JSONTree.object([.init("type", "command_execution")]).with(command)
    private static let agent: JSONTree = [
        "agent_name": "reviewer", "interaction_type": "code_review", "input_tokens": 1_200, "output_tokens": 340,
        "processing_time_ms": 2_400, "success": true, "metadata": ["model": "small"],
    ]
    private static let metric: JSONTree = [
        "metric_type": "tasks_completed", "value": 12, "unit": "tasks", "period_start": "2026-01-05T00:00:00Z",
        "period_end": "2026-01-06T00:00:00Z", "dimensions": ["project": "daybook"],
    ]
    private static let batch: JSONTree = [
        "command_executions": [command], "agent_interactions": [agent],
        "user_sessions": [
            [
                "session_start": "2026-01-05T09:00:00Z", "session_end": "2026-01-05T10:00:00Z", "commands_executed": 7,
                "agents_used": ["reviewer"], "status": "completed",
            ]
        ],
        "productivity_metrics": [metric], "timestamp": 1_767_605_400_250,
    ]
}
