import Synchronization

/// The level of the log, read before each line by whoever writes one and changed while the server runs. Shared by all
/// threads.
package final class LogSwitch: Sendable {
    private let rank: Atomic<Int>

    package init(_ level: LogLevel) { rank = Atomic(level.rank) }

    package var level: LogLevel { LogLevel.allCases[rank.load(ordering: .relaxed)] }

    /// Whether lines of this level are written.
    package func shows(_ level: LogLevel) -> Bool { level.rank >= rank.load(ordering: .relaxed) }

    /// Sets the level and returns the one before.
    package func exchange(_ level: LogLevel) -> LogLevel {
        LogLevel.allCases[rank.exchange(level.rank, ordering: .relaxed)]
    }
}

extension LogLevel {
    /// From 0, the most talkative level, on; the position in `allCases`.
    var rank: Int {
        switch self {
        case .trace: 0
        case .debug: 1
        case .info: 2
        case .notice: 3
        case .warning: 4
        case .error: 5
        case .critical: 6
        }
    }
}
