internal import DaybookFormat

/// Writes the JSON body of one made-up event.
struct EventBodyWriter {
    private let user: GeneratedOrganization.GeneratedUser
    private let sentAt: Timestamp
    private let sessionID: String?
    private var object = JSONObjectWriter()

    init(user: GeneratedOrganization.GeneratedUser, sentAt: Timestamp, sessionID: String?) {
        self.user = user
        self.sentAt = sentAt
        self.sessionID = sessionID
    }

    consuming func finish() -> [UInt8] { object.finish() }

    // MARK: - Commands and agents

    mutating func commandExecution(random: inout GeneratorRandom) {
        identity(random: &random)
        object.field("command_name", name(from: GeneratorVocabulary.commands, random: &random))
        let status = Self.status(random: &random)
        executionTime("execution_time_ms", status: status, random: &random)
        object.field("status", status)
        if status == "error" || status == "timeout", random.chance(perThousand: 950) {
            object.field("error_message", random.pick(GeneratorVocabulary.errors))
        }
        if random.chance(perThousand: 800) { object.field("command_args", json: arguments(random: &random)) }
        object.field("context", json: context(random: &random))
        timestamp(random: &random)
    }

    /// The agent's name.
    mutating func agentInteraction(random: inout GeneratorRandom) -> String {
        identity(random: &random)
        let agent = name(from: GeneratorVocabulary.agents, random: &random)
        object.field("agent_name", agent)
        object.field("interaction_type", name(from: GeneratorVocabulary.interactions, random: &random))
        object.field("input_tokens", random.microseconds(octaves: 6...14))
        object.field("output_tokens", random.microseconds(octaves: 5...12))
        let status = Self.status(random: &random)
        executionTime("processing_time_ms", status: status, random: &random)
        if random.chance(perThousand: 600) {
            object.field("success", status == "success")
        } else {
            object.field("status", status)
        }
        if status == "error" { object.field("error_message", random.pick(GeneratorVocabulary.errors)) }
        object.field("metadata", json: metadata(random: &random))
        timestamp(random: &random)
        return agent
    }

    mutating func productivityMetric(random: inout GeneratorRandom) {
        identity(random: &random)
        let metric = random.pick(GeneratorVocabulary.units)
        object.field("metric_type", metric.metric)
        object.field("value", decimal: random.below(100_000), decimals: random.within(0...4))
        object.field("unit", metric.unit)
        let hour: Int64 = 3_600_000_000
        let periodEnd = sentAt.microseconds / hour * hour
        object.field("period_start", Timestamp(microseconds: periodEnd - hour), as: .seconds)
        object.field("period_end", Timestamp(microseconds: periodEnd), as: .seconds)
        var dimensions = JSONObjectWriter()
        dimensions.field("complexity", random.pick(GeneratorVocabulary.complexities))
        dimensions.field("project", GeneratorVocabulary.projects[user.project])
        dimensions.field("sprint", random.within(1...26))
        object.field("dimensions", json: dimensions.finish())
    }

    // MARK: - Sessions

    mutating func sessionStart(id: String, random: inout GeneratorRandom) {
        object.field("session_id", id)
        object.field("user_id", user.id)
        object.field("context", json: context(random: &random))
        object.field("timestamp", sentAt, as: .microseconds)
    }

    mutating func sessionUpdate(_ session: GeneratedOrganization.OpenSession, random: inout GeneratorRandom) {
        object.field("session_id", session.id)
        object.field("user_id", user.id)
        object.field("commands_executed", session.commandCount)
        object.field("agents_used", strings: session.agents)
        if random.chance(perThousand: 300) { productivityScore(random: &random) }
        object.field("timestamp", sentAt, as: .microseconds)
    }

    mutating func sessionEnd(_ session: GeneratedOrganization.OpenSession, random: inout GeneratorRandom) {
        object.field("session_id", session.id)
        object.field("user_id", user.id)
        if random.chance(perThousand: 800) { productivityScore(random: &random) }
        object.field("timestamp", sentAt, as: .microseconds)
    }

    mutating func userSession(id: String, random: inout GeneratorRandom) {
        object.field("id", id)
        object.field("user_id", user.id)
        let duration = Int64(random.microseconds(octaves: 28...33))
        object.field("session_start", sentAt.adding(microseconds: -duration), as: .microseconds)
        object.field("session_end", sentAt, as: .microseconds)
        object.field("commands_executed", random.below(200))
        var agents: [String] = []
        for _ in 0..<random.below(4) {
            let agent = random.pick(GeneratorVocabulary.agents)
            if !agents.contains(agent) { agents.append(agent) }
        }
        object.field("agents_used", strings: agents)
        if random.chance(perThousand: 700) { productivityScore(random: &random) }
        object.field("context", json: context(random: &random))
        object.field("status", random.chance(perThousand: 850) ? "completed" : "abandoned")
    }

