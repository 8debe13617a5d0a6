import DaybookFormat
import DaybookTestSupport
import Testing

@testable import DaybookRollup

@Suite struct ExponentialHistogramTests {
    private func bytes(of histogram: ExponentialHistogram) -> [UInt8] {
        var bytes: [UInt8] = []
        histogram.append(to: &bytes)
        return bytes
    }

    /// Any double, spread over the exponents, of both signs; now and then zero.
    private func wildValue(_ random: inout SeededRandom) -> Double {
        if random.oneIn(20) { return 0 }
        let value = Double(bitPattern: random.next())
        return value.isFinite ? value : -0.0
    }

    @Test func mergingInAnyOrderAndPartitionGivesTheSameBits() throws {
        var random = SeededRandom(seed: 21)
        for _ in 0..<40 {
            let values = (0..<random.below(4_000)).map { _ in wildValue(&random) }
            var whole = ExponentialHistogram()
            for value in values { whole.add(value) }
            var parts = [ExponentialHistogram](repeating: ExponentialHistogram(), count: 1 + random.below(9))
            for value in values.shuffled(using: &random) { parts[random.below(parts.count)].add(value) }
            while parts.count > 1 {
                let taken = parts.remove(at: random.below(parts.count))
                parts[random.below(parts.count)].merge(taken)
            }
            #expect(parts[0] == whole)
            #expect(bytes(of: parts[0]) == bytes(of: whole))
        }
    }

    @Test func bytesReadBackAsTheSameHistogram() throws {
        var random = SeededRandom(seed: 22)
        for count in [0, 1, 5, 3_000] {
            var histogram = ExponentialHistogram()
            for _ in 0..<count { histogram.add(wildValue(&random)) }
            let encoded = bytes(of: histogram)
            var total: UInt64 = 0
            let decoded = try encoded.withRawSpan { span in
                var reader = ByteReader()
                return try ExponentialHistogram(&reader, span, total: &total)
            }
            #expect(decoded == histogram)
            #expect(total == UInt64(count))
        }
    }

    @Test func damagedBytesAreAnErrorAndNeverATrap() {
        var random = SeededRandom(seed: 23)
        var histogram = ExponentialHistogram()
        for _ in 0..<200 { histogram.add(wildValue(&random)) }
        let encoded = bytes(of: histogram)
        for _ in 0..<5_000 {
            var damaged = encoded
            damaged[random.below(damaged.count)] = UInt8(truncatingIfNeeded: random.next())
            if random.oneIn(3) { damaged.removeLast(random.below(damaged.count)) }
            damaged.withRawSpan { span in
                var reader = ByteReader()
                var total: UInt64 = 0
                if let read = try? ExponentialHistogram(&reader, span, total: &total), total > 0 {
                    #expect(read.value(atRank: total) != nil)
                }
            }
        }
    }

    @Test func bucketsBeyondTheLimitMergeInPairs() {
        var histogram = ExponentialHistogram()
        for index in 0..<1_024 { histogram.add(BucketIndex.midpoint(of: Int32(index), scale: 5)) }
        #expect(histogram.scale == 5)
        #expect(histogram.bucketCount == 1_024)
        histogram.add(BucketIndex.midpoint(of: 1_024, scale: 5))
        #expect(histogram.scale == 4)
        #expect(histogram.bucketCount == 513)
        #expect(histogram.relativeErrorMax < 0.0217)
    }

    @Test func everyDurationThatTheLimitsAllowFitsAtFullScale() {
        var histogram = ExponentialHistogram()
        var value: UInt64 = 1_000
        while value <= 3_600_000_000_000 {
            histogram.add(value)
            value += max(1, value / 100)
        }
        histogram.add(UInt64(3_600_000_000_000))
        #expect(histogram.scale == 5)
        #expect(histogram.bucketCount > 1_000)
    }

    @Test func theErrorBoundOfScaleFiveIsTheOnePromised() {
        #expect(abs(ExponentialHistogram().relativeErrorMax - 0.010_83) < 0.000_001)
    }

    @Test func negativeValuesRankBelowZero() {
        var histogram = ExponentialHistogram()
        for value in [-8.0, -2, 0, 3] { histogram.add(value) }
        let answers = (1...4).map { histogram.value(atRank: $0) ?? .nan }
        for (answer, exact) in zip(answers, [-8.0, -2, 0, 3]) {
            #expect(abs(answer - exact) <= abs(exact) * 0.010_831)
        }
        #expect(histogram.value(atRank: 5) == nil)
    }
}
