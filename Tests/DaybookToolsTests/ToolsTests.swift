import DaybookEvent
import DaybookExport
import DaybookFormat
import Testing

@testable import DaybookTools

struct GeneratedBodyTests {
    private static func events(_ count: Int) -> [GeneratedEvent] {
        var options = GeneratorOptions(start: EventGeneratorTests.day)
        options.seed = 11
        options.eventCount = count
        var generator = EventGenerator(options)
        var events: [GeneratedEvent] = []
        while let event = generator.next() { events.append(event) }
        return events
    }

    private static let context = EventParser.Context(
        arrival: EventGeneratorTests.day.adding(microseconds: 30 * 86_400_000_000),
        organization: OrganizationID("acme")!,
        defaultUser: Array("owner".utf8), mayNameAnyUser: true, randomness: { (1, 2) })

    private func parse(_ body: [UInt8], _ kind: EventParser.Kind) -> EventParser.Result {
        var group = GroupBuilder(log: LogID(16), arrival: Self.context.arrival)
        return body.withRawSpan { EventParser.parse($0, kind: kind, context: Self.context, into: &group) }
    }

    @Test func theParserTakesEveryGeneratedBody() {
        for event in Self.events(3_000) {
            let kind: EventParser.Kind
            switch event.kind {
            case .commandExecution: kind = .commandExecution
            case .agentInteraction: kind = .agentInteraction
            case .productivityMetric: kind = .productivityMetric
            case .sessionStart: kind = .sessionStart
            case .sessionUpdate: kind = .sessionUpdate(sessionID: Array(event.sessionID.utf8))
            case .sessionEnd: kind = .sessionEnd(sessionID: nil)
            case .userSession: continue
            }
            if case .rejected(let errors, _) = parse(event.body, kind) {
                Issue.record("\(String(decoding: event.body, as: UTF8.self)): \(errors)")
            }
        }
    }

    @Test func theParserTakesEveryBatch() {
        var options = GeneratorOptions(start: EventGeneratorTests.day)
        options.seed = 12
        options.eventCount = 3_000
        var requests = RequestGenerator(options)
        while let request = requests.next() {
            guard request.path.hasSuffix("/batch") else { continue }
            if case .rejected(let errors, _) = parse(request.body, .batch) { Issue.record("\(errors)") }
        }
    }

    @Test func theParserTakesEveryImportLine() {
        for event in Self.events(3_000) where event.kind != .userSession {
            if case .rejected(let errors, _) = parse(event.importLine().dropLast(), .importLine) {
                Issue.record("\(errors)")
            }
        }
    }
}

struct LogPositionTests {
    @Test(arguments: [("1", LogPosition.sequence(1)), ("18446744073709551615", .sequence(.max))])
    func digitsAreASequence(text: String, expected: LogPosition) {
        #expect(LogPosition(text) == expected)
    }

    @Test func aTimeIsATime() {
        #expect(LogPosition("1970-01-01T00:00:01Z") == .time(Timestamp(microseconds: 1_000_000)))
    }

    @Test(arguments: ["0", "", "-1", "yesterday", "2026-06-15"])
    func anythingElseIsNoPosition(text: String) {
        #expect(LogPosition(text) == nil)
    }
}

struct ServerURLTests {
    @Test(arguments: [
        ("http://127.0.0.1:8080", "127.0.0.1", 8080), ("http://localhost:9/", "127.0.0.1", 9),
        ("http://10.0.0.1", "10.0.0.1", 80),
        ("http://[::1]:8080", "[::1]", 8080),
    ])
    func addressesAreTaken(text: String, host: String, port: Int) throws {
        let parsed = try ServerURL.parse(text)
        #expect(parsed.host == host)
        #expect(parsed.port == port)
    }

    @Test(arguments: [
        "https://127.0.0.1:8080", "127.0.0.1:8080", "http://", "http://a:0", "http://a:70000", "http://a/b",
    ])
    func anythingElseIsRefused(text: String) {
        #expect(throws: ToolError.self) { try ServerURL.parse(text) }
    }
}

struct ReplayRhythmTests {
    @Test func eventsKeepTheirDistanceDividedByTheSpeed() {
        var rhythm = ReplayRhythm(speed: 10, startNanoseconds: 1_000)
        #expect(rhythm.waitMicroseconds(arrival: Timestamp(microseconds: 5_000_000), now: 1_000) == nil)
        #expect(rhythm.waitMicroseconds(arrival: Timestamp(microseconds: 6_000_000), now: 1_000) == 100_000)
        #expect(rhythm.waitMicroseconds(arrival: Timestamp(microseconds: 6_000_000), now: 200_001_000) == nil)
    }
}

struct ObjectTableTests {
    @Test func `an object in an object is told on one line`() throws {
        let object = Array(#"{"organization":"a","retention_days":{"commands":90,"agents":0}}"#.utf8)
        #expect(try ObjectTable.text(object) == "organization    a\nretention days  agents 0, commands 90\n")
    }

    @Test func fieldsStandInAKnownOrder() throws {
        let object = Array(#"{"api_key":"dbk_x","organization":"acme","created_at":null}"#.utf8)
        let text = "organization  acme\napi key       dbk_x\ncreated at    -\n"
        #expect(try ObjectTable.text(object) == text)
    }

    @Test func listsAreTables() throws {
        let object = Array(
            #"{"organizations":[{"organization":"a","created_at":"t"},{"organization":"bcd","created_at":"u"}]}"#.utf8)
        #expect(try ObjectTable.text(object) == "organization  created_at\na             t\nbcd           u\n")
    }
}

struct AdministrationAnswerTests {
    @Test func anAcceptedAnswerLosesItsFlag() throws {
        let answer = Array(#"{"ok":true,"organization":"acme"}"#.utf8)
        #expect(String(decoding: try StoreDoor.fields(of: answer), as: UTF8.self) == #"{"organization":"acme"}"#)
    }

    @Test func aRefusalIsAnError() {
        let answer = Array(#"{"ok":false,"code":"conflict","message":"The organization acme exists already."}"#.utf8)
        #expect(throws: ToolError.self) { try StoreDoor.fields(of: answer) }
    }
}

struct InspectRecordTests {
    @Test func aRecordIsALineOrAnObject() {
        var record = InspectRecord("group")
        record.add("first_sequence", UInt64(7))
        record.add("reason", "torn")
        #expect(record.line() == "group       first sequence 7, reason torn")
        #expect(
            String(decoding: record.json(), as: UTF8.self) == #"{"kind":"group","first_sequence":7,"reason":"torn"}"#)
    }
}
