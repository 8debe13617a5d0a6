internal import CKernel
internal import Glibc

/// Proof that this process alone writes to a data directory. Held until `release()` or the end of the object's life,
/// and given back by the kernel however the process ends, so a lock is never stale.
///
/// The lock is on the open file description, not on the process: a second attempt by the same process is refused too.
package final class DirectoryLock: Sendable {
    /// Beside the data; holds the process id of the owner as decimal text, for people.
    package static let fileName = "daybook.lock"

    private let descriptor: Descriptor

    private init(descriptor: consuming Descriptor) { self.descriptor = descriptor }

    /// Throws kind `locked` while somebody holds it. The directory must exist.
    package static func acquire(directory: String) throws(DiskError) -> DirectoryLock {
        let path = directory + "/" + fileName
        let descriptor = try open(path, O_RDWR | O_CREAT)
        _ = try SystemCall.run("lock", path) { daybook_lock(descriptor.number) }
        let text = Array("\(getpid())\n".utf8)
        _ = try SystemCall.run("ftruncate", path) { ftruncate(descriptor.number, 0) }
        _ = try SystemCall.run("pwrite", path) { unsafe pwrite(descriptor.number, text, text.count, 0) }
        return DirectoryLock(descriptor: descriptor)
    }

    /// Whether a process holds the lock now. Asks without taking it, so it cannot keep a server from starting.
    package static func isHeld(directory: String) throws(DiskError) -> Bool {
        let path = directory + "/" + fileName
        do {
            let descriptor = try open(path, O_RDONLY)
            return try SystemCall.run("lock", path) { daybook_lock_is_held(descriptor.number) } == 1
        } catch  where error.kind == .notFound {
            return false
        }
    }

    /// The process that holds the lock, as far as it has said so; nil if nobody does.
    package static func holder(directory: String) throws(DiskError) -> Int32? {
        guard try isHeld(directory: directory) else { return nil }
        let text = try HostFile.read(directory + "/" + fileName, byteCountMax: 32)
        return Int32(String(decoding: text.prefix { $0 != UInt8(ascii: "\n") }, as: UTF8.self))
    }

    /// Gives the lock back, whoever has a copy of the descriptor: a child that is about to become another program has one
    /// for a moment, and with it the lock would outlive a mere close. Nothing happens the second time.
    package func release() {
        // No error is known for a lock that is held; whatever it were, closing is all that is left to do.
        descriptor.close { number in _ = daybook_unlock(number) }
    }

    deinit { release() }

    private static func open(_ path: String, _ flags: Int32) throws(DiskError) -> Descriptor {
        Descriptor(
            owning: try SystemCall.run("open", path) {
                unsafe daybook_open_at(AT_FDCWD, path, flags | O_CLOEXEC, 0o600)
            })
    }
}
