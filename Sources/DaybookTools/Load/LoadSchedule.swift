/// Decides when the next request goes out. A value without a clock: the caller says what time it is.
///
/// Closed loop: at once, whenever a connection is free. Open loop: at fixed times, whether the server keeps up or not;
/// a latency is then counted from the intended time, so that a stall is charged to every request that it delayed.
package struct LoadSchedule: Sendable, Equatable {
    package let startNanoseconds: UInt64
    /// Requests in all; nil when only time ends the run.
    private let requestCount: UInt64?
    private let durationNanoseconds: UInt64?
    /// Nanoseconds between requests in the open loop, in 1/1,024ths so that no rate drifts.
    private let intervalFraction: UInt64?
    package private(set) var taken: UInt64 = 0

    /// - Parameter requestsPerSecond: nil for the closed loop, else above 0 and at most 10 million.
    package init(
        startNanoseconds: UInt64, requestCount: UInt64?, durationNanoseconds: UInt64?, requestsPerSecond: Double?
    ) {
        precondition(requestCount != nil || durationNanoseconds != nil)
        self.startNanoseconds = startNanoseconds
        self.requestCount = requestCount
        self.durationNanoseconds = durationNanoseconds
        intervalFraction = requestsPerSecond.map { rate in
            precondition(rate > 0 && rate <= 1e7)
            return UInt64(1_024e9 / rate)
        }
    }

    /// The time that the next request was meant for, when it is due.
    package mutating func take(now: UInt64) -> UInt64? {
        guard let intended = nextIntended(now: now), intended <= now else { return nil }
        taken += 1
        return intended
    }

    /// Nanoseconds until a request is due: 0 when one is, nil when no more come.
    package func waitNanoseconds(now: UInt64) -> UInt64? {
        nextIntended(now: now).map { $0 > now ? $0 - now : 0 }
    }

    private func nextIntended(now: UInt64) -> UInt64? {
        if let requestCount, taken >= requestCount { return nil }
        let intended: UInt64
        if let intervalFraction {
            let (high, low) = taken.multipliedFullWidth(by: intervalFraction)
            intended = startNanoseconds + (high << 54 | low >> 10)
        } else {
            intended = now
        }
        if let durationNanoseconds, intended - startNanoseconds >= durationNanoseconds { return nil }
        return intended
    }
}
