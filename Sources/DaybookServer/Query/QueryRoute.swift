internal import DaybookControl
internal import DaybookFormat

/// The routes that ask, served by the connection itself on the query threads. Both spellings of a path are the same.
enum QueryRoute: Equatable {
    case aggregated
    case list(Family)

    /// The route of a request target, or nil when the general router has to answer.
    init?(uri: String) {
        guard uri.hasPrefix("/api/") else { return nil }
        switch uri.prefix(while: { $0 != "?" }) {
        case "/api/v1/metrics/aggregated", "/api/metrics/aggregated": self = .aggregated
        case "/api/v1/metrics/commands", "/api/metrics/commands": self = .list(.commandExecution)
        case "/api/v1/metrics/agents", "/api/metrics/agents": self = .list(.agentInteraction)
        case "/api/v1/metrics/sessions", "/api/metrics/sessions": self = .list(.sessionChange)
        case "/api/v1/metrics/productivity", "/api/metrics/productivity": self = .list(.productivityMetric)
        default: return nil
        }
    }

    /// What it needs at least.
    var permission: Permission {
        switch self {
        case .aggregated: .readAggregates
        case .list: .readOwnEvents
        }
    }

    func isOpen(to credential: Credential) -> Bool {
        switch self {
        case .aggregated: credential.permits(.readAggregates)
        case .list: credential.permits(.readOwnEvents) || credential.permits(.readEvents)
        }
    }
}
