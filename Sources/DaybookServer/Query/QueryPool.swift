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
    private let limitMilliseconds: Int

    /// - Parameter limitMilliseconds: how long `run` waits for its work, the time in the queue included.
    init(threadCount: Int, limitMilliseconds: Int) {
        wakeups = (0..<max(1, threadCount)).map { _ in Wakeup() }
        self.limitMilliseconds = limitMilliseconds
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

    /// Runs `work` on a thread of the pool and returns what it makes of it, or throws `ErrorResponse.queryTimeout`
    /// when that takes too long. The work is told through `deadline` that nobody waits any more, and should then end.
    func run<Result: Sendable>(
        _ work: @escaping @Sendable (_ deadline: QueryDeadline) throws -> Result
    ) async throws -> Result {
        let deadline = QueryDeadline()
        let timer = Task {
            try await Task.sleep(nanoseconds: UInt64(limitMilliseconds) * 1_000_000)
            deadline.expire()
        }
        defer { timer.cancel() }
        return try await withCheckedThrowingContinuation { continuation in
            let answer = OnceContinuation(continuation)
            deadline.onExpiry { answer.resume(.failure(ErrorResponse.queryTimeout)) }
            let isAccepted = submit {
                guard !deadline.isExpired else { return }
                answer.resume(Swift.Result { try work(deadline) })
            }
            if !isAccepted { answer.resume(.failure(ErrorResponse.overloaded)) }
        }
    }
}

/// The time that a query may take, and what happens when it is over.
final class QueryDeadline: Sendable {
    /// What the scan looks at.
    let cancellation = Cancellation()
    private let action = Mutex<(@Sendable () -> Void)?>(nil)

    var isExpired: Bool { cancellation.isCancelled }

    func expire() {
        cancellation.cancel()
        let action = action.withLock { action in
            defer { action = nil }
            return action
        }
        action?()
    }

    func onExpiry(_ newAction: @escaping @Sendable () -> Void) {
        action.withLock { $0 = newAction }
        if isExpired { expire() }
    }
}

/// A continuation that the first of several may resume.
private final class OnceContinuation<Value: Sendable>: Sendable {
    private let continuation: Mutex<CheckedContinuation<Value, any Error>?>

    init(_ continuation: CheckedContinuation<Value, any Error>) { self.continuation = Mutex(continuation) }

    func resume(_ result: Result<Value, any Error>) {
        let taken = continuation.withLock { continuation in
            defer { continuation = nil }
            return continuation
        }
        taken?.resume(with: result)
    }
}
