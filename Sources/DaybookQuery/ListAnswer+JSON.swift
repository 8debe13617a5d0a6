internal import DaybookEvent
package import DaybookFormat

extension ListAnswer {
    /// Appends the array of items: stored events complete, as `EventPrinter` prints them, or sessions.
    /// - Throws: when an encoding is not valid; what it stands for is damaged.
    package func appendItems(organization: OrganizationID, to bytes: inout [UInt8]) throws(FormatError) {
        bytes.append(UInt8(ascii: "["))
        switch items {
        case .events(let events):
            for (position, event) in events.enumerated() {
                if position > 0 { bytes.append(UInt8(ascii: ",")) }
                try event.append(organization: organization, to: &bytes)
            }
        case .sessions(let sessions):
            for (position, session) in sessions.enumerated() {
                if position > 0 { bytes.append(UInt8(ascii: ",")) }
                session.append(organization: organization, to: &bytes)
            }
        }
        bytes.append(UInt8(ascii: "]"))
    }

    /// Appends the array of warnings.
    package func appendWarnings(to bytes: inout [UInt8]) { DaybookQuery.appendWarnings(warnings, to: &bytes) }

    /// Appends `{"next_cursor":…,"has_more":…}`.
    package func appendPagination(to bytes: inout [UInt8]) {
        DaybookQuery.appendPagination(nextCursor, to: &bytes)
    }
}

extension ListedEvent {
    /// Appends the event as one JSON object.
    package func append(organization: OrganizationID, to bytes: inout [UInt8]) throws(FormatError) {
        try encoding.withRawSpan { (encoding: RawSpan) throws(FormatError) in
            try EventPrinter.append(
                family: family, schemaVersion: schemaVersion, encoding: encoding, sequence: sequence,
                arrival: arrival, organization: organization, to: &bytes)
        }
    }
}

extension ListedSession {
    /// Appends the session as one JSON object. What no change has stated is null, but for counts and lists.
    package func append(organization: OrganizationID, to bytes: inout [UInt8]) {
        var writer = AnswerWriter(bytes)
        bytes = []
        writer.open("{")
        writer.key("id")
        writer.string(state.id)
        writer.key("organization_id")
        writer.string(Array(organization.text.utf8))
        writer.key("user_id")
        writer.string(state.user)
        if let team = state.team {
            writer.key("team_id")
            writer.string(team)
        }
        writer.key("session_start")
        writer.time(state.startedAt)
        writer.key("session_end")
        if let end = state.endedAt { writer.time(end) } else { writer.literal("null") }
        writer.key("total_duration_ms")
        if let duration = state.totalDurationNanoseconds {
            writer.decimal(UInt128(duration), decimals: 6)
        } else {
            writer.literal("null")
        }
        writer.key("commands_executed")
        writer.integer(state.commandsExecuted ?? 0)
        writer.key("agents_used")
        writer.open("[")
        for agent in state.agentsUsed { writer.string(agent) }
        writer.close("]")
        writer.key("productivity_score")
        writer.number(state.productivityScore)
        writer.key("context")
        writer.json(state.context ?? Array("{}".utf8))
        writer.key("status")
        writer.string(Array(status.name.utf8))
        writer.key("created_at")
        writer.time(state.createdAt)
        writer.key("updated_at")
        writer.time(state.updatedAt)
        writer.close("}")
        bytes = writer.bytes
    }
}
