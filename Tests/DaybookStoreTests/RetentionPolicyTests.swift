import DaybookFormat
import Testing

@testable import DaybookSegment
@testable import DaybookStore

/// Which events are there for readers.
struct RetentionPolicyTests {
    static let day = Limits.dayMicroseconds
    static let now = Timestamp(microseconds: 400 * day)
    static let policy = RetentionPolicy(commands: 90, agents: 30, sessions: 365, productivity: 0)

    static func daysAgo(_ days: Double) -> Timestamp { now.adding(microseconds: -Int64(days * Double(day))) }

    @Test(arguments: [
        (90.1, 90.1, true), (89.9, 89.9, false), (90.1, 1.1, true), (90.1, 0.9, false), (5_000, 0.5, false),
        (1, 300, false),
    ])
    func anEventExpiresByItsTimeButNotWithinADayOfItsArrival(age: Double, arrivalAge: Double, isHidden: Bool) {
        let visibility = Self.policy.visibility(of: .commandExecution, at: Self.now)
        #expect(visibility.hides(timestamp: Self.daysAgo(age), arrival: Self.daysAgo(arrivalAge)) == isHidden)
    }

    @Test func eachFamilyHasItsDays() {
        let table = VisibilityTable(Self.policy, at: Self.now)
        let (time, arrival) = (Self.daysAgo(40), Self.daysAgo(40))
        let hidden = Family.ofOrganizations.map { table[$0].hides(timestamp: time, arrival: arrival) }
        #expect(hidden == [false, true, false, false])
        #expect(table[.productivityMetric] == .everything)
        #expect(table.hidesNothing == false)
    }

    @Test func nothingExpiresDuringALegalHold() {
        var policy = Self.policy
        policy.isHeld = true
        #expect(VisibilityTable(policy, at: Self.now) == .everything)
        #expect(VisibilityTable(policy, at: Self.now).hidesNothing)
        #expect(VisibilityTable(.forEver, at: Self.now).hidesNothing)
    }

    @Test func theEarliestAndTheLatestMomentDoNotOverflow() {
        let policy = RetentionPolicy(commands: .max, agents: 1, sessions: 1, productivity: 1)
        let early = policy.visibility(of: .commandExecution, at: Timestamp(microseconds: .min))
        #expect(early.hides(timestamp: Timestamp(microseconds: .min), arrival: Timestamp(microseconds: .min)) == false)
        let late = policy.visibility(of: .agentInteraction, at: Timestamp(microseconds: .max))
        #expect(late.hides(timestamp: Self.now, arrival: Self.now))
    }

    @Test func aSegmentIsJudgedByItsEnds() {
        let visibility = Self.policy.visibility(of: .commandExecution, at: Self.now)
        func segment(_ oldest: Double, _ newest: Double, arrival: Timestamp) -> SegmentReference {
            var segment = Sample.segment(1...10, .commandExecution, rowCount: 10)
            segment.timestampMin = Self.daysAgo(oldest)
            segment.timestampMax = Self.daysAgo(newest)
            segment.arrivalMax = arrival
            return segment
        }
        let long = Self.daysAgo(50)
        #expect(visibility.hidesAll(of: segment(100, 91, arrival: long)))
        #expect(visibility.hidesAll(of: segment(100, 89, arrival: long)) == false)
        #expect(visibility.hidesAll(of: segment(100, 91, arrival: Self.daysAgo(0.5))) == false)
        #expect(visibility.hidesAll(of: segment(100, 91, arrival: Timestamp(microseconds: .max))) == false)
        #expect(visibility.hidesNone(of: segment(89, 10, arrival: long)))
        #expect(visibility.hidesNone(of: segment(91, 10, arrival: long)) == false)
    }

    /// The cut-off is the first moment that is shown, for rows, for zones and for segments alike.
    @Test func theMomentOfTheCutOffItselfIsShown() {
        let visibility = Self.policy.visibility(of: .commandExecution, at: Self.now)
        let (age, grace) = (90 * Self.day, Limits.retentionGraceMicroseconds)
        func time(_ age: Int64) -> Timestamp { Self.now.adding(microseconds: -age) }
        for (early, earlyArrival) in [(1, 0), (0, 1), (1, 1), (0, 0)] as [(Int64, Int64)] {
            let (timestamp, arrival) = (time(age + early), time(grace + earlyArrival))
            let isHidden = early == 1 && earlyArrival == 1
            #expect(visibility.hides(timestamp: timestamp, arrival: arrival) == isHidden)
            var zone = Zone(
                rowCount: 1, sequenceMin: 1, sequenceMax: 1, timestampMin: timestamp.microseconds,
                timestampMax: timestamp.microseconds, arrivalMin: arrival.microseconds,
                arrivalMax: arrival.microseconds, durationMin: 0, durationMax: 0, statusMin: 0, statusMax: 0)
            #expect(visibility.hidesAll(zone) == isHidden)
            #expect(visibility.showsAll(zone) == !isHidden)
            zone.timestampMin = .min
            zone.arrivalMin = .min
            #expect(!visibility.showsAll(zone))
            var segment = Sample.segment(1...10, .commandExecution, rowCount: 10)
            segment.timestampMin = timestamp
            segment.timestampMax = timestamp
            segment.arrivalMax = arrival
            #expect(visibility.hidesAll(of: segment) == isHidden)
            #expect(visibility.hidesNone(of: segment) == (early == 0))
        }
    }
}
