/// How much an organization may send and ask, as the control log keeps it.
package struct RateLimitPolicy: Sendable, Equatable {
    package enum Tier: UInt8, Sendable, CaseIterable {
        /// Requests have no bound.
        case unlimited = 0
        case free = 1
        case professional = 2
        case enterprise = 3
        /// Has a number of its own.
        case own = 4
    }

    package static let requestsPerMinuteMax: UInt32 = 10_000_000
    package static let concurrentBatchCountMax: UInt16 = 1_000
    /// Of an organization for which nothing was set.
    package static let standard = RateLimitPolicy(.unlimited)

    package var tier: Tier
    /// 1 to `requestsPerMinuteMax` with the tier `own`, else 0.
    package var ownRequestsPerMinute: UInt32
    /// Requests beyond the limit that are admitted now and then; at most the limit.
    package var burst: UInt32
    /// Whether those who do not wait when they are told to get less.
    package var isAdaptive: Bool
    /// Batches and imports at a time; 1 to `concurrentBatchCountMax`.
    package var concurrentBatchCount: UInt16

    package init(
        _ tier: Tier, ownRequestsPerMinute: UInt32 = 0, burst: UInt32 = 0, isAdaptive: Bool = true,
        concurrentBatchCount: UInt16 = 5
    ) {
        self.tier = tier
        self.ownRequestsPerMinute = ownRequestsPerMinute
        self.burst = burst
        self.isAdaptive = isAdaptive
        self.concurrentBatchCount = concurrentBatchCount
    }

    /// Single events, and as many questions, in any 60 seconds; nil is without a bound.
    package var requestsPerMinute: UInt32? {
        switch tier {
        case .unlimited: nil
        case .free: 100
        case .professional: 1_000
        case .enterprise: 5_000
        case .own: ownRequestsPerMinute
        }
    }

    /// Whether every number is within its bounds. No other policy is set, and none is read.
    package var isWellFormed: Bool {
        let isOwn = (1...Self.requestsPerMinuteMax).contains(ownRequestsPerMinute)
        return (tier == .own ? isOwn : ownRequestsPerMinute == 0) && burst <= requestsPerMinute ?? 0
            && (1...Self.concurrentBatchCountMax).contains(concurrentBatchCount)
    }
}
