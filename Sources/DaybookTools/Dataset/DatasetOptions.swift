package import DaybookFormat

/// What the events of the query benchmark depend on, all of it: equal options give equal bytes.
package struct DatasetOptions: Sendable, Equatable {
    package var seed: UInt64 = 1
    /// As the store counts them: a whole session is two, its start and its end.
    package var eventCount = 1_000_000
    package var organizationCount = 10
    /// The span in which the events arrive. Late ones have an earlier timestamp.
    package var start: Timestamp
    package var end: Timestamp
    /// Of 100 commands, agent interactions and metrics, so many bring a random id (UUID version 4). The others get theirs
    /// from the server, which makes them from the time of arrival and so compresses them better.
    package var clientIDPercent = 100

    package init(start: Timestamp, end: Timestamp) {
        self.start = start
        self.end = end
    }

    /// Of 1,000 events, those of each organization. With six tenths of them commands, the largest of ten organizations
    /// has 150,000 commands in a million events.
    static func organizationWeights(_ count: Int) -> [Int] {
        let tenths = [250, 180, 140, 110, 90, 75, 60, 45, 30, 20]
        return count <= tenths.count ? Array(tenths.prefix(count)) : (1...count).map { max(1, 100_000 / $0) }
    }
}

/// One event that was drawn and not yet written: who, when and what kind.
package struct DatasetEvent: Sendable, Equatable {
    package enum Kind: Int, Sendable, CaseIterable {
        case commandExecution, agentInteraction, productivityMetric
        /// A finished session in one piece.
        case userSession

        /// The member of a batch that holds events of this kind.
        var batchKey: String {
            switch self {
            case .commandExecution: "command_executions"
            case .agentInteraction: "agent_interactions"
            case .productivityMetric: "productivity_metrics"
            case .userSession: "user_sessions"
            }
        }
    }

    package var kind: Kind
    /// Index of the organization, from 0.
    package var organization: Int
    /// Index of the user in the organization.
    var user: Int
    /// When it happened, in whole milliseconds.
    package var timestamp: Timestamp

    /// How many events the store makes of it.
    package var storedEventCount: Int { kind == .userSession ? 2 : 1 }
}
