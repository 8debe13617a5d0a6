internal import DaybookEvent
internal import DaybookFormat

/// Bodies that store events, and events as they come back. Both are made of what the parser knows.
extension SchemaTable {
    mutating func addBodies(batchEventCountMax: Int) {
        let bodies: [(name: String, shape: BodyShape, title: String)] = [
            ("CommandExecution", .commandExecution, "One command that was run."),
            ("AgentInteraction", .agentInteraction, "One interaction with an agent."),
            ("ProductivityMetric", .productivityMetric, "One measure of productivity."),
            ("SessionStart", .sessionStart, "The begin of a session."),
            ("SessionUpdate", .sessionUpdate, "What a session did since; `completed` and `abandoned` end it."),
            ("SessionEnd", .sessionEnd, "The end of a session."),
            ("UserSession", .userSession, "A whole session, stored as its changes."),
        ]
        for body in bodies { add(body.name, Self.request(body.shape).with(["description": .text(body.title)])) }
        var named = Self.request(.sessionEnd)
        named["required"] = ["session_id"]
        named["properties"]?["session_id"] = Self.value(.sessionEnd, "session_id")
        add("NamedSessionEnd", named.with(["description": "The end of a session that the path does not name."]))
        add("Batch", Self.batch(eventCountMax: batchEventCountMax))
        let lines = BodyShape.allCases.filter { $0.importedFamily != nil }
        for line in lines { add(Self.importName(line), Self.request(line)) }
        add(
            "ImportLine",
            [
                "description": "One line of an import, without the line feed.",
                "oneOf": .array(lines.map { Schema.reference(Self.importName($0)) }),
            ])
    }

    private static func importName(_ shape: BodyShape) -> String { "Import" + storedName(shape) }

    private static func storedName(_ shape: BodyShape) -> String {
        let family = shape.importedFamily?.typeName ?? ""
        return family.split(separator: "_").map { $0.prefix(1).uppercased() + $0.dropFirst() }.joined()
    }

    // MARK: What is taken

    private static func request(_ shape: BodyShape) -> JSONTree {
        let members = shape.members
        let schema = Schema.request(
            members.map { .init($0.name, describing($0)) }, required: members.filter(\.isRequired).map(\.name))
        let rules = rules(of: shape)
        return rules.isEmpty ? schema : schema.with(["allOf": .array(rules)])
    }

    private static func describing(_ member: BodyShape.Member) -> JSONTree {
        taken(member.value).with(["description": .text(member.meaning)])
    }

    private static func value(_ shape: BodyShape, _ name: String) -> JSONTree {
        guard let member = shape.members.first(where: { $0.name == name }) else {
            preconditionFailure("a body without its member")
        }
        return describing(member)
    }

    private static func taken(_ value: BodyValue) -> JSONTree {
        switch value {
        case .time: Schema.reference("TimeInput")
        case .items(let shape): ["type": "array", "items": Schema.reference(bodyName(shape))]
        default: stored(value)
        }
    }

    private static func bodyName(_ shape: BodyShape) -> String {
        switch shape {
        case .commandExecution: "CommandExecution"
        case .agentInteraction: "AgentInteraction"
        case .userSession: "UserSession"
        default: "ProductivityMetric"
        }
    }

    /// Rules over several members, as far as schemas can say them.
    private static func rules(of shape: BodyShape) -> [JSONTree] {
        switch shape {
        case .agentInteraction, .importedAgentInteraction:
            let words = EventStatus.allCases.map(\.name)
            let others = words.filter { $0 != EventStatus.success.name }
            return [
                has(anyOf: ["processing_time_ms", "execution_time_ms"], type: "number"),
                // Both names mean the same, and whoever sends both has to say the same twice.
                ["not": has(allOf: ["processing_time_ms", "execution_time_ms"], type: "number")],
                [
                    "anyOf": [
                        [
                            "required": ["success"],
                            "properties": ["success": ["const": true], "status": word(["success"])],
                        ],
                        [
                            "required": ["success"],
                            "properties": ["success": ["const": false], "status": word(others)],
                        ],
                        [
                            "required": ["status"],
                            "properties": ["status": ["enum": JSONTree(words)], "success": ["type": "null"]],
                        ],
                    ]
                ],
            ]
        case .userSession:
            return [
                [
                    "not": [
                        "required": ["status", "session_end"],
                        "properties": ["status": ["const": "active"], "session_end": ["not": ["type": "null"]]],
                    ]
                ]
            ]
        case .importedSessionChange:
            return [
                [
                    "anyOf": [
                        [
                            "properties": [
                                "change": ["const": "started"], "status": word(["active"]),
                                "total_duration_ms": ["type": "null"],
                            ]
                        ],
                        ["properties": ["change": ["const": "updated"], "status": word(["active"])]],
                        ["properties": ["change": ["const": "ended"], "status": word(["completed", "abandoned"])]],
                    ]
                ]
            ]
        default: return []
        }
    }

