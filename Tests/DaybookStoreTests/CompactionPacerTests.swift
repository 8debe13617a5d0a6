import DaybookTestSupport
import Testing

@testable import DaybookStore

/// When compaction may work.
struct CompactionPacerTests {
    static let limits = CompactionPacer.Limits(
        bytesPerSecond: 1_000_000, idlePercent: 50, busyPercent: 10, busyEventsPerSecond: 1_000)

    @Test func workIsFollowedByTheRestOfItsShare() {
        let clock = ManualClock()
        var pacer = CompactionPacer(clock: clock, limits: Self.limits)
        #expect(pacer.restNanoseconds() == 0)
        let start = clock.monotonicNanoseconds()
        clock.advance(microseconds: 10_000)
        pacer.charge(byteCount: 0, startedAt: start)
        #expect(pacer.restNanoseconds() == 10_000_000)
        clock.advance(microseconds: 4_000)
        #expect(pacer.restNanoseconds() == 6_000_000)
        clock.advance(microseconds: 6_000)
        #expect(pacer.restNanoseconds() == 0)
    }

    @Test func bytesTakeTheirTime() {
        let clock = ManualClock()
        var pacer = CompactionPacer(clock: clock, limits: Self.limits)
        pacer.charge(byteCount: 100_000, startedAt: clock.monotonicNanoseconds())
        #expect(pacer.restNanoseconds() == 100_000_000)
    }

    @Test func theShareShrinksWhileEventsArriveAndComesBack() {
        let clock = ManualClock()
        var pacer = CompactionPacer(clock: clock, limits: Self.limits)
        pacer.look(committedEventCount: 0)
        #expect(pacer.percent == 50)
        var count: UInt64 = 0
        var shares: [Int] = []
        for _ in 0..<20 {
            clock.advance(seconds: 1)
            count += 500
            pacer.look(committedEventCount: count)
            shares.append(pacer.percent)
        }
        #expect(shares == shares.sorted(by: >))
        #expect((29...32).contains(pacer.percent))
        for _ in 0..<20 {
            clock.advance(seconds: 1)
            count += 1_000_000
            pacer.look(committedEventCount: count)
        }
        #expect(pacer.percent == 10)
        for _ in 0..<40 {
            clock.advance(seconds: 1)
            pacer.look(committedEventCount: count)
        }
        #expect(pacer.percent == 50)
    }

    @Test func noRestIsLongerThanTwoSeconds() {
        let clock = ManualClock()
        var pacer = CompactionPacer(clock: clock, limits: Self.limits)
        pacer.charge(byteCount: .max, startedAt: clock.monotonicNanoseconds())
        #expect(pacer.restNanoseconds() == 2_000_000_000)
    }

    @Test func theRateIsThatOfTheLastMinute() {
        var rate = ByteRate()
        rate.add(6_000, at: 1_000_000_000)
        #expect(rate.perSecond(at: 2_000_000_000) == 100)
        rate.add(6_000, at: 31_000_000_000)
        #expect(rate.perSecond(at: 59_000_000_000) == 200)
        #expect(rate.perSecond(at: 61_000_000_000) == 100)
        #expect(rate.perSecond(at: 95_000_000_000) == 0)
        #expect(rate.perSecond(at: 9_000_000_000_000) == 0)
    }
}