    private mutating func productivityScore(random: inout GeneratorRandom) {
        object.field("productivity_score", decimal: random.within(200...1_000), decimals: 1)
    }

    // MARK: - Parts

    private mutating func identity(random: inout GeneratorRandom) {
        object.field("id", EventID(version7At: sentAt, random: random.next(), random.next()).description)
        object.field("user_id", user.id)
    }

    private func name(from names: [String], random: inout GeneratorRandom) -> String {
        // The product of two draws leans to the front of the list, as a few commands do most of the work.
        names[random.below(random.below(names.count) + 1)]
    }

    private static func status(random: inout GeneratorRandom) -> String {
        switch random.below(1_000) {
        case 0..<895: "success"
        case 895..<965: "error"
        case 965..<985: "timeout"
        default: "cancelled"
        }
    }

    private mutating func executionTime(_ key: String, status: String, random: inout GeneratorRandom) {
        let microseconds =
            status == "timeout" ? 120_000_000 + random.below(1_000) : random.microseconds(octaves: 12...23)
        switch random.below(4) {
        case 0: object.field(key, microseconds / 1_000)
        case 1: object.field(key, decimal: microseconds * 1_000 + random.below(1_000), decimals: 6)
        default: object.field(key, decimal: microseconds, decimals: 3)
        }
    }

    /// Most events are sent when they happen. Some come minutes or hours late from a laptop that was away, a few days.
    private mutating func timestamp(random: inout GeneratorRandom) {
        var time = sentAt
        switch random.below(1_000) {
        case 0..<30: time = time.adding(microseconds: -Int64(random.microseconds(octaves: 26...33)))
        case 30..<35: time = time.adding(microseconds: -Int64(random.microseconds(octaves: 37...39)))
        default: break
        }
        let form: GeneratorTimeForm
        switch random.below(100) {
        case 0..<70: form = .milliseconds
        case 70..<90: form = .microseconds
        case 90..<94: form = .seconds
        case 94..<97: form = .offset
        default: form = .epochMilliseconds
        }
        object.field("timestamp", time, as: form)
    }

    private func arguments(random: inout GeneratorRandom) -> [UInt8] {
        var arguments = JSONObjectWriter(byteCapacity: 96)
        arguments.field("language", random.pick(GeneratorVocabulary.languages))
        if random.chance(perThousand: 500) {
            arguments.field("framework", random.pick(GeneratorVocabulary.frameworks))
        }
        arguments.field("files", random.below(40))
        if random.chance(perThousand: 200) { arguments.field("dry_run", random.chance(perThousand: 500)) }
        return arguments.finish()
    }

    private func context(random: inout GeneratorRandom) -> [UInt8] {
        var context = JSONObjectWriter(byteCapacity: 192)
        context.field("project", GeneratorVocabulary.projects[user.project])
        context.field("branch", name(from: GeneratorVocabulary.branches, random: &random))
        context.field("model", GeneratorVocabulary.models[user.model])
        if let sessionID { context.field("session_id", sessionID) }
        if random.chance(perThousand: 400) { context.field("os", user.host) }
        if random.chance(perThousand: 80) {
            var repository = JSONObjectWriter(byteCapacity: 64)
            repository.field("dirty", random.chance(perThousand: 500))
            repository.field("ahead", random.below(12))
            repository.field("labels", strings: ["v\(random.below(9))", random.pick(GeneratorVocabulary.complexities)])
            context.field("repository", json: repository.finish())
        }
        return context.finish()
    }

    private func metadata(random: inout GeneratorRandom) -> [UInt8] {
        var metadata = JSONObjectWriter(byteCapacity: 160)
        metadata.field("task", random.pick(GeneratorVocabulary.tasks))
        metadata.field("model", GeneratorVocabulary.models[user.model])
        metadata.field("complexity_score", decimal: random.within(5...100), decimals: 1)
        if let sessionID { metadata.field("session_id", sessionID) }
        if random.chance(perThousand: 300) { metadata.field("framework", random.pick(GeneratorVocabulary.frameworks)) }
        if random.chance(perThousand: 100) { metadata.field("cache_hits", random.below(100_000)) }
        return metadata.finish()
    }
}
