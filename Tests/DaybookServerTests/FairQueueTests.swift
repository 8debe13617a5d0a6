import DaybookFormat
import DaybookTestSupport
import Testing

@testable import DaybookServer

/// Jobs are numbers here, and threads are counted.
@Suite struct FairQueueTests {
    private typealias Queue = FairQueue<Int>

    private static let first = WorkOwner.questions(of: LogID(10))
    private static let second = WorkOwner.questions(of: LogID(11))
    private static let third = WorkOwner.questions(of: LogID(12))

    private func queue(threads: Int = 2, spare: Int = 1, ofOwner: Int = 64, waiting: Int = 256) -> Queue {
        var limits = Queue.Limits(threadCount: threads, spareThreadCount: spare)
        limits.waitingCountMaxOfOwner = ofOwner
        limits.waitingCountMax = waiting
        return Queue(limits)
    }

    @discardableResult
    private func add(_ job: Int, of owner: WorkOwner, to queue: inout Queue) throws -> Queue.Ticket {
        guard case .accepted(let ticket, nil) = queue.add(job, of: owner) else {
            throw Refused()
        }
        return ticket
    }

    private struct Refused: Error {}

    private func expectRefusal(
        _ job: Int, of owner: WorkOwner, by queue: inout Queue, sourceLocation: SourceLocation = #_sourceLocation
    ) {
        if case .accepted = queue.add(job, of: owner) {
            Issue.record("it was accepted", sourceLocation: sourceLocation)
        }
    }

    private func expectNext(_ job: Int?, of queue: inout Queue, sourceLocation: SourceLocation = #_sourceLocation) {
        let next = queue.take()?.job
        #expect(next == job, sourceLocation: sourceLocation)
    }

    private func begin(_ queue: inout Queue) throws -> Queue.Work {
        let work = queue.take()
        return try #require(work)
    }

    // MARK: Whose turn it is

    @Test func anOwnerAloneHasAllThreadsAndNotTheSpareOne() throws {
        var queue = queue(threads: 3)
        for job in 0..<5 { try add(job, of: Self.first, to: &queue) }
        for job in [0, 1, 2, nil] { expectNext(job, of: &queue) }
    }

    @Test func anotherOwnerBeginsAtOnceOnTheSpareThread() throws {
        var queue = queue()
        for job in 0..<4 { try add(job, of: Self.first, to: &queue) }
        while queue.take() != nil {}
        try add(10, of: Self.second, to: &queue)
        try add(11, of: Self.second, to: &queue)
        expectNext(10, of: &queue)
        expectNext(nil, of: &queue)
    }

