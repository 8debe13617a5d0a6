import DaybookEvent
import DaybookFormat
import DaybookTestSupport
import Testing

@testable import DaybookRollup

@Suite struct AggregateRowTests {
    private func randomRow(_ random: inout SeededRandom) -> AggregateRow {
        var row = AggregateRow()
        for _ in 0..<random.below(50) {
            if let status = EventStatus(rawValue: UInt8(random.below(4))) { row.statuses.add(status) }
            row.durations.add(random.next() >> (random.next() % 64))
            row.inputTokens += UInt128(random.next())
            row.outputTokens += UInt128(random.next() >> 40)
            row.values.add(randomNumber(&random))
        }
        return row
    }

    private func randomNumber(_ random: inout SeededRandom) -> EventNumber {
        switch random.below(4) {
        case 0: .unsigned(random.next())
        case 1: EventNumber(Int64(bitPattern: random.next()))
        case 2: EventNumber(Double(bitPattern: random.next())) ?? .unsigned(0)
        default: EventNumber(Double(random.below(2_000) - 1_000) / 8) ?? .unsigned(0)
        }
    }

    private func bytes(of row: AggregateRow) -> [UInt8] {
        var bytes: [UInt8] = []
        row.append(to: &bytes)
        return bytes
    }

    @Test func mergingIsAssociativeCommutativeAndExactToTheBit() {
        var random = SeededRandom(seed: 51)
        for _ in 0..<100 {
            let (a, b, c) = (randomRow(&random), randomRow(&random), randomRow(&random))
            let left = a.merging(b).merging(c)
            let right = c.merging(b.merging(a))
            #expect(left == right)
            #expect(bytes(of: left) == bytes(of: right))
            #expect(a.merging(AggregateRow()) == a)
        }
    }

    @Test func bytesReadBackAsTheSameRow() throws {
        var random = SeededRandom(seed: 52)
        for _ in 0..<100 {
            let row = randomRow(&random)
            let encoded = bytes(of: row)
            let (decoded, end) = try encoded.withRawSpan { span in
                var reader = ByteReader()
                return (try AggregateRow(&reader, span), reader.offset)
            }
            #expect(decoded == row)
            #expect(end == encoded.count)
        }
    }

    @Test func damagedRowsAreAnErrorOrMergeWithoutATrap() {
        var random = SeededRandom(seed: 53)
        let encoded = bytes(of: randomRow(&random).merging(randomRow(&random)))
        for _ in 0..<5_000 {
            var damaged = encoded
            for _ in 0...random.below(3) {
                damaged[random.below(damaged.count)] = UInt8(truncatingIfNeeded: random.next())
            }
            damaged.withRawSpan { span in
                var reader = ByteReader()
                guard let row = try? AggregateRow(&reader, span) else { return }
                #expect(row.merging(row).durations.count == row.durations.count * 2)
            }
        }
    }

    @Test func extremesOfValuesCompareExactly() {
        var summary = ValueSummary()
        summary.add(.unsigned(1 << 53 + 1))
        summary.add(.unsigned(1 << 53))
        #expect(summary.minimum == .unsigned(1 << 53))
        #expect(summary.maximum == .unsigned(1 << 53 + 1))
    }

    @Test func numbersOfDifferentKindsAreOrderedByValue() throws {
        let ascending: [EventNumber] = [
            .double(-1e300), .negative(.min), .negative(-3), .double(-2.5), .negative(-2), .double(-0.5), .unsigned(0),
            .double(0.5), .unsigned(1), .double(1.5), .unsigned(2), .unsigned(.max), .double(0x1p64), .double(1e300),
        ]
        for (left, low) in ascending.enumerated() {
            for (right, high) in ascending.enumerated() { #expect(low.isLess(than: high) == (left < right)) }
        }
    }

    @Test func percentilesOfValuesAreWithinTheBound() throws {
        var random = SeededRandom(seed: 54)
        let values = (0..<1_001).map { _ in Double(random.below(200_000) - 100_000) / 64 }.sorted()
        var summary = ValueSummary()
        for value in values.shuffled(using: &random) { summary.add(try #require(EventNumber(value))) }
        for percent in [1, 25, 50, 75, 95, 99, 100] as [UInt64] {
            let percentile = Percentile(wholePercent: percent)
            let exact = values[Int(percentile.rank(in: 1_001)) - 1]
            let answer = try #require(summary.percentile(percentile))
            #expect(abs(answer - exact) <= abs(exact) * 0.010_831)
        }
    }
}
