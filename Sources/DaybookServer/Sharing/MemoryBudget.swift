internal import DaybookFormat
import Synchronization

/// Memory for one purpose, of the whole server: bodies in flight, or questions. One organization cannot take all of it:
/// there is always some left for the others.
final class MemoryBudget: Sendable {
    private struct State {
        var byteCount = 0
        /// Without those that hold nothing.
        var ofOrganizations: [LogID: Int] = [:]
    }

    private let byteCountMax: Int
    let byteCountMaxOfOne: Int
    private let state = Mutex(State())

    /// - Parameter byteCountMaxOfOne: of one organization.
    init(
        byteCountMax: Int = Limits.ingestBudgetByteCount,
        byteCountMaxOfOne: Int = Limits.ingestBudgetByteCountOfOrganization
    ) {
        self.byteCountMax = byteCountMax
        self.byteCountMaxOfOne = byteCountMaxOfOne
    }

    /// False, and nothing taken, when there are not that many bytes left.
    func charge(_ byteCount: Int, of organization: LogID) -> Bool {
        guard byteCount > 0 else { return true }
        return state.withLock { state in
            let held = state.ofOrganizations[organization, default: 0]
            guard state.byteCount + byteCount <= byteCountMax, held + byteCount <= byteCountMaxOfOne else {
                return false
            }
            state.byteCount += byteCount
            state.ofOrganizations[organization] = held + byteCount
            return true
        }
    }

    /// Precondition: they were charged to this organization.
    func refund(_ byteCount: Int, of organization: LogID) {
        guard byteCount > 0 else { return }
        state.withLock { state in
            let rest = (state.ofOrganizations[organization] ?? 0) - byteCount
            precondition(rest >= 0)
            state.byteCount -= byteCount
            state.ofOrganizations[organization] = rest == 0 ? nil : rest
        }
    }

    var byteCount: Int { state.withLock { $0.byteCount } }
}

/// A part of the budget that is given back with the last reference to it.
final class BudgetShare: Sendable {
    private let budget: MemoryBudget
    private let byteCount: Int
    private let organization: LogID

    /// Nil when the budget does not hold that many bytes.
    init?(_ byteCount: Int, of organization: LogID, from budget: MemoryBudget) {
        guard budget.charge(byteCount, of: organization) else { return nil }
        self.budget = budget
        self.byteCount = byteCount
        self.organization = organization
    }

    deinit { budget.refund(byteCount, of: organization) }
}
