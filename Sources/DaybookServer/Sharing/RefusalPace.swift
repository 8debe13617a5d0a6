internal import DaybookFormat

/// Keeps refusals from being what a flood does with an event loop: of an organization beyond its limits so many a second
/// are answered, and the others wait for their answers. A client that asks again at once, which no limit slows down, is so
/// slowed down. A value without clock and loop: the caller says what time it is.
struct RefusalPace {
    /// Between two refusals of an organization on one loop. A refusal keeps the loop for some 20 µs, so this is a twentieth.
    static let intervalNanoseconds: UInt64 = 400_000
    /// No answer waits longer, however many do.
    static let delayNanosecondsMax: UInt64 = 1_000_000_000
    /// From so many organizations on, those that have been quiet are looked for and left out.
    private static let sweepCount = 64

    /// When the next refusal of an organization may be answered. Once that is over it says nothing.
    private var free: [LogID: UInt64] = [:]

    /// For how long the refusal is to wait. Constant time, but for a sweep once in a while.
    /// - Parameter now: nanoseconds of the monotonic clock.
    mutating func delayNanoseconds(of organization: LogID, at now: UInt64) -> UInt64 {
        if free.count >= Self.sweepCount, free[organization] == nil { free = free.filter { $0.value > now } }
        let moment = min(max(free[organization] ?? 0, now), now + Self.delayNanosecondsMax)
        free[organization] = moment + Self.intervalNanoseconds
        return moment - now
    }

    var organizationCount: Int { free.count }
}
