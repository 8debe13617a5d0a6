internal import DaybookQuery
internal import DaybookSystem
import Synchronization

/// Threads of our own for what blocks: scans, administrative acts. Event loops and Swift's cooperative threads never
/// wait for a disk.
final class QueryPool: Sendable {
    typealias Job = @Sendable () -> Void

    /// What waits beyond this is refused: it would not be answered within its time anyway.
    private static let waitingCountMax = 256

    private struct State {
        var waiting: [Job] = []
        var next = 0
        var idle: [Int] = []
        var isStopping = false
    }

    private let state = Mutex(State())
    private let wakeups: [Wakeup]
    private let threads = Mutex<[SystemThread]>([])

    init(threadCount: Int) {
        wakeups = (0..<max(1, threadCount)).map { _ in Wakeup() }
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

    /// False when too much waits already, or the pool is stopping.
    func submit(_ job: @escaping Job) -> Bool {
        let taken: (isAccepted: Bool, idle: Int?) = state.withLock { state in
            guard !state.isStopping, state.waiting.count - state.next < Self.waitingCountMax else {
                return (false, nil)
            }
            state.waiting.append(job)
            return (true, state.idle.popLast())
        }
        if let idle = taken.idle { wakeups[idle].signal() }
        return taken.isAccepted
    }

    private func work(_ index: Int) {
        while true {
            enum Step {
                case run(Job)
                case sleep
                case end
            }
            let step: Step = state.withLock { state in
                if state.next < state.waiting.count {
                    let job = state.waiting[state.next]
                    state.next += 1
                    if state.next == state.waiting.count {
                        state.waiting.removeAll(keepingCapacity: true)
                        state.next = 0
                    }
                    return .run(job)
                }
                if state.isStopping { return .end }
                if !state.idle.contains(index) { state.idle.append(index) }
                return .sleep
            }
            switch step {
            case .run(let job): job()
            case .sleep: wakeups[index].wait()
            case .end: return
            }
        }
    }
}

extension QueryPool {
    /// Lets a query that is worth it run on all threads of the pool.
    var queryOptions: QueryOptions {
        var options = QueryOptions()
        options.executor = LentThreads(width: wakeups.count) { [self] job in submit(job) }
        return options
    }
}
