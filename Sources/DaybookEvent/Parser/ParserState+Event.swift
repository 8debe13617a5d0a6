internal import DaybookFormat

/// Reading the members of one event, in whatever order they come.
extension ParserState {
    /// As nanoseconds these fit 63 bits.
    static let totalDurationMillisecondsMax: UInt64 = 9_223_372_036_854

    /// A body that is one event. The group is touched only when everything was right.
    mutating func parseEvent(_ shape: EventShape, into group: inout GroupBuilder) throws(JSONFault) {
        let final = try readEvent(shape, allowing: shape.fields)
        try expectEnd()
        finish(final, into: &group)
    }

    /// At the opening brace. The result is the shape, which only an import line tells by itself.
    /// - Parameter fields: those of the shape.
    @inline(__always)
    mutating func readEvent(_ start: EventShape, allowing fields: FieldSet) throws(JSONFault) -> EventShape {
        draft = EventDraft()
        scratch.truncate(to: 0)
        writer.reset()
        if !unknownNames.isEmpty { unknownNames.removeAll(keepingCapacity: true) }
        var shape = start
        var allowed = fields
        cursor.position &+= 1
        var more = !cursor.consume(UInt8(ascii: "}"))
        while more {
            let keyPosition = cursor.position
            let token = try cursor.memberName()
            if let field = fieldName(token), allowed.has(field) {
                guard !draft.seen.has(field) else { throw Self.duplicate(at: keyPosition) }
                draft.seen.insert(FieldSet(field))
                if cursor.peek() == UInt8(ascii: "n") {
                    try cursor.literal("null")
                } else {
                    draft.given.insert(FieldSet(field))
                    try readField(field, &shape)
                    if field == .type { allowed = shape.fields }
                }
            } else {
                try readUnknown(token, at: keyPosition)
            }
            more = try cursor.continuesObject()
        }
        return shape
    }

    static func duplicate(at position: Int) -> JSONFault {
        JSONFault(message: "a key stands twice in an object", position: position)
    }

    @inline(__always)
    mutating func fieldName(_ token: StringToken) -> FieldName? {
        let slice = text(token)
        return unsafe FieldName.named(pointer(slice), slice.count)
    }

    mutating func readUnknown(_ token: StringToken, at position: Int) throws(JSONFault) {
        // Quadratic, so only as far as errors are listed.
        if unknownNames.count < Limits.listedFieldErrorCountMax {
            let slice = text(token)
            let bytes = unsafe Array(UnsafeBufferPointer(start: pointer(slice), count: slice.count))
            for other in unknownNames where equals(text(other), bytes) { throw Self.duplicate(at: position) }
            unknownNames.append(token)
            reportUnknown(token)
        }
        try cursor.skipValue()
    }

    private mutating func readField(_ field: FieldName, _ shape: inout EventShape) throws(JSONFault) {
        switch field {
        case .commandName, .agentName: draft.name = try readText(field, .name)
        case .metricType: draft.name = try readText(field, .identifier)
        case .interactionType: draft.interactionType = try readText(field, .identifier)
        case .executionTime: draft.executionNanoseconds = try readMilliseconds(field)
        case .processingTime: draft.processingNanoseconds = try readMilliseconds(field)
        case .status: draft.status = try readStatus(shape)
        case .success: draft.success = try readBool(field)
        case .inputTokens: draft.inputTokens = try readCount(field) ?? 0
        case .outputTokens: draft.outputTokens = try readCount(field) ?? 0
        case .userID: try readUser()
        case .organizationID: try readOrganization()
        case .teamID: draft.team = try readText(field, .user)
        case .sessionID: draft.session = try readText(field, .session)
        case .errorMessage: draft.errorMessage = try readText(field, byteCountMax: Limits.errorMessageByteCountMax)
        case .commandArguments: draft.arguments = try readObject(field)
        case .context, .metadata: try readObjectWithSession(field)
        case .dimensions: draft.object = try readObject(field)
        default: try readRarerField(field, &shape)
        }
    }

