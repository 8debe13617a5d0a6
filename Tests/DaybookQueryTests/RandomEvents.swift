import DaybookEvent
import DaybookFormat
import DaybookTestSupport

/// Events with few names, users and times, so that groups, filters and ties are common.
struct RandomEvents {
    var random: SeededRandom
    /// Microseconds; arrivals never fall.
    private(set) var arrival: Int64 = 1_780_000_000_000_000
    private var sessions: [String] = []
    /// Whether all changes of a session are of one user, as a server sees to it.
    var sessionsHaveOneUser = false

    init(seed: UInt64) { random = SeededRandom(seed: seed) }

    /// Some seconds later.
    mutating func passTime() { arrival += Int64(random.below(40_000_000)) }

    /// Not before that time.
    mutating func catchUp(with time: Int64) { arrival = max(arrival, time) }

    mutating func passTime(hours: Int) { arrival += Int64(hours) * 3_600_000_000 }

    /// The encoding of one event of this family.
    mutating func encoding(_ family: Family) -> [UInt8] {
        switch family {
        case .commandExecution: command()
        case .agentInteraction: agent()
        case .sessionChange: sessionChange()
        default: metric()
        }
    }

    private mutating func pick(_ texts: [String]) -> String { texts[random.below(texts.count)] }

    /// Mostly just before the arrival, often late, in steps that make ties likely.
    private mutating func time() -> Timestamp {
        let late = random.oneIn(4) ? Int64(random.below(90_000)) : Int64(random.below(60))
        return Timestamp(microseconds: (arrival / 1_000_000 - late) * 1_000_000 - (random.oneIn(9) ? 1 : 0))
    }

    private mutating func duration() -> UInt64 {
        random.oneIn(15) ? UInt64(random.below(1_200)) : random.next() >> (22 + random.next() % 40)
    }

    private mutating func number() -> EventNumber {
        switch random.below(5) {
        case 0: .unsigned(random.next() >> (random.next() % 64))
        case 1: EventNumber(-Int64(random.below(1_000)))
        default: EventNumber(Double(random.below(4_000) - 1_000) / 16) ?? .unsigned(0)
        }
    }

    private mutating func encoder(_ family: Family) -> EventEncoder {
        var encoder = EventEncoder(family: family)
        encoder.id = EventID(high: random.next(), low: random.next())
        encoder.timestamp = time()
        return encoder
    }

    mutating func context() -> String {
        var members: [String] = []
        if random.oneIn(3) { members.append("\"a.b\":\"dotted\"") }
        if random.oneIn(2) { members.append("\"flag\":\(random.oneIn(2))") }
        if random.oneIn(2) { members.append("\"git\":{\"branch\":\"\(pick(["main", "dev", "fix"]))\",\"dirty\":null}") }
        if random.oneIn(3) { members.append("\"list\":[1,\"]\",{\"git\":{\"branch\":\"no\"}}]") }
        if random.oneIn(2) { members.append("\"n\":\(pick(["1", "2", "-2.5", "1e+30"]))") }
        if !random.oneIn(5) {
            let project = pick([
                #""core""#, #""web""#, #""a\"b\\c""#, #""e\u0001\n""#, #""é""#, "true", "7", "null", "{}",
            ])
            members.append("\"project\":\(project)")
        }
        return "{\(members.joined(separator: ","))}"
    }

    private mutating func command() -> [UInt8] {
        var encoder = encoder(.commandExecution)
        encoder.status = UInt8(min(random.below(7), random.below(4)))
        encoder.durationNanoseconds = duration()
        if random.oneIn(2) { encoder.flags.insert(.session) }
        if !random.oneIn(3) { encoder.flags.insert(.team) }
        if encoder.status == 1 { encoder.flags.insert(.errorMessage) }
        if random.oneIn(4) { encoder.flags.insert(.commandArguments) }
        if !random.oneIn(6) { encoder.flags.insert(.commandContext) }
        var strings = [pick(["ann", "bob", "eve"]), pick(["build", "test", "lint", "test2", "buil"])]
        if encoder.flags.contains(.session) {
            strings.append(pick(["s1", "s2", "session-0", "session-3", "session-7"]))
        }
        if encoder.flags.contains(.team) { strings.append(pick(["red", "blue"])) }
        if encoder.flags.contains(.errorMessage) { strings.append("exit 1") }
        if encoder.flags.contains(.commandArguments) { strings.append("{\"force\":\(random.oneIn(2))}") }
        if encoder.flags.contains(.commandContext) { strings.append(context()) }
        return finish(encoder, strings)
    }

