internal import Glibc
internal import Synchronization

/// Wakes one sleeping thread. Signals are not counted: any number of them before a `wait` make it return once, and
/// none is ever lost. Any thread may signal; one thread at a time may wait.
///
/// Without a waiter a signal costs one atomic exchange.
///
/// `@unchecked Sendable`: the mutex and the condition are made for sharing and stay at one address.
@safe package final class Wakeup: @unchecked Sendable {
    private enum State {
        static let idle: UInt32 = 0
        static let signalled: UInt32 = 1
        static let waiting: UInt32 = 2
    }

    private let state = Atomic<UInt32>(State.idle)
    private let mutex: UnsafeMutablePointer<pthread_mutex_t>
    private let condition: UnsafeMutablePointer<pthread_cond_t>

    package init() {
        unsafe mutex = .allocate(capacity: 1)
        unsafe condition = .allocate(capacity: 1)
        unsafe mutex.initialize(to: pthread_mutex_t())
        unsafe condition.initialize(to: pthread_cond_t())
        var attributes = pthread_condattr_t()
        unsafe succeed(pthread_condattr_init(&attributes))
        unsafe succeed(pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC))
        unsafe succeed(pthread_mutex_init(mutex, nil))
        unsafe succeed(pthread_cond_init(condition, &attributes))
        unsafe succeed(pthread_condattr_destroy(&attributes))
    }

    deinit {
        unsafe succeed(pthread_cond_destroy(condition))
        unsafe succeed(pthread_mutex_destroy(mutex))
        unsafe condition.deallocate()
        unsafe mutex.deallocate()
    }

    package func signal() {
        guard state.exchange(State.signalled, ordering: .acquiringAndReleasing) == State.waiting else { return }
        // The waiter holds the mutex from announcing itself to falling asleep: who had it afterwards knows that it sleeps.
        // Signalled while it is held, the waiter would wake up only to sleep again until it is let go.
        unsafe succeed(pthread_mutex_lock(mutex))
        unsafe succeed(pthread_mutex_unlock(mutex))
        unsafe succeed(pthread_cond_signal(condition))
    }

    /// Sleeps until there was a signal since the last return.
    package func wait() {
        _ = sleep(until: nil)
    }

    /// As `wait`, but for at most `microseconds`. False when the time ran out without a signal.
    @discardableResult
    package func wait(microseconds: UInt64) -> Bool {
        if takeSignal() { return true }
        var deadline = timespec()
        unsafe clock_gettime(CLOCK_MONOTONIC, &deadline)
        // A year is for ever here, and keeps the sum far from overflow.
        let duration = Int(min(microseconds, 365 * 86_400 * 1_000_000))
        deadline.tv_sec += duration / 1_000_000
        deadline.tv_nsec += duration % 1_000_000 * 1_000
        if deadline.tv_nsec >= 1_000_000_000 {
            deadline.tv_sec += 1
            deadline.tv_nsec -= 1_000_000_000
        }
        return sleep(until: deadline)
    }

    private func takeSignal() -> Bool {
        state.compareExchange(
            expected: State.signalled, desired: State.idle, ordering: .acquiringAndReleasing
        ).exchanged
    }

    private func sleep(until deadline: timespec?) -> Bool {
        if takeSignal() { return true }
        unsafe succeed(pthread_mutex_lock(mutex))
        defer { unsafe succeed(pthread_mutex_unlock(mutex)) }
        let announced = state.compareExchange(
            expected: State.idle, desired: State.waiting, ordering: .acquiringAndReleasing)
        precondition(announced.original != State.waiting, "two threads wait on one Wakeup")
        while state.load(ordering: .acquiring) == State.waiting {
            guard var deadline else {
                unsafe succeed(pthread_cond_wait(condition, mutex))
                continue
            }
            let result = unsafe pthread_cond_timedwait(condition, mutex, &deadline)
            if result == ETIMEDOUT { break }
            succeed(result)
        }
        return state.exchange(State.idle, ordering: .acquiringAndReleasing) == State.signalled
    }
}

/// These calls fail only when they are used wrongly.
private func succeed(_ result: Int32) {
    precondition(result == 0, "pthread: errno \(result)")
}
