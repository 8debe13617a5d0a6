import DaybookTestSupport
import Testing

@testable import DaybookRollup

@Suite struct BucketIndexTests {
    /// Exact: multiplies a number of 64-bit limbs by one limb.
    private func times(_ limbs: [UInt64], _ factor: UInt64) -> [UInt64] {
        var result: [UInt64] = []
        var carry: UInt64 = 0
        for limb in limbs {
            let (high, low) = limb.multipliedFullWidth(by: factor)
            let (sum, overflow) = low.addingReportingOverflow(carry)
            result.append(sum)
            carry = high + (overflow ? 1 : 0)
        }
        result.append(carry)
        return result
    }

    private func power32(_ base: UInt64) -> [UInt64] {
        (0..<32).reduce([1]) { product, _ in times(product, base) }
    }

    private func isAtMostPowerOfTwo(_ limbs: [UInt64], _ exponent: Int) -> Bool {
        var top = limbs.count * 64 - 1
        while top >= 0, limbs[top / 64] >> UInt64(top % 64) & 1 == 0 { top -= 1 }
        if top != exponent { return top < exponent }
        return limbs.enumerated().allSatisfy { position, limb in
            position == exponent / 64 ? limb == 1 << UInt64(exponent % 64) : limb == 0
        }
    }

    @Test func everyBoundaryIsThePowerOfTwoRoundedDown() {
        #expect(BucketIndex.boundaries.count == 32)
        for (k, boundary) in BucketIndex.boundaries.enumerated() {
            // boundary^32 <= 2^(63 * 32 + k) < (boundary + 1)^32
            #expect(isAtMostPowerOfTwo(power32(boundary), 2_016 + k))
            #expect(!isAtMostPowerOfTwo(power32(boundary + 1), 2_016 + k))
        }
    }

    @Test func theGuessTableCountsTheBoundariesBelow() {
        for (position, count) in BucketIndex.boundariesBelow.enumerated() {
            let start = UInt64(1) << 63 + UInt64(position) << 57
            #expect(BucketIndex.boundaries.filter { $0 < start }.count == Int(count))
            let inside = BucketIndex.boundaries.filter { $0 >= start && $0 - start < 1 << 57 }
            #expect(inside.count <= 1)
        }
    }

    @Test func aPowerOfTwoIsTheLastValueOfItsBucket() {
        for exponent in 0..<64 {
            let value = UInt64(1) << UInt64(exponent)
            #expect(BucketIndex.of(value) == Int32(exponent * 32 - 1))
            if exponent > 6 { #expect(BucketIndex.of(value + 1) == Int32(exponent * 32)) }
        }
        #expect(BucketIndex.of(UInt64.max) == 64 * 32 - 1)
    }

    @Test func integersAndDoublesOfTheSameValueShareABucket() {
        var random = SeededRandom(seed: 11)
        for _ in 0..<20_000 {
            let value = random.next() >> (11 + random.next() % 53)
            guard value > 0 else { continue }
            #expect(BucketIndex.of(value) == BucketIndex.of(Double(value)))
        }
    }

    @Test func indexesNeverFallAsValuesRise() {
        var random = SeededRandom(seed: 12)
        let values = (0..<20_000).map { _ in max(1, random.next() >> (random.next() % 64)) }.sorted()
        let indexes = values.map { BucketIndex.of($0) }
        #expect(indexes == indexes.sorted())
    }

    @Test func theSmallestAndTheLargestDoubleHaveTheOutermostBuckets() {
        #expect(BucketIndex.of(Double.leastNonzeroMagnitude) == ExponentialHistogram.indexes.lowerBound)
        #expect(BucketIndex.of(Double.greatestFiniteMagnitude) == ExponentialHistogram.indexes.upperBound)
        #expect(BucketIndex.of(Double.leastNormalMagnitude) == -1_022 * 32 - 1)
        #expect(BucketIndex.of(Double.leastNormalMagnitude.nextDown) == -1_022 * 32 - 1)
    }

    @Test(arguments: -3...5) func midpointsLieInsideTheirBuckets(scale: Int) {
        for index in Int32(-40)...40 {
            let middle = BucketIndex.midpoint(of: index, scale: scale)
            guard middle.isNormal else { continue }
            #expect(BucketIndex.of(middle) >> Int32(5 - scale) == index)
        }
    }
}
