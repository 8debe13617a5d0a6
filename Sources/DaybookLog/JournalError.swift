package import DaybookFormat
package import DaybookSystem

/// Why a log or journal could not be read or written.
package enum LogError: Error, Sendable, Equatable, CustomStringConvertible {
    case disk(DiskError)
    case corrupt(Corruption)
    /// A sync or a write to the journal failed before: nothing is written any more until the next start.
    case poisoned

    package var description: String {
        switch self {
        case .disk(let error): error.description
        case .corrupt(let corruption): corruption.description
        case .poisoned: "the journal is closed after a failed sync"
        }
    }
}

/// Runs `body` and turns its disk error into a log error.
func onDisk<R>(_ body: () throws(DiskError) -> R) throws(LogError) -> R {
    do { return try body() } catch { throw .disk(error) }
}
