import DaybookFormat
import Testing

@testable import DaybookEvent

/// A body and what must be said about it: every failing field, in order, and the code.
struct BadBody: CustomStringConvertible, Sendable {
    var kind: EventParser.Kind
    var body: String
    var code: EventParser.RejectionCode
    var fields: [String]
    /// A part of the first message.
    var message: String

    init(
        _ kind: EventParser.Kind, _ body: String, _ code: EventParser.RejectionCode, _ fields: [String],
        _ message: String = ""
    ) {
        self.kind = kind
        self.body = body
        self.code = code
        self.fields = fields
        self.message = message
    }

    var description: String { body.count > 100 ? "\(body.prefix(100))…" : body }
}

struct RejectionTests {
    private static func check(_ bad: BadBody, _ context: EventParser.Context = Parsing.context()) throws {
        let (result, _) = try Parsing.parse(Array(bad.body.utf8), bad.kind, context)
        guard case .rejected(let errors, let code) = result else {
            Issue.record("accepted: \(bad)")
            return
        }
        #expect(code == bad.code)
        #expect(errors.map(\.field) == bad.fields)
        let message = errors.first?.message ?? ""
        #expect(bad.message.isEmpty || message.contains(bad.message), "\(errors)")
    }

    @Test(arguments: BadBodies.syntax)
    func textThatIsNotJSONIsRefusedWithAPosition(bad: BadBody) throws {
        try Self.check(bad)
    }

    @Test(arguments: BadBodies.commands + BadBodies.agents)
    func commandsAndAgentsAreRefusedFieldByField(bad: BadBody) throws {
        try Self.check(bad)
    }

    @Test(arguments: BadBodies.objects)
    func objectsBeyondTheirLimitsAreRefusedWithTheirPath(bad: BadBody) throws {
        try Self.check(bad)
    }

    @Test(arguments: BadBodies.metrics + BadBodies.sessions)
    func metricsAndSessionsAreRefusedFieldByField(bad: BadBody) throws {
        try Self.check(bad)
    }

    @Test(arguments: BadBodies.batches + BadBodies.imports)
    func batchesAndImportsAreRefusedWithThePlace(bad: BadBody) throws {
        try Self.check(bad)
    }

    @Test func everyTableRowIsCounted() {
        let count =
            BadBodies.syntax.count + BadBodies.commands.count + BadBodies.agents.count + BadBodies.objects.count
            + BadBodies.metrics.count + BadBodies.sessions.count + BadBodies.batches.count + BadBodies.imports.count
        #expect(count >= 80)
    }

    @Test func aCallerWithoutTheScopeNamesNobodyElse() throws {
        let context = Parsing.context(mayNameAnyUser: false)
        let mine = #"{"command_name":"a","execution_time_ms":1,"status":"success","user_id":"owner"}"#
        guard case .accepted = try Parsing.parse(Array(mine.utf8), .commandExecution, context).result else {
            Issue.record("the caller's own name was refused")
            return
        }
        let other = #"{"command_name":"a","execution_time_ms":1,"status":"success","user_id":"other"}"#
        try Self.check(BadBody(.commandExecution, other, .forbidden, ["user_id"], "ingest:any_user"), context)
    }

    @Test func atMostOneHundredErrorsAreListed() throws {
        let items = Array(repeating: "{}", count: 60).joined(separator: ",")
        let (result, _) = try Parsing.parse(Array("{\"command_executions\":[\(items)]}".utf8), .batch)
        guard case .rejected(let errors, .validationFailed) = result else {
            Issue.record("accepted")
            return
        }
        #expect(errors.count == 100)
        #expect(errors[3].field == "command_executions[1].command_name")
    }

    @Test func bytesThatAreNotUTF8AreRefused() throws {
        for bad in [[0xFF], [0xC0, 0x80], [0xED, 0xA0, 0x80], [0xF4, 0x90, 0x80, 0x80], [0xE2, 0x82]] as [[UInt8]] {
            let body = Array(#"{"command_name":""#.utf8) + bad + Array(#""}"#.utf8)
            let (result, _) = try Parsing.parse(body, .commandExecution)
            guard case .rejected(let errors, .invalidJSON) = result else {
                Issue.record("accepted \(bad)")
                continue
            }
            #expect(errors.first?.message == "is not UTF-8 at byte 17")
        }
    }

    @Test func aByteThatIsNotUTF8IsFoundAtEveryPlace() throws {
        for position in 1..<130 {
            var body = Array(("{" + String(repeating: " ", count: 129)).utf8)
            body[position] = 0xFF
            let (result, _) = try Parsing.parse(body, .commandExecution)
            guard case .rejected(let errors, .invalidJSON) = result else {
                Issue.record("accepted at \(position)")
                continue
            }
            #expect(errors.first?.message == "is not UTF-8 at byte \(position)")
        }
    }

    @Test func aBodyThatGrowsBeyondAGroupIsTooLarge() throws {
        // 15,000 bytes that become 64 KiB, in each of two objects of 340 events.
        let numbers = "{\"a\":[" + Array(repeating: "1e20", count: 2_900).joined(separator: ",") + "]}"
        let item = "{\"command_name\":\"a\",\"execution_time_ms\":1,\"status\":\"success\",\"context\":\(numbers)}"
        let items = Array(repeating: item, count: 340).joined(separator: ",")
        let (result, _) = try Parsing.parse(Array("{\"command_executions\":[\(items)]}".utf8), .batch)
        guard case .rejected(_, .payloadTooLarge) = result else {
            Issue.record("not refused as too large")
            return
        }
    }
}
