internal import Glibc

/// The one place where a system call is repeated after a signal and its error number becomes a `DiskError`.
enum SystemCall {
    /// Runs `call` until no signal interrupts it. A result of -1 is an error, as everywhere in the C library.
    @inline(__always)
    static func run<R: FixedWidthInteger & SignedInteger>(
        _ operation: StaticString, _ path: @autoclosure () -> String, _ call: () -> R
    ) throws(DiskError) -> R {
        while true {
            let result = call()
            if result != -1 { return result }
            let code = errno
            if code != EINTR { throw DiskError(code: code, operation: operation, path: path()) }
        }
    }
}

extension DiskError {
    /// Traps for the numbers that only a fault of ours can cause.
    init(code: Int32, operation: StaticString, path: String) {
        precondition(code != EBADF && code != EFAULT, "\(operation) \(path): errno \(code)")
        self.init(DiskError.kind(of: code), operation: "\(operation)", path: path, code: code)
    }

    static func kind(of code: Int32) -> Kind {
        switch code {
        case ENOENT: .notFound
        case EEXIST, ENOTEMPTY: .alreadyExists
        case ENOSPC, EDQUOT: .noSpace
        case EIO: .inputOutput
        case EACCES, EPERM, EROFS: .permission
        case EMFILE, ENFILE: .tooManyFiles
        case EAGAIN: .locked
        default: .other
        }
    }
}
