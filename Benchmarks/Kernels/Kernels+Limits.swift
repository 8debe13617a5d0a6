import Benchmark
import DaybookControl
import DaybookFormat
import DaybookStore
import Synchronization

/// What every request pays before it is served. A thousand in one iteration: one takes less time than telling it.
func registerLimits() {
    let generous = RateLimitPolicy(.own, ownRequestsPerMinute: RateLimitPolicy.requestsPerMinuteMax)
    kernel(
        "limits-1000-admissions", prepare: { LimitSample(generous, organizationCount: 1) },
        run: { $0.run(stepNanoseconds: 60_000) })
    kernel(
        "limits-1000-admissions-of-1000-organizations", prepare: { LimitSample(generous, organizationCount: 1_000) },
        run: { $0.run(stepNanoseconds: 60_000) })
    kernel(
        "limits-1000-admissions-a-minute-apart", prepare: { LimitSample(generous, organizationCount: 1) },
        run: { $0.run(stepNanoseconds: 61_000_000_000) })
    kernel(
        "limits-1000-refusals",
        prepare: { LimitSample(RateLimitPolicy(.own, ownRequestsPerMinute: 1), organizationCount: 1) },
        run: { $0.run(stepNanoseconds: 1_000) })
    kernel("limits-1000-new-addresses", prepare: { AddressSample() }, run: { $0.run() })
}

/// Requests of some organizations in turn. Time goes on from one iteration to the next.
private final class LimitSample: Sendable {
    private let limiter = RateLimiter()
    private let policy: RateLimitPolicy
    private let organizationCount: UInt64
    private let now = Atomic<UInt64>(1_000_000_000_000)

    init(_ policy: RateLimitPolicy, organizationCount: UInt64) {
        self.policy = policy
        self.organizationCount = organizationCount
        for organization in 0..<organizationCount {
            _ = limiter.admit(.single, of: LogID(16 + organization), policy, at: now.load(ordering: .relaxed))
        }
    }

    func run(stepNanoseconds: UInt64) {
        for number in 0..<1_000 as Range<UInt64> {
            let moment = now.wrappingAdd(stepNanoseconds, ordering: .relaxed).newValue
            let organization = LogID(16 + number % organizationCount)
            blackHole(limiter.admit(.single, of: organization, policy, at: moment))
        }
    }
}

/// A thousand addresses that were not there before, one request each.
private final class AddressSample: Sendable {
    private let limiter = AddressLimiter(RateLimit(requestsPerMinute: 100))
    private let addresses = (0..<1_000).compactMap { ClientAddress("10.0.\($0 / 256).\($0 % 256)") }
    private let now = Atomic<UInt64>(1_000_000_000_000)

    func run() {
        for address in addresses {
            let moment = now.wrappingAdd(1_000, ordering: .relaxed).newValue
            blackHole(limiter.admit(address, at: moment))
        }
    }
}
