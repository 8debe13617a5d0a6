import DaybookFormat
import DaybookTestSupport
import Testing

@testable import DaybookRollup

@Suite struct DurationSummaryTests {
    private func randomDuration(_ random: inout SeededRandom) -> UInt64 {
        random.oneIn(1_000) ? random.next() : random.next() >> (22 + random.next() % 42)
    }

    private func summary(of durations: [UInt64]) -> DurationSummary {
        var summary = DurationSummary()
        for duration in durations { summary.add(duration) }
        return summary
    }

    @Test func percentilesAreWithinTheBoundOfTheExactNearestRank() throws {
        var random = SeededRandom(seed: 31)
        for _ in 0..<60 {
            let count = 1 + random.below(3_000)
            let durations = (0..<count).map { _ in 1_000 + randomDuration(&random) % 3_600_000_000_000 }.sorted()
            let summary = summary(of: durations.shuffled(using: &random))
            #expect(summary.histogram.scale == 5)
            for text in ["0.1", "1", "25", "50", "75", "90", "95", "99", "99.9", "100"] {
                let percentile = try #require(Percentile(text))
                let exact = Double(durations[Int(percentile.rank(in: UInt64(count))) - 1])
                let answer = try #require(summary.percentile(percentile))
                #expect(abs(answer - exact) <= exact * 0.010_831)
            }
        }
    }

    @Test func sumsAreExactBeyondSixtyFourBits() {
        let summary = summary(of: [UInt64.max, UInt64.max, 1])
        #expect(summary.sum == UInt128(UInt64.max) * 2 + 1)
        #expect(summary.minimum == 1)
        #expect(summary.maximum == .max)
    }

    @Test func durationsBelowAMicrosecondAnswerTheLeast() {
        let summary = summary(of: [3, 5, 999])
        #expect(summary.histogram.zeroCount == 3)
        #expect(summary.percentile(.p50) == 3)
        #expect(summary.percentile(Percentile(wholePercent: 100)) == 999)
    }

    @Test func anEmptySummaryHasNoPercentile() {
        #expect(DurationSummary().percentile(.p50) == nil)
    }
}

@Suite struct PercentileTests {
    @Test func textIsReadExactly() {
        #expect(Percentile("99.9")?.millionths == 99_900_000)
        #expect(Percentile("0.000001")?.millionths == 1)
        #expect(Percentile("100") == Percentile(wholePercent: 100))
        for wrong in ["", "0", "100.1", "-1", "1e1", "50.", ".5", "1.0000001", "0001", "5 "] {
            #expect(Percentile(wrong) == nil)
        }
    }

    @Test func theRankIsTheNearestOneFromAbove() {
        #expect(Percentile.p50.rank(in: 4) == 2)
        #expect(Percentile.p50.rank(in: 5) == 3)
        #expect(Percentile.p99.rank(in: 1) == 1)
        #expect(Percentile(wholePercent: 100).rank(in: .max) == .max)
        #expect(Percentile("0.000001")?.rank(in: 1) == 1)
    }

    @Test func keysAreShortDecimals() {
        #expect(Percentile.p95.key == "p95")
        #expect(Percentile("99.90")?.key == "p99.9")
        #expect(Percentile("0.05")?.key == "p0.05")
    }
}
