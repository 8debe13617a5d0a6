import DaybookEvent
import DaybookFormat
import DaybookSegment
import DaybookTestSupport
import Testing

@testable import DaybookQuery

/// What retention and erasure have hidden is in no answer, though it is still on disk.
@Suite struct VisibilityTests {
    private func visibility(_ scenario: inout Scenario) -> RowVisibility {
        let events = scenario.model.events
        let old = events[scenario.events.random.below(events.count)]
        let late = events[scenario.events.random.below(events.count)]
        var visibility = RowVisibility(
            timestampCutoff: Timestamp(microseconds: old.timestamp), arrivalCutoff: late.arrival)
        // Names stand for their own hashes here.
        if scenario.events.random.oneIn(2) {
            let users = (0..<2).map { _ in
                ErasedUsers.User(
                    hash: events[scenario.events.random.below(events.count)].user,
                    through: UInt64(scenario.events.random.below(events.count + 2)))
            }
            visibility.erased = ErasedUsers(users) { $0 }
            if scenario.events.random.oneIn(2) { visibility.timestampCutoff = RowVisibility.everything.timestampCutoff }
        }
        return visibility
    }

    /// Only what is visible, as if the rest had never been there.
    private func visible(_ scenario: Scenario, _ visibility: RowVisibility) -> [ModelEvent] {
        scenario.model.events.filter { event in
            let isErased = visibility.erased?.users.contains { $0.hash == event.user && event.sequence <= $0.through }
            return isErased != true
                && (event.timestamp >= visibility.timestampCutoff.microseconds
                    || event.arrival >= visibility.arrivalCutoff)
        }
    }

    @Test(arguments: Family.ofOrganizations)
    func answersAreThoseOfTheVisibleEvents(family: Family) throws {
        var scenario = Scenario(seed: 900 + UInt64(family.rawValue))
        for _ in 0..<10 {
            try scenario.append(1 + scenario.events.random.below(120))
            if scenario.events.random.oneIn(2) { scenario.seal() }
            var source = try scenario.source()
            source.visibility = visibility(&scenario)
            var plain = try SplitSource(wholeSegments: visible(scenario, source.visibility), sealedThrough: 0)
            plain.visibility = .everything
            for _ in 0..<3 {
                var query = AggregateQuery(family: family, range: scenario.range())
                query.groupBy = [.init("user_id", .user)]
                query.window = .total
                if scenario.events.random.oneIn(2) { query.filter = scenario.events.random.filter(of: family) }
                query.limit = 1_000
                let answer = try query.answer(from: source, now: scenario.now)
                #expect(answer.items == (try query.answer(from: plain, now: scenario.now)).items)
                var list = ListQuery(family: family, range: query.range)
                list.filter = query.filter
                list.limit = 1_000
                let listed = try list.answer(from: source, now: scenario.now)
                let wanted = try list.answer(from: plain, now: scenario.now)
                switch (listed.items, wanted.items) {
                case (.events(let left), .events(let right)): #expect(left == right)
                case (.sessions(let left), .sessions(let right)): #expect(left == right)
                default: Issue.record("another kind of list")
                }
            }
        }
    }

    /// Rollups count everybody: while somebody of their segment is to be forgotten, its rows answer.
    @Test(arguments: [Family.commandExecution, .agentInteraction, .productivityMetric])
    func rollupsDoNotCountWhoIsToBeForgotten(family: Family) throws {
        var scenario = Scenario(seed: 920 + UInt64(family.rawValue))
        let name = [Family.commandExecution: "command_name", .agentInteraction: "agent_name"][family] ?? "metric_type"
        var sources: Set<String> = []
        try scenario.append(3_000, families: [family])
        for round in 0..<6 {
            scenario.seal()
            var source = try scenario.source()
            try source.rollUp()
            source.visibility = visibility(&scenario)
            let erased = ErasedUsers.User(
                hash: Array("bob".utf8), through: UInt64(scenario.events.random.below(3_000) * round / 5))
            source.visibility.erased = ErasedUsers([erased]) { $0 }
            if round > 2 { source.visibility.timestampCutoff = RowVisibility.everything.timestampCutoff }
            let visible = visible(scenario, source.visibility)
            for groupBy in [[], [name], ["user_id"], ["status"], [name, "status"]] {
                var query = AggregateQuery(family: family, range: scenario.range())
                query.window = scenario.events.random.pick(AggregationWindow.allCases)
                query.groupBy = groupBy.compactMap { name in
                    QueryDimension(name, of: family).map { AggregateQuery.Grouping(name, $0) }
                }
                if scenario.events.random.oneIn(4) { query.filter.require(.user, anyOf: [Array("bob".utf8)]) }
                query.limit = 1_000
                let answer = try query.everything(from: source, now: scenario.now)
                try ModelComparison.expect(answer.items, query, equal: visible)
                sources.insert(answer.source)
            }
        }
        #expect(sources.isSuperset(of: ["raw", "mixed"]))
    }

    @Test func aReplayGivesTheVisibleEvents() throws {
        var scenario = Scenario(seed: 910)
        for _ in 0..<10 {
            try scenario.append(1 + scenario.events.random.below(120))
            if scenario.events.random.oneIn(2) { scenario.seal() }
            var source = try scenario.source()
            source.visibility = visibility(&scenario)
            var cursor = ReplayCursor(source, ReplayFilter())
            var replayed: [UInt64] = []
            while let event = try cursor.next() { replayed.append(event.sequence) }
            #expect(replayed == visible(scenario, source.visibility).map(\.sequence))
        }
    }
}
