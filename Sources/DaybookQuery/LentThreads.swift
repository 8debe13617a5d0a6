internal import DaybookSystem
internal import Synchronization

/// Runs the parts of a query on threads that also do other work. The caller's thread takes parts as well and waits only
/// for those that have begun elsewhere, so queries never wait for each other's threads.
package struct LentThreads: QueryExecutor {
    package typealias Job = @Sendable () -> Void

    /// Makes sure that a job does not begin any more, and lets go of it, unless it has begun.
    package typealias TakeBack = @Sendable () -> Void

    package let width: Int
    private let lend: @Sendable (_ job: @escaping Job) -> TakeBack?

    /// - Parameter lend: runs a job on another thread, soon, later or never; nil when it will not.
    package init(width: Int, lend: @escaping @Sendable (_ job: @escaping Job) -> TakeBack?) {
        self.width = width
        self.lend = lend
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
        var helpers: [TakeBack] = []
        while helpers.count < min(count, width) - 1, let helper = lend({ parts.work() }) { helpers.append(helper) }
        parts.work()
        // A helper that has not begun finds nothing to do, and would keep what the parts hold for as long as it waits.
        for takeBack in helpers { takeBack() }
        parts.wait()
    }
}
