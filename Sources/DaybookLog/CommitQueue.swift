internal import DaybookFormat
internal import Synchronization

/// Requests that wait for the committing thread. Any thread adds, the committing thread takes.
package final class CommitQueue: Sendable {
    private struct State {
        var waiting: [Submission] = []
        var isClosed = false
    }

    private let state = Mutex(State())

    package init() {}

    /// False when the queue is closed: the submission was not taken.
    package func add(_ submission: Submission) -> Bool {
        state.withLock { state in
            guard !state.isClosed else { return false }
            state.waiting.append(submission)
            return true
        }
    }

    /// Everything that waits, oldest first. `spare` becomes the new backing store, so that a busy queue does not
    /// allocate.
    package func takeAll(swappingIn spare: inout [Submission]) {
        precondition(spare.isEmpty)
        state.withLock { swap(&$0.waiting, &spare) }
    }

    package var isEmpty: Bool { state.withLock { $0.waiting.isEmpty } }

    /// From now on `add` refuses.
    package func close() { state.withLock { $0.isClosed = true } }
}

/// Shares a commit among organizations: deficit round robin by bytes, so that one that floods does not set the
/// latency of the others. (Shreedhar and Varghese, "Efficient Fair Queueing Using Deficit Round Robin", 1995.)
struct FairBacklog {
    static let quantumByteCount = 64 << 10

    private struct Flow {
        var waiting: [Submission] = []
        var next = 0
        var deficit = 0
        var byteCount = 0
    }

    private var flows: [LogID: Flow] = [:]
    private var round: [LogID] = []
    private(set) var byteCount = 0

    var isEmpty: Bool { round.isEmpty }

    mutating func add(_ submission: Submission) {
        let log = submission.group.header.log
        byteCount += submission.group.bytes.count
        if flows[log] == nil {
            flows[log] = Flow()
            round.append(log)
        }
        flows[log]!.waiting.append(submission)
    }

    /// Moves up to `limit` bytes, or one submission if it alone is larger, into `commit`, in order per organization.
    mutating func take(upTo limit: Int, into commit: inout [Submission]) {
        var taken = 0
        while let log = round.first {
            round.removeFirst()
            var flow = flows.removeValue(forKey: log)!
            flow.deficit += Self.quantumByteCount
            var isFull = false
            while flow.next < flow.waiting.count {
                let size = flow.waiting[flow.next].group.bytes.count
                if taken > 0, taken + size > limit {
                    isFull = true
                    break
                }
                if size > flow.deficit, taken > 0 || !round.isEmpty { break }
                flow.deficit = max(0, flow.deficit - size)
                taken += size
                byteCount -= size
                commit.append(flow.waiting[flow.next])
                flow.next += 1
            }
            if flow.next < flow.waiting.count {
                flows[log] = flow
                if isFull { round.insert(log, at: 0) } else { round.append(log) }
            }
            if isFull { return }
        }
    }

    /// Everything, for refusal.
    mutating func drain() -> [Submission] {
        var all: [Submission] = []
        for log in round { all.append(contentsOf: flows[log]!.waiting.dropFirst(flows[log]!.next)) }
        self = FairBacklog()
        return all
    }
}
