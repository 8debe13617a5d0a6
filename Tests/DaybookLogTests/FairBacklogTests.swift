import DaybookFormat
import DaybookTestSupport
import Testing

@testable import DaybookLog

/// How one commit is shared among organizations.
@Suite struct FairBacklogTests {
    private static let flood = LogID(10)
    private static let quiet = LogID(11)

    private final class Sink: AcknowledgementSink {
        func acknowledge(_ outcomes: [Acknowledged]) {}
    }

    private let sink = Sink()

    /// One request whose group has about so many bytes; the ticket says which one it is.
    private func submission(_ log: LogID, _ ticket: UInt64, byteCount: Int) -> Submission {
        var group = GroupBuilder(log: log, arrival: Timestamp(microseconds: 0))
        let event = [UInt8](repeating: 0, count: byteCount)
        event.withRawSpan { group.append(.commandExecution, schemaVersion: 1, encoding: $0) }
        return Submission(group: group, sink: sink, ticket: ticket)
    }

    private func take(_ backlog: inout FairBacklog, upTo limit: Int = 1 << 20) -> [Submission] {
        var commit: [Submission] = []
        backlog.take(upTo: limit, into: &commit)
        return commit
    }

    @Test func oneEventIsInTheNextCommitHoweverMuchAnotherSends() {
        var backlog = FairBacklog()
        for ticket in 0..<50 { backlog.add(submission(Self.flood, UInt64(ticket), byteCount: 200_000)) }
        _ = take(&backlog)
        backlog.add(submission(Self.quiet, 1_000, byteCount: 300))
        let commit = take(&backlog)
        #expect(commit.contains { $0.ticket == 1_000 })
        #expect(commit.reduce(0) { $0 + $1.group.bytes.count } <= 1 << 20)
    }

    @Test func whoeverSendsSmallOnesHasAsManyBytesOfACommitAsWhoeverSendsLargeOnes() {
        var backlog = FairBacklog()
        for ticket in 0..<50 { backlog.add(submission(Self.flood, UInt64(ticket), byteCount: 100_000)) }
        for ticket in 0..<20_000 { backlog.add(submission(Self.quiet, UInt64(ticket), byteCount: 300)) }
        var byteCounts: [LogID: Int] = [:]
        for _ in 0..<3 {
            for taken in take(&backlog) { byteCounts[taken.group.header.log, default: 0] += taken.group.bytes.count }
        }
        let (large, small) = (byteCounts[Self.flood, default: 0], byteCounts[Self.quiet, default: 0])
        #expect(abs(large - small) <= 2 * 100_200, "\(byteCounts)")
    }

    @Test func anOrganizationAloneFillsACommit() {
        var backlog = FairBacklog()
        for ticket in 0..<50 { backlog.add(submission(Self.flood, UInt64(ticket), byteCount: 200_000)) }
        #expect(take(&backlog).count == 5)
    }

    /// Whatever the sizes: no commit is too large, every one has something, all of it comes once and in its order.
    @Test(arguments: UInt64(0)..<30)
    func everythingIsCommittedOnceAndInItsOrder(seed: UInt64) {
        var random = SeededRandom(seed: seed)
        let limit = 50_000 + random.below(500_000)
        var backlog = FairBacklog()
        var added: [LogID: [UInt64]] = [:]
        var taken: [LogID: [UInt64]] = [:]
        var byteCount = 0
        func commit() {
            let commit = take(&backlog, upTo: limit)
            let size = commit.reduce(0) { $0 + $1.group.bytes.count }
            #expect(!commit.isEmpty && (size <= limit || commit.count == 1))
            for submission in commit { taken[submission.group.header.log, default: []].append(submission.ticket) }
            byteCount -= size
            #expect(backlog.byteCount == byteCount)
        }
        for ticket in 0..<UInt64(600) {
            let log = LogID(UInt64(10 + random.below(5)))
            let next = submission(log, ticket, byteCount: 1 + random.below(random.below(20) == 0 ? 700_000 : 2_000))
            byteCount += next.group.bytes.count
            backlog.add(next)
            added[log, default: []].append(ticket)
            if random.below(10) == 0 { commit() }
        }
        while !backlog.isEmpty { commit() }
        #expect(taken == added)
    }
}
