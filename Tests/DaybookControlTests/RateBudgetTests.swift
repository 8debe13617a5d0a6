import DaybookTestSupport
import Testing

@testable import DaybookControl

/// The window and its adaptive part, against a plain list of moments. Time is a number that the test moves.
@Suite struct RateBudgetTests {
    private static let second: UInt64 = 1_000_000_000
    private static let start: UInt64 = 12_345 * second + 678

    /// Steps such as real clients make: bursts, trickles, pauses, and the edges of seconds and of the window.
    private static func step(_ now: UInt64, _ random: inout SeededRandom) -> UInt64 {
        switch random.below(40) {
        case 0...25: now
        case 26...33: now + UInt64(random.below(50_000_000))
        case 34...35: now + UInt64(random.below(2_000_000_000))
        case 36: (now / second + 1) * second
        case 37: now + 60 * second - UInt64(random.below(3))
        default: now + UInt64(random.below(75)) * second + UInt64(random.below(1_000))
        }
    }

    private static func limit(_ random: inout SeededRandom, isAdaptive: Bool, hasBurst: Bool) -> RateLimit {
        let requestsPerMinute = UInt32([1, 2, 3, 10, 25][random.below(5)])
        return RateLimit(
            requestsPerMinute: requestsPerMinute, burst: hasBurst ? UInt32(random.below(12)) : 0,
            isAdaptive: isAdaptive)
    }

    @Test(arguments: 0..<40 as Range<UInt64>)
    func noMinuteHoldsMoreThanTheLimitAndNoRefusalIsMoreThanASecondEarly(seed: UInt64) {
        var random = SeededRandom(seed: seed)
        let limit = Self.limit(&random, isAdaptive: false, hasBurst: false)
        var budget = RateBudget()
        var admitted: [UInt64] = []
        var now = Self.start
        var refusalCount = 0
        for _ in 0..<1_500 {
            now = Self.step(now, &random)
            let decision = budget.admit(at: now, limit)
            let inMinute = admitted.count { $0 + 60 * Self.second >= now }
            if decision.isAdmitted {
                #expect(inMinute < limit.requestsPerMinute)
                admitted.append(now)
                #expect(decision.remaining <= limit.requestsPerMinute - UInt32(inMinute) - 1)
            } else {
                refusalCount += 1
                #expect(admitted.count { $0 + 61 * Self.second > now } >= limit.requestsPerMinute)
                var early = budget
                #expect(!early.admit(at: now + decision.retryNanoseconds - 1, limit).isAdmitted)
                var punctual = budget
                #expect(punctual.admit(at: now + decision.retryNanoseconds, limit).isAdmitted)
            }
            var later = budget
            let rested = later.admit(at: now + decision.resetNanoseconds, limit)
            #expect(rested.remaining == limit.requestsPerMinute - 1)
        }
        #expect(refusalCount > 0 && admitted.count > 10)
    }

    @Test(arguments: 100..<140 as Range<UInt64>)
    func noMinuteHoldsMoreThanLimitAndBurstHoweverClientsBehave(seed: UInt64) {
        var random = SeededRandom(seed: seed)
        let limit = Self.limit(&random, isAdaptive: seed.isMultiple(of: 2), hasBurst: true)
        var budget = RateBudget()
        var admitted: [UInt64] = []
        var now = Self.start
        for _ in 0..<1_500 {
            now = Self.step(now, &random)
            guard budget.admit(at: now, limit).isAdmitted else { continue }
            admitted.append(now)
            let inMinute = admitted.count { $0 + 60 * Self.second >= now }
            #expect(inMinute <= limit.requestsPerMinute + limit.burst)
        }
        #expect(admitted.count > 10)
    }

    @Test func aThreadThatComesLateWithItsClockCountsAsTheLastOne() {
        let limit = RateLimit(requestsPerMinute: 2)
        var budget = RateBudget()
        #expect(budget.admit(at: Self.start, limit).isAdmitted)
        #expect(budget.admit(at: Self.start - 5 * Self.second, limit).isAdmitted)
        #expect(!budget.admit(at: Self.start + 59 * Self.second, limit).isAdmitted)
    }

    @Test func whatTurnsOutNotToCountIsGivenBack() {
        let limit = RateLimit(requestsPerMinute: 1)
        var budget = RateBudget()
        #expect(budget.admit(at: Self.start, limit).isAdmitted)
        budget.takeBack(from: Self.start)
        #expect(budget.admit(at: Self.start, limit).isAdmitted)
        budget.takeBack(from: Self.start - 90 * Self.second)
        budget.takeBack(from: Self.start + 90 * Self.second)
        #expect(!budget.admit(at: Self.start, limit).isAdmitted)
    }

    // MARK: Burst

    private func admittedCount(_ budget: inout RateBudget, _ tries: Int, at now: UInt64, _ limit: RateLimit) -> Int {
        (0..<tries).count { _ in budget.admit(at: now, limit).isAdmitted }
    }

