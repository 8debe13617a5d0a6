internal import DaybookControl
internal import DaybookFormat
internal import DaybookStore
package import DaybookSystem

/// What the accounts of rate limits take, measured as the kernel counts a process's memory.
package struct LimitMemory: Sendable {
    package let organizationCount: Int
    package let byteCount: UInt64

    /// Makes the accounts of so many organizations: a request of each kind, and a batch under way.
    /// Precondition: at least one organization, and nobody else in this process takes memory meanwhile.
    package init(organizationCount: Int) throws(DiskError) {
        precondition(organizationCount > 0)
        self.organizationCount = organizationCount
        let before = try ProcessStatistics.current().anonymousByteCount
        let limiter = RateLimiter()
        let gate = BatchGate()
        let policy = RateLimitPolicy(.professional)
        for number in 0..<UInt64(organizationCount) {
            let organization = LogID(Layout.firstOrganizationLog.rawValue + number)
            for kind in RequestKind.allCases {
                for moment in 0..<3 as Range<UInt64> {
                    let now = (1_000 + moment) * 1_000_000_000
                    precondition(limiter.admit(kind, of: organization, policy, at: now) != nil)
                }
            }
            precondition(gate.enter(organization, countMax: 5))
        }
        let after = try ProcessStatistics.current().anonymousByteCount
        byteCount = after > before ? after - before : 0
        withExtendedLifetime((limiter, gate)) {}
    }

    package var byteCountOfOne: UInt64 { byteCount / UInt64(organizationCount) }

    package func json() -> [UInt8] {
        var object = JSONObjectWriter(byteCapacity: 128)
        object.field("organizations", UInt64(organizationCount))
        object.field("anonymous_bytes", byteCount)
        object.field("bytes_per_organization", byteCountOfOne)
        return object.finish()
    }
}
