/// One HTTP request that carries made-up events.
package struct GeneratedRequest: Sendable, Equatable {
    package var organization: Int
    package var method: String
    package var path: String
    package var idempotencyKey: String
    /// Events that the store makes of it.
    package var eventCount: Int
    package var body: [UInt8]

    /// One line of a request file: a JSON object, so that a plain script can send it.
    package func line() -> [UInt8] {
        var object = JSONObjectWriter(byteCapacity: body.count + 160)
        object.field("organization", EventGenerator.organizationName(organization))
        object.field("method", method)
        object.field("path", path)
        object.field("idempotency_key", idempotencyKey)
        object.field("events", eventCount)
        object.field("body", json: body)
        return object.finish() + [UInt8(ascii: "\n")]
    }
}

/// Groups made-up events into requests as clients do: session changes at once on their own routes, some events one by
/// one, most in batches of a few to a few hundred. Per organization the order of the events is kept within a family.
package struct RequestGenerator: Sendable {
    private var events: EventGenerator
    private var random: GeneratorRandom
    private var pending: [PendingBatch]
    private var ready: [GeneratedRequest] = []
    private var requestCount = 0
    private let seed: UInt64
    private var isDrained = false

    package init(_ options: GeneratorOptions) {
        events = EventGenerator(options)
        seed = options.seed
        random = GeneratorRandom(seed: options.seed ^ 0x5245_5155_4553_5453)
        pending = (0..<options.organizationCount).map { _ in PendingBatch() }
        for index in pending.indices { pending[index].restart(random: &random) }
    }

    /// The next request, or nil after the last.
    package mutating func next() -> GeneratedRequest? {
        while ready.isEmpty, !isDrained {
            guard let event = events.next() else {
                for organization in pending.indices { flush(organization) }
                isDrained = true
                break
            }
            take(event)
        }
        return ready.isEmpty ? nil : ready.removeFirst()
    }

    private mutating func take(_ event: GeneratedEvent) {
        switch event.kind {
        case .sessionStart: send(event, "POST", "/api/v1/metrics/session/start")
        case .sessionUpdate: send(event, "PUT", "/api/v1/metrics/session/\(event.sessionID)")
        case .sessionEnd: send(event, "POST", "/api/v1/metrics/session/end")
        case .commandExecution where pending[event.organization].target == 1:
            send(event, "POST", alias() ? "/api/metrics/commands" : "/api/v1/metrics/command-execution")
            pending[event.organization].restart(random: &random)
        case .agentInteraction where pending[event.organization].target == 1:
            send(event, "POST", alias() ? "/api/metrics/agents" : "/api/v1/metrics/agent-interaction")
            pending[event.organization].restart(random: &random)
        case .productivityMetric where pending[event.organization].target == 1:
            send(event, "POST", "/api/v1/metrics/productivity")
            pending[event.organization].restart(random: &random)
        default:
            pending[event.organization].append(event)
            if pending[event.organization].isFull { flush(event.organization) }
        }
    }

    /// One in eight clients still uses the older paths.
    private mutating func alias() -> Bool { random.below(8) == 0 }

    private mutating func send(_ event: GeneratedEvent, _ method: String, _ path: String) {
        emit(event.organization, method, path, eventCount: 1, body: event.body)
    }

    private mutating func flush(_ organization: Int) {
        guard !pending[organization].isEmpty else { return }
        let batch = pending[organization]
        pending[organization].restart(random: &random)
        emit(
            organization, "POST", alias() ? "/api/metrics/batch" : "/api/v1/metrics/batch",
            eventCount: batch.storedEventCount, body: batch.body(firstKind: random.below(PendingBatch.keys.count)))
    }

    private mutating func emit(_ organization: Int, _ method: String, _ path: String, eventCount: Int, body: [UInt8]) {
        requestCount += 1
        ready.append(
            GeneratedRequest(
                organization: organization, method: method, path: path,
                idempotencyKey: "generated-\(seed)-\(organization)-\(requestCount)", eventCount: eventCount, body: body)
        )
    }
}

/// The events of an organization that wait for their batch to be full.
package struct PendingBatch: Sendable {
    package static let keys: [(kind: GeneratedEvent.Kind, name: String)] = [
        (.commandExecution, "command_executions"), (.agentInteraction, "agent_interactions"),
        (.userSession, "user_sessions"), (.productivityMetric, "productivity_metrics"),
    ]

    package private(set) var target = 1
    package private(set) var eventCount = 0
    package private(set) var storedEventCount = 0
    private var bodies: [GeneratedEvent.Kind: [[UInt8]]] = [:]

    package init() {}

    package var isEmpty: Bool { eventCount == 0 }
    package var isFull: Bool { eventCount >= target }

    mutating func restart(random: inout GeneratorRandom) {
        eventCount = 0
        storedEventCount = 0
        bodies = [:]
        switch random.below(100) {
        case 0..<50: target = 1
        case 50..<80: target = random.within(2...20)
        case 80..<96: target = random.within(21...100)
        default: target = random.within(101...400)
        }
    }

    /// Precondition: a kind that a batch may hold.
    package mutating func append(_ event: GeneratedEvent) {
        precondition(Self.keys.contains { $0.kind == event.kind })
        bodies[event.kind, default: []].append(event.body)
        eventCount += 1
        storedEventCount += event.storedEventCount
    }

    /// The body of a batch request. The families stand in the order of `keys`, beginning with `firstKind`.
    package func body(firstKind: Int = 0) -> [UInt8] {
        var object = JSONObjectWriter(byteCapacity: 512 * eventCount)
        for position in Self.keys.indices {
            let key = Self.keys[(firstKind + position) % Self.keys.count]
            guard let items = bodies[key.kind] else { continue }
            object.field(key.name, json: Self.array(items))
        }
        return object.finish()
    }

    private static func array(_ items: [[UInt8]]) -> [UInt8] {
        var bytes: [UInt8] = [UInt8(ascii: "[")]
        for (index, item) in items.enumerated() {
            if index > 0 { bytes.append(UInt8(ascii: ",")) }
            bytes.append(contentsOf: item)
        }
        bytes.append(UInt8(ascii: "]"))
        return bytes
    }
}
