internal import DaybookControl
internal import DaybookFormat
internal import DaybookStore
internal import DaybookSystem
import Synchronization

/// What every connection and route shares.
final class ServerEnvironment: Sendable {
    let store: Store
    let registry: KeyRegistry
    let clock: any Clock
    let entropy: any Entropy
    let options: ServerOptions
    let counters = ServerCounters()
    let startedAt: Timestamp

    private let budgetInUse = Atomic<Int>(0)
    private let connectionCount = Atomic<Int>(0)
    private let draining = Atomic<Bool>(false)

    init(store: Store, registry: KeyRegistry, clock: any Clock, entropy: any Entropy, options: ServerOptions) {
        self.store = store
        self.registry = registry
        self.clock = clock
        self.entropy = entropy
        self.options = options
        startedAt = Timestamp(microseconds: clock.wallMicroseconds())
    }

    var now: Timestamp { Timestamp(microseconds: clock.wallMicroseconds()) }

    /// Set once, when the server was told to stop: every further answer closes its connection.
    var isDraining: Bool { draining.load(ordering: .relaxed) }
    func startDraining() { draining.store(true, ordering: .relaxed) }

    /// Takes bytes from the store-wide budget of bodies; false, and nothing taken, when it does not hold that many.
    func charge(_ byteCount: Int) -> Bool {
        let (_, total) = budgetInUse.wrappingAdd(byteCount, ordering: .relaxed)
        guard total > Limits.ingestBudgetByteCount else { return true }
        budgetInUse.wrappingSubtract(byteCount, ordering: .relaxed)
        return false
    }

    func refund(_ byteCount: Int) {
        let (_, rest) = budgetInUse.wrappingSubtract(byteCount, ordering: .relaxed)
        precondition(rest >= 0)
    }

    var chargedByteCount: Int { budgetInUse.load(ordering: .relaxed) }

    /// Counts a connection in; false when there are as many as allowed. Either way it must be counted out again.
    func connectionOpened() -> Bool {
        let (_, count) = connectionCount.wrappingAdd(1, ordering: .relaxed)
        return count <= options.connectionCountMax
    }

    func connectionClosed() { connectionCount.wrappingSubtract(1, ordering: .relaxed) }

    var openConnectionCount: Int { connectionCount.load(ordering: .relaxed) }
}

/// What the process has done since its start. Written from event loops without locks.
final class ServerCounters: Sendable {
    let requests = Atomic<UInt64>(0)
    let clientErrors = Atomic<UInt64>(0)
    let serverErrors = Atomic<UInt64>(0)
    let eventsAcknowledged = Atomic<UInt64>(0)
    let ingestRequests = Atomic<UInt64>(0)
    let ingestNanoseconds = Atomic<UInt64>(0)
    let queries = Atomic<UInt64>(0)

    func count(status: Int) {
        requests.wrappingAdd(1, ordering: .relaxed)
        if status >= 500 {
            serverErrors.wrappingAdd(1, ordering: .relaxed)
        } else if status >= 400 {
            clientErrors.wrappingAdd(1, ordering: .relaxed)
        }
    }
}
