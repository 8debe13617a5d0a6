internal import Glibc
internal import Synchronization

/// Owns one file descriptor: closed once, by `close()` or at the end of its life.
struct Descriptor: ~Copyable, Sendable {
    private let stored: Atomic<Int32>

    /// Takes ownership of an open descriptor.
    init(owning number: Int32) {
        precondition(number >= 0)
        stored = Atomic(number)
    }

    /// For one call only. Traps after `close()`, because the number may belong to another file by then.
    var number: Int32 {
        let number = stored.load(ordering: .relaxed)
        precondition(number >= 0, "use of a closed descriptor")
        return number
    }

    /// An error of `close(2)` is of no interest: what had to be durable was synchronized before.
    /// - Parameter last: done with the number before, by whoever closes it.
    borrowing func close(after last: (Int32) -> Void = { _ in }) {
        let number = stored.exchange(-1, ordering: .relaxed)
        guard number >= 0 else { return }
        last(number)
        _ = Glibc.close(number)
    }

    /// The number, for somebody who closes it.
    borrowing func release() -> Int32 {
        let number = stored.exchange(-1, ordering: .relaxed)
        precondition(number >= 0, "release of a closed descriptor")
        return number
    }

    deinit { close() }
}
