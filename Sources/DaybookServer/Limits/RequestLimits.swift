internal import DaybookControl
internal import DaybookFormat
internal import DaybookStore
internal import Logging
import Synchronization

/// What requests are counted against before they are served, for all connections.
final class RequestLimits: Sendable {
    struct Counts {
        var rateLimited: UInt64
        var addressLimited: UInt64
        var tooManyConcurrent: UInt64
        var limitedOrganizations: Int
        var knownAddresses: Int
    }

    private let organizations = RateLimiter()
    private let batches = BatchGate()
    private let wrongCredentials: AddressLimiter
    private let addresses: AddressLimiter?
    private let rateLimitedCount = Atomic<UInt64>(0)
    private let addressLimitedCount = Atomic<UInt64>(0)
    private let tooManyConcurrentCount = Atomic<UInt64>(0)

    init(_ options: AddressLimits) {
        wrongCredentials = AddressLimiter(RateLimit(requestsPerMinute: options.wrongCredentialsPerMinute))
        addresses = options.requestsPerMinute.map { AddressLimiter(RateLimit(requestsPerMinute: $0)) }
    }

    // MARK: Organizations

    /// Nil where the organization has no limit.
    func admit(
        _ kind: RequestKind, of organization: LogID, _ policy: RateLimitPolicy, at nanoseconds: UInt64
    ) -> RateDecision? {
        let decision = organizations.admit(kind, of: organization, policy, at: nanoseconds)
        if decision?.isAdmitted == false { rateLimitedCount.wrappingAdd(1, ordering: .relaxed) }
        return decision
    }

    /// Takes over what the last life of the process knew. A file that cannot be read costs that knowledge and nothing else.
    func restore(from store: Store, at nanoseconds: UInt64, _ now: Timestamp, _ logger: Logger) {
        do {
            guard let bytes = try store.readLimitsFile() else { return }
            let file = try bytes.withRawSpan { (span) throws(FormatError) in try LimitsFile(reading: span) }
            organizations.restore(file, at: nanoseconds, now)
        } catch {
            logger.warning("What was requested before the start is not known.", metadata: ["error": "\(error)"])
        }
    }

    /// Keeps what the next life of the process has to know.
    func remember(in store: Store, at nanoseconds: UInt64, _ now: Timestamp, _ logger: Logger) {
        do {
            try store.writeLimitsFile(organizations.remembered(at: nanoseconds, now).encoded())
        } catch {
            logger.warning("What was requested is not kept for the next start.", metadata: ["error": "\(error)"])
        }
    }

    /// Whoever got in must leave.
    func enterBatch(of organization: LogID, _ policy: RateLimitPolicy) -> Bool {
        let isIn = batches.enter(organization, countMax: Int(policy.concurrentBatchCount))
        if !isIn { tooManyConcurrentCount.wrappingAdd(1, ordering: .relaxed) }
        return isIn
    }

    func leaveBatch(of organization: LogID) { batches.leave(organization) }

    // MARK: Addresses

    /// Nil where addresses have no limit.
    func admit(_ address: ClientAddress, at nanoseconds: UInt64) -> RateDecision? {
        addresses?.admit(address, at: nanoseconds)
    }

    /// Counts a credential that is not known yet as wrong.
    func suspect(_ address: ClientAddress, at nanoseconds: UInt64) -> RateDecision {
        wrongCredentials.admit(address, at: nanoseconds)
    }

    /// It was right.
    func acquit(_ address: ClientAddress, from nanoseconds: UInt64) {
        wrongCredentials.takeBack(address, from: nanoseconds)
    }

    /// A request was answered so.
    func refusedAddress() { addressLimitedCount.wrappingAdd(1, ordering: .relaxed) }

    var counts: Counts {
        Counts(
            rateLimited: rateLimitedCount.load(ordering: .relaxed),
            addressLimited: addressLimitedCount.load(ordering: .relaxed),
            tooManyConcurrent: tooManyConcurrentCount.load(ordering: .relaxed),
            limitedOrganizations: organizations.organizationCount,
            knownAddresses: wrongCredentials.addressCount + (addresses?.addressCount ?? 0))
    }
}
