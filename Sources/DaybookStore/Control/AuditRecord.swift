package import DaybookFormat

/// One entry of the audit trail: an administrative act, or a denied access by somebody who is known. It names keys,
/// tokens and organizations, never a user: an erasure has nothing to take out of the trail.
package struct AuditRecord: Sendable, Equatable {
    package enum Actor: Sendable, Equatable {
        /// Whoever may open the data directory: a verb without a server, or through the admin socket.
        case local
        /// An API key, by its id.
        case key(String)
        /// An access token or a grant, by its id, which ends with that of its key.
        case token(String)

        /// `local`, or the id of the key or token.
        package var text: String {
            switch self {
            case .local: "local"
            case .key(let id), .token(let id): id
            }
        }
    }

    /// The raw values are on disk: never renumber.
    package enum Outcome: UInt8, Sendable, CaseIterable {
        case done = 0
        /// The credential is known, and revoked or expired.
        case unauthorized = 1
        case forbidden = 2
        /// An id that the organization of the credential does not have.
        case notFound = 3

        package var name: String {
            switch self {
            case .done: "done"
            case .unauthorized: "unauthorized"
            case .forbidden: "forbidden"
            case .notFound: "not_found"
            }
        }
    }

    package var at: Timestamp
    /// Whose trail it belongs to; nil for acts on the whole store.
    package var organization: OrganizationID?
    package var actor: Actor
    /// The verb of an act, such as `key.create`; of a denied access what was asked for.
    package var action: String
    /// The id of what was acted upon; empty where there is none.
    package var target: String
    /// Method and path of the request, `{}` for components that a client chooses; empty for verbs.
    package var route: String
    /// Empty for verbs, and where the client brought one that is no UUID: it may hold anything.
    package var requestID: String
    /// Of the client, without the port; empty for verbs.
    package var address: String
    package var outcome: Outcome
    /// How many denied accesses it stands for; 1 for an act.
    package var count: UInt64

    package init(
        at: Timestamp, organization: OrganizationID?, actor: Actor, action: String, target: String = "",
        route: String = "", requestID: String = "", address: String = "", outcome: Outcome = .done, count: UInt64 = 1
    ) {
        self.at = at
        self.organization = organization
        self.actor = actor
        self.action = action
        self.target = target
        self.route = route
        self.requestID = requestID
        self.address = address
        self.outcome = outcome
        self.count = count
    }
}
