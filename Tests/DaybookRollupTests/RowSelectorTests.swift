import DaybookTestSupport
import Testing

@testable import DaybookRollup

@Suite struct RowSelectorTests {
    private func rows(_ selector: RowSelector, _ outcome: RowSelector.Outcome, of count: Int) -> [Int] {
        switch outcome {
        case .all: Array(0..<count)
        case .some: selector.positions.map { Int($0) }
        case .none: []
        }
    }

    @Test func whatIsLeftFulfilsEveryCondition() {
        var random = SeededRandom(seed: 611)
        var selector = RowSelector()
        for _ in 0..<200 {
            let count = random.below(300)
            let times = (0..<count).map { _ in Int64(bitPattern: random.next()) >> (random.next() % 64) }
            let durations = (0..<count).map { _ in random.next() >> (random.next() % 64) }
            let statuses = (0..<count).map { _ in UInt8(random.below(4)) }
            let codes = (0..<count).map { _ in random.oneIn(9) ? UInt32.max : UInt32(random.below(6)) }
            let arrivals = (0..<count).map { _ in Int64(random.below(100)) }
            selector.begin(rowCount: count)
            var expected = Array(0..<count)
            if random.oneIn(2) {
                let (low, high) = (Int64(bitPattern: random.next()) >> 3, Int64(bitPattern: random.next()) >> 3)
                selector.keep(times.span, from: low, before: high)
                expected = expected.filter { low <= times[$0] && times[$0] < high }
            }
            if random.oneIn(2) {
                let (low, high) = (random.next() >> (random.next() % 64), random.next() >> (random.next() % 64))
                selector.keep(durations.span, from: low, through: high)
                expected = expected.filter { low <= durations[$0] && durations[$0] <= high }
            }
            if random.oneIn(2) {
                let bits = UInt8(random.below(16))
                selector.keep(statuses.span, bits: bits)
                expected = expected.filter { bits >> statuses[$0] & 1 == 1 }
            }
            if random.oneIn(2) {
                let wanted = (0..<6).map { _ in UInt8(random.below(2)) } + [0]
                selector.keep(codes: codes.span, wanted: wanted)
                expected = expected.filter { codes[$0] < 6 && wanted[Int(codes[$0])] == 1 }
            }
            if random.oneIn(2) {
                selector.keep(times.span, from: 0, orArrivals: arrivals.span, from: 50)
                expected = expected.filter { times[$0] >= 0 || arrivals[$0] >= 50 }
            }
            if random.oneIn(4) {
                selector.keep { $0 % 3 != 0 }
                expected = expected.filter { $0 % 3 != 0 }
            }
            let outcome = selector.finish()
            #expect(rows(selector, outcome, of: count) == expected)
            guard outcome == .some else { continue }
            #expect(selector.gathered(durations.span) == expected.map { durations[$0] })
            #expect(selector.gathered(statuses.span) == expected.map { statuses[$0] })
            #expect(selector.gathered(codes.span) == expected.map { codes[$0] })
            #expect(selector.gathered(times.span) == expected.map { times[$0] })
        }
    }

    @Test func theTimesOfWholeHistoryAreInTheWholeRange() {
        var selector = RowSelector()
        let times: [Int64] = [.min, -1, 0, .max - 1]
        selector.begin(rowCount: times.count)
        selector.keep(times.span, from: .min, before: .max)
        #expect(selector.finish() == .all)
    }

    @Test func aRunEndsWhereATimeLeavesTheBucket() {
        let times: [Int64] = [10, 19, 12, 20, 15, 9]
        #expect(TimeRuns.end(times.span, from: 0, first: 10, end: 20) == 3)
        #expect(TimeRuns.end(times.span, from: 3, first: 20, end: 30) == 4)
        #expect(TimeRuns.end(times.span, from: 5, first: 0, end: 10) == 6)
    }

    @Test func combinationsAskForTheirSlotOnce() {
        var random = SeededRandom(seed: 612)
        let first = (0..<500).map { _ in random.oneIn(7) ? UInt32.max : UInt32(random.below(5)) }
        let second = (0..<500).map { _ in UInt8(random.below(4)) }
        var combinations = [UInt32](repeating: 0, count: 500)
        CodeCombinations.append(first.span, cardinality: 6, to: &combinations)
        CodeCombinations.append(second.span, cardinality: 5, to: &combinations)
        #expect(combinations == zip(first, second).map { min($0, 5) * 5 + UInt32($1) })
        var table = SlotTable()
        table.reset(combinationCount: 30)
        var asked: [UInt32] = []
        for part in [0..<100, 100..<500] {
            let rows = combinations.span.extracting(part)
            let new = table.newCombinations(rows)
            #expect(new == new.sorted())
            for combination in new {
                table.setSlot(Int32(asked.count), of: combination)
                asked.append(combination)
            }
            table.translate(rows)
            #expect(table.slots.map { asked[Int($0)] } == Array(combinations[part]))
        }
        #expect(Set(asked).count == asked.count)
    }
}
