internal import CKernel
internal import Glibc
internal import Synchronization

/// A thread of our own, for work that blocks: the commit loop, sealing, scans, synchronization.
package final class SystemThread: Sendable {
    /// `@unchecked Sendable`: an opaque number; POSIX lets any thread join with it.
    private struct Handle: @unchecked Sendable {
        let thread: pthread_t
    }

    private final class Start {
        let name: String
        let niceness: Int32
        let slice: TimeSlice
        let body: @Sendable () -> Void

        init(name: String, niceness: Int32, slice: TimeSlice, body: @escaping @Sendable () -> Void) {
            self.name = name
            self.niceness = niceness
            self.slice = slice
            self.body = body
        }
    }

    /// Nil after `join()`.
    private let handle: Mutex<Handle?>

    private init(_ handle: Handle) { self.handle = Mutex(handle) }

    /// Runs `body` on a new thread. The system shows at most 15 bytes of `name`. `niceness` from 0 (normal) to 19
    /// (only when nobody else wants the processor); a value that the system refuses leaves it unchanged.
    /// Traps when the system has no thread left: this happens at the start, where nothing could go on without it.
    package static func start(
        name: String, niceness: Int = 0, slice: TimeSlice = .usual, body: @escaping @Sendable () -> Void
    ) -> SystemThread {
        let start = Start(name: name, niceness: Int32(niceness), slice: slice, body: body)
        var thread = pthread_t()
        let argument = unsafe Unmanaged.passRetained(start).toOpaque()
        let result = unsafe pthread_create(
            &thread, nil,
            { argument in
                let start = unsafe Unmanaged<Start>.fromOpaque(argument!).takeRetainedValue()
                unsafe daybook_thread_name(start.name)
                if start.niceness != 0 { _ = daybook_thread_niceness(start.niceness) }
                if start.slice != .usual { SystemThread.setTimeSlice(start.slice) }
                start.body()
                return nil
            }, argument)
        precondition(result == 0, "pthread_create: errno \(result)")
        return SystemThread(Handle(thread: thread))
    }

    /// What a thread that has been waiting asks of the scheduler.
    package enum TimeSlice: UInt64, Sendable {
        /// The kernel's own: for work that may wait a little so that it is disturbed less.
        case usual = 0
        /// The shortest there is: for threads that work in short pieces for which somebody waits.
        case short = 100_000
    }

    /// Of the calling thread. Where processors are scarce, one with a short slice that wakes up takes the processor from one
    /// with a longer slice, as long as it has had no more than its share; else it waits, up to several ticks of
    /// 4 ms. What both get in the long run stays the same. (Earliest eligible virtual deadline first: Stoica and
    /// Abdel-Wahab, 1995; in Linux since 6.6, slices since 6.12: older kernels do nothing.)
    ///
    /// Nothing depends on it but latency. False where the system refuses.
    @discardableResult
    package static func setTimeSlice(_ slice: TimeSlice) -> Bool { daybook_thread_slice(slice.rawValue) == 0 }

    /// How long the calling thread has had a processor.
    package static func processorNanoseconds() -> UInt64 {
        var time = timespec()
        let result = unsafe clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time)
        precondition(result == 0, "every thread has such a clock")
        return UInt64(time.tv_sec) * 1_000_000_000 + UInt64(time.tv_nsec)
    }

    /// Waits until the body has returned. A second call returns at once; the thread itself must not call it.
    package func join() {
        let taken = handle.withLock { handle -> Handle? in
            defer { handle = nil }
            return handle
        }
        guard let taken else { return }
        let result = pthread_join(taken.thread, nil)
        precondition(result == 0, "pthread_join: errno \(result)")
    }

    deinit {
        handle.withLock { handle in
            if let handle { _ = pthread_detach(handle.thread) }
        }
    }
}
