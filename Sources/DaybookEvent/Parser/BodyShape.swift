package import DaybookFormat

/// What the bodies of requests may hold, for whoever describes them to others. Names come from the parser's own table, limits
/// from `Limits`.
package enum BodyShape: CaseIterable, Sendable {
    case commandExecution, agentInteraction, productivityMetric
    case sessionStart, sessionUpdate, sessionEnd
    /// An item of a batch's `user_sessions`: a whole session.
    case userSession
    case batch
    /// A line of an import, one for each family. Stored events are printed with the same members.
    case importedCommandExecution, importedAgentInteraction, importedSessionChange, importedProductivityMetric

    package struct Member: Equatable, Sendable {
        package var name: String
        package var value: BodyValue
        /// What it means, as a sentence.
        package var meaning: String
        /// A body without it, or with null in its place, is refused.
        package var isRequired: Bool
    }

    /// In the order in which the parser lists its names.
    package var members: [Member] {
        FieldName.allCases.filter(has).map { field in
            Member(
                name: "\(field.text)", value: value(of: field), meaning: meaning(of: field),
                isRequired: required.contains(field))
        }
    }

    private func has(_ field: FieldName) -> Bool {
        guard let shape else { return ParserState.batchShape(field) != nil }
        return shape.fields.has(field)
    }

    /// Nil for the batch, which is no event itself.
    private var shape: EventShape? {
        switch self {
        case .commandExecution: .command
        case .agentInteraction: .agent
        case .productivityMetric: .productivity
        case .sessionStart: .sessionStart
        case .sessionUpdate: .sessionUpdate
        case .sessionEnd: .sessionEnd
        case .userSession: .userSession
        case .batch: nil
        case .importedCommandExecution: .importedCommand
        case .importedAgentInteraction: .importedAgent
        case .importedSessionChange: .importedSession
        case .importedProductivityMetric: .importedProductivity
        }
    }

    /// The family of an import's line.
    package var importedFamily: Family? {
        switch self {
        case .importedCommandExecution: .commandExecution
        case .importedAgentInteraction: .agentInteraction
        case .importedSessionChange: .sessionChange
        case .importedProductivityMetric: .productivityMetric
        default: nil
        }
    }

    private var required: [FieldName] {
        switch self {
        case .commandExecution: [.commandName, .executionTime, .status]
        case .importedCommandExecution: [.type, .commandName, .executionTime, .status]
        case .agentInteraction: [.agentName, .interactionType]
        case .importedAgentInteraction: [.type, .agentName, .interactionType]
        case .productivityMetric: [.metricType, .value]
        case .importedProductivityMetric: [.type, .metricType, .value]
        case .userSession: [.sessionStart]
        case .importedSessionChange: [.type, .change, .sessionID]
        // The path may name the session, so the body need not.
        case .sessionStart, .sessionUpdate, .sessionEnd, .batch: []
        }
    }
}

/// The kinds of values that members of bodies have.
package enum BodyValue: Equatable, Sendable {
    case uuid
    /// The name of the caller's own organization.
    case organization
    /// Text of a pattern, which is a regular expression of ECMA-262.
    case pattern(String, byteCountMax: Int)
    case text(byteCountMax: Int)
    /// With any fraction.
    case milliseconds(max: UInt64)
    /// 0 to 2^64-1.
    case count
    /// 0 to 100.
    case score
    case number
    /// RFC 3339 or epoch milliseconds, within `TimestampText.printable`.
    case time
    case flag
    /// A free-form object.
    case object
    case agentNames
    case words([String])
    /// Of a batch.
    case items(BodyShape)
}

