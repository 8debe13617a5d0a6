package import DaybookEvent
package import DaybookFormat
internal import Synchronization

/// The teams in force, for those who take events in: they ask with every request, and hear of a change at the next one.
final class MemberTable: Sendable {
    private struct State {
        var revisions: [LogID: UInt64] = [:]
        var indexes: [LogID: TeamIndex] = [:]
    }

    private let state = Mutex(State())
    private let generationNumber = Atomic<UInt64>(0)

    /// Changes with every change of any team; 0 as long as nobody was ever in one.
    var generation: UInt64 { generationNumber.load(ordering: .acquiring) }

    /// Takes over what the control log says now. Complexity: O(organizations with members, and the users of those that
    /// are others than before).
    func adopt(_ control: ControlState) {
        state.withLock { state in
            var isChanged = false
            var revisions: [LogID: UInt64] = [:]
            for (organization, members) in control.members {
                guard let log = control.organizations[organization]?.log else { continue }
                revisions[log] = members.revision
                guard state.revisions[log] != members.revision else { continue }
                let index = members.teamIndex
                if index != nil || state.indexes[log] != nil { isChanged = true }
                state.indexes[log] = index
            }
            for log in state.revisions.keys where revisions[log] == nil {
                if state.indexes.removeValue(forKey: log) != nil { isChanged = true }
            }
            state.revisions = revisions
            if isChanged { generationNumber.wrappingAdd(1, ordering: .acquiringAndReleasing) }
        }
    }

    func index(of log: LogID) -> TeamIndex? { state.withLock { $0.indexes[log] } }
}

extension Store {
    /// The users and teams of an organization.
    package func members(of organization: OrganizationID) -> OrganizationMembers {
        control.state.members[organization] ?? OrganizationMembers()
    }

    /// Whose events belong to which team now; nil where nobody is in one. Whoever keeps it compares `teamGeneration`,
    /// read before it was asked for.
    package func teams(of log: LogID) -> TeamIndex? { shared.members.index(of: log) }

    /// Changes with every change of any team; 0 as long as nobody was ever in one. Complexity: O(1), no lock.
    package var teamGeneration: UInt64 { shared.members.generation }
}
