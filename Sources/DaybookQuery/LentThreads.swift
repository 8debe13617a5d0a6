internal import DaybookSystem
internal import Synchronization

/// Runs the parts of a query on threads that also do other work. The caller's thread takes parts as well and waits only
/// for those that have begun elsewhere, so queries never wait for each other's threads.
package struct LentThreads: QueryExecutor {
    package typealias Job = @Sendable () -> Void

    package let width: Int
    private let submit: @Sendable (_ job: @escaping Job) -> Bool

    /// - Parameter submit: runs a job on another thread, soon or later; false when it will not.
    package init(width: Int, submit: @escaping @Sendable (_ job: @escaping Job) -> Bool) {
        self.width = width
        self.submit = submit
    }

    private final class Parts: Sendable {
        private struct State {
            var next = 0
            var finishedCount = 0
        }

        private let count: Int
        private let body: @Sendable (Int) -> Void
        private let state = Mutex(State())
        private let wakeup = Wakeup()

        init(_ count: Int, _ body: @escaping @Sendable (Int) -> Void) {
            self.count = count
            self.body = body
        }

        /// Runs parts until all have begun.
        func work() {
            while true {
                let part = state.withLock { state -> Int? in
                    guard state.next < count else { return nil }
                    defer { state.next += 1 }
                    return state.next
                }
                guard let part else { return }
                body(part)
                let isLast = state.withLock { state in
                    state.finishedCount += 1
                    return state.finishedCount == count
                }
                if isLast { wakeup.signal() }
            }
        }

        /// Precondition: `work` has returned.
        func wait() {
            while state.withLock({ $0.finishedCount < count }) { wakeup.wait() }
        }
    }

    package func run(_ count: Int, _ body: @escaping @Sendable (Int) -> Void) {
        let parts = Parts(count, body)
        var helperCount = min(count, width) - 1
        while helperCount > 0, submit({ parts.work() }) { helperCount -= 1 }
        parts.work()
        parts.wait()
    }
}
