internal import DaybookFormat

/// What an organization has chosen for itself, within what its operator allows. Nil is what holds without a choice.
package struct OrganizationConfiguration: Sendable, Equatable {
    /// Batches and imports at a time that an organization may choose when its operator has set no limits.
    package static let concurrentBatchCountMax: UInt16 = 100
    package static let processingTimeoutMilliseconds: ClosedRange<UInt32> = 100...600_000
    /// A hundred percent.
    package static let errorRateThresholdMillipercentMax: UInt32 = 100_000
    package static let slowResponseThresholdMillisecondsMax: UInt32 = 3_600_000
    package static let webhookURLByteCountMax = 2_048

    /// 1 to `RateLimitPolicy.requestsPerMinuteMax`.
    package var requestsPerMinute: UInt32?
    /// At most `requestsPerMinute`; 0 without one.
    package var burst: UInt32 = 0
    package var concurrentBatchCount: UInt16?
    /// 1 to `Limits.batchEventCountMax`.
    package var batchEventCountMax: UInt32?
    /// How long a question or a commit may take before it is given up, where the server's own limit is longer.
    package var processingTimeoutMilliseconds: UInt32?
    /// Thousandths of a percent.
    package var errorRateThresholdMillipercent: UInt32?
    package var slowResponseThresholdMilliseconds: UInt32?
    /// Where alerts go; empty: nowhere. May hold a secret of the receiver's.
    package var webhookURL = ""

    package init() {}

    /// Whether every number is within its bounds. No other configuration is set, and none is read.
    package var isWellFormed: Bool {
        func isWithin<Number: BinaryInteger>(_ number: Number?, _ range: ClosedRange<Number>) -> Bool {
            number.map(range.contains) ?? true
        }
        return isWithin(requestsPerMinute, 1...RateLimitPolicy.requestsPerMinuteMax)
            && burst <= requestsPerMinute ?? 0
            && isWithin(concurrentBatchCount, 1...RateLimitPolicy.concurrentBatchCountMax)
            && isWithin(batchEventCountMax, 1...UInt32(Limits.batchEventCountMax))
            && isWithin(processingTimeoutMilliseconds, Self.processingTimeoutMilliseconds)
            && isWithin(errorRateThresholdMillipercent, 0...Self.errorRateThresholdMillipercentMax)
            && isWithin(slowResponseThresholdMilliseconds, 1...Self.slowResponseThresholdMillisecondsMax)
            && webhookURL.utf8.count <= Self.webhookURLByteCountMax
    }

    /// Without what may be a secret.
    var blanked: OrganizationConfiguration {
        var configuration = self
        configuration.webhookURL = BlankText.of(webhookURL)
        return configuration
    }
}

extension RateLimitPolicy {
    /// How much an organization may choose for itself.
    /// - Parameter isSet: whether its operator has said so, or nobody has said anything.
    package func ceiling(isSet: Bool) -> RateLimitPolicy {
        var ceiling = self
        if !isSet {
            ceiling.concurrentBatchCount = max(
                concurrentBatchCount, OrganizationConfiguration.concurrentBatchCountMax)
        }
        return ceiling
    }

    /// What holds when an organization has made a choice: never more than the policy, which is its operator's.
    package func narrowed(
        to configuration: OrganizationConfiguration, isSet: Bool
    ) -> RateLimitPolicy {
        var policy = self
        let most = requestsPerMinute
        if let own = configuration.requestsPerMinute {
            let number = min(own, most ?? own)
            // What is taken of the limit may be had as a burst.
            let room = most.map { $0 - number + burst } ?? number
            policy = RateLimitPolicy(
                .own, ownRequestsPerMinute: number, burst: min(configuration.burst, number, room),
                isAdaptive: isAdaptive, concurrentBatchCount: concurrentBatchCount)
        }
        if let own = configuration.concurrentBatchCount {
            policy.concurrentBatchCount = min(own, ceiling(isSet: isSet).concurrentBatchCount)
        }
        return policy
    }
}
