internal import DaybookFormat
internal import DaybookSegment
internal import Synchronization

/// An erasure that is to be carried out.
struct ErasureTask: Sendable {
    var record: ErasureRecord
    var log: LogID
    var hash: @Sendable ([UInt8]) -> [UInt8]
}

/// How far an erasure has come.
package struct ErasureStatus: Sendable, Equatable {
    package var record: ErasureRecord
    package var isDone: Bool
    /// What is being done, in a word.
    package var phase = "waiting"
    /// Files that somebody still reads, or that could not be removed yet.
    package var awaited: [String] = []
    /// Why it does not go on for now.
    package var lastError: String?
}

/// The erasures that are under way, for all threads: readers ask whom they must not see, the compactor leaves these logs
/// alone, operators ask how it goes.
final class ErasureBoard: Sendable {
    private struct State {
        /// To be carried out, in the order of their begin.
        var active: [ErasureTask] = []
        var done: [LogID: [ErasureTask]] = [:]
        /// Done according to the ledger, but the organization's manifest is a copy from before.
        var repeated: Set<UInt64> = []
        var users: [LogID: ErasedUsers] = [:]
        /// The ledger, in the order of the begins.
        var records: [UInt64: ErasureRecord] = [:]
        var tasks: [ErasureTask] = []
        /// Nothing is left to be erased in an organization that was deleted.
        var deletionCount = 0
        var notes: [UInt64: ErasureStatus] = [:]
    }

    private let state = Mutex(State())
    private let activeCount = Atomic<Int>(0)

    var hasWork: Bool { activeCount.load(ordering: .acquiring) > 0 }
    var active: [ErasureTask] { state.withLock { $0.active } }

    func isActive(_ log: LogID) -> Bool {
        hasWork && state.withLock { $0.active.contains { $0.log == log } }
    }

    /// Whom readers of a log must not see; nil for most.
    func users(of log: LogID) -> ErasedUsers? {
        guard hasWork else { return nil }
        return state.withLock { $0.users[log] }
    }

    /// Takes over what the ledger says now.
    func adopt(_ control: ControlState) {
        state.withLock { state in
            let deletionCount = control.deletions.count
            guard state.records != control.erasures || state.deletionCount != deletionCount else { return }
            state.records = control.erasures
            state.deletionCount = deletionCount
            state.tasks = control.erasures.values.sorted(by: Self.precedes).compactMap { record in
                guard let organization = control.organizations[record.organization],
                    let hash = control.userHash(of: record.organization)
                else { return nil }
                return ErasureTask(record: record, log: organization.log, hash: hash)
            }
            refresh(&state)
        }
    }

    /// Looks at the manifest of a log that was opened: one from before an erasure makes it begin anew.
    func look(at log: LogID, generation: UInt64) {
        state.withLock { state in
            let old = (state.done[log] ?? []).filter { generation < $0.record.done?.generation ?? 0 }
            guard !old.isEmpty else { return }
            state.repeated.formUnion(old.map(\.record.id))
            refresh(&state)
        }
    }

    /// An erasure was carried out, and the ledger is about to be told.
    func finish(_ id: UInt64) {
        state.withLock { state in
            state.repeated.remove(id)
            state.notes[id] = nil
            refresh(&state)
        }
    }

    private func refresh(_ state: inout State) {
        state.active = []
        state.done = [:]
        for task in state.tasks {
            if task.record.done == nil || state.repeated.contains(task.record.id) {
                state.active.append(task)
            } else {
                state.done[task.log, default: []].append(task)
            }
        }
        var users: [LogID: ErasedUsers] = [:]
        for (log, tasks) in Dictionary(grouping: state.active, by: \.log) {
            let erased = tasks.map { ErasedUsers.User(hash: $0.record.userHash, through: $0.record.through) }
            // What is known of names stays known.
            users[log] = state.users[log]?.users == erased ? state.users[log] : ErasedUsers(erased, hash: tasks[0].hash)
        }
        state.users = users
        activeCount.store(state.active.count, ordering: .releasing)
    }

    private static func precedes(_ left: ErasureRecord, _ right: ErasureRecord) -> Bool {
        (left.begunAt, left.id) < (right.begunAt, right.id)
    }

    // MARK: - Status

    func note(_ id: UInt64, _ body: (inout ErasureStatus) -> Void) {
        state.withLock { state in
            guard let task = state.active.first(where: { $0.record.id == id }) else { return }
            body(&state.notes[id, default: ErasureStatus(record: task.record, isDone: false)])
        }
    }

    /// Nil when the ledger does not have it.
    func status(of id: UInt64) -> ErasureStatus? {
        state.withLock { state in
            guard let record = state.records[id] else { return nil }
            let isDone = !state.active.contains { $0.record.id == id }
            return isDone
                ? ErasureStatus(record: record, isDone: true, phase: "done")
                : state.notes[id] ?? ErasureStatus(record: record, isDone: false)
        }
    }
}
