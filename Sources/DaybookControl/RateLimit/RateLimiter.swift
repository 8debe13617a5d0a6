package import DaybookFormat
package import DaybookStore
import Synchronization

/// What the limits of requests are told apart by.
package enum RequestKind: Int, Sendable, CaseIterable {
    case single
    /// Batches and imports: ten times the limit.
    case batch
    case query
}

extension RateLimitPolicy {
    /// Batches are admitted so many times as often as single events.
    package static let batchFactor: UInt32 = 10

    /// The limit of one kind of request; nil is without a bound.
    package func limit(of kind: RequestKind) -> RateLimit? {
        guard let requestsPerMinute else { return nil }
        let factor = kind == .batch ? Self.batchFactor : 1
        return RateLimit(
            requestsPerMinute: requestsPerMinute * factor, burst: burst * factor, isAdaptive: isAdaptive)
    }
}

/// The requests of every organization that has a limit, each kind of them on its own account.
///
/// Organizations without a limit take no memory here; the others less than 1 KiB each, until the process ends. A new
/// limit holds from the next request on, what was counted before goes on counting, and back-offs end.
package final class RateLimiter: Sendable {
    /// One organization's accounts.
    package struct Budgets: Sendable {
        private var budgets = InlineArray<3, RateBudget>(repeating: RateBudget())
        /// Nil until a request was counted under one.
        private var policy: RateLimitPolicy?

        package init() {}

        /// Nil where the policy sets no bound. Another policy than the last one pardons what was violated under that.
        package mutating func admit(
            _ kind: RequestKind, _ policy: RateLimitPolicy, at now: UInt64
        ) -> RateDecision? {
            guard let limit = policy.limit(of: kind) else { return nil }
            if policy != self.policy {
                if self.policy != nil { for index in budgets.indices { budgets[index].pardon() } }
                self.policy = policy
            }
            return budgets[kind.rawValue].admit(at: now, limit)
        }

        mutating func remembered(at now: UInt64, of organization: LogID) -> [RateAccount] {
            RequestKind.allCases.compactMap {
                budgets[$0.rawValue].remembered(at: now, as: $0, of: organization)
            }
        }

        mutating func restore(_ account: RateAccount, elapsedNanoseconds: UInt64, at now: UInt64) {
            budgets[account.kind.rawValue] = RateBudget(account, elapsedNanoseconds: elapsedNanoseconds, at: now)
        }
    }

    private final class Account: Sendable {
        let budgets = Mutex(Budgets())
    }

    /// Organizations share a lock only for finding their account.
    private final class Shard: Sendable {
        let accounts = Mutex<[LogID: Account]>([:])
    }

    private static let shardCount: UInt64 = 16
    /// A day; after some twenty minutes everything is forgiven.
    private static let memoryMicroseconds: Int64 = 86_400_000_000
    private let shards = (0..<shardCount).map { _ in Shard() }

    package init() {}

    /// Counts a request of an organization, or refuses it; nil where the policy sets no bound.
    /// - Parameter now: nanoseconds of the monotonic clock.
    package func admit(
        _ kind: RequestKind, of organization: LogID, _ policy: RateLimitPolicy, at now: UInt64
    ) -> RateDecision? {
        guard policy.requestsPerMinute != nil else { return nil }
        return account(of: organization).budgets.withLock { $0.admit(kind, policy, at: now) }
    }

    /// What the next life of the process has to know, in the order of logs and kinds.
    /// - Parameters:
    ///   - now: nanoseconds of the monotonic clock.
    ///   - wall: the same moment.
    package func remembered(at now: UInt64, _ wall: Timestamp) -> LimitsFile {
        let known = shards.flatMap { shard in shard.accounts.withLock { Array($0) } }
        let accounts = known.sorted { $0.key < $1.key }
            .flatMap { entry in entry.value.budgets.withLock { $0.remembered(at: now, of: entry.key) } }
        return LimitsFile(writtenAt: wall, accounts: accounts)
    }

    /// Takes over what the last life of the process knew. A wall clock that has gone back counts as standing still.
    /// Precondition: nothing was admitted yet.
    package func restore(_ file: LimitsFile, at now: UInt64, _ wall: Timestamp) {
        let (microseconds, isOverflow) = wall.microseconds.subtractingReportingOverflow(file.writtenAt.microseconds)
        // Longer ago than anything is remembered.
        let elapsed = isOverflow ? Self.memoryMicroseconds : min(max(0, microseconds), Self.memoryMicroseconds)
        for account in file.accounts {
            self.account(of: account.organization).budgets.withLock {
                $0.restore(account, elapsedNanoseconds: UInt64(elapsed) * 1_000, at: now)
            }
        }
    }

    /// Organizations that have met a limit of theirs since the start.
    package var organizationCount: Int { shards.reduce(0) { sum, shard in sum + shard.accounts.withLock(\.count) } }

    private func account(of organization: LogID) -> Account {
        shards[Int(organization.rawValue % Self.shardCount)].accounts.withLock { accounts in
            if let known = accounts[organization] { return known }
            let account = Account()
            accounts[organization] = account
            return account
        }
    }
}
