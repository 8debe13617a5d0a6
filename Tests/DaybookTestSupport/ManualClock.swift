import DaybookSystem
import Synchronization

/// A clock that stands still until a test moves it.
package final class ManualClock: Clock {
    private struct Hands {
        var wallMicroseconds: Int64
        var monotonicNanoseconds: UInt64
    }

    private let hands: Mutex<Hands>

    /// By default it is 2026-01-01 00:00:00 UTC.
    package init(wallMicroseconds: Int64 = 1_767_225_600_000_000) {
        hands = Mutex(Hands(wallMicroseconds: wallMicroseconds, monotonicNanoseconds: 1_000_000_000))
    }

    /// Stands still as well, but at the present time: for what has to agree with real clocks, such as certificates.
    package static func atPresent() -> ManualClock {
        ManualClock(wallMicroseconds: SystemClock().wallMicroseconds())
    }

    package func wallMicroseconds() -> Int64 { hands.withLock { $0.wallMicroseconds } }

    package func monotonicNanoseconds() -> UInt64 { hands.withLock { $0.monotonicNanoseconds } }

    /// Both hands go forward together.
    package func advance(microseconds: UInt64) {
        hands.withLock { hands in
            hands.wallMicroseconds += Int64(microseconds)
            hands.monotonicNanoseconds += microseconds * 1_000
        }
    }

    package func advance(seconds: UInt64) { advance(microseconds: seconds * 1_000_000) }

    /// Somebody sets the wall clock, forwards or back; the monotonic hand does not move.
    package func setWall(microseconds: Int64) {
        hands.withLock { $0.wallMicroseconds = microseconds }
    }
}
