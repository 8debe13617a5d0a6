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
        /// Threads that sleep, or have not begun.
        var idle: Set<Int>
        /// Work for threads that are being woken up.
        var handed: [Int: FairQueue<Waiting>.Work] = [:]
        var isStopping = false
        var refusedCount: UInt64 = 0
    }

    /// Long work yields to loops, commits and short questions where processors are scarce, and the short goes at once.
    private static let longNiceness = 5

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
        // As many for short work as for long: whichever comes finds its thread, and what runs at once is bounded by the
        // queue.
        wakeups = (0..<2 * (width + Self.spareThreadCount)).map { _ in Wakeup() }
        state = Mutex(State(queue: FairQueue(limits), idle: Set(wakeups.indices)))
    }

    /// A thread for long work, which has another priority. A thread cannot change its own: only the way down is open.
    private func isForLong(_ index: Int) -> Bool { index >= wakeups.count / 2 }

    func start() {
        threads.withLock { threads in
            precondition(threads.isEmpty)
            for index in wakeups.indices {
                let niceness = isForLong(index) ? Self.longNiceness : 0
                let slice = isForLong(index) ? SystemThread.TimeSlice.usual : .short
                threads.append(
                    SystemThread.start(name: "daybook-query-\(index)", niceness: niceness, slice: slice) {
                        self.work(index)
                    })
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
        let taken: (ticket: Ticket?, refused: Waiting?, thread: Int?) = state.withLock { state in
            guard !state.isStopping else { return (nil, job, nil) }
            switch state.queue.add(job, of: owner) {
            case .refused:
                state.refusedCount += 1
                return (nil, job, nil)
            case .accepted(let ticket, let displaced):
                if displaced != nil { state.refusedCount += 1 }
                return (ticket, displaced, handOver(&state))
            }
        }
        taken.refused?.refuse()
        if let thread = taken.thread { wakeups[thread].signal() }
        return taken.ticket
    }

    /// The job will not be run, unless it has begun.
    func takeBack(_ ticket: Ticket) {
        // What the job holds is let go of outside the lock.
        _ = state.withLock { $0.queue.remove(ticket) }
    }

    /// Runs a part of a running job of the owner on a thread that nobody else wants. Returns how to take it back.
    private func lend(to owner: WorkOwner, _ part: @escaping Job) -> LentThreads.TakeBack? {
        let taken: (ticket: Ticket, thread: Int?)? = state.withLock { state in
            guard !state.isStopping else { return nil }
            let ticket = state.queue.addHelper(Waiting(run: part, refuse: {}), of: owner)
            return (ticket, handOver(&state))
        }
        guard let taken else { return nil }
        if let thread = taken.thread { wakeups[thread].signal() }
        return { [self] in takeBack(taken.ticket) }
    }

    // MARK: Running

    private func work(_ index: Int) {
        var done: (work: FairQueue<Waiting>.Work, nanoseconds: UInt64, processorNanoseconds: UInt64)?
        while true {
            // In one piece: a thread that is done is asleep or has the next job for whoever looks.
            let decided = state.withLock { state in
                if let done {
                    state.queue.finish(
                        done.work, afterNanoseconds: done.nanoseconds, processorNanoseconds: done.processorNanoseconds)
                }
                return next(for: index, &state)
            }
            done = nil
            for thread in decided.woken { wakeups[thread].signal() }
            switch decided.step {
            case .run(let work):
                let started = (clock.monotonicNanoseconds(), SystemThread.processorNanoseconds())
                work.job.run()
                done = (
                    work, clock.monotonicNanoseconds() - started.0, SystemThread.processorNanoseconds() - started.1
                )
            case .sleep: wakeups[index].wait()
            case .end: return
            }
        }
    }

    private enum Step {
        case run(FairQueue<Waiting>.Work)
        case sleep
        case end
    }

    /// Work for this thread, and threads to be woken for work that is not for this one.
    private func next(for index: Int, _ state: inout State) -> (step: Step, woken: [Int]) {
        // It may wake up without having been given anything: then nobody must give it a job while it runs another one.
        state.idle.remove(index)
        if let work = state.handed.removeValue(forKey: index) { return (.run(work), []) }
        var woken: [Int] = []
        while let work = state.queue.take() {
            // In the end threads of the other kind may have gone already.
            if work.isProbablyLong == isForLong(index) || state.isStopping { return (.run(work), woken) }
            woken.append(hand(work, &state))
        }
        // A job that cannot begin yet waits for one that runs: whoever ends that one takes it.
        if state.isStopping { return (.end, woken) }
        state.idle.insert(index)
        return (.sleep, woken)
    }

    /// Gives the next job, if one may begin, to a thread that sleeps. Returns the thread, which is to be woken.
    private func handOver(_ state: inout State) -> Int? { state.queue.take().map { hand($0, &state) } }

    private func hand(_ work: FairQueue<Waiting>.Work, _ state: inout State) -> Int {
        guard let thread = state.idle.first(where: { isForLong($0) == work.isProbablyLong }) else {
            preconditionFailure("of each kind there are as many threads as jobs run at once")
        }
        state.idle.remove(thread)
        state.handed[thread] = work
        return thread
    }
}

extension QueryPool {
    /// Lets a query that is worth it run on all threads of the pool.
    func executor(for organization: LogID) -> LentThreads {
        LentThreads(width: width) { [self] part in lend(to: .questions(of: organization), part) }
    }
}
