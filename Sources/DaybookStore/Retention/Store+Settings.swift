package import DaybookFormat
internal import DaybookSystem
internal import Synchronization

extension Store {
    /// The policy in force.
    package func retention(of organization: OrganizationID) throws -> RetentionPolicy {
        guard let record = self.organization(organization) else { throw StoreError.unknownOrganization }
        return shared.settings.retention(of: record.log)
    }

    /// Blocks until durable. Events that have expired by the new policy are invisible when this returns; with a legal
    /// hold, nothing more expires.
    package func setRetention(_ policy: RetentionPolicy, of organization: OrganizationID) throws {
        guard self.organization(organization) != nil else { throw StoreError.unknownOrganization }
        let now = Timestamp(microseconds: clock.wallMicroseconds())
        try appendControl([.retentionSet(organization, policy, at: now)])
    }

    /// The quota in force; 0 is without a bound.
    package func quotaByteCount(of organization: OrganizationID) throws -> UInt64 {
        guard let record = self.organization(organization) else { throw StoreError.unknownOrganization }
        return shared.settings.quotaByteCount(of: record.log)
    }

    /// Blocks until durable. 0 is without a bound.
    package func setQuota(_ byteCount: UInt64, of organization: OrganizationID) throws {
        guard self.organization(organization) != nil else { throw StoreError.unknownOrganization }
        let now = Timestamp(microseconds: clock.wallMicroseconds())
        try appendControl([.quotaSet(organization, byteCount: byteCount, at: now)])
    }

    /// What the operator of an organization allows it, and whether that was set for it.
    package func allowedRateLimits(of log: LogID) -> (policy: RateLimitPolicy, isSet: Bool) {
        shared.settings.allowedRateLimits(of: log)
    }

    /// What an organization has chosen for itself; nil where it has chosen nothing. Complexity: O(1).
    package func configuration(of log: LogID) -> OrganizationConfiguration? {
        shared.settings.configuration(of: log)
    }

    /// The limits in force. Complexity: O(1); asked with every request.
    package func rateLimits(of log: LogID) -> RateLimitPolicy { shared.settings.rateLimits(of: log) }

    /// What holds for requests that do not say. Complexity: O(1); asked with nearly every request that stores.
    package func durability(of log: LogID) -> Durability { shared.settings.durability(of: log) }

    /// Keeps how much was requested, for the next start. What is in it is its owner's business.
    /// - Throws: what the disk says; and nothing is written once a sync has failed.
    package func writeLimitsFile(_ bytes: [UInt8]) throws {
        guard !shared.isPoisoned else { return }
        try bytes.withRawSpan { (span) throws(DiskError) in try disk.replaceAtomically(Layout.limits, with: span) }
    }

    /// What was kept last; nil when nothing was.
    package func readLimitsFile() throws -> [UInt8]? {
        try disk.exists(Layout.limits) ? try disk.readAll(Layout.limits) : nil
    }

    /// Organizations that have used up their quota, of those that were looked at in this life of the process.
    package var fullOrganizationCount: Int { shared.space.fullLogCount(quota: shared.settings.quotaByteCount(of:)) }
}