    @Test func aBurstComesBackOnlyToWhoStaysBelowTheLimit() {
        let limit = RateLimit(requestsPerMinute: 10, burst: 5, isAdaptive: false)
        var budget = RateBudget()
        var now = Self.start
        #expect(admittedCount(&budget, 30, at: now, limit) == 15)
        now += 61 * Self.second
        #expect(admittedCount(&budget, 30, at: now, limit) == 10)
        now += 61 * Self.second
        #expect(admittedCount(&budget, 9, at: now, limit) == 9)
        now += 60 * Self.second
        #expect(admittedCount(&budget, 30, at: now, limit) == 6)
        now += 200 * Self.second
        #expect(admittedCount(&budget, 30, at: now, limit) == 15)
    }

    @Test func theBurstIsNotToldAsRemaining() {
        let limit = RateLimit(requestsPerMinute: 2, burst: 2)
        var budget = RateBudget()
        let told = (0..<4).map { _ in budget.admit(at: Self.start, limit) }
        #expect(told.map(\.isAdmitted) == [true, true, true, true])
        #expect(told.map(\.remaining) == [1, 0, 0, 0])
        #expect(told.map(\.limit) == [2, 2, 2, 2])
    }

    // MARK: Violations

    @Test func whoWaitsAsToldKeepsTheWholeLimit() {
        let limit = RateLimit(requestsPerMinute: 10)
        var budget = RateBudget()
        var now = Self.start
        for _ in 0..<30 {
            var decision = budget.admit(at: now, limit)
            #expect(decision.isAdmitted)
            while decision.isAdmitted { decision = budget.admit(at: now, limit) }
            #expect(decision.limit == 10)
            #expect(!budget.admit(at: now + Self.second - 1, limit).isAdmitted)
            now += decision.retryNanoseconds
        }
        #expect(budget.violationCount == 0)
    }

    @Test func eachViolationTakesAFifthDownToATenthAndDoublesTheBackOff() {
        let limit = RateLimit(requestsPerMinute: 100)
        var budget = RateBudget()
        var now = Self.start
        while budget.admit(at: now, limit).isAdmitted {}
        now += Self.second
        var told: [UInt32] = []
        for (violation, backOff) in [2, 4, 8, 16, 32, 64, 128, 256, 300, 300].enumerated() {
            // Whatever the window has let go of by now is used up; only then can something be refused.
            var decision = budget.admit(at: now, limit)
            if decision.isAdmitted {
                while decision.isAdmitted { decision = budget.admit(at: now, limit) }
                now += Self.second
                decision = budget.admit(at: now, limit)
            }
            told.append(decision.limit)
            #expect(decision.retryNanoseconds >= UInt64(backOff) * Self.second)
            #expect(Int(budget.violationCount) == min(violation + 1, 9))
            // What comes meanwhile is refused, and is no further violation.
            let end = now + UInt64(backOff) * Self.second
            #expect(!budget.admit(at: end - 1, limit).isAdmitted)
            #expect(Int(budget.violationCount) == min(violation + 1, 9))
            now = end
        }
        #expect(told == [80, 60, 40, 20, 10, 10, 10, 10, 10, 10])
    }

    @Test func violationsAreForgivenMinuteByMinute() {
        let limit = RateLimit(requestsPerMinute: 10)
        var budget = RateBudget()
        var now = Self.start
        while budget.admit(at: now, limit).isAdmitted {}
        now += Self.second
        #expect(budget.admit(at: now, limit).limit == 8)
        now += 2 * Self.second
        #expect(budget.admit(at: now, limit).limit == 6)
        now += 4 * Self.second
        #expect(budget.admit(at: now + 60 * Self.second - 1, limit).limit == 6)
        #expect(budget.admit(at: now + 60 * Self.second, limit).limit == 8)
        #expect(budget.admit(at: now + 120 * Self.second - 1, limit).limit == 8)
        #expect(budget.admit(at: now + 120 * Self.second, limit).limit == 10)
    }

    @Test func aLimitThatDoesNotAdaptOnlyLooksAtTheWindow() {
        let limit = RateLimit(requestsPerMinute: 10, isAdaptive: false)
        var budget = RateBudget()
        for moment in 0..<600 { _ = budget.admit(at: Self.start + UInt64(moment) * Self.second / 10, limit) }
        #expect(budget.violationCount == 0)
        #expect(admittedCount(&budget, 20, at: Self.start + 200 * Self.second, limit) == 10)
    }

    @Test func evenTheSmallestLimitNeverBecomesNothing() {
        let limit = RateLimit(requestsPerMinute: 1)
        var budget = RateBudget()
        _ = budget.admit(at: Self.start, limit)
        for moment in 1..<60 { _ = budget.admit(at: Self.start + UInt64(moment) * Self.second, limit) }
        #expect(budget.violationCount > 0)
        #expect(budget.admit(at: Self.start + 400 * Self.second, limit).isAdmitted)
    }
}
