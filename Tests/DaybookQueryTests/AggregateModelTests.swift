import DaybookEvent
import DaybookFormat
import DaybookRollup
import DaybookTestSupport
import Testing

@testable import DaybookQuery

@Suite struct AggregateModelTests {
    private struct Key: Hashable {
        var bucket: Int64
        var group: [[UInt8]?]
    }

    @Test(arguments: [Family.commandExecution, .agentInteraction, .productivityMetric])
    func everyAnswerEqualsThatOfThePlainArray(family: Family) throws {
        var scenario = Scenario(seed: 100 + UInt64(family.rawValue))
        for _ in 0..<20 {
            try scenario.append(scenario.events.random.below(90))
            if scenario.events.random.oneIn(2) { scenario.seal() }
            let source = try scenario.source()
            for _ in 0..<4 {
                let query = randomQuery(family, &scenario)
                try check(query, source, scenario)
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

    private func check(_ query: AggregateQuery, _ source: SplitSource, _ scenario: Scenario) throws {
        let events = scenario.model.events(
            of: query.family, from: query.range.start.microseconds, to: query.range.end.microseconds
        ).filter { ModelAnswers.matches(query.filter, $0) }
        var expected: [Key: [ModelEvent]] = [:]
        for event in events {
            let bucket = ModelAnswers.bucket(event.timestamp, query.window, query.range)
            let group = query.groupBy.map { ModelAnswers.value(of: $0.dimension, in: event) }
            expected[Key(bucket: bucket.0, group: group), default: []].append(event)
        }
        let items = try allItems(query, source, scenario.now)
        #expect(items.count == expected.count)
        for item in items {
            let key = Key(bucket: item.bucketStart.microseconds, group: item.group)
            let members = try #require(expected[key])
            let bucket = ModelAnswers.bucket(members[0].timestamp, query.window, query.range)
            #expect(item.bucketEnd.microseconds == bucket.1)
            #expect(item.isPartial == bucket.2)
            #expect(item.count == UInt64(members.count))
            if query.family == .productivityMetric {
                try checkValues(item, members)
            } else {
                try checkDurations(item, members)
            }
        }
        let order = items.map { ($0.bucketStart, $0.group) }
        for (left, right) in zip(order, order.dropFirst()) { #expect(isBefore(left, right)) }
    }

    /// All pages, one after the other.
    private func allItems(_ query: AggregateQuery, _ source: SplitSource, _ now: Timestamp) throws -> [AggregateItem] {
        var query = query
        var items: [AggregateItem] = []
        repeat {
            let answer = try query.answer(from: source, now: now)
            #expect(answer.items.count <= query.limit)
            items += answer.items
            query.cursor = answer.nextCursor
        } while query.cursor != nil
        return items
    }

    private func isBefore(_ left: (Timestamp, [[UInt8]?]), _ right: (Timestamp, [[UInt8]?])) -> Bool {
        if left.0 != right.0 { return left.0 < right.0 }
        for (first, second) in zip(left.1, right.1) where first != second {
            guard let first else { return true }
            guard let second else { return false }
            return first.lexicographicallyPrecedes(second)
        }
        return false
    }

    private func checkDurations(_ item: AggregateItem, _ members: [ModelEvent]) throws {
        let durations = members.map(\.duration)
        #expect(item.durations.sum == durations.reduce(0) { $0 + UInt128($1) })
        #expect(item.durations.minimum == durations.min())
        #expect(item.durations.maximum == durations.max())
        let counts = (0..<4).map { status in UInt64(members.filter { $0.status == status }.count) }
        let statuses = item.statuses
        #expect([statuses.success, statuses.error, statuses.timeout, statuses.cancelled] == counts)
        #expect(item.inputTokens == members.reduce(0) { $0 + UInt128($1.inputTokens) })
        #expect(item.outputTokens == members.reduce(0) { $0 + UInt128($1.outputTokens) })
        for (position, percent) in [50, 95, 99].enumerated() {
            let exact = Double(ModelStore.percentile(percent, of: durations))
            let answer = try #require(item.percentiles[position])
            // Below a microsecond all durations share a bucket.
            #expect(abs(answer - exact) <= max(exact * 0.010_831, 1_000))
        }
    }

    private func checkValues(_ item: AggregateItem, _ members: [ModelEvent]) throws {
        let values = members.compactMap(\.value)
        var sum = ExactSum()
        for value in values.reversed() {
            switch value {
            case .unsigned(let number): sum.add(number)
            case .negative(let number): sum.add(number)
            case .double(let number): sum.add(number)
            }
        }
        #expect(item.values.sum == sum)
        let doubles = values.map(\.doubleValue)
        #expect(item.values.minimum?.doubleValue == doubles.min())
        #expect(item.values.maximum?.doubleValue == doubles.max())
        for (position, percent) in [50, 95, 99].enumerated() {
            let exact = ModelStore.percentile(percent, of: doubles)
            let answer = try #require(item.percentiles[position])
            #expect(abs(answer - exact) <= abs(exact) * 0.010_831)
        }
    }
}
