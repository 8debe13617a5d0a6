import Synchronization

/// The level of the log, read before each line by whoever writes one and changed while the server runs. Shared by all
/// threads.
package final class LogSwitch: Sendable {
    /// Kept, because the list itself would be made anew at each look, and requests look.
    private static let levels = LogLevel.allCases

    private let rank: Atomic<Int>

    package init(_ level: LogLevel) { rank = Atomic(level.rank) }

    package var level: LogLevel { Self.levels[rank.load(ordering: .relaxed)] }

    /// Sets the level and returns the one before.
    package func exchange(_ level: LogLevel) -> LogLevel {
        Self.levels[rank.exchange(level.rank, ordering: .relaxed)]
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
