import DaybookEvent
import DaybookFormat
import DaybookTestSupport

/// Requests of all families: commands, agents and metrics of many users, with objects and without, and sessions that
/// begin, change and end.
extension StoreSimulation {
    static let userCount = 40

    mutating func makeUser() -> String { "user-\(random.below(Self.userCount) * 1_000_003)" }

    mutating func makeRequest(_ log: LogID) -> LogModel.Request {
        var request = LogModel.Request(
            encodings: [], families: [], timestamps: [], users: [], key: random.oneIn(3) ? nextEvent : nil)
        for _ in 0..<1 + random.below(5) {
            var time = Timestamp(microseconds: clock.wallMicroseconds())
            // Some are imported: they are old when they arrive.
            if random.oneIn(10) { time = time.adding(microseconds: -3 * Limits.dayMicroseconds) }
            request.timestamps.append(time)
            let user = makeUser()
            switch random.below(16) {
            case 0, 1: request.append(.sessionChange, makeSessionChange(log, at: time), "owner")
            case 2, 3, 4: request.append(.agentInteraction, makeAgent(user, at: time), user)
            case 5, 6: request.append(.productivityMetric, makeMetric(user, at: time), user)
            default: request.append(.commandExecution, makeCommand(user, at: time), user)
            }
            nextEvent += 1
        }
        return request
    }

    private func encoder(_ family: Family, at time: Timestamp) -> EventEncoder {
        var encoder = EventEncoder(family: family)
        encoder.id = EventID(version7At: time, random: nextEvent, nextEvent &* 0x9E37_79B9_7F4A_7C15)
        encoder.timestamp = time
        return encoder
    }

    private mutating func makeObject() -> String {
        "{\"n\":\(random.below(9)),\"project\":\"project-\(random.below(5))\"}"
    }

    private mutating func makeCommand(_ user: String, at time: Timestamp) -> [UInt8] {
        guard random.oneIn(2) else { return TestEvents.command(nextEvent, user: user, at: time) }
        var encoder = encoder(.commandExecution, at: time)
        encoder.durationNanoseconds = nextEvent * 1_000
        encoder.flags = [.commandContext]
        return encoding(encoder, [user, "command-\(nextEvent % 7)", makeObject()])
    }

    private mutating func makeAgent(_ user: String, at time: Timestamp) -> [UInt8] {
        var encoder = encoder(.agentInteraction, at: time)
        encoder.durationNanoseconds = nextEvent * 2_000
        encoder.inputTokens = nextEvent
        encoder.flags = [.object]
        return encoding(encoder, [user, "agent-\(nextEvent % 3)", "tool_call", makeObject()])
    }

    private mutating func makeMetric(_ user: String, at time: Timestamp) -> [UInt8] {
        var encoder = encoder(.productivityMetric, at: time)
        encoder.value = .unsigned(nextEvent)
        encoder.flags = [.object]
        return encoding(encoder, [user, "metric-\(nextEvent % 3)", makeObject()])
    }

    /// The store may refuse the change of a session that is over by now.
    private mutating func makeSessionChange(_ log: LogID, at time: Timestamp) -> [UInt8] {
        let known = sessions[log, default: []]
        guard !known.isEmpty, random.oneIn(3) else {
            let id = "session-\(nextEvent)"
            sessions[log, default: []].append(id)
            return TestEvents.sessionChange(.started, id, number: nextEvent, at: time)
        }
        let kind: SessionChangeKind = random.oneIn(2) ? .ended : .updated
        let id = known[max(0, known.count - 1 - random.below(4))]
        return TestEvents.sessionChange(kind, id, number: nextEvent, at: time)
    }

    private func encoding(_ encoder: EventEncoder, _ strings: [String]) -> [UInt8] {
        var bytes: [UInt8] = []
        encoder.appendFixedPart(to: &bytes)
        for string in strings { bytes.append(lengthPrefixed: string) }
        return bytes
    }
}

extension LogModel.Request {
    fileprivate mutating func append(_ family: Family, _ encoding: [UInt8], _ user: String) {
        families.append(family)
        encodings.append(encoding)
        users.append(user)
    }
}
