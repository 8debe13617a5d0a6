import DaybookEvent
import DaybookFormat
import Testing

@testable import DaybookTools

struct DatasetTests {
    private static let end = EventGeneratorTests.day.adding(microseconds: 30 * 86_400_000_000)

    private static func options(_ count: Int, seed: UInt64 = 7) -> DatasetOptions {
        var options = DatasetOptions(start: EventGeneratorTests.day, end: end)
        options.seed = seed
        options.eventCount = count
        return options
    }

    private static func events(_ options: DatasetOptions) -> [(event: DatasetEvent, body: [UInt8])] {
        var dataset = DatasetGenerator(options)
        var events: [(event: DatasetEvent, body: [UInt8])] = []
        while let event = dataset.next() {
            var body: [UInt8] = []
            dataset.appendBody(of: event, to: &body)
            events.append((event, body))
        }
        return events
    }

    private static func requests(_ options: DatasetOptions) -> [DatasetRequests.Request] {
        var requests = DatasetRequests(options, batchEventCount: 500)
        var all: [DatasetRequests.Request] = []
        while let request = requests.next() { all.append(request) }
        return all
    }

    @Test func `equal options give equal events`() {
        #expect(Self.requests(Self.options(3_000)) == Self.requests(Self.options(3_000)))
        #expect(Self.requests(Self.options(3_000)) != Self.requests(Self.options(3_000, seed: 8)))
    }

    @Test func `as many events are stored as were asked for`() {
        for count in [1, 2, 999, 5_000] {
            #expect(Self.events(Self.options(count)).reduce(0) { $0 + $1.event.storedEventCount } == count)
            #expect(Self.requests(Self.options(count)).reduce(0) { $0 + $1.storedEventCount } == count)
        }
    }

    @Test func `an event is 445 bytes of JSON`() {
        let events = Self.events(Self.options(20_000))
        let byteCount = events.reduce(0) { $0 + $1.body.count }
        #expect((435...455).contains(byteCount / 20_000))
    }

    @Test func `the largest organization has 15 of 100 events as commands`() {
        let events = Self.events(Self.options(20_000)).map(\.event)
        let commands = events.count { $0.kind == .commandExecution && $0.organization == 0 }
        #expect((2_850...3_150).contains(commands))
        let counts = (0..<10).map { index in events.count { $0.organization == index } }
        #expect(counts == counts.sorted(by: >))
        for kind in DatasetEvent.Kind.allCases { #expect(events.contains { $0.kind == kind }) }
    }

    @Test func `events come in order but for the late ones`() {
        let times = Self.events(Self.options(20_000)).map(\.event.timestamp)
        var latest = times[0]
        var lateCount = 0
        for time in times {
            if time < latest.adding(microseconds: -2_000_000) { lateCount += 1 }
            latest = max(latest, time)
        }
        #expect((100...400).contains(lateCount))
        #expect(times.allSatisfy { $0 < Self.end && $0.microseconds % 1_000 == 0 })
    }

    @Test func `ids that clients bring are random`() {
        for (event, body) in Self.events(Self.options(500)) where event.kind != .userSession {
            guard let text = body[...].text(of: "id"), let id = EventID(text) else {
                Issue.record("no id in \(String(decoding: body, as: UTF8.self))")
                continue
            }
            #expect(id.high >> 12 & 15 == 4)
            #expect(id.low >> 62 == 2)
        }
    }

    @Test func `without client ids there are none`() {
        var options = Self.options(500)
        options.clientIDPercent = 0
        for (event, body) in Self.events(options) where event.kind != .userSession {
            #expect(!body.starts(with: #"{"id""#.utf8))
        }
    }

    @Test func `the parser takes every request`() {
        let context = EventParser.Context(
            arrival: Self.end, organization: OrganizationID("acme")!, defaultUser: Array("owner".utf8),
            mayNameAnyUser: true, randomness: { (1, 2) })
        for request in Self.requests(Self.options(5_000)) {
            var group = GroupBuilder(log: LogID(16), arrival: context.arrival)
            let result = request.body.withRawSpan {
                EventParser.parse($0, kind: .batch, context: context, into: &group)
            }
            if case .rejected(let errors, _) = result { Issue.record("\(errors)") }
        }
    }

    @Test(arguments: [(UInt64(0), "0"), (7, "0.007"), (1_250, "1.25"), (60_000, "60"), (1_234_567, "1234.567")])
    func `durations are decimals without trailing zeroes`(microseconds: UInt64, text: String) {
        var bytes: [UInt8] = []
        bytes.append(thousandths: microseconds)
        #expect(String(decoding: bytes, as: UTF8.self) == text)
    }
}
