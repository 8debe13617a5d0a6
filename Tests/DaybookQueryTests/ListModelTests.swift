import DaybookEvent
import DaybookFormat
import DaybookTestSupport
import Testing

@testable import DaybookQuery

@Suite struct ListModelTests {
    private func randomQuery(_ family: Family, _ scenario: inout Scenario) -> ListQuery {
        var query = ListQuery(family: family, range: scenario.range())
        if scenario.events.random.oneIn(2) { query.filter = scenario.events.random.filter(of: family) }
        query.order = scenario.events.random.pick([.newestFirst, .oldestFirst])
        query.limit = 5 + scenario.events.random.below(60)
        return query
    }

    private func events(of answer: ListAnswer) throws -> [ListedEvent] {
        guard case .events(let events) = answer.items else {
            Issue.record("not a list of events")
            return []
        }
        return events
    }

    @Test(arguments: [Family.commandExecution, .agentInteraction, .productivityMetric])
    func everyPageEqualsThatOfThePlainArray(family: Family) throws {
        var scenario = Scenario(seed: 200 + UInt64(family.rawValue))
        for _ in 0..<12 {
            try scenario.append(scenario.events.random.below(100))
            if scenario.events.random.oneIn(2) { scenario.seal() }
            let source = try scenario.source()
            for _ in 0..<4 {
                var query = randomQuery(family, &scenario)
                var listed: [ListedEvent] = []
                repeat {
                    let answer = try query.answer(from: source, now: scenario.now)
                    listed += try events(of: answer)
                    query.cursor = answer.nextCursor
                } while query.cursor != nil
                let wanted = ModelComparison.listed(query, of: scenario.model.events)
                #expect(listed.map(\.sequence) == wanted.map(\.sequence))
                #expect(listed.map(\.encoding) == wanted.map(\.encoding))
                #expect(listed.map(\.arrival) == wanted.map(\.arrival))
            }
        }
    }

    @Test(arguments: [Family.commandExecution, .sessionChange])
    func pagesNeitherRepeatNorSkipWhileEventsArriveAndSealingMovesThem(family: Family) throws {
        var scenario = Scenario(seed: 300 + UInt64(family.rawValue))
        for _ in 0..<5 {
            try scenario.append(60)
            var query = randomQuery(family, &scenario)
            query.limit = 2 + scenario.events.random.below(20)
            let (asOf, now) = (scenario.model, scenario.now)
            var listed: [UInt64] = []
            repeat {
                let answer = try query.answer(from: try scenario.source(), now: scenario.now)
                switch answer.items {
                case .events(let events): listed += events.map(\.sequence)
                case .sessions(let sessions): listed += sessions.map(\.sequence)
                }
                query.cursor = answer.nextCursor
                try scenario.append(scenario.events.random.below(8))
                if scenario.events.random.oneIn(2) { scenario.seal() }
            } while query.cursor != nil
            if family == .sessionChange {
                #expect(listed == ModelComparison.sessions(query, of: asOf, now).map(\.sequence))
            } else {
                #expect(listed == ModelComparison.listed(query, of: asOf.events).map(\.sequence))
            }
        }
    }

    @Test func sessionsAreThePresentStateThatTheirChangesAddUpTo() throws {
        var scenario = Scenario(seed: 400)
        for _ in 0..<12 {
            try scenario.append(
                scenario.events.random.below(80), families: [.sessionChange, .commandExecution, .agentInteraction])
            if scenario.events.random.oneIn(2) { scenario.seal() }
            let source = try scenario.source()
            for _ in 0..<4 {
                var query = randomQuery(.sessionChange, &scenario)
                query.limit = 1_000
                let now = scenario.now.adding(microseconds: Int64(scenario.events.random.below(4_000_000_000)))
                let answer = try query.answer(from: source, now: now)
                guard case .sessions(let listed) = answer.items else {
                    Issue.record("not a list of sessions")
                    return
                }
                let wanted = ModelComparison.sessions(query, of: scenario.model, now)
                #expect(listed.count == wanted.count)
                for (session, model) in zip(listed, wanted) {
                    try ModelComparison.expect(session, equals: model)
                    let encoded = session.state.encoded()
                    #expect(try encoded.withRawSpan { try SessionState(reading: $0) } == session.state)
                    checkActivity(session, model, scenario.model, now)
                }
            }
        }
    }

    /// What no change says is counted from the events that name the session, from a day before its start to a day after
    /// its end, or after now.
    private func checkActivity(
        _ listed: ListedSession, _ session: ModelSession, _ model: ModelStore, _ now: Timestamp
    ) {
        let end = (session.end ?? now.microseconds) + Limits.dayMicroseconds
        func events(_ family: Family) -> [ModelEvent] {
            model.events(of: family, from: session.start - Limits.dayMicroseconds, to: end)
                .filter { $0.session == session.id }
        }
        let commandCount = UInt64(events(.commandExecution).count)
        #expect(listed.commandsExecuted == session.commandsExecuted ?? commandCount)
        var agents: [[UInt8]] = []
        for agent in events(.agentInteraction).compactMap(\.name) where !agents.contains(agent) { agents.append(agent) }
        #expect(listed.agentsUsed == (session.agentsUsed.isEmpty ? agents : session.agentsUsed))
    }

    @Test func sessionsAreCountedByStateAndStart() throws {
        var scenario = Scenario(seed: 401)
        for _ in 0..<10 {
            try scenario.append(scenario.events.random.below(80), families: [.sessionChange, .agentInteraction])
            if scenario.events.random.oneIn(2) { scenario.seal() }
            var query = AggregateQuery(family: .sessionChange, range: scenario.range())
            query.window = scenario.events.random.pick(AggregationWindow.allCases)
            query.groupBy = [.init("user_id", .user), .init("status", .status)]
            query.filter = scenario.events.random.filter(of: .sessionChange)
            query.limit = 1_000
            let answer = try query.answer(from: try scenario.source(), now: scenario.now)
            try ModelComparison.expect(answer.items, query, equalSessionsOf: scenario.model, scenario.now)
        }
    }
}
