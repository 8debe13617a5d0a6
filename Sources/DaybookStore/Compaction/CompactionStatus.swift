internal import Synchronization

/// How compaction and retention are doing: for health, metrics and the report of a running server.
package struct CompactionStatus: Sendable, Equatable {
    package var isRunning = false
    /// Bytes of segments that are to be merged, as far as the organizations were looked at in this life of the process.
    package var debtByteCount: UInt64 = 0
    /// How long the oldest of that work has been waiting.
    package var oldestWorkMicroseconds: Int64 = 0
    /// Organizations that wait to be looked at.
    package var waitingLogCount = 0
    /// Read and written in the last minute or so, per second.
    package var bytesPerSecond: UInt64 = 0
    /// Merges and rewrites that were published.
    package var runCount: UInt64 = 0
    package var failureCount: UInt64 = 0
    /// Read and written.
    package var movedByteCount: UInt64 = 0
    /// Segments that were taken out of use because of damage.
    package var setAsideCount: UInt64 = 0
    package var expiredEventCount: UInt64 = 0
    /// Events that were in damaged pages or segments.
    package var lostEventCount: UInt64 = 0

    package init() {}
}

/// Where the compacting thread says how it is doing.
final class CompactionBoard: Sendable {
    private let status = Mutex(CompactionStatus())

    var current: CompactionStatus { status.withLock { $0 } }

    func update(_ body: (inout CompactionStatus) -> Void) { status.withLock { body(&$0) } }
}
