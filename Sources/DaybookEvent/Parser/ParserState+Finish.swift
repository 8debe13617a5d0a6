internal import DaybookFormat

/// Rules over several fields, once all of them are known.
extension ParserState {
    /// Checks the event at hand and, if nothing at all was wrong so far, encodes it.
    mutating func finish(_ shape: EventShape, into group: inout GroupBuilder) {
        if shape.isImport { checkImport(shape) }
        switch shape {
        case .command, .importedCommand: finishCommand(shape, into: &group)
        case .agent, .importedAgent: finishAgent(shape, into: &group)
        case .productivity, .importedProductivity: finishProductivity(into: &group)
        case .sessionStart: finishSessionStart(into: &group)
        case .sessionUpdate: finishSessionUpdate(into: &group)
        case .sessionEnd: finishSessionEnd(into: &group)
        case .importedSession: finishImportedSession(into: &group)
        case .userSession: finishUserSession(into: &group)
        case .anyImport: break
        }
    }

    private mutating func checkImport(_ shape: EventShape) {
        if shape == .anyImport { return require(.type) }
        checkTeam()
        let foreign = draft.seen.subtracting(shape.fields)
        guard !foreign.isEmpty else { return }
        for field in FieldName.allCases where foreign.has(field) { report(field, "is not a field of this type") }
    }

    /// Reports `field` unless it had a value. A wrong value was reported already.
    @inline(__always)
    mutating func require(_ field: FieldName) {
        if !draft.given.has(field) { report(field, "is required") }
    }

    private mutating func finishCommand(_ shape: EventShape, into group: inout GroupBuilder) {
        require(.commandName)
        require(.executionTime)
        require(.status)
        if let word = draft.status, word.status == nil { reportStatus(shape) }
        summary.commandExecutions += 1
        guard errors.isEmpty, let name = draft.name, let status = draft.status?.status else { return }
        encodeCommand(name, status, into: &group)
    }

    private mutating func finishAgent(_ shape: EventShape, into group: inout GroupBuilder) {
        require(.agentName)
        require(.interactionType)
        if !draft.given.has(.executionTime) { require(.processingTime) }
        if let one = draft.executionNanoseconds, let other = draft.processingNanoseconds, one != other {
            report(.executionTime, "contradicts processing_time_ms")
        }
        if !draft.given.has(.status) { require(.success) }
        let status = agentStatus(shape)
        summary.agentInteractions += 1
        guard errors.isEmpty, let name = draft.name, let status else { return }
        encodeAgent(name, status, into: &group)
    }

    private mutating func agentStatus(_ shape: EventShape) -> EventStatus? {
        guard let word = draft.status else { return draft.success.map { $0 ? .success : .error } }
        guard let status = word.status else {
            reportStatus(shape)
            return nil
        }
        if let success = draft.success, success != (status == .success) {
            report(.status, "contradicts success")
            return nil
        }
        return status
    }

    private mutating func finishProductivity(into group: inout GroupBuilder) {
        require(.metricType)
        require(.value)
        if let start = draft.periodStart, let end = draft.periodEnd, start > end {
            report(.periodStart, "must not be later than period_end")
        }
        if !draft.given.has(.timestamp), let end = draft.periodEnd, isTooLate(end) {
            report(.periodEnd, "must not be more than 24 hours in the future unless there is a timestamp")
        }
        summary.productivityMetrics += 1
        guard errors.isEmpty, let name = draft.name, let value = draft.value else { return }
        encodeProductivity(name, value, into: &group)
    }

    // MARK: Sessions

    private mutating func finishSessionStart(into group: inout GroupBuilder) {
        summary.userSessions += 1
        guard errors.isEmpty else { return }
        let id = draft.id ?? makeID()
        let session: SessionName = draft.session.map { .text($0) } ?? .event(id)
        if array == nil { summary.sessionID = string(session) }
        var flags: EventFlags = []
        if draft.object != nil { flags.insert(.object) }
        encodeSessionChange(.started, session, id, flags, eventTime(draft.timestamp), into: &group)
    }

