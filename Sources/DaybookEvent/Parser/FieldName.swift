/// The members that request bodies and import lines may have. The raw value is a bit number.
enum FieldName: UInt8, CaseIterable {
    case id, organizationID, userID, teamID, timestamp, sessionID, status, context
    case commandName, commandArguments, executionTime, errorMessage
    case agentName, interactionType, inputTokens, outputTokens, processingTime, success, metadata
    case metricType, value, unit, periodStart, periodEnd, dimensions
    case change, commandsExecuted, agentsUsed, productivityScore, totalDuration
    case sessionStart, sessionEnd, createdAt, updatedAt, sequence, type
    case commandExecutions, agentInteractions, userSessions, productivityMetrics

    var text: StaticString {
        switch self {
        case .id: "id"
        case .organizationID: "organization_id"
        case .userID: "user_id"
        case .teamID: "team_id"
        case .timestamp: "timestamp"
        case .sessionID: "session_id"
        case .status: "status"
        case .context: "context"
        case .commandName: "command_name"
        case .commandArguments: "command_args"
        case .executionTime: "execution_time_ms"
        case .errorMessage: "error_message"
        case .agentName: "agent_name"
        case .interactionType: "interaction_type"
        case .inputTokens: "input_tokens"
        case .outputTokens: "output_tokens"
        case .processingTime: "processing_time_ms"
        case .success: "success"
        case .metadata: "metadata"
        case .metricType: "metric_type"
        case .value: "value"
        case .unit: "unit"
        case .periodStart: "period_start"
        case .periodEnd: "period_end"
        case .dimensions: "dimensions"
        case .change: "change"
        case .commandsExecuted: "commands_executed"
        case .agentsUsed: "agents_used"
        case .productivityScore: "productivity_score"
        case .totalDuration: "total_duration_ms"
        case .sessionStart: "session_start"
        case .sessionEnd: "session_end"
        case .createdAt: "created_at"
        case .updatedAt: "updated_at"
        case .sequence: "sequence"
        case .type: "type"
        case .commandExecutions: "command_executions"
        case .agentInteractions: "agent_interactions"
        case .userSessions: "user_sessions"
        case .productivityMetrics: "productivity_metrics"
        }
    }

    /// The field that `count` bytes name, nil when none. By length first, so that at most six texts are compared.
    @inline(__always)
    static func named(_ bytes: UnsafePointer<UInt8>, _ count: Int) -> FieldName? {
        unsafe count <= 10 ? shortNamed(bytes, count) : longNamed(bytes, count)
    }

    private static func shortNamed(_ bytes: UnsafePointer<UInt8>, _ count: Int) -> FieldName? {
        switch count {
        case 2:
            if unsafe matches(bytes, "id") { return .id }
        case 4:
            if unsafe matches(bytes, "unit") { return .unit }
            if unsafe matches(bytes, "type") { return .type }
        case 5:
            if unsafe matches(bytes, "value") { return .value }
        case 6:
            if unsafe matches(bytes, "status") { return .status }
            if unsafe matches(bytes, "change") { return .change }
        case 7:
            if unsafe matches(bytes, "user_id") { return .userID }
            if unsafe matches(bytes, "team_id") { return .teamID }
            if unsafe matches(bytes, "context") { return .context }
            if unsafe matches(bytes, "success") { return .success }
        case 8:
            if unsafe matches(bytes, "metadata") { return .metadata }
            if unsafe matches(bytes, "sequence") { return .sequence }
        case 9:
            if unsafe matches(bytes, "timestamp") { return .timestamp }
        case 10:
            if unsafe matches(bytes, "session_id") { return .sessionID }
            if unsafe matches(bytes, "agent_name") { return .agentName }
            if unsafe matches(bytes, "period_end") { return .periodEnd }
            if unsafe matches(bytes, "dimensions") { return .dimensions }
            if unsafe matches(bytes, "created_at") { return .createdAt }
            if unsafe matches(bytes, "updated_at") { return .updatedAt }
        default: break
        }
        return nil
    }

    private static func longNamed(_ bytes: UnsafePointer<UInt8>, _ count: Int) -> FieldName? {
        switch count {
        case 11:
            if unsafe matches(bytes, "metric_type") { return .metricType }
            if unsafe matches(bytes, "agents_used") { return .agentsUsed }
            if unsafe matches(bytes, "session_end") { return .sessionEnd }
        case 12:
            if unsafe matches(bytes, "command_name") { return .commandName }
            if unsafe matches(bytes, "command_args") { return .commandArguments }
            if unsafe matches(bytes, "input_tokens") { return .inputTokens }
            if unsafe matches(bytes, "period_start") { return .periodStart }
        case 13:
            if unsafe matches(bytes, "error_message") { return .errorMessage }
            if unsafe matches(bytes, "output_tokens") { return .outputTokens }
            if unsafe matches(bytes, "session_start") { return .sessionStart }
            if unsafe matches(bytes, "user_sessions") { return .userSessions }
        case 15:
            if unsafe matches(bytes, "organization_id") { return .organizationID }
        case 16:
            if unsafe matches(bytes, "interaction_type") { return .interactionType }
        case 17:
            if unsafe matches(bytes, "execution_time_ms") { return .executionTime }
            if unsafe matches(bytes, "commands_executed") { return .commandsExecuted }
            if unsafe matches(bytes, "total_duration_ms") { return .totalDuration }
        case 18:
            if unsafe matches(bytes, "processing_time_ms") { return .processingTime }
            if unsafe matches(bytes, "productivity_score") { return .productivityScore }
            if unsafe matches(bytes, "command_executions") { return .commandExecutions }
            if unsafe matches(bytes, "agent_interactions") { return .agentInteractions }
        case 20:
            if unsafe matches(bytes, "productivity_metrics") { return .productivityMetrics }
        default: break
        }
        return nil
    }
}

/// A set of fields in one word.
struct FieldSet: OptionSet {
    let rawValue: UInt64

    init(rawValue: UInt64) { self.rawValue = rawValue }

    @inline(__always)
    init(_ field: FieldName) { rawValue = 1 << UInt64(field.rawValue) }

    init(_ fields: [FieldName]) {
        var bits: UInt64 = 0
        for field in fields { bits |= 1 << UInt64(field.rawValue) }
        rawValue = bits
    }

    @inline(__always)
    func has(_ field: FieldName) -> Bool { rawValue >> UInt64(field.rawValue) & 1 != 0 }
}
