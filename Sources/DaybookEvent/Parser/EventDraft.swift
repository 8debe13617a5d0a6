internal import DaybookFormat

/// Text of an event: in the body, or in the scratch sink when it held escapes. Small, because a draft holds many; a body
/// has at most `Limits.bodyByteCountMax` bytes.
struct TextSlice {
    private let start32: Int32
    private let count32: Int32
    let isScratch: Bool

    @inline(__always)
    init(start: Int, count: Int, isScratch: Bool) {
        start32 = Int32(truncatingIfNeeded: start)
        count32 = Int32(truncatingIfNeeded: count)
        self.isScratch = isScratch
    }

    @inline(__always) var start: Int { Int(start32) }
    @inline(__always) var count: Int { Int(count32) }
}

/// The form of one JSON object that states an event.
enum EventShape: Equatable {
    case command, agent, productivity
    case sessionStart, sessionUpdate, sessionEnd
    /// An item of a batch's `user_sessions`: a whole session, stored as its changes.
    case userSession
    /// A line of which `type` has not been read yet.
    case anyImport
    case importedCommand, importedAgent, importedSession, importedProductivity

    var fields: FieldSet {
        switch self {
        case .command: Self.commandFields
        case .agent: Self.agentFields
        case .productivity: Self.productivityFields
        case .sessionStart: Self.sessionStartFields
        case .sessionUpdate: Self.sessionUpdateFields
        case .sessionEnd: Self.sessionEndFields
        case .userSession: Self.userSessionFields
        case .anyImport: Self.importedFields
        case .importedCommand: Self.commandFields.union(Self.importFields)
        case .importedAgent: Self.agentFields.union(Self.importFields)
        case .importedSession: Self.importedSessionFields
        case .importedProductivity: Self.productivityFields.union(Self.importFields)
        }
    }

    var isImport: Bool {
        switch self {
        case .anyImport, .importedCommand, .importedAgent, .importedSession, .importedProductivity: true
        default: false
        }
    }

    private static let commonFields = FieldSet([.id, .organizationID, .userID, .timestamp])
    private static let commandFields = commonFields.union(
        FieldSet([.commandName, .commandArguments, .executionTime, .status, .errorMessage, .context, .sessionID]))
    private static let agentFields = commonFields.union(
        FieldSet([
            .agentName, .interactionType, .inputTokens, .outputTokens, .processingTime, .executionTime, .success,
            .status,
            .errorMessage, .metadata, .sessionID,
        ]))
    private static let productivityFields = commonFields.union(
        FieldSet([.metricType, .value, .unit, .periodStart, .periodEnd, .dimensions]))
    private static let sessionStartFields = commonFields.union(FieldSet([.sessionID, .context]))
    private static let sessionEndFields = sessionStartFields.union(
        FieldSet([.commandsExecuted, .agentsUsed, .productivityScore]))
    private static let sessionUpdateFields = sessionEndFields.union(FieldSet(.status))
    private static let userSessionFields = FieldSet([
        .id, .organizationID, .userID, .sessionStart, .sessionEnd, .totalDuration, .commandsExecuted, .agentsUsed,
        .productivityScore, .context, .status, .createdAt, .updatedAt,
    ])
    private static let importFields = FieldSet([.type, .sequence, .createdAt, .teamID])
    private static let importedSessionFields = sessionUpdateFields.union(importFields).union(
        FieldSet([.change, .totalDuration]))
    private static let importedFields = commandFields.union(agentFields).union(productivityFields)
        .union(importedSessionFields)
}

/// The words that `status` may hold, over all families.
enum StatusWord {
    case success, error, timeout, cancelled
    case active, completed, abandoned

    var status: EventStatus? {
        switch self {
        case .success: .success
        case .error: .error
        case .timeout: .timeout
        case .cancelled: .cancelled
        case .active, .completed, .abandoned: nil
        }
    }
}

/// What was read of one event, before it is known whether it is complete.
struct EventDraft {
    /// Members that were there, with `null` or with a value.
    var seen: FieldSet = []
    /// Members with a value that is not `null`, right or wrong.
    var given: FieldSet = []
    var id: EventID?
    var user: TextSlice?
    var team: TextSlice?
    var session: TextSlice?
    /// `command_name`, `agent_name` or `metric_type`.
    var name: TextSlice?
    var interactionType: TextSlice?
    var unit: TextSlice?
    var errorMessage: TextSlice?
    var arguments: Range<Int>?
    var object: Range<Int>?
    /// `session_id` inside `context` or `metadata`, when it is a valid one.
    var objectSession: TextSlice?
    var hasAgents = false
    var status: StatusWord?
    var success: Bool?
    var change: SessionChangeKind?
    var executionNanoseconds: UInt64?
    var processingNanoseconds: UInt64?
    var totalNanoseconds: UInt64?
    var inputTokens: UInt64 = 0
    var outputTokens: UInt64 = 0
    var commandsExecuted: UInt64?
    var value: EventNumber?
    var productivityScore: EventNumber?
    var timestamp: Timestamp?
    var periodStart: Timestamp?
    var periodEnd: Timestamp?
    var sessionStart: Timestamp?
    var sessionEnd: Timestamp?
    var updatedAt: Timestamp?
}
