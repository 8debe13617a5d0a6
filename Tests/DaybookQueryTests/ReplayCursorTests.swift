import DaybookEvent
import DaybookFormat
import DaybookTestSupport
import Testing

@testable import DaybookQuery

@Suite struct ReplayCursorTests {
    private func replay(_ filter: ReplayFilter, _ source: SplitSource) throws -> [ListedEvent] {
        var cursor = ReplayCursor(source, filter)
        var events: [ListedEvent] = []
        while let event = try cursor.next() { events.append(event) }
        return events
    }

    @Test func everyEventComesOnceInSequenceOrder() throws {
        var scenario = Scenario(seed: 501)
        for _ in 0..<10 {
            try scenario.append(scenario.events.random.below(150))
            if scenario.events.random.oneIn(2) { scenario.seal() }
            let events = try replay(ReplayFilter(), try scenario.source())
            #expect(events.map(\.sequence) == scenario.model.events.map(\.sequence))
            #expect(events.map(\.encoding) == scenario.model.events.map(\.encoding))
            #expect(events.map(\.family) == scenario.model.events.map(\.family))
            #expect(events.map(\.arrival) == scenario.model.events.map(\.arrival))
        }
    }

    @Test func filtersKeepWhatThePlainArrayKeeps() throws {
        var scenario = Scenario(seed: 502)
        for _ in 0..<12 {
            try scenario.append(scenario.events.random.below(100))
            if scenario.events.random.oneIn(2) { scenario.seal() }
            var filter = ReplayFilter()
            let bound = Int(scenario.model.lastSequence) + 3
            if scenario.events.random.oneIn(2) { filter.firstSequence = UInt64(scenario.events.random.below(bound)) }
            if scenario.events.random.oneIn(2) { filter.lastSequence = UInt64(scenario.events.random.below(bound)) }
            if scenario.events.random.oneIn(2) { filter.range = scenario.range() }
            if scenario.events.random.oneIn(2) { filter.names = [Array("build".utf8), Array("coder".utf8)] }
            if scenario.events.random.oneIn(2) { filter.families = [.commandExecution, .sessionChange] }
            let wanted = scenario.model.events.filter { event in
                event.sequence >= filter.firstSequence && event.sequence <= filter.lastSequence
                    && filter.families.contains(event.family) && filter.range.contains(event.timestamp)
                    && (filter.names.isEmpty || event.name.map { filter.names.contains($0) } ?? false)
            }
            let events = try replay(filter, try scenario.source())
            #expect(events.map(\.sequence) == wanted.map(\.sequence))
        }
    }

    @Test func aCancelledReplayStops() throws {
        var scenario = Scenario(seed: 503)
        try scenario.append(50)
        let cancellation = Cancellation()
        var cursor = ReplayCursor(try scenario.source(), ReplayFilter(), cancellation: cancellation)
        cancellation.cancel()
        #expect(throws: QueryError.cancelled) { _ = try cursor.next() }
    }
}