    private mutating func agent() -> [UInt8] {
        var encoder = encoder(.agentInteraction)
        encoder.status = UInt8(min(random.below(7), random.below(4)))
        encoder.durationNanoseconds = duration()
        encoder.inputTokens = random.next() >> (random.next() % 64)
        encoder.outputTokens = UInt64(random.below(5_000))
        if random.oneIn(2) { encoder.flags.insert(.session) }
        if random.oneIn(2) { encoder.flags.insert(.team) }
        if random.oneIn(2) { encoder.flags.insert(.object) }
        var strings = [pick(["ann", "bob"]), pick(["planner", "coder"]), pick(["tool_call", "response"])]
        if encoder.flags.contains(.session) { strings.append(pick(["session-0", "session-1", "session-5"])) }
        if encoder.flags.contains(.team) { strings.append(pick(["red", "blue"])) }
        if encoder.flags.contains(.object) { strings.append(context()) }
        return finish(encoder, strings)
    }

    private mutating func metric() -> [UInt8] {
        var encoder = encoder(.productivityMetric)
        encoder.value = number()
        if random.oneIn(2) { encoder.flags.insert(.team) }
        if random.oneIn(2) { encoder.flags.insert(.object) }
        var strings = [pick(["ann", "bob"]), pick(["error_rate", "code_quality"])]
        if encoder.flags.contains(.team) { strings.append(pick(["red", "blue"])) }
        if encoder.flags.contains(.object) { strings.append(context()) }
        return finish(encoder, strings)
    }

    private mutating func sessionChange() -> [UInt8] {
        var encoder = encoder(.sessionChange)
        let id: String
        if sessions.isEmpty || random.oneIn(4) {
            id = "session-\(sessions.count)"
            sessions.append(id)
            encoder.status = SessionChangeKind.started.rawValue
        } else {
            id = sessions[max(0, sessions.count - 1 - random.below(8))]
            encoder.status = (random.oneIn(3) ? SessionChangeKind.ended : .updated).rawValue
        }
        let isEnd = encoder.status == SessionChangeKind.ended.rawValue
        if isEnd, random.oneIn(3) { encoder.flags.insert(.abandoned) }
        if encoder.status != SessionChangeKind.started.rawValue, random.oneIn(4) {
            encoder.flags.insert(.totalDuration)
            encoder.durationNanoseconds = duration()
        }
        if random.oneIn(2) { encoder.flags.insert(.commandsExecuted) }
        if random.oneIn(3) { encoder.flags.insert(.productivityScore) }
        if random.oneIn(2) { encoder.flags.insert(.object) }
        if random.oneIn(3) { encoder.flags.insert(.team) }
        if random.oneIn(2) { encoder.flags.insert(.agentsUsed) }
        encoder.commandsExecuted = UInt64(random.below(50))
        encoder.productivityScore = .unsigned(UInt64(random.below(100)))
        var bytes: [UInt8] = []
        encoder.appendFixedPart(to: &bytes)
        let user = pick(["ann", "bob"])
        bytes.append(lengthPrefixed: sessionsHaveOneUser ? (id.hasSuffix("1") ? "bob" : "ann") : user)
        bytes.append(lengthPrefixed: id)
        if encoder.flags.contains(.team) { bytes.append(lengthPrefixed: pick(["red", "blue"])) }
        if encoder.flags.contains(.agentsUsed) {
            let count = random.below(3)
            bytes.append(varint: UInt64(count))
            for _ in 0..<count { bytes.append(lengthPrefixed: pick(["planner", "coder", "tester"])) }
        }
        if encoder.flags.contains(.object) { bytes.append(lengthPrefixed: context()) }
        return bytes
    }

    private func finish(_ encoder: EventEncoder, _ strings: [String]) -> [UInt8] {
        var bytes: [UInt8] = []
        encoder.appendFixedPart(to: &bytes)
        for string in strings { bytes.append(lengthPrefixed: string) }
        return bytes
    }
}