extension BodyShape {
    private func value(of field: FieldName) -> BodyValue {
        switch field {
        case .id: self == .userSession ? .session : .uuid
        case .organizationID: .organization
        case .userID, .teamID: .pattern(TextPattern.user.expression, byteCountMax: Limits.userByteCountMax)
        case .timestamp, .createdAt, .updatedAt, .sessionStart, .sessionEnd, .periodStart, .periodEnd: .time
        case .sessionID: .session
        case .status: .words(statusWords)
        case .context, .metadata, .dimensions, .commandArguments: .object
        case .commandName, .agentName: .pattern(TextPattern.name.expression, byteCountMax: Limits.nameByteCountMax)
        case .interactionType, .metricType:
            .pattern(TextPattern.identifier.expression, byteCountMax: Limits.identifierByteCountMax)
        case .executionTime, .processingTime: .milliseconds(max: UInt64(Limits.executionTimeMillisecondsMax))
        case .totalDuration: .milliseconds(max: ParserState.totalDurationMillisecondsMax)
        case .errorMessage: .text(byteCountMax: Limits.errorMessageByteCountMax)
        case .unit: .text(byteCountMax: Limits.unitByteCountMax)
        case .inputTokens, .outputTokens, .commandsExecuted, .sequence: .count
        case .success: .flag
        case .value: .number
        case .productivityScore: .score
        case .agentsUsed: .agentNames
        case .change: .words(SessionChangeKind.allCases.map(\.name))
        case .type: .words(importedFamily.map { [$0.typeName] } ?? [])
        case .commandExecutions: .items(.commandExecution)
        case .agentInteractions: .items(.agentInteraction)
        case .userSessions: .items(.userSession)
        case .productivityMetrics: .items(.productivityMetric)
        }
    }

    private var statusWords: [String] {
        switch self {
        case .commandExecution, .agentInteraction, .importedCommandExecution, .importedAgentInteraction:
            EventStatus.allCases.map(\.name)
        default: SessionStatus.allCases.map(\.name)
        }
    }

    private func meaning(of field: FieldName) -> String {
        switch field {
        case .id:
            self == .userSession
                ? "Names the session; made when it is missing." : "Of the event; made when it is missing."
        case .organizationID: "The organization of the credential; any other is forbidden."
        case .userID:
            "Whom the event is about; the user of the credential when it is missing. Others need a permission."
        case .teamID: "The team of the user at that time."
        case .timestamp:
            self == .batch
                ? "When the events of the batch happened that do not say so themselves."
                : "When it happened; the time of arrival when it is missing. At most 24 hours in the future."
        case .sessionID: "Names the session."
        case .status: "How it ended, or stands."
        case .context, .metadata, .dimensions, .commandArguments: "Free-form; can be filtered and grouped by."
        case .commandName: "The command that was run."
        case .executionTime: "How long it took, in milliseconds."
        case .errorMessage: "What went wrong."
        case .agentName: "The agent that was called."
        case .interactionType: "What was done with it."
        case .inputTokens: "Tokens read."
        case .outputTokens: "Tokens written."
        case .processingTime: "How long it took, in milliseconds."
        case .success: "Whether `status` is `success`."
        case .metricType: "What was measured."
        case .value: "The measure."
        case .unit: "The unit of the measure."
        case .periodStart: "Begin of the time that was measured."
        case .periodEnd: "End of the time that was measured; not before its begin."
        case .change: "What happened to the session."
        case .commandsExecuted: "Commands of the session so far."
        case .agentsUsed: "Agents of the session so far."
        case .productivityScore: "Of the session so far."
        case .totalDuration: "How long the session took, in milliseconds."
        case .sessionStart: "When the session began. At most 24 hours in the future."
        case .sessionEnd: "When it ended; not before its begin."
        case .createdAt: "When the server took it; of what is sent, nothing is kept."
        case .updatedAt: "When it last changed."
        case .sequence: "The position in the organization's log; of what is sent, nothing is kept."
        case .type: "The family of the event."
        case .commandExecutions, .agentInteractions, .userSessions, .productivityMetrics:
            "Stored in the order of the body."
        }
    }
}

extension BodyValue {
    fileprivate static var session: BodyValue {
        .pattern(TextPattern.session.expression, byteCountMax: Limits.sessionByteCountMax)
    }
}
