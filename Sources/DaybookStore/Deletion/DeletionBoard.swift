internal import DaybookFormat
internal import Synchronization

/// The organizations that were deleted, for all threads: nobody opens their logs any more, and what is left of them is to
/// be removed.
final class DeletionBoard: Sendable {
    private struct State {
        var deleted: Set<LogID> = []
        /// Of which something may be left, in the order of their logs.
        var active: [LogID] = []
        /// Why removals were put off.
        var errors: [LogID: String] = [:]
    }

    private let state = Mutex(State())
    private let deletedCount = Atomic<Int>(0)
    private let activeCount = Atomic<Int>(0)

    var hasWork: Bool { activeCount.load(ordering: .acquiring) > 0 }
    var active: [LogID] { hasWork ? state.withLock { $0.active } : [] }

    /// Complexity: O(1), and without a lock as long as nothing was ever deleted.
    func contains(_ log: LogID) -> Bool {
        guard deletedCount.load(ordering: .acquiring) > 0 else { return false }
        return state.withLock { $0.deleted.contains(log) }
    }

    /// Whether nothing is left of it.
    func isRemoved(_ log: LogID) -> Bool {
        guard deletedCount.load(ordering: .acquiring) > 0 else { return false }
        return state.withLock { $0.deleted.contains(log) && !$0.active.contains(log) }
    }

    func note(_ error: String, of log: LogID) { state.withLock { $0.errors[log] = error } }
    func lastError(of log: LogID) -> String? { state.withLock { $0.errors[log] } }

    /// Takes over what the control log says now.
    func adopt(_ control: ControlState) {
        let active = control.deletions.values.filter { $0.removedAt == nil }.map(\.log).sorted()
        state.withLock { state in
            state.deleted = Set(control.deletions.keys)
            state.active = active
            state.errors = state.errors.filter { active.contains($0.key) }
            deletedCount.store(state.deleted.count, ordering: .releasing)
            activeCount.store(active.count, ordering: .releasing)
        }
    }
}
