import DaybookFormat
@testable import DaybookTools
import Testing

struct EventGeneratorTests {
    /// 2026-06-15T00:00:00Z.
    static let day = Timestamp(microseconds: 1_781_481_600_000_000)

    private func generate(seed: UInt64, count: Int = 5_000, organizations: Int = 3) -> [GeneratedEvent] {
        var options = GeneratorOptions(start: Self.day)
        options.seed = seed
        options.eventCount = count
        options.organizationCount = organizations
        var generator = EventGenerator(options)
        var events: [GeneratedEvent] = []
        while let event = generator.next() { events.append(event) }
        return events
    }

    @Test func theSameSeedGivesTheSameEvents() {
        #expect(generate(seed: 7) == generate(seed: 7))
    }

    @Test func anotherSeedGivesOtherEvents() {
        #expect(generate(seed: 7) != generate(seed: 8))
    }

    @Test func asManyEventsComeAsWereAskedFor() {
        #expect(generate(seed: 1, count: 1_234).count == 1_234)
    }

    @Test func sendingTimesAscendAndStayInTheSpan() {
        let times = generate(seed: 3).map(\.sentAt)
        #expect(zip(times, times.dropFirst()).allSatisfy { $0 <= $1 })
        #expect(times.allSatisfy { $0 >= Self.day && $0 < Self.day.adding(microseconds: 86_400_000_000) })
    }

    @Test func familiesHaveTheirShares() {
        let events = generate(seed: 5)
        let commands = events.count { $0.kind == .commandExecution }
        let agents = events.count { $0.kind == .agentInteraction }
        #expect((2_850...3_150).contains(commands))
        #expect((1_600...1_900).contains(agents))
        for kind in GeneratedEvent.Kind.allCases { #expect(events.contains { $0.kind == kind }) }
    }

    @Test func theFirstOrganizationIsTheLargest() {
        let events = generate(seed: 5)
        let counts = (0..<3).map { index in events.count { $0.organization == index } }
        #expect(counts[0] > counts[1])
        #expect(counts[1] > counts[2])
        #expect(counts[2] > 0)
    }

    @Test func anEventIsAboutAsLargeAsRealOnes() {
        let events = generate(seed: 5)
        let byteCount = events.reduce(0) { $0 + $1.body.count }
        #expect((300...450).contains(byteCount / events.count))
    }

    @Test func requestsCarryEveryEventOnce() {
        var options = GeneratorOptions(start: Self.day)
        options.seed = 5
        options.eventCount = 5_000
        var requests = RequestGenerator(options)
        var eventCount = 0
        var keys: Set<String> = []
        while let request = requests.next() {
            eventCount += request.eventCount
            #expect(keys.insert(request.idempotencyKey).inserted)
        }
        #expect(eventCount == generate(seed: 5).reduce(0) { $0 + $1.storedEventCount })
    }
}
