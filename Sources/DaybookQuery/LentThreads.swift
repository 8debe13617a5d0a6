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
        private let count: Int
        private let body: @Sendable (Int) -> Void
        private let next = Atomic<Int>(0)
        private let finishedCount = Atomic<Int>(0)
        private let wakeup = Wakeup()

        /// A part that is nearly done is over sooner than a thread sleeps and wakes up: some microseconds of looking.
        private static let lookCount = 10_000

        init(_ count: Int, _ body: @escaping @Sendable (Int) -> Void) {
            self.count = count
            self.body = body
        }

        /// Runs parts until all have begun.
        func work() {
            while true {
                let part = next.add(1, ordering: .relaxed).oldValue
                guard part < count else { return }
                body(part)
                if finishedCount.add(1, ordering: .acquiringAndReleasing).newValue == count { wakeup.signal() }
            }
        }

        /// Precondition: `work` has returned.
        func wait() {
            for _ in 0..<Self.lookCount where isFinished { return }
            while !isFinished { wakeup.wait() }
        }

        private var isFinished: Bool { finishedCount.load(ordering: .acquiring) == count }
    }

    package func run(_ count: Int, _ body: @escaping @Sendable (Int) -> Void) {
        let parts = Parts(count, body)
        var helperCount = min(count, width) - 1
        while helperCount > 0, submit({ parts.work() }) { helperCount -= 1 }
        parts.work()
        parts.wait()
    }
}
