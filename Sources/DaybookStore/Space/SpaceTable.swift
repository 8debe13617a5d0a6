internal import DaybookFormat
internal import Synchronization

/// How much room there is, for health and metrics.
package struct SpaceStatus: Sendable, Equatable {
    /// What the disk says is free; nil when it does not say.
    package var freeByteCount: UInt64?
    /// Ingest is refused while less is free.
    package var reserveByteCount: UInt64 = 0
    package var isLow = false
    /// Bytes that count against quotas, of those organizations that were looked at in this life of the process; with a
    /// quota of the store these are all. What counts: `OrganizationStore.usedByteCount`.
    package var usedByteCount: UInt64 = 0
    /// What all organizations together may take; 0 is without a bound.
    package var quotaByteCount: UInt64 = 0
}

/// What the store's threads know about room.
final class SpaceTable: Sendable {
    private struct State {
        var status = SpaceStatus()
        var used: [LogID: UInt64] = [:]
    }

    private let state = Mutex(State())
    private let low = Atomic<Bool>(false)
    private let quotaByteCount: UInt64

    /// - Parameter quotaByteCount: what all organizations together may take; 0 is without a bound.
    init(quotaByteCount: UInt64) {
        self.quotaByteCount = quotaByteCount
        state.withLock { $0.status.quotaByteCount = quotaByteCount }
    }

    /// The disk is nearly full: nothing is taken in.
    var isLow: Bool { low.load(ordering: .relaxed) }

    var status: SpaceStatus { state.withLock { $0.status } }

    func update(free: UInt64?, reserve: UInt64, isLow: Bool) {
        low.store(isLow, ordering: .relaxed)
        state.withLock { state in
            state.status.freeByteCount = free
            state.status.reserveByteCount = reserve
            state.status.isLow = isLow
        }
    }

    /// What a log takes now. The control log counts nowhere.
    func set(_ byteCount: UInt64, of log: LogID) {
        guard log != .control else { return }
        state.withLock { state in
            state.status.usedByteCount -= state.used[log] ?? 0
            state.status.usedByteCount += byteCount
            state.used[log] = byteCount
        }
    }

    /// So much was added to a log since.
    func add(_ byteCount: Int, to log: LogID) {
        guard log != .control else { return }
        state.withLock { state in
            state.used[log, default: 0] += UInt64(byteCount)
            state.status.usedByteCount += UInt64(byteCount)
        }
    }

    /// Logs that take all that they may, or more. A quota of 0 is without a bound.
    func fullLogCount(quota: (LogID) -> UInt64) -> Int {
        let used = state.withLock { $0.used }
        return used.count { log, byteCount in
            let limit = quota(log)
            return limit > 0 && byteCount >= limit
        }
    }

    /// Whether so much more is more than the store may take.
    func isBeyondQuota(byteCount: Int) -> Bool {
        guard quotaByteCount > 0 else { return false }
        return status.usedByteCount + UInt64(byteCount) > quotaByteCount
    }
}
