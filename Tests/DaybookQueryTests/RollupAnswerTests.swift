import DaybookEvent
import DaybookFormat
import DaybookRollup
import DaybookSegment
import DaybookTestSupport
import Testing

@testable import DaybookQuery

@Suite struct RollupAnswerTests {
    private func query(_ family: Family, _ scenario: inout Scenario) throws -> AggregateQuery {
        var query = AggregateQuery(family: family, range: scenario.range())
        query.window = scenario.events.random.pick(AggregationWindow.allCases)
        let name =
            family == .productivityMetric ? "metric_type" : family == .agentInteraction ? "agent_name" : "command_name"
        var names = [name, "user_id"].filter { _ in scenario.events.random.oneIn(3) }.prefix(1).map { $0 }
        if family != .productivityMetric, scenario.events.random.oneIn(4) { names.append("status") }
        query.groupBy = try names.map { .init($0, try #require(QueryDimension($0, of: family))) }
        if family != .productivityMetric, scenario.events.random.oneIn(4) {
            query.filter.isSuccess = scenario.events.random.oneIn(2)
        }
        if scenario.events.random.oneIn(4) {
            let values = ["build", "lint", "nobody", "coder", "error_rate"].map { Array($0.utf8) }
            query.filter.require(.name, anyOf: values.filter { _ in scenario.events.random.oneIn(2) } + [values[0]])
        }
        query.limit = 1_000
        return query
    }

    @Test(arguments: [Family.commandExecution, .agentInteraction, .productivityMetric])
    func rollupsAndRowsGiveTheSameAnswer(family: Family) throws {
        var scenario = Scenario(seed: 1_000 + UInt64(family.rawValue))
        var sources: Set<String> = []
        for _ in 0..<4 {
            try scenario.append(1_500, families: [family])
            scenario.seal()
            var source = try scenario.source()
            try source.rollUp()
            if scenario.events.random.oneIn(3) {
                let old = scenario.model.events[scenario.events.random.below(scenario.model.events.count)]
                source.visibility = RowVisibility(
                    timestampCutoff: Timestamp(microseconds: old.timestamp), arrivalCutoff: old.arrival)
            }
            for _ in 0..<15 {
                var query = try query(family, &scenario)
                query.source = .raw
                let raw = try query.answer(from: source, now: scenario.now)
                #expect(raw.source == "raw")
                query.source = .auto
                let answer = try query.answer(from: source, now: scenario.now)
                sources.insert(answer.source)
                let isEqual = answer.items == raw.items
                #expect(isEqual)
                #expect(answer.warnings.isEmpty)
                if answer.source == "rollup" { #expect(answer.scannedRowCount < max(1, raw.scannedRowCount)) }
            }
        }
        #expect(sources.contains("mixed"))
    }

    @Test func questionsThatRollupsDoNotTellApartAreAnsweredFromRows() throws {
        var scenario = Scenario(seed: 1_010)
        try scenario.append(3_000, families: [.commandExecution])
        var source = try SplitSource(wholeSegments: scenario.model.events, sealedThrough: 3_000)
        try source.rollUp()
        func origin(_ change: (inout AggregateQuery) -> Void) throws -> String {
            var query = AggregateQuery(family: .commandExecution, range: .all)
            query.window = .oneDay
            change(&query)
            return try query.answer(from: source, now: scenario.now).source
        }
        #expect(try origin { _ in } == "rollup")
        #expect(try origin { $0.source = .raw } == "raw")
        #expect(try origin { $0.groupBy = [.init("team_id", .team)] } == "raw")
        #expect(try origin { $0.groupBy = [.init("user_id", .user), .init("command_name", .name)] } == "raw")
        #expect(try origin { $0.filter.durationMin = 1 } == "raw")
        #expect(try origin { $0.filter.search = TokenSearch(Array("exit".utf8)) } == "raw")
        #expect(try origin { $0.filter.require(.session, anyOf: [Array("s1".utf8)]) } == "raw")
    }

    @Test func aDamagedRollupIsToldAndRowsAnswer() throws {
        var scenario = Scenario(seed: 1_011)
        try scenario.append(3_000, families: [.commandExecution])
        var source = try SplitSource(wholeSegments: scenario.model.events, sealedThrough: 3_000)
        try source.rollUp()
        let path = source.segments[0].path
        let sound = try #require(source.rollups[path])
        var query = AggregateQuery(family: .commandExecution, range: .all)
        query.groupBy = [.init("command_name", .name)]
        query.window = .oneDay
        query.limit = 1_000
        let expected = try query.answer(from: source, now: scenario.now).items
        for _ in 0..<60 {
            var bytes = sound
            bytes[scenario.events.random.below(bytes.count)] ^= 1 << UInt8(scenario.events.random.below(8))
            if scenario.events.random.oneIn(5) { bytes.removeLast(1 + scenario.events.random.below(bytes.count)) }
            source.rollups[path] = bytes
            let answer = try query.answer(from: source, now: scenario.now)
            let isEqual = answer.items == expected
            #expect(isEqual)
            #expect(answer.warningCount > 0)
            #expect(answer.warnings.allSatisfy { $0.rows == 0..<0 && $0.file.hasSuffix(".dbr") })
        }
    }

    @Test func theParameterSaysWhereAnswersMayComeFrom() {
        func parameters(_ pairs: [(name: String, value: String)]) -> (AggregateQuery, [QueryFault]) {
            var parameters = QueryParameters(pairs, now: Timestamp(microseconds: 0))
            let query = parameters.aggregateQuery()
            return (query, parameters.faults)
        }
        #expect(parameters([("source", "raw")]).0.source == .raw)
        #expect(parameters([("source", "rollup"), ("group_by", "command_name")]).0.source == .rollup)
        #expect(parameters([("source", "rollup"), ("group_by", "session_id")]).1.map(\.parameter) == ["source"])
        #expect(parameters([("source", "rollup"), ("metric", "user_sessions")]).1.map(\.parameter) == ["source"])
        #expect(parameters([("source", "index")]).1.map(\.parameter) == ["source"])
    }
}

@Suite struct RollupCoverTests {
    private let minute: Int64 = 60_000_000

    private func range(_ start: Int64, _ end: Int64) -> TimeRange {
        TimeRange(start: Timestamp(microseconds: start), end: Timestamp(microseconds: end))
    }

    @Test func coarseWindowsComeFirstAndRowsLast() {
        let cover = RollupCover(range(59 * minute + 1, 181 * minute + 5), [.oneHour, .oneMinute])
        #expect(
            cover.parts == [
                .init(window: .oneHour, starts: 60 * minute..<180 * minute),
                .init(window: .oneMinute, starts: 180 * minute..<181 * minute),
            ])
        #expect(cover.rest == [range(59 * minute + 1, 60 * minute), range(181 * minute, 181 * minute + 5)])
    }

    @Test func partsAndRestTileTheRange() {
        var random = SeededRandom(seed: 1_020)
        for _ in 0..<500 {
            let start = Int64(bitPattern: random.next()) >> (8 + random.next() % 40)
            let end = start + Int64(random.next() >> (20 + random.next() % 30))
            let windows = RollupWindow.allCases.reversed().filter { _ in random.oneIn(2) }
            let cover = RollupCover(range(start, end), windows)
            var pieces = cover.rest.map { ($0.start.microseconds, $0.end.microseconds) }
            for part in cover.parts {
                #expect(part.starts.lowerBound % part.window.microseconds == 0)
                #expect(part.starts.upperBound % part.window.microseconds == 0)
                pieces.append((part.starts.lowerBound, part.starts.upperBound))
            }
            pieces.sort { $0 < $1 }
            var next = start
            for piece in pieces {
                #expect(piece.0 == next && piece.1 > piece.0)
                next = piece.1
            }
            #expect(next == max(start, end))
            if let finest = windows.last {
                for rest in cover.rest {
                    #expect(rest.end.microseconds - rest.start.microseconds < 2 * finest.microseconds)
                }
            }
        }
    }

    @Test func theEndsOfTimeDoNotOverflow() {
        let cover = RollupCover(.all, [.oneDay])
        #expect(cover.parts.count == 1)
    }
}
