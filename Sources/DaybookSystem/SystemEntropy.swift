internal import CKernel
internal import Glibc
internal import Synchronization

/// The kernel's random numbers, fetched 4 KiB at a time: a number costs an uncontended lock, not a system call.
package final class SystemEntropy: Entropy {
    private static let numbersPerRefill = 512

    private struct Pool {
        var numbers: [UInt64] = []
    }

    private let pool = Mutex(Pool())

    package init() {}

    package func next() -> UInt64 {
        pool.withLock { pool in
            if let number = pool.numbers.popLast() { return number }
            pool.numbers.append(addingCapacity: SystemEntropy.numbersPerRefill) { span in
                unsafe span.withUnsafeMutableBufferPointer { buffer, initializedCount in
                    unsafe fillFromKernel(UnsafeMutableRawBufferPointer(buffer))
                    initializedCount = buffer.count
                }
            }
            return pool.numbers.removeLast()
        }
    }

    package func bytes(_ count: Int) -> [UInt8] {
        unsafe [UInt8](unsafeUninitializedCapacity: count) { buffer, initializedCount in
            let target = unsafe UnsafeMutableRawBufferPointer(start: buffer.baseAddress, count: count)
            unsafe fillFromKernel(target)
            initializedCount = count
        }
    }
}

/// Traps when the kernel has no random numbers: nothing that needs one may go on without.
private func fillFromKernel(_ target: UnsafeMutableRawBufferPointer) {
    var done = 0
    while done < target.count {
        let count = unsafe daybook_random(target.baseAddress! + done, target.count - done)
        precondition(count > 0 || errno == EINTR, "getrandom: errno \(errno)")
        done += max(0, count)
    }
}
