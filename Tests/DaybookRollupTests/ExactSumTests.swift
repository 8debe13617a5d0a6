import DaybookFormat
import DaybookTestSupport
import Testing

@testable import DaybookRollup

@Suite struct ExactSumTests {
    private enum Term {
        case double(Double)
        case unsigned(UInt64)
        case signed(Int64)
    }

    private func randomTerm(_ random: inout SeededRandom) -> Term {
        switch random.below(3) {
        case 0: return .unsigned(random.next() >> (random.next() % 64))
        case 1: return .signed(Int64(bitPattern: random.next()))
        default:
            let value = Double(bitPattern: random.next())
            return .double(value.isFinite ? value : 0.1)
        }
    }

    private func add(_ term: Term, to sum: inout ExactSum) {
        switch term {
        case .double(let value): sum.add(value)
        case .unsigned(let value): sum.add(value)
        case .signed(let value): sum.add(value)
        }
    }

    private func bytes(of sum: ExactSum) -> [UInt8] {
        var bytes: [UInt8] = []
        sum.append(to: &bytes)
        return bytes
    }

    @Test func theOrderAndThePartitionOfTermsDoNotMatter() throws {
        var random = SeededRandom(seed: 41)
        for _ in 0..<200 {
            let terms = (0..<random.below(60)).map { _ in randomTerm(&random) }
            var whole = ExactSum()
            for term in terms { add(term, to: &whole) }
            var parts = [ExactSum](repeating: ExactSum(), count: 1 + random.below(5))
            for term in terms.shuffled(using: &random) { add(term, to: &parts[random.below(parts.count)]) }
            while parts.count > 1 {
                let taken = parts.removeLast()
                parts[random.below(parts.count)].merge(taken)
            }
            #expect(parts[0] == whole)
            #expect(parts[0].rounded.bitPattern == whole.rounded.bitPattern)
            #expect(bytes(of: parts[0]) == bytes(of: whole))
            let decoded = try bytes(of: whole).withRawSpan { span in
                var reader = ByteReader()
                return try ExactSum(&reader, span)
            }
            #expect(decoded == whole)
        }
    }

    @Test func aSingleTermComesOutAsItWentIn() {
        var random = SeededRandom(seed: 42)
        for _ in 0..<5_000 {
            let value = Double(bitPattern: random.next())
            guard value.isFinite, value != 0 else { continue }
            var sum = ExactSum()
            sum.add(value)
            #expect(sum.rounded.bitPattern == value.bitPattern)
        }
    }

    @Test func aSumOfTwoRoundsOnceToTheNearest() {
        var random = SeededRandom(seed: 43)
        for _ in 0..<20_000 {
            // Exponents close together, so that rounding is put to work. IEEE addition rounds exactly once.
            let exponent = 1_000 + random.next() % 60
            let other = 1_000 + random.next() % 60
            let left = Double(bitPattern: random.next() >> 12 | exponent << 52)
            let right = Double(bitPattern: random.next() >> 12 | other << 52 | (random.next() & 1) << 63)
            var sum = ExactSum()
            sum.add(left)
            sum.add(right)
            #expect(sum.rounded == left + right)
        }
    }

    @Test func smallTermsSurviveBesideLargeOnes() {
        var sum = ExactSum()
        sum.add(1e300)
        sum.add(1.0)
        sum.add(Double.leastNonzeroMagnitude)
        sum.add(-1e300)
        sum.add(-1.0)
        #expect(sum.rounded == .leastNonzeroMagnitude)
        sum.add(-Double.leastNonzeroMagnitude)
        #expect(sum == ExactSum())
        #expect(sum.rounded == 0)
        #expect(bytes(of: sum) == bytes(of: ExactSum()))
    }

    @Test func wholeSumsAreGivenWithEveryDigit() {
        var sum = ExactSum()
        sum.add(UInt64.max)
        sum.add(UInt64.max)
        sum.add(Int64(-3))
        #expect(sum.integer == Int128(UInt64.max) * 2 - 3)
        sum.add(0.5)
        #expect(sum.integer == nil)
        sum.add(0.5)
        #expect(sum.integer == Int128(UInt64.max) * 2 - 2)
        var negative = ExactSum()
        negative.add(Int64.min)
        negative.add(Int64.min)
        #expect(negative.integer == Int128(Int64.min) * 2)
    }

    @Test func aSumBeyondTheLargestDoubleIsInfiniteAndComesBack() {
        var sum = ExactSum()
        for _ in 0..<4 { sum.add(Double.greatestFiniteMagnitude) }
        #expect(sum.rounded == .infinity)
        for _ in 0..<3 { sum.add(-Double.greatestFiniteMagnitude) }
        #expect(sum.rounded == .greatestFiniteMagnitude)
    }
}
