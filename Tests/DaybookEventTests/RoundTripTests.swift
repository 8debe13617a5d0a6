@testable import DaybookEvent
import DaybookFormat
import DaybookTestSupport
import Testing

/// JSON to encoding to JSON, over 100,000 random events, and the printed form back to the same encoding.
struct RoundTripTests {
    static let eventCount = 100_000
    static let parts: UInt64 = 8

    @Test(arguments: 0..<parts)
    func nothingOfAnEventIsLost(part: UInt64) throws {
        var source = RandomEvents(seed: 1_000 + part)
        for _ in 0..<Self.eventCount / Int(Self.parts) {
            let sent = source.next()
            let (result, events) = try Parsing.parse(sent.body, sent.kind)
            guard case .accepted = result, let event = events.first, events.count == 1 else {
                Issue.record("\(result) for \(String(decoding: sent.body, as: UTF8.self))")
                return
            }
            let printed = try event.printed()
            guard case .object(let members) = try ParsedJSON(parsing: printed) else {
                throw Parsing.Refused(result: result)
            }
            for (name, value) in sent.expected where members[Array(name.utf8)] != value {
                Issue.record(
                    "\(name) of \(String(decoding: sent.body, as: UTF8.self)) became \(String(decoding: printed, as: UTF8.self))"
                )
                return
            }
            let again = try Parsing.parse(printed, .importLine)
            guard again.events == [event] else {
                Issue.record("read back as \(again): \(String(decoding: printed, as: UTF8.self))")
                return
            }
        }
    }
}

/// Bodies of single events with what must be printed of them; nil where a member must be missing.
struct RandomEvents {
    struct Sent {
        var kind: EventParser.Kind
        var body: [UInt8]
        var expected: [String: ParsedJSON?]
    }

    private var json: RandomJSON
    private var members: [(key: [UInt8], value: RandomValue)] = []
    private var expected: [String: ParsedJSON?] = [:]

    init(seed: UInt64) { json = RandomJSON(seed: seed) }

    mutating func next() -> Sent {
        members = []
        expected = ["sequence": .number("7"), "organization_id": .text(Array("acme".utf8))]
        let kind = fill()
        common()
        for index in members.indices.dropFirst() { members.swapAt(index, json.random.below(index + 1)) }
        var body: [UInt8] = []
        json.write(.object(members), to: &body)
        return Sent(kind: kind, body: body, expected: expected)
    }

    private mutating func fill() -> EventParser.Kind {
        switch json.random.below(6) {
        case 0, 1:
            add("command_name", text: "claude:generate/v1.2-x")
            duration("execution_time_ms", printedAs: "execution_time_ms")
            add("status", text: json.pick(["success", "error", "timeout", "cancelled"]))
            object("command_args")
            object("context")
            errorMessage()
            return .commandExecution
        case 2, 3:
            add("agent_name", text: "frontend-developer")
            add("interaction_type", text: json.pick(["tool_call", "code_generation", "x"]))
            duration(json.pick(["processing_time_ms", "execution_time_ms"]), printedAs: "processing_time_ms")
            agentStatus()
            for name in ["input_tokens", "output_tokens"] { count(name, orElse: .number("0")) }
            object("metadata")
            errorMessage()
            return .agentInteraction
        case 4:
            add("metric_type", text: "completion_rate")
            let (text, canonical) = json.pick(RandomJSON.numbers)
            add("value", .number(text, canonical))
            if json.random.oneIn(2) {
                add("unit", .text(Array("tasks/h é\n".utf8)))
            } else {
                expected["unit"] = .some(nil)
            }
            object("dimensions")
            return .productivityMetric
        default:
            add("session_id", text: "s-\(json.random.below(1_000))")
            count("commands_executed", orElse: nil)
            object("context")
            if json.random.oneIn(2) {
                add("agents_used", .array((0..<json.random.below(4)).map { .text(Array("agent-\($0)".utf8)) }))
            }
            expected["change"] = .text(Array("ended".utf8))
            expected["status"] = .text(Array("completed".utf8))
            return .sessionEnd(sessionID: nil)
        }
    }

    private mutating func common() {
        if json.random.oneIn(2) { add("user_id", text: json.pick(["a@b.c", "uuid", "U_1-2.3"])) }
        if json.random.oneIn(3) {
            let id = EventID(high: json.random.next(), low: json.random.next()).description
            members.append((Array("id".utf8), .text(Array((json.random.oneIn(2) ? id.uppercased() : id).utf8))))
            expected["id"] = .text(Array(id.utf8))
        }
        if json.random.oneIn(2) {
            var text: [UInt8] = []
            TimestampText.append(Timestamp(microseconds: Int64(json.random.next() >> 14)), to: &text)
            add("timestamp", .text(text))
        }
        if json.random.oneIn(4) { add("organization_id", text: "acme") }
    }

    private mutating func add(_ name: String, text: String) { add(name, .text(Array(text.utf8))) }

    private mutating func add(_ name: String, _ value: RandomValue) {
        members.append((Array(name.utf8), value))
        expected[name] = value.canonical
    }

    /// There, null, or missing.
    private mutating func object(_ name: String) {
        switch json.random.below(4) {
        case 0: expected[name] = .some(nil)
        case 1:
            members.append((Array(name.utf8), .null))
            expected[name] = .some(nil)
        default: add(name, json.object(depth: 5))
        }
    }

    private mutating func errorMessage() {
        if json.random.oneIn(2) {
            add("error_message", .text(json.text()))
        } else {
            expected["error_message"] = .some(nil)
        }
    }

    private mutating func count(_ name: String, orElse missing: ParsedJSON?) {
        let (text, canonical) = json.pick([
            ("0", "0"), ("1", "1"), ("1.50e1", "15"), ("18446744073709551615", "18446744073709551615"), ("127", "127"),
            ("128", "128"), ("-0", "0"),
        ])
        if json.random.oneIn(3) { expected[name] = missing } else { add(name, .number(text, canonical)) }
    }

    private mutating func duration(_ name: String, printedAs printed: String) {
        let (text, canonical) = json.pick([
            ("0", "0"), ("1250", "1250"), ("0.5", "0.5"), ("12.000001", "12.000001"), ("1e3", "1000"),
            ("3600000", "3600000"),
            ("0.0000005", "0"), ("0.0000015", "0.000002"), ("1.10", "1.1"),
        ])
        members.append((Array(name.utf8), .number(text, canonical)))
        expected[printed] = .number(canonical)
    }

    private mutating func agentStatus() {
        let status = json.pick(["success", "error", "timeout", "cancelled"])
        let fromSuccess = json.random.oneIn(2)
        if fromSuccess { members.append((Array("success".utf8), .bool(status == "success"))) }
        if !fromSuccess || json.random.oneIn(2) {
            add("status", text: status)
        } else {
            expected["status"] = .text(Array((status == "success" ? "success" : "error").utf8))
        }
        expected["success"] = .bool(status == "success")
    }
}