    /// One of the words, or nothing.
    private static func word(_ words: [String]) -> JSONTree {
        ["enum": .array(words.map(JSONTree.text) + [.null])]
    }

    private static func has(anyOf names: [String], type: JSONTree) -> JSONTree {
        ["anyOf": .array(names.map { has(allOf: [$0], type: type) })]
    }

    private static func has(allOf names: [String], type: JSONTree) -> JSONTree {
        ["required": JSONTree(names), "properties": .object(names.map { .init($0, ["type": type]) })]
    }

    private static func batch(eventCountMax: Int) -> JSONTree {
        var batch = request(.batch)
        let lists = BodyShape.batch.members.filter { if case .items = $0.value { true } else { false } }.map(\.name)
        for list in lists { batch["properties"]?[list]?["maxItems"] = JSONTree(eventCountMax) }
        return batch.with([
            "description": "Events that are stored together or not at all; \(eventCountMax) at most over all lists.",
            "anyOf": .array(
                lists.map {
                    ["required": [.text($0)], "properties": .object([.init($0, ["type": "array", "minItems": 1])])]
                }),
        ])
    }

    // MARK: What comes back

    mutating func addStoredEvents() {
        let always = ["type", "sequence", "id", "organization_id", "user_id", "timestamp", "created_at"]
        let ofFamily: [BodyShape: [String]] = [
            .importedCommandExecution: ["command_name", "execution_time_ms", "status"],
            .importedAgentInteraction: [
                "agent_name", "interaction_type", "input_tokens", "output_tokens", "processing_time_ms", "success",
                "status",
            ],
            .importedSessionChange: ["change", "session_id"],
            .importedProductivityMetric: ["metric_type", "value"],
        ]
        for shape in BodyShape.allCases where shape.importedFamily != nil {
            var members: [JSONTree.Member] = []
            for member in shape.members {
                // The other name of `processing_time_ms` is only taken, never given.
                if shape == .importedAgentInteraction, member.name == "execution_time_ms" { continue }
                members.append(.init(member.name, Self.stored(member.value)))
            }
            add(
                "Stored" + Self.storedName(shape),
                Schema.object(members, required: always + (ofFamily[shape] ?? [])))
        }
        addSession()
    }

    private static func stored(_ value: BodyValue) -> JSONTree {
        switch value {
        case .uuid: Schema.uuid
        case .organization: Schema.organization
        case .pattern(let expression, _): ["type": "string", "pattern": .text(expression)]
        case .text(let byteCountMax): Schema.text(byteCountMax: byteCountMax)
        case .milliseconds(let maximum): ["type": "number", "minimum": 0, "maximum": JSONTree(maximum)]
        case .count: Schema.count
        case .score: ["type": "number", "minimum": 0, "maximum": 100]
        case .number: ["type": "number"]
        case .time: Schema.time
        case .flag: Schema.flag
        case .object: Schema.reference("FreeObject")
        case .agentNames:
            ["type": "array", "maxItems": JSONTree(Limits.agentsUsedCountMax), "items": Schema.name]
        case .words(let words): Schema.words(words)
        case .items: preconditionFailure("a stored event holds no events")
        }
    }

    /// A session in its present state, as lists show it.
    private mutating func addSession() {
        let agents = Self.stored(.agentNames)
        add(
            "Session",
            Schema.object(
                [
                    .init("id", Schema.session),
                    .init("organization_id", Schema.organization), .init("user_id", Schema.user),
                    .init("team_id", Schema.user), .init("session_start", Schema.time),
                    .init("session_end", Schema.nullable(Schema.time)),
                    .init("total_duration_ms", Schema.nullable(Schema.amount)),
                    .init("commands_executed", Schema.count), .init("agents_used", agents),
                    .init("productivity_score", Schema.nullable(Self.stored(.score))),
                    .init("context", Schema.reference("FreeObject")),
                    .init("status", Schema.words(SessionStatus.allCases.map(\.name))),
                    .init("created_at", Schema.time), .init("updated_at", Schema.time),
                ],
                required: [
                    "id", "organization_id", "user_id", "session_start", "session_end", "total_duration_ms",
                    "commands_executed", "agents_used", "productivity_score", "context", "status", "created_at",
                    "updated_at",
                ]))
    }
}
