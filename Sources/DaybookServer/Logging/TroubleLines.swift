import Synchronization

/// How many lines tell of requests that took long or failed: so many at once, then one a second. When everything fails a
/// busy server would else fill the disk with its log. What is left out is counted in the next line. Shared by all event
/// loops.
final class TroubleLines: Sendable {
    static let countMax = 20
    private static let refillNanoseconds: UInt64 = 1_000_000_000

    private struct State {
        var leftCount = countMax
        var refilledNanoseconds: UInt64 = 0
        var omittedCount = 0
    }

    private let state = Mutex(State())

    /// How many lines were left out before this one; nil when this one is to be left out, too.
    /// - Parameter now: of the monotonic clock.
    func admit(at now: UInt64) -> Int? {
        state.withLock { state in
            if now > state.refilledNanoseconds {
                let refills = (now - state.refilledNanoseconds) / Self.refillNanoseconds
                state.leftCount = min(Self.countMax, state.leftCount + Int(min(refills, UInt64(Self.countMax))))
                state.refilledNanoseconds += refills * Self.refillNanoseconds
            }
            guard state.leftCount > 0 else {
                state.omittedCount += 1
                return nil
            }
            state.leftCount -= 1
            defer { state.omittedCount = 0 }
            return state.omittedCount
        }
    }
}
