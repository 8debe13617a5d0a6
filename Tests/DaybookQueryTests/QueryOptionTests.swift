import DaybookEvent
import DaybookFormat
import DaybookSegment
import DaybookSystem
import DaybookTestSupport
import Synchronization
import Testing

@testable import DaybookQuery

/// Other threads take a part each as soon as they are there.
private func threads(_ width: Int) -> LentThreads {
    LentThreads(width: width) { job in
        _ = SystemThread.start(name: "part") { job() }
        return {}
    }
}

/// The array of items, put together from its parts.
private func printed(_ answer: AggregateAnswer, _ executor: any QueryExecutor) -> String {
    let parts = answer.printItems(executor) { $0.toArray() }
    return "[" + String(decoding: parts.joined(), as: UTF8.self) + "]"
}

@Suite struct QueryOptionTests {
    @Test func longAnswersArePrintedInPartsThatMakeOneText() throws {
        var scenario = Scenario(seed: 820)
        try scenario.append(1_200, families: [.commandExecution])
        var query = AggregateQuery(family: .commandExecution, range: .all)
        query.window = .oneMinute
        query.limit = 1_000
        let answer = try query.answer(from: try scenario.source(), now: scenario.now)
        #expect(answer.itemCount > 240)
        #expect(answer.printItems(threads(3)) { $0.byteCount }.count > 1)
        var writer = JSONWriter()
        answer.appendItems(to: &writer)
        #expect(printed(answer, threads(3)) == String(decoding: writer.toArray(), as: UTF8.self))
    }

    @Test(arguments: [Family.commandExecution, .agentInteraction, .productivityMetric])
    func partsThatRunAtTheSameTimeGiveTheSameAnswer(family: Family) throws {
        var scenario = Scenario(seed: 800 + UInt64(family.rawValue))
        var options = QueryOptions()
        options.executor = threads(3)
        options.parallelRowCountMin = 0
        for _ in 0..<15 {
            try scenario.append(scenario.events.random.below(120), families: [family])
            scenario.seal()
            let source = try scenario.source()
            var query = AggregateQuery(family: family, range: scenario.range())
            query.window = scenario.events.random.pick(AggregationWindow.allCases)
            query.limit = 1_000
            for number in 0..<scenario.events.random.below(4) {
                query.groupBy.append(.init("g\(number)", scenario.events.random.dimension(of: family)))
            }
            let alone = try query.answer(from: source, now: scenario.now)
            let together = try query.answer(from: source, now: scenario.now, options: options)
            #expect(together.items == alone.items)
            #expect(printed(together, options.executor) == printed(alone, SerialExecutor()))
            #expect(together.scannedRowCount == alone.scannedRowCount)
            #expect(together.nextCursor == alone.nextCursor)
        }
    }

    @Test func aPartOfTheTimeIsExpectedToHaveThatPartOfTheRows() throws {
        var scenario = Scenario(seed: 830)
        try scenario.append(400, families: [.commandExecution])
        let source = try SplitSource(wholeSegments: scenario.model.events, sealedThrough: 400)
        let context = QueryContext(QueryOptions(), Cancellation())
        func expected(_ range: TimeRange) -> Int {
            Scan(source, .commandExecution, RowFilter(EventFilter()), range, asOfSequence: 400, context)
                .expectedRowCount
        }
        let times = source.segments.map { ($0.timestampMin, $0.timestampMax) }
        let first = try #require(times.map(\.0).min())
        let last = try #require(times.map(\.1).max())
        let middle = Timestamp(microseconds: (first.microseconds + last.microseconds) / 2)
        #expect(expected(.all) == 400)
        #expect(expected(TimeRange(start: first, end: last)) == 400)
        let halves = expected(TimeRange(start: first, end: middle)) + expected(TimeRange(start: middle, end: last))
        #expect((398...400).contains(halves))
        #expect(expected(TimeRange(start: last.adding(microseconds: 1), end: .init(microseconds: .max))) == 0)
    }