    private mutating func finishSessionUpdate(into group: inout GroupBuilder) {
        let kind: SessionChangeKind = draft.status == .completed || draft.status == .abandoned ? .ended : .updated
        if let word = draft.status, word.status != nil { reportStatus(.sessionUpdate) }
        finishNamedSession(kind, into: &group)
    }

    private mutating func finishSessionEnd(into group: inout GroupBuilder) {
        finishNamedSession(.ended, into: &group)
    }

    private mutating func finishImportedSession(into group: inout GroupBuilder) {
        require(.change)
        if let word = draft.status {
            let ends = word == .completed || word == .abandoned
            if word.status != nil {
                reportStatus(.importedSession)
            } else if let change = draft.change, ends != (change == .ended) {
                report(.status, "contradicts change")
            }
        }
        if draft.change == .started {
            if draft.given.has(.totalDuration) { report(.totalDuration, "is not for a started change") }
        }
        guard let change = draft.change else { return require(.sessionID) }
        finishNamedSession(change, into: &group)
    }

    /// A change of a session that the path or the body names.
    private mutating func finishNamedSession(_ kind: SessionChangeKind, into group: inout GroupBuilder) {
        let session = namedSession()
        summary.userSessions += 1
        guard errors.isEmpty, let session else { return }
        if array == nil { summary.sessionID = string(session) }
        var flags = activityFlags
        if draft.object != nil { flags.insert(.object) }
        if draft.status == .abandoned { flags.insert(.abandoned) }
        let id = draft.id ?? makeID()
        encodeSessionChange(kind, session, id, flags, eventTime(draft.timestamp), into: &group)
    }

    private mutating func namedSession() -> SessionName? {
        guard let path = pathSession else {
            require(.sessionID)
            return draft.session.map { .text($0) }
        }
        let isValid = unsafe path.withUnsafeBufferPointer { buffer in
            unsafe buffer.baseAddress.map { unsafe TextPattern.session.accepts($0, buffer.count) } ?? false
        }
        if !isValid {
            report(.sessionID, TextPattern.session.message)
        } else if let session = draft.session, !equals(session, path) {
            report(.sessionID, "contradicts the path")
        }
        return .path
    }

    /// The flags of what a session did so far.
    var activityFlags: EventFlags {
        var flags: EventFlags = []
        if draft.commandsExecuted != nil { flags.insert(.commandsExecuted) }
        if draft.productivityScore != nil { flags.insert(.productivityScore) }
        if draft.hasAgents { flags.insert(.agentsUsed) }
        if draft.totalNanoseconds != nil { flags.insert(.totalDuration) }
        return flags
    }

    /// One whole session: started, then ended, or updated when it is active and did something.
    private mutating func finishUserSession(into group: inout GroupBuilder) {
        require(.sessionStart)
        if let word = draft.status, word.status != nil { reportStatus(.userSession) }
        if let start = draft.sessionStart, let end = draft.sessionEnd, end < start {
            report(.sessionEnd, "must not be earlier than session_start")
        }
        if draft.status == .active, draft.given.has(.sessionEnd) { report(.sessionEnd, "contradicts status active") }
        summary.userSessions += 1
        guard errors.isEmpty, let start = draft.sessionStart else { return }
        let id = makeID()
        let session: SessionName = draft.session.map { .text($0) } ?? .event(id)
        encodeSessionChange(
            .started, session, id, draft.object != nil ? .object : [], (start, false), into: &group)
        var flags = activityFlags
        if draft.status == .completed || draft.status == .abandoned || draft.sessionEnd != nil {
            if draft.status == .abandoned { flags.insert(.abandoned) }
            let time = eventTime(draft.sessionEnd ?? draft.updatedAt)
            encodeSessionChange(.ended, session, makeID(), flags, time, into: &group)
        } else if !flags.isEmpty {
            encodeSessionChange(.updated, session, makeID(), flags, eventTime(draft.updatedAt), into: &group)
        }
    }
}
