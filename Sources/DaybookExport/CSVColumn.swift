internal import DaybookEvent
internal import DaybookFormat

/// A column of a CSV export. The raw value is its name, and the field's name in JSON.
enum CSVColumn: String, Sendable {
    case sequence
    case identifier = "id"
    case organizationID = "organization_id"
    case user = "user_id"
    case team = "team_id"
    case session = "session_id"
    case change
    case commandName = "command_name"
    case agentName = "agent_name"
    case metricType = "metric_type"
    case interactionType = "interaction_type"
    case inputTokens = "input_tokens"
    case outputTokens = "output_tokens"
    case executionTime = "execution_time_ms"
    case processingTime = "processing_time_ms"
    case totalDuration = "total_duration_ms"
    case success
    case status
    case errorMessage = "error_message"
    case commandArguments = "command_args"
    case context
    case metadata
    case dimensions
    case commandsExecuted = "commands_executed"
    case agentsUsed = "agents_used"
    case productivityScore = "productivity_score"
    case value
    case unit
    case periodStart = "period_start"
    case periodEnd = "period_end"
    case timestamp
    case createdAt = "created_at"

    /// The byte string that the column shows as it is, for those that show one.
    var string: EventString? {
        switch self {
        case .user: .user
        case .team: .team
        case .commandName, .agentName, .metricType: .name
        case .interactionType: .interactionType
        case .unit: .unit
        case .session: .session
        case .errorMessage: .errorMessage
        case .commandArguments: .commandArguments
        case .context, .metadata, .dimensions: .object
        default: nil
        }
    }
}

extension CSVWriter {
    /// The columns of a family in their order. New columns go to the end, so that those who count them stay right.
    static func columnTable(_ family: Family) -> [CSVColumn] {
        let head: [CSVColumn] = [.sequence, .identifier, .organizationID, .user, .team, .session]
        let own: [CSVColumn] =
            switch family {
            case .commandExecution:
                [.commandName, .executionTime, .status, .errorMessage, .commandArguments, .context]
            case .agentInteraction:
                [
                    .agentName, .interactionType, .inputTokens, .outputTokens, .processingTime, .success, .status,
                    .errorMessage, .metadata,
                ]
            case .sessionChange:
                [
                    .change, .status, .totalDuration, .commandsExecuted, .agentsUsed, .productivityScore, .context,
                ]
            case .productivityMetric: [.metricType, .value, .unit, .periodStart, .periodEnd, .dimensions]
            case .control: []
            }
        let withoutSession = family == .productivityMetric ? head.filter { $0 != .session } : head
        return withoutSession + own + [.timestamp, .createdAt]
    }
}
