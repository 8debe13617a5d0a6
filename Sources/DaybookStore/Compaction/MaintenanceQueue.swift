internal import DaybookFormat
internal import Synchronization

/// Logs that the compactor should look at, each once.
final class MaintenanceQueue: Sendable {
    private struct State {
        var waiting: Set<LogID> = []
        /// Looked at by the patrol: what could not be read before is tried again.
        var patrolled: Set<LogID> = []
        var toRoll: Set<LogID> = []
        var last = LogID(0)
    }

    private let state = Mutex(State())

    func add(_ log: LogID) { state.withLock { _ = $0.waiting.insert(log) } }

    func addPatrolled(_ log: LogID) {
        state.withLock { state in
            state.waiting.insert(log)
            state.patrolled.insert(log)
        }
    }

    /// The next one behind the last one, in the order of their numbers: nobody is left out because of others, and the
    /// order does not depend on hashing.
    func take() -> (log: LogID, isPatrolled: Bool)? {
        state.withLock { state in
            guard let log = state.waiting.filter({ $0 > state.last }).min() ?? state.waiting.min() else { return nil }
            state.waiting.remove(log)
            state.last = log
            return (log, state.patrolled.remove(log) != nil)
        }
    }

    /// The log's last file is to be sealed although it is small. Only the checkpoint thread, which writes to that file,
    /// may say that it takes no more.
    func addToRoll(_ log: LogID) { state.withLock { _ = $0.toRoll.insert(log) } }

    func takeToRoll() -> [LogID] {
        state.withLock { state in
            defer { state.toRoll.removeAll() }
            return state.toRoll.sorted()
        }
    }

    var count: Int { state.withLock { $0.waiting.count } }
}
