internal import Synchronization

/// Runs asynchronous work on the thread that asks for it, for libraries that offer nothing else. Swift's own threads are
/// not used: they are few, and waiting for one of them from another can stop all of them.
package enum CallersThread {
    private final class Jobs: TaskExecutor {
        private let waiting = Mutex<[UnownedJob]>([])

        func enqueue(_ job: consuming ExecutorJob) {
            let job = UnownedJob(job)
            waiting.withLock { $0.append(job) }
        }

        /// What runs here is enqueued here again whenever it goes on.
        func runAll() {
            while let job = waiting.withLock({ $0.isEmpty ? nil : $0.removeFirst() }) {
                unsafe job.runSynchronously(on: asUnownedTaskExecutor())
            }
        }
    }

    private final class Outcome<Value: Sendable>: Sendable {
        let result = Mutex<Result<Value, any Error>?>(nil)
    }

    /// Returns what `body` returns. Traps when `body` waits for anything but actors without an executor of their own:
    /// nobody would wake it.
    package static func run<Value: Sendable>(_ body: @escaping @Sendable () async throws -> Value) throws -> Value {
        let jobs = Jobs()
        let outcome = Outcome<Value>()
        Task(executorPreference: jobs) {
            let result: Result<Value, any Error>
            do {
                result = .success(try await body())
            } catch {
                result = .failure(error)
            }
            outcome.result.withLock { $0 = result }
        }
        jobs.runAll()
        guard let result = outcome.result.withLock({ $0 }) else {
            preconditionFailure("asynchronous work that waits for another thread")
        }
        return try result.get()
    }
}