    @Test func everyPartRunsOnceWhoeverTakesIt() {
        for width in 1...4 {
            let runs = Mutex<[Int]>([])
            threads(width).run(9) { part in runs.withLock { $0.append(part) } }
            #expect(runs.withLock { $0.sorted() } == Array(0..<9))
        }
        let refusing = LentThreads(width: 4) { _ in nil }
        let count = Atomic<Int>(0)
        refusing.run(5) { _ in count.add(1, ordering: .relaxed) }
        #expect(count.load(ordering: .relaxed) == 5)
    }

    /// One that waits in a queue would keep what the parts hold.
    @Test func helpersThatFoundNoThreadAreTakenBack() {
        let takenBackCount = Mutex(0)
        let busy = LentThreads(width: 4) { _ in { takenBackCount.withLock { $0 += 1 } } }
        let count = Atomic<Int>(0)
        busy.run(5) { _ in count.add(1, ordering: .relaxed) }
        #expect(count.load(ordering: .relaxed) == 5)
        #expect(takenBackCount.withLock { $0 } == 3)
    }

    @Test func anErrorOfOnePartIsThatOfTheQuery() throws {
        var scenario = Scenario(seed: 810)
        try scenario.append(200, families: [.commandExecution])
        let source = try SplitSource(wholeSegments: scenario.model.events, sealedThrough: 150)
        var options = QueryOptions()
        options.executor = threads(2)
        options.parallelRowCountMin = 0
        options.memoryByteCountMax = 100
        var query = AggregateQuery(family: .commandExecution, range: .all)
        query.groupBy = [.init("user_id", .user)]
        #expect(throws: QueryError.outOfMemory(limit: 100)) {
            try query.answer(from: source, now: scenario.now, options: options)
        }
    }

    @Test func aQueryThatNeedsMoreMemoryThanItMayHaveFails() throws {
        var scenario = Scenario(seed: 811)
        try scenario.append(300)
        let source = try scenario.source()
        var options = QueryOptions()
        for family in Family.ofOrganizations {
            var query = AggregateQuery(family: family, range: .all)
            query.window = .oneMinute
            query.groupBy = [.init("user_id", .user)]
            options.memoryByteCountMax = 200
            #expect(throws: QueryError.outOfMemory(limit: 200)) {
                try query.answer(from: source, now: scenario.now, options: options)
            }
            options.memoryByteCountMax = 32 << 20
            #expect(try query.answer(from: source, now: scenario.now, options: options).items.isEmpty == false)
        }
    }

    @Test func manyGroupsOfManyBucketsCountEachRowOnce() throws {
        var scenario = Scenario(seed: 812)
        try scenario.append(3_000, families: [.commandExecution])
        let source = try SplitSource(wholeSegments: scenario.model.events, sealedThrough: 2_000)
        // Far more combinations than a table may have.
        var query = AggregateQuery(family: .commandExecution, range: .all)
        query.window = .oneMinute
        query.groupBy = [
            .init("a", .name), .init("b", .user), .init("c", .session),
            .init("d", try #require(QueryDimension("context.project", of: .commandExecution))),
        ]
        query.limit = 1_000
        var counts: [[[UInt8]?]: UInt64] = [:]
        var total: UInt64 = 0
        repeat {
            let answer = try query.answer(from: source, now: scenario.now)
            for item in answer.items {
                let minute = String(item.bucketStart.microseconds)
                let known = counts.updateValue(item.count, forKey: item.group + [Array(minute.utf8)])
                #expect(known == nil)
                total += item.count
            }
            query.cursor = answer.nextCursor
        } while query.cursor != nil
        #expect(total == 3_000)
        var expected: [[[UInt8]?]: UInt64] = [:]
        for event in scenario.model.events {
            let minute = ModelAnswers.bucket(event.timestamp, .oneMinute, .all).0
            let group = query.groupBy.map { ModelAnswers.value(of: $0.dimension, in: event) }
            expected[group + [Array(String(minute).utf8)], default: 0] += 1
        }
        #expect(counts == expected)
    }
}
