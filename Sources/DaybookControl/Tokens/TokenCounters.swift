import Synchronization

/// What was done with tokens since the start of the process.
package final class TokenCounters: Sendable {
    package struct Snapshot: Sendable {
        package var issued: UInt64
        package var refreshed: UInt64
        package var usedTwice: UInt64
        package var signatures: UInt64
        package var passedOver: UInt64
    }

    private let issuedCount = Atomic<UInt64>(0)
    private let refreshedCount = Atomic<UInt64>(0)
    private let usedTwiceCount = Atomic<UInt64>(0)
    private let signatureCount = Atomic<UInt64>(0)
    private let passedOverCount = Atomic<UInt64>(0)

    func issued() { issuedCount.wrappingAdd(1, ordering: .relaxed) }
    func refreshed() { refreshedCount.wrappingAdd(1, ordering: .relaxed) }
    func usedTwice() { usedTwiceCount.wrappingAdd(1, ordering: .relaxed) }

    func signature(isComputed: Bool) {
        if isComputed {
            signatureCount.wrappingAdd(1, ordering: .relaxed)
        } else {
            passedOverCount.wrappingAdd(1, ordering: .relaxed)
        }
    }

    var snapshot: Snapshot {
        Snapshot(
            issued: issuedCount.load(ordering: .relaxed), refreshed: refreshedCount.load(ordering: .relaxed),
            usedTwice: usedTwiceCount.load(ordering: .relaxed), signatures: signatureCount.load(ordering: .relaxed),
            passedOver: passedOverCount.load(ordering: .relaxed))
    }
}

extension TokenAuthority {
    package var counts: TokenCounters.Snapshot { counters.snapshot }
}
