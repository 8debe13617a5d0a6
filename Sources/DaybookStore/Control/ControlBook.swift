internal import DaybookFormat
internal import Synchronization

/// The durable acts of the control log and what they amount to, for all threads.
final class ControlBook: Sendable {
    private struct Content {
        var state: ControlState
        var acts: [ControlEvent]
        var index: AuditIndex
    }

    private let content: Mutex<Content>
    /// Held while acts are taken in and passed on: what others adopt is never older than what they have.
    private let taking = Mutex<Void>(())
    private let shared: SharedState
    /// Of the control log.
    let places: RecordPlaces

    init(_ history: ControlHistory, _ shared: SharedState) {
        let state = history.state
        content = Mutex(Content(state: state, acts: state.redacting(history.acts), index: history.index))
        places = history.places
        self.shared = shared
        shared.begin(with: state)
    }

    var state: ControlState { content.withLock { $0.state } }
    /// Oldest first, without the names of users who are to be forgotten, and without the audit trail: it is read where
    /// it stands.
    var acts: [ControlEvent] { content.withLock { $0.acts } }

    /// Of what has been taken in so far.
    func trail(of organization: OrganizationID?) -> AuditIndex.Trail {
        content.withLock { $0.index.trail(of: organization) }
    }

    /// Takes in acts that have become durable. Precondition: they follow what is there.
    /// - Parameter firstSequence: of the first act, in the control log.
    func take(_ acts: [ControlEvent], from firstSequence: UInt64) {
        taking.withLock { _ in
            let state = content.withLock { content in
                for act in acts {
                    do {
                        try content.state.apply(act)
                    } catch {
                        preconditionFailure("a durable act contradicts those before it: \(error)")
                    }
                }
                content.acts += acts.filter { !$0.isTrail }
                content.index.note(acts, from: firstSequence)
                if acts.contains(where: \.takesNamesOut) { content.acts = content.state.redacting(content.acts) }
                return content.state
            }
            shared.adopt(state)
        }
    }
}

extension ControlEvent {
    fileprivate var takesNamesOut: Bool {
        switch self {
        case .erasureBegun, .organizationDeleted: true
        default: false
        }
    }
}
