package import DaybookEvent
package import DaybookFormat

extension ListAnswer {
    /// Appends the array of items: stored events complete, as `EventPrinter` prints them, or sessions.
    /// - Throws: when an encoding is not valid; what it stands for is damaged.
    package func appendItems(organization: OrganizationID, to writer: inout JSONWriter) throws(FormatError) {
        writer.openArray()
        switch items {
        case .events(let events):
            for event in events { try event.append(organization: organization, to: &writer) }
        case .sessions(let sessions):
            for session in sessions { session.append(organization: organization, to: &writer) }
        }
        writer.closeArray()
    }

    /// Appends the array of warnings.
    package func appendWarnings(to writer: inout JSONWriter) { DaybookQuery.appendWarnings(warnings, to: &writer) }

    /// Appends `{"next_cursor":…,"has_more":…}`.
    package func appendPagination(to writer: inout JSONWriter) {
        DaybookQuery.appendPagination(nextCursor, to: &writer)
    }
}

extension ListedEvent {
    /// Appends the event as one JSON object.
    package func append(organization: OrganizationID, to writer: inout JSONWriter) throws(FormatError) {
        try encoding.withRawSpan { (encoding: RawSpan) throws(FormatError) in
            try EventPrinter.append(
                family: family, schemaVersion: schemaVersion, encoding: encoding, sequence: sequence,
                arrival: arrival, organization: organization, to: &writer)
        }
    }
}

extension ListedSession {
    /// Appends the session as one JSON object. What no change has stated is null, but for counts and lists.
    package func append(organization: OrganizationID, to writer: inout JSONWriter) {
        writer.openObject()
        writer.key("id")
        writer.string(state.id)
        writer.key("organization_id")
        writer.string(organization.text)
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
        writer.integer(commandsExecuted)
        writer.key("agents_used")
        writer.openArray()
        for agent in agentsUsed { writer.string(agent) }
        writer.closeArray()
        writer.key("productivity_score")
        writer.number(state.productivityScore)
        writer.key("context")
        writer.json(state.context ?? Array("{}".utf8))
        writer.key("status")
        writer.string(status.name)
        writer.key("created_at")
        writer.time(state.createdAt)
        writer.key("updated_at")
        writer.time(state.updatedAt)
        writer.closeObject()
    }
}
