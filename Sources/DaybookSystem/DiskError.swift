/// What a disk can do to us. `kind` is what callers decide on; the rest is for the person who reads the message.
package struct DiskError: Error, Sendable, Equatable, CustomStringConvertible {
    package enum Kind: Sendable, Equatable {
        case notFound, alreadyExists, noSpace, inputOutput, permission, tooManyFiles, locked, endOfFile
        /// The simulated disk has lost power: every further call of this process's life fails so.
        case crashed
        case other
    }

    package var kind: Kind
    package var operation: String
    package var path: String
    /// The system's error number, 0 where there is none.
    package var code: Int32

    package init(_ kind: Kind, operation: String, path: String, code: Int32 = 0) {
        self.kind = kind
        self.operation = operation
        self.path = path
        self.code = code
    }

    package var description: String {
        let suffix = code == 0 ? "" : " (errno \(code))"
        return "\(operation) \(path.isEmpty ? "." : path): \(kind)\(suffix)"
    }
}

extension DiskError {
    /// A synchronization failed. Nothing may be assumed about what reached the disk, and no later call can find out.
    package var isFailedSynchronization: Bool {
        switch operation {
        case "fdatasync", "fsync", "syncfs", "synchronize", "synchronizeDirectory", "synchronizeAll": kind != .crashed
        default: false
        }
    }
}
