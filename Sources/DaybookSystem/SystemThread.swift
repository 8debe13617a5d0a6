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
        let body: @Sendable () -> Void

        init(name: String, niceness: Int32, body: @escaping @Sendable () -> Void) {
            self.name = name
            self.niceness = niceness
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
        name: String, niceness: Int = 0, body: @escaping @Sendable () -> Void
    ) -> SystemThread {
        let start = Start(name: name, niceness: Int32(niceness), body: body)
        var thread = pthread_t()
        let argument = unsafe Unmanaged.passRetained(start).toOpaque()
        let result = unsafe pthread_create(
            &thread, nil,
            { argument in
                let start = unsafe Unmanaged<Start>.fromOpaque(argument!).takeRetainedValue()
                unsafe daybook_thread_name(start.name)
                if start.niceness != 0 { _ = daybook_thread_niceness(start.niceness) }
                start.body()
                return nil
            }, argument)
        precondition(result == 0, "pthread_create: errno \(result)")
        return SystemThread(Handle(thread: thread))
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
