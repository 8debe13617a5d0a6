import DaybookFormat
import DaybookTestSupport
import Testing

@testable import DaybookServer

@Suite struct TurnShareTests {
    private typealias Share = TurnShare<Int>

    private static let flood = LogID(10)
    private static let quiet = LogID(11)
    private static let single = Share.Work.request(byteCount: 300)

    /// Both organizations are about.
    private func shared() -> Share {
        var share = Share()
        _ = share.admits(Self.quiet, Self.single, at: 1)
        _ = share.admits(Self.flood, Self.single, at: 2)
        _ = share.nextTurn(at: 2)
        return share
    }

    private func expectAdmission(
        _ isExpected: Bool, _ organization: LogID, _ work: Share.Work, at now: UInt64 = 3, by share: inout Share,
        sourceLocation: SourceLocation = #_sourceLocation
    ) {
        let isAdmitted = share.admits(organization, work, at: now)
        #expect(isAdmitted == isExpected, sourceLocation: sourceLocation)
    }

    private func expectTurn(
        _ items: [Int], of share: inout Share, sourceLocation: SourceLocation = #_sourceLocation
    ) {
        let turn = share.nextTurn(at: 2)
        #expect(turn == items, sourceLocation: sourceLocation)
    }

    /// How many of these are done before the first is held.
    private func admittedCount(
        _ organization: LogID, _ work: Share.Work, _ share: inout Share, at now: UInt64 = 3
    ) -> Int {
        var count = 0
        while count < 10_000, share.admits(organization, work, at: now) { count += 1 }
        return count
    }

    @Test func anOrganizationAloneIsNeverHeld() {
        var share = Share()
        let count = admittedCount(Self.flood, Self.single, &share)
        #expect(count == 10_000)
        #expect(!share.isHolding)
    }

    @Test func besideAnotherItHasSoMuchOfATurn() {
        var share = shared()
        let count = admittedCount(Self.flood, Self.single, &share)
        #expect(count == Int(Share.turnNanoseconds / Self.single.nanoseconds))
        expectAdmission(true, Self.quiet, Self.single, by: &share)
        // What the turn before was used for does not count.
        expectTurn([], of: &share)
        let next = admittedCount(Self.flood, Self.single, &share)
        #expect(next == count)
    }

    @Test func aTurnInWhichNobodyWasHeldEndsByItself() {
        var share = shared()
        let count = admittedCount(Self.flood, Self.single, &share)
        let atItsEnd = admittedCount(Self.flood, Self.single, &share, at: 3 + Share.turnNanosecondsMax)
        #expect(atItsEnd == 0)
        let after = admittedCount(Self.flood, Self.single, &share, at: 4 + Share.turnNanosecondsMax)
        #expect(after == count)
    }

    @Test func aTurnInWhichSomebodyIsHeldLastsUntilTheNextOne() {
        var share = shared()
        _ = admittedCount(Self.flood, Self.single, &share)
        share.hold(0, of: Self.flood, Self.single)
        let later = 4 + Share.turnNanosecondsMax
        expectAdmission(false, Self.flood, Self.single, at: later, by: &share)
        let turn = share.nextTurn(at: later)
        #expect(turn == [0])
        expectAdmission(true, Self.flood, Self.single, at: later, by: &share)
    }

    @Test func itIsAloneAgainAMinuteAfterTheOther() {
        var share = shared()
        let count = admittedCount(Self.flood, Self.single, &share)
        #expect(count < 100)
        _ = share.nextTurn(at: 2)
        _ = share.nextTurn(at: 2)
        let later = 2 + Share.aloneNanoseconds
        for _ in 0..<1_000 { expectAdmission(true, Self.flood, Self.single, at: later, by: &share) }
    }

    @Test func whatIsLargerThanATurnIsDoneAlone() {
        var share = shared()
        let batch = Share.Work.request(byteCount: 250_000)
        #expect(batch.nanoseconds > Share.turnNanoseconds)
        let count = admittedCount(Self.flood, batch, &share)
        #expect(count == 1)
        for item in 0..<3 {
            expectAdmission(false, Self.flood, batch, by: &share)
            share.hold(item, of: Self.flood, batch)
        }
        for items in [[0], [1], [2], []] { expectTurn(items, of: &share) }
    }

    @Test func answersGoBeforeRequestsAndEachInItsOrder() {
        var share = shared()
        _ = admittedCount(Self.flood, Self.single, &share)
        for item in 0..<4 {
            let work = item % 2 == 0 ? Self.single : .outcome
            expectAdmission(false, Self.flood, work, by: &share)
            share.hold(item, of: Self.flood, work)
        }
        // Nothing overtakes what is held.
        expectAdmission(false, Self.flood, .outcome, by: &share)
        expectTurn([1, 3, 0, 2], of: &share)
    }

    @Test func organizationsThatHoldShareTheTurn() {
        var share = shared()
        for organization in [Self.flood, Self.quiet] {
            _ = admittedCount(organization, Self.single, &share)
            for item in 0..<100 { share.hold(Int(organization.rawValue) * 1_000 + item, of: organization, Self.single) }
        }
        let turn = share.nextTurn(at: 2)
        #expect(UInt64(turn.count) * Self.single.nanoseconds <= Share.turnNanoseconds)
        let half = Int(Share.turnNanoseconds / 2 / Self.single.nanoseconds)
        #expect(turn == (0..<half).flatMap { [10_000 + $0, 11_000 + $0] })
    }

    /// In each turn an organization has its equal part or one piece of work, and everything is done once, in the order of
    /// its organization and kind.
    @Test(arguments: UInt64(0)..<50)
    func everythingIsDoneInShortTurns(seed: UInt64) {
        var random = SeededRandom(seed: seed)
        var share = Share()
        let organizations = (0..<2 + random.below(5)).map { LogID(UInt64(10 + $0)) }
        for organization in organizations { _ = share.admits(organization, .outcome, at: 1) }
        _ = share.nextTurn(at: 2)
        var works: [(organization: Int, isOutcome: Bool, nanoseconds: UInt64)] = []
        var done: [Int] = []
        for _ in 0..<400 {
            let turn = share.nextTurn(at: 2)
            let byOrganization = Dictionary(grouping: turn) { works[$0].organization }
            for own in byOrganization.values {
                let costs = own.map { works[$0].nanoseconds }
                let equal = Share.turnNanoseconds / UInt64(byOrganization.count)
                #expect(costs.count == 1 || costs.reduce(0, +) <= equal)
            }
            done += turn
            for _ in 0..<random.below(30) {
                let organization = random.below(organizations.count)
                let isOutcome = random.below(2) == 0
                let work = isOutcome ? Share.Work.outcome : .request(byteCount: random.below(100_000))
                works.append((organization, isOutcome, work.nanoseconds))
                if share.admits(organizations[organization], work, at: 2) {
                    done.append(works.count - 1)
                } else {
                    share.hold(works.count - 1, of: organizations[organization], work)
                }
            }
        }
        while share.isHolding { done += share.nextTurn(at: 2) }
        #expect(share.heldCount == 0)
        #expect(done.sorted() == Array(works.indices))
        for organization in organizations.indices {
            for isOutcome in [true, false] {
                let own = done.filter { works[$0].organization == organization && works[$0].isOutcome == isOutcome }
                #expect(own == own.sorted())
            }
        }
    }
}
