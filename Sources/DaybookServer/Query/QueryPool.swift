internal import DaybookFormat
internal import DaybookQuery
internal import DaybookSystem
import Synchronization

/// Threads of our own for what blocks: scans, administrative acts. Event loops and Swift's cooperative threads never
/// wait for a disk. `FairQueue` decides whose turn it is.
final class QueryPool: Sendable {
    typealias Job = @Sendable () -> Void
    typealias Ticket = FairQueue<Waiting>.Ticket

    /// One whose small question comes while another's long ones hold all threads begins on the spare one.
    private static let spareThreadCount = 1

    /// Of a job exactly one is called, if it is not taken back: `run` on a thread of the pool, or `refuse`, at once or
    /// later, on any thread, when there is no room for it.
    struct Waiting: Sendable {
        let run: Job
        let refuse: Job
    }

    struct Status: Sendable {
        var waitingQuestionCount: Int
        var waitingAdministrationCount: Int
        var runningCount: Int
        var refusedCount: UInt64
    }

    private struct State {
        var queue: FairQueue<Waiting>
        var idle: [Int] = []
        var isStopping = false
        var refusedCount: UInt64 = 0
    }

    let width: Int
    private let clock: any Clock
    private let state: Mutex<State>
    private let wakeups: [Wakeup]
    private let threads = Mutex<[SystemThread]>([])

    /// - Parameter threadCount: jobs that one organization may run at once; raised to 1.
    init(threadCount: Int, clock: any Clock) {
        width = max(1, threadCount)
        self.clock = clock
        let limits = FairQueue<Waiting>.Limits(threadCount: width, spareThreadCount: Self.spareThreadCount)
        state = Mutex(State(queue: FairQueue(limits)))
        wakeups = (0..<width + Self.spareThreadCount).map { _ in Wakeup() }
    }

    func start() {
        threads.withLock { threads in
            precondition(threads.isEmpty)
            for index in wakeups.indices {
                threads.append(SystemThread.start(name: "daybook-query-\(index)") { self.work(index) })
            }
        }
    }

    /// Finishes what waits, then ends the threads. Blocks.
    func stop() {
        state.withLock { $0.isStopping = true }
        for wakeup in wakeups { wakeup.signal() }
        let started = threads.withLock { threads in
            defer { threads = [] }
            return threads
        }
        for thread in started { thread.join() }
    }

    var status: Status {
        state.withLock { state in
            Status(
                waitingQuestionCount: state.queue.waitingQuestionCount,
                waitingAdministrationCount: state.queue.waitingAdministrationCount,
                runningCount: state.queue.runningCount, refusedCount: state.refusedCount)
        }
    }

    // MARK: Coming and leaving

    /// Nil when too much waits already, or the pool is stopping: then the job was refused.
    @discardableResult
    func submit(of owner: WorkOwner = .server, refuse: @escaping Job = {}, _ run: @escaping Job) -> Ticket? {
        let job = Waiting(run: run, refuse: refuse)
        let taken: (ticket: Ticket?, refused: Waiting?, idle: Int?) = state.withLock { state in
            guard !state.isStopping else { return (nil, job, nil) }
            switch state.queue.add(job, of: owner) {
            case .refused:
                state.refusedCount += 1
                return (nil, job, nil)
            case .accepted(let ticket, let displaced):
                if displaced != nil { state.refusedCount += 1 }
                return (ticket, displaced, state.queue.mayBegin(owner) ? state.idle.popLast() : nil)
            }
        }
        taken.refused?.refuse()
        if let idle = taken.idle { wakeups[idle].signal() }
        return taken.ticket
    }

    /// The job will not be run, unless it has begun.
    func takeBack(_ ticket: Ticket) {
        // What the job holds is let go of outside the lock.
        _ = state.withLock { $0.queue.remove(ticket) }
    }

    /// Runs a part of a running job of the owner on a thread that nobody else wants. Returns how to take it back.
    private func lend(to owner: WorkOwner, _ part: @escaping Job) -> LentThreads.TakeBack? {
        let taken: (ticket: Ticket, idle: Int?)? = state.withLock { state in
            guard !state.isStopping else { return nil }
            let ticket = state.queue.addHelper(Waiting(run: part, refuse: {}), of: owner)
            return (ticket, state.queue.mayBeginHelper ? state.idle.popLast() : nil)
        }
        guard let taken else { return nil }
        if let idle = taken.idle { wakeups[idle].signal() }
        return { [self] in takeBack(taken.ticket) }
    }

    // MARK: Running

    private enum Step {
        case run(FairQueue<Waiting>.Work)
        case sleep
        case end
    }

    private func work(_ index: Int) {
        while true {
            switch state.withLock({ next(for: index, &$0) }) {
            case .run(let work):
                let started = clock.monotonicNanoseconds()
                work.job.run()
                let nanoseconds = clock.monotonicNanoseconds() - started
                state.withLock { $0.queue.finish(work, afterNanoseconds: nanoseconds) }
            case .sleep: wakeups[index].wait()
            case .end: return
            }
        }
    }

    private func next(for index: Int, _ state: inout State) -> Step {
        if let work = state.queue.take() { return .run(work) }
        // A job that cannot begin yet waits for one that runs: whoever ends that one takes it.
        if state.isStopping { return .end }
        if !state.idle.contains(index) { state.idle.append(index) }
        return .sleep
    }
}

extension QueryPool {
    /// Lets a query that is worth it run on all threads of the pool.
    func executor(for organization: LogID) -> LentThreads {
        LentThreads(width: width) { [self] part in lend(to: .questions(of: organization), part) }
    }
}