    private mutating func readRarerField(_ field: FieldName, _ shape: inout EventShape) throws(JSONFault) {
        switch field {
        case .id where shape == .userSession: draft.session = try readText(field, .session)
        case .id: draft.id = try readID(field)
        case .timestamp: draft.timestamp = try readTime(field)
        case .value: draft.value = try readNumber(field)
        case .unit: draft.unit = try readText(field, byteCountMax: Limits.unitByteCountMax)
        case .periodStart: draft.periodStart = try readTime(field, mayBeInFuture: true)
        case .periodEnd: draft.periodEnd = try readTime(field, mayBeInFuture: true)
        case .change: draft.change = try readChange()
        case .commandsExecuted: draft.commandsExecuted = try readCount(field)
        case .agentsUsed: draft.hasAgents = try readAgents(field)
        case .productivityScore: try readScore()
        case .totalDuration:
            draft.totalNanoseconds = try readMilliseconds(field, max: Self.totalDurationMillisecondsMax)
        case .sessionStart: draft.sessionStart = try readTime(field)
        case .sessionEnd: draft.sessionEnd = try readTime(field)
        case .updatedAt: draft.updatedAt = try readTime(field)
        case .createdAt: _ = try readTime(field, mayBeInFuture: true)
        case .sequence: _ = try readCount(field)
        case .type: try readType(&shape)
        default: preconditionFailure("a field that no event has")
        }
    }

    @inline(__always)
    private mutating func readObjectWithSession(_ field: FieldName) throws(JSONFault) {
        draft.object = try readObject(field)
        guard let token = writer.session else { return }
        let slice = text(token)
        if unsafe TextPattern.session.accepts(pointer(slice), slice.count) { draft.objectSession = slice }
    }

    private mutating func readUser() throws(JSONFault) {
        guard let slice = try readText(.userID, .user) else { return }
        draft.user = slice
        if !context.mayNameAnyUser, !equals(slice, context.defaultUser) {
            isForbidden = true
            report(.userID, "names another user than the caller, which needs the scope ingest:any_user")
        }
    }

    private mutating func readOrganization() throws(JSONFault) {
        guard let slice = try readText(.organizationID) else { return }
        if !equals(slice, Array(context.organization.text.utf8)) {
            isForbidden = true
            report(.organizationID, "is not the organization of the credential")
        }
    }

    private mutating func readStatus(_ shape: EventShape) throws(JSONFault) -> StatusWord? {
        guard let slice = try readText(.status) else { return nil }
        let bytes = unsafe pointer(slice)
        switch slice.count {
        case 5 where unsafe matches(bytes, "error"): return .error
        case 6 where unsafe matches(bytes, "active"): return .active
        case 7 where unsafe matches(bytes, "success"): return .success
        case 7 where unsafe matches(bytes, "timeout"): return .timeout
        case 9 where unsafe matches(bytes, "cancelled"): return .cancelled
        case 9 where unsafe matches(bytes, "completed"): return .completed
        case 9 where unsafe matches(bytes, "abandoned"): return .abandoned
        default:
            reportStatus(shape)
            return nil
        }
    }

    func statusWords(_ shape: EventShape) -> String {
        switch shape {
        case .command, .agent, .importedCommand, .importedAgent: "must be success, error, timeout or cancelled"
        case .anyImport: "is not a known status"
        default: "must be active, completed or abandoned"
        }
    }

    mutating func reportStatus(_ shape: EventShape) { report(.status, statusWords(shape)) }

    private mutating func readScore() throws(JSONFault) {
        guard let score = try readNumber(.productivityScore) else { return }
        guard 0...100 ~= score.doubleValue else { return report(.productivityScore, "must be from 0 to 100") }
        draft.productivityScore = score
    }

    private mutating func readChange() throws(JSONFault) -> SessionChangeKind? {
        guard let slice = try readText(.change) else { return nil }
        let kind = SessionChangeKind.allCases.first { equals(slice, Array($0.name.utf8)) }
        if kind == nil { report(.change, "must be started, updated or ended") }
        return kind
    }

    private mutating func readType(_ shape: inout EventShape) throws(JSONFault) {
        guard let slice = try readText(.type) else { return }
        switch Family.ofOrganizations.first(where: { equals(slice, Array($0.typeName.utf8)) }) {
        case .commandExecution: shape = .importedCommand
        case .agentInteraction: shape = .importedAgent
        case .sessionChange: shape = .importedSession
        case .productivityMetric: shape = .importedProductivity
        default:
            report(
                .type, "must be command_execution, agent_interaction, session_change or productivity_metric")
        }
    }
}
