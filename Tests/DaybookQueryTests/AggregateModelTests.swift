import DaybookEvent
import DaybookFormat
import DaybookTestSupport
import Testing

@testable import DaybookQuery

@Suite struct AggregateModelTests {
    @Test(arguments: [Family.commandExecution, .agentInteraction, .productivityMetric])
    func everyAnswerEqualsThatOfThePlainArray(family: Family) throws {
        var scenario = Scenario(seed: 100 + UInt64(family.rawValue))
        for _ in 0..<20 {
            try scenario.append(scenario.events.random.below(90))
            if scenario.events.random.oneIn(2) { scenario.seal() }
            let source = try scenario.source()
            for _ in 0..<4 {
                let query = randomQuery(family, &scenario)
                try ModelComparison.expect(
                    try query.everything(from: source, now: scenario.now).items, query, equal: scenario.model.events)
            }
        }
    }

    private func randomQuery(_ family: Family, _ scenario: inout Scenario) -> AggregateQuery {
        var query = AggregateQuery(family: family, range: scenario.range())
        query.window = scenario.events.random.pick(AggregationWindow.allCases)
        for number in 0..<scenario.events.random.below(5) {
            query.groupBy.append(
                AggregateQuery.Grouping("g\(number)", scenario.events.random.dimension(of: family)))
        }
        if scenario.events.random.oneIn(2) { query.filter = scenario.events.random.filter(of: family) }
        query.limit = 20 + scenario.events.random.below(200)
        return query
    }
}
