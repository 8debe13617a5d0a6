import DaybookEvent
import DaybookFormat
import DaybookTestSupport
import Testing

@testable import DaybookQuery

@Suite struct ListOrderTests {
    private let time = Timestamp(microseconds: 1_780_000_000_000_000)

    private func append(_ count: Int, to model: inout ModelStore, at time: Timestamp) throws {
        for _ in 0..<count {
            let sequence = model.lastSequence + 1
            try model.append(
                .commandExecution, sequence: sequence, arrival: self.time,
                encoding: TestEvents.command(sequence, at: time))
        }
    }

    private func sequences(_ answer: ListAnswer) -> [UInt64] {
        guard case .events(let events) = answer.items else { return [] }
        return events.map(\.sequence)
    }

    @Test(arguments: [ListQuery.Order.newestFirst, .oldestFirst])
    func eventsOfOneTimeAreInOrderOfSequence(order: ListQuery.Order) throws {
        var model = ModelStore()
        try append(100, to: &model, at: time)
        var random = SeededRandom(seed: 91)
        for sealedThrough in [0, 30, 70, 100] as [UInt64] {
            let source = try SplitSource(model.events, sealedThrough: sealedThrough, &random)
            var query = ListQuery(family: .commandExecution, range: .all)
            query.order = order
            query.limit = 7
            var listed: [UInt64] = []
            repeat {
                let answer = try query.answer(from: source, now: time)
                listed += sequences(answer)
                query.cursor = answer.nextCursor
            } while query.cursor != nil
            #expect(listed == (order == .newestFirst ? (1...100).reversed() : Array(1...100)))
        }
    }

    @Test(arguments: [ListQuery.Order.newestFirst, .oldestFirst])
    func eventsThatCameAfterTheFirstPageAreOnNoPage(order: ListQuery.Order) throws {
        var model = ModelStore()
        for second in 0..<20 { try append(1, to: &model, at: time.adding(microseconds: Int64(second) * 1_000_000)) }
        var random = SeededRandom(seed: 92)
        var query = ListQuery(family: .commandExecution, range: .all)
        query.order = order
        query.limit = 8
        let first = try query.answer(from: try SplitSource(model.events, sealedThrough: 0, &random), now: time)
        // Older and newer than every event of the list, and then all in one segment.
        try append(5, to: &model, at: time.adding(microseconds: -1))
        try append(5, to: &model, at: time.adding(microseconds: 60_000_000))
        for sealedThrough in [0, 25, 30] as [UInt64] {
            let source = try SplitSource(model.events, sealedThrough: sealedThrough, &random)
            query.cursor = first.nextCursor
            var listed = sequences(first)
            while query.cursor != nil {
                let answer = try query.answer(from: source, now: time)
                #expect(answer.asOfSequence == 20)
                listed += sequences(answer)
                query.cursor = answer.nextCursor
            }
            #expect(listed == (order == .newestFirst ? (1...20).reversed() : Array(1...20)))
        }
    }

    @Test func pagesOfAnAggregateAreThoseOfTheFirstMoment() throws {
        var model = ModelStore()
        try append(60, to: &model, at: time)
        var random = SeededRandom(seed: 93)
        var query = AggregateQuery(family: .commandExecution, range: .all)
        query.groupBy = [.init("command_name", .name)]
        query.limit = 3
        let first = try query.answer(from: try SplitSource(model.events, sealedThrough: 0, &random), now: time)
        try append(60, to: &model, at: time)
        for sealedThrough in [0, 60, 90, 120] as [UInt64] {
            var items = first.items
            query.cursor = first.nextCursor
            while query.cursor != nil {
                let source = try SplitSource(model.events, sealedThrough: sealedThrough, &random)
                let answer = try query.answer(from: source, now: time)
                items += answer.items
                query.cursor = answer.nextCursor
            }
            #expect(items.count == 7)
            #expect(items.reduce(0) { $0 + $1.count } == 60)
        }
    }

    @Test func aSessionThatEndsAfterTheFirstPageIsStillActiveOnTheNext() throws {
        var model = ModelStore()
        func change(_ kind: SessionChangeKind, _ number: UInt64) throws {
            try model.append(
                .sessionChange, sequence: model.lastSequence + 1, arrival: time,
                encoding: TestEvents.sessionChange(kind, "session-\(number)", number: number, at: time))
        }
        for number in 1...4 as ClosedRange<UInt64> { try change(.started, number) }
        var random = SeededRandom(seed: 94)
        var query = ListQuery(family: .sessionChange, range: .all)
        query.limit = 1
        query.cursor = try query.answer(
            from: try SplitSource(model.events, sealedThrough: 0, &random), now: time
        ).nextCursor
        for number in 1...4 as ClosedRange<UInt64> { try change(.ended, number) }
        query.limit = 10
        for sealedThrough in [0, 4, 8] as [UInt64] {
            let source = try SplitSource(model.events, sealedThrough: sealedThrough, &random)
            guard case .sessions(let sessions) = try query.answer(from: source, now: time).items else {
                Issue.record("not a list of sessions")
                return
            }
            #expect(sessions.map(\.sequence) == [3, 2, 1])
            #expect(sessions.allSatisfy { $0.status == .active })
        }
    }
}