    @Test func whoeverHoldsNoThreadIsBeforeWhoeverHoldsOne() throws {
        var queue = queue(spare: 0)
        for job in 0..<4 { try add(job, of: Self.first, to: &queue) }
        let running = [queue.take(), queue.take()]
        try add(10, of: Self.second, to: &queue)
        queue.finish(try #require(running[0]), afterNanoseconds: 1)
        expectNext(10, of: &queue)
    }

    @Test func amongThoseWhoHoldNoneWhoeverUsedTheLeastIsNext() throws {
        var queue = queue(threads: 1, spare: 0)
        for job in 0..<3 { try add(job, of: Self.first, to: &queue) }
        for job in 10..<30 { try add(job, of: Self.second, to: &queue) }
        var order: [Int] = []
        while let work = queue.take() {
            order.append(work.job)
            queue.finish(work, afterNanoseconds: work.job < 10 ? 5_000 : 1_000)
        }
        #expect(order.prefix(7) == [0, 10, 11, 12, 13, 14, 1])
        #expect(order.filter { $0 >= 10 } == Array(10..<30))
    }

    /// Each thread takes a job whenever it is free; every owner always has jobs waiting.
    @Test(arguments: UInt64(0)..<20)
    func ownersThatWantMoreThanThereIsGetTheSameTime(seed: UInt64) throws {
        var random = SeededRandom(seed: seed)
        let threadCount = 1 + random.below(3)
        var queue = queue(threads: threadCount, spare: random.below(2))
        let owners = (0..<threadCount + 2 + random.below(3)).map { WorkOwner.questions(of: LogID(UInt64(10 + $0))) }
        let costs = owners.map { _ in UInt64(1 + random.below(50)) }
        for (index, owner) in owners.enumerated() { for _ in 0..<3 { try add(index, of: owner, to: &queue) } }
        var running: [(work: Queue.Work, end: UInt64, nanoseconds: UInt64)] = []
        var used = owners.map { _ in UInt64(0) }
        var now: UInt64 = 0
        while now < 20_000 {
            while let work = queue.take() {
                let nanoseconds = 1 + costs[work.job] * UInt64(50 + random.below(100)) / 100
                running.append((work, now + nanoseconds, nanoseconds))
                try add(work.job, of: owners[work.job], to: &queue)
            }
            let next = try #require(running.indices.min { running[$0].end < running[$1].end })
            let done = running.remove(at: next)
            now = done.end
            used[done.work.job] += done.nanoseconds
            queue.finish(done.work, afterNanoseconds: done.nanoseconds)
        }
        let (least, most) = (try #require(used.min()), try #require(used.max()))
        #expect(most - least < 1_000, "\(used)")
    }

    @Test func timeInWhichNothingWasWantedIsNotSavedUp() throws {
        var queue = queue(threads: 1, spare: 0)
        // The first owner works for long while the second wants nothing.
        for job in 0..<50 { try add(job, of: Self.first, to: &queue) }
        for _ in 0..<40 { queue.finish(try begin(&queue), afterNanoseconds: 1_000) }
        for job in 100..<110 { try add(job, of: Self.second, to: &queue) }
        var order: [Int] = []
        while let work = queue.take() {
            order.append(work.job)
            queue.finish(work, afterNanoseconds: 1_000)
        }
        #expect(order.prefix(4).count { $0 >= 100 } == 2)
    }

    // MARK: How much may wait

    @Test func anOwnerHasSoManyPlacesAndNoMore() throws {
        var queue = queue(ofOwner: 3)
        for job in 0..<3 { try add(job, of: Self.first, to: &queue) }
        expectRefusal(3, of: Self.first, by: &queue)
        try add(10, of: Self.second, to: &queue)
        _ = queue.take()
        try add(4, of: Self.first, to: &queue)
    }

    @Test func whenAllPlacesAreTakenTheLongestGivesOneUp() throws {
        var queue = queue(ofOwner: 6, waiting: 8)
        for job in 0..<5 { try add(job, of: Self.first, to: &queue) }
        for job in 10..<13 { try add(job, of: Self.second, to: &queue) }
        guard case .accepted(_, let displaced) = queue.add(20, of: Self.third) else { throw Refused() }
        #expect(displaced == 4)
        #expect(queue.waitingCount == 8)
        // Who has as many as the longest makes nobody give way.
        expectRefusal(5, of: Self.first, by: &queue)
        expectRefusal(13, of: Self.second, by: &queue)
        guard case .accepted(_, let next) = queue.add(21, of: Self.third) else { throw Refused() }
        #expect(next == 3)
    }

    @Test func whatWouldBeAnsweredTooLateIsRefusedAtOnce() throws {
        var queue = queue(threads: 2, spare: 0)
        try add(0, of: Self.first, to: &queue)
        try add(1, of: Self.first, to: &queue)
        queue.finish(try begin(&queue), afterNanoseconds: 1_000_000_000)
        // Nine that wait for two threads take four and a half seconds.
        for job in 2..<10 { try add(job, of: Self.first, to: &queue) }
        expectRefusal(10, of: Self.first, by: &queue)
        try add(20, of: Self.second, to: &queue)
    }

    @Test func aJobThatIsTakenBackLeavesItsPlaceAndIsNeverRun() throws {
        var queue = queue(threads: 1, spare: 0, ofOwner: 2)
        let tickets = try (0..<2).map { try add($0, of: Self.first, to: &queue) }
        let removals = [queue.remove(tickets[0]) != nil, queue.remove(tickets[0]) != nil]
        #expect(removals == [true, false])
        try add(2, of: Self.first, to: &queue)
        let work = try begin(&queue)
        #expect(work.job == 1)
        let isRemoved = queue.remove(tickets[1]) != nil
        #expect(!isRemoved)
        queue.finish(work, afterNanoseconds: 1)
        expectNext(2, of: &queue)
        expectNext(nil, of: &queue)
    }

    // MARK: Administration

    @Test func administrationWaitsForNoQuestionsAndKeepsItsPlaces() throws {
        var queue = queue(ofOwner: 4, waiting: 4)
        for job in 0..<2 { try add(job, of: Self.first, to: &queue) }
        while queue.take() != nil {}
        for job in 2..<6 { try add(job, of: Self.first, to: &queue) }
        let administration = WorkOwner.administration(of: Self.first.organization)
        try add(100, of: administration, to: &queue)
        expectNext(100, of: &queue)
        for job in 101..<105 { try add(job, of: administration, to: &queue) }
        expectRefusal(105, of: administration, by: &queue)
        expectRefusal(106, of: .server, by: &queue)
    }

    // MARK: Long and short

    @Test func questionsOfWhomeverTheyTookLongAreTakenForLong() throws {
        var queue = queue(threads: 3)
        // While somebody runs, nobody is forgotten.
        try add(2, of: Self.third, to: &queue)
        _ = try begin(&queue)
        // What each costs, and what is expected of it by then: 0, 3, 2.75, 2.06, 1.55, 1.16 and 0.87 ms.
        let costs = [3_000_000, 2_000_000, 10, 10, 10, 10, 10]
        for (processorNanoseconds, isLong) in zip(costs, [false, true, true, true, true, true, false]) {
            try add(0, of: Self.first, to: &queue)
            try add(1, of: Self.second, to: &queue)
            let works = [try begin(&queue), try begin(&queue)]
            for work in works {
                let isFirst = work.ticket.owner == Self.first
                #expect(work.isProbablyLong == (isFirst && isLong))
                queue.finish(
                    work, afterNanoseconds: 5_000_000,
                    processorNanoseconds: isFirst ? UInt64(processorNanoseconds) : 300_000)
            }
        }
    }

    @Test func largeBodiesAndPartsAreLongAndActsAreNot() throws {
        var queue = queue(threads: 3)
        let acts = WorkOwner.administration(of: Self.first.organization)
        try add(0, of: .bodies(of: Self.first.organization), to: &queue)
        #expect(try begin(&queue).isProbablyLong)
        _ = queue.addHelper(1, of: Self.first)
        #expect(try begin(&queue).isProbablyLong)
        try add(2, of: acts, to: &queue)
        let act = try begin(&queue)
        #expect(!act.isProbablyLong)
        queue.finish(act, afterNanoseconds: 9_000_000, processorNanoseconds: 9_000_000)
        try add(3, of: acts, to: &queue)
        #expect(try !begin(&queue).isProbablyLong)
    }

    @Test func largeBodiesDoNotWaitForQuestionsOfTheirOrganization() throws {
        var queue = queue(threads: 1)
        for job in 0..<2 { try add(job, of: Self.first, to: &queue) }
        expectNext(0, of: &queue)
        try add(10, of: .bodies(of: Self.first.organization), to: &queue)
        expectNext(10, of: &queue)
        expectNext(nil, of: &queue)
    }

    // MARK: Helpers

    @Test func helpersHaveThreadsThatNobodyElseWants() throws {
        var queue = queue(threads: 2)
        try add(0, of: Self.first, to: &queue)
        let running = try begin(&queue)
        _ = queue.addHelper(1_000, of: Self.first)
        try add(10, of: Self.second, to: &queue)
        expectNext(10, of: &queue)
        // Both threads are taken, and the spare one is for jobs.
        expectNext(nil, of: &queue)
        queue.finish(running, afterNanoseconds: 1)
        let helper = try begin(&queue)
        #expect(helper.job == 1_000 && helper.isHelper)
    }

    @Test func aHelperThatIsTakenBackIsLetGoOf() throws {
        var queue = queue(threads: 1)
        try add(0, of: Self.first, to: &queue)
        let running = try begin(&queue)
        let helper = queue.addHelper(1_000, of: Self.first)
        let isRemoved = queue.remove(helper) != nil
        #expect(isRemoved)
        queue.finish(running, afterNanoseconds: 1)
        expectNext(nil, of: &queue)
    }

    // MARK: All together

    /// Whatever comes in whatever order: no thread too many, every job run, refused, displaced or taken back, and just once.
    @Test(arguments: UInt64(0)..<50)
    func everyJobHasOneEnd(seed: UInt64) throws {
        var random = SeededRandom(seed: seed)
        let (threads, spare) = (1 + random.below(3), random.below(3))
        var queue = queue(threads: threads, spare: spare, ofOwner: 4, waiting: 8)
        var open: [Int: Queue.Ticket] = [:]
        var running: [Queue.Work] = []
        var next = 0
        for _ in 0..<2_000 {
            let log = LogID(UInt64(10 + random.below(6)))
            let owner = random.below(5) == 0 ? WorkOwner.administration(of: log) : .questions(of: log)
            switch random.below(10) {
            case 0..<5:
                guard case .accepted(let ticket, let displaced) = queue.add(next, of: owner) else { break }
                if let displaced { #expect(open.removeValue(forKey: displaced) != nil) }
                open[next] = ticket
                next += 1
            case 5..<8:
                guard let work = queue.take() else { break }
                #expect(open.removeValue(forKey: work.job) == work.ticket)
                running.append(work)
            case 8:
                guard !running.isEmpty else { break }
                let done = running.remove(at: random.below(running.count))
                queue.finish(done, afterNanoseconds: UInt64(random.below(99)))
            default:
                guard let (job, ticket) = open.min(by: { $0.key < $1.key }) else { break }
                let isRemoved = queue.remove(ticket) != nil
                #expect(isRemoved)
                open[job] = nil
            }
            #expect(queue.waitingCount == open.count)
            #expect(queue.runningCount == running.count && running.count <= threads + spare)
            let most = Dictionary(grouping: running, by: \.ticket.owner).values.map(\.count).max() ?? 0
            #expect(most <= threads)
        }
        while let work = queue.take() ?? running.popLast() {
            if open.removeValue(forKey: work.job) != nil {
                running.append(work)
            } else {
                queue.finish(work, afterNanoseconds: 1)
            }
        }
        #expect(open.isEmpty)
        #expect(queue.ownerCount == 0)
    }
}
