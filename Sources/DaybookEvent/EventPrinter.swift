package import DaybookFormat

/// A stored event as one JSON object, the form of replay, exports and lists. Read back as an import line it gives the
/// same encoding.
package enum EventPrinter {
    /// Appends the object, without a line feed. Throws when `encoding` is not a valid one; `writer` may then hold a part.
    /// Complexity: O(bytes of the encoding).
    package static func append(
        family: Family, schemaVersion: UInt8, encoding: RawSpan, sequence: UInt64, arrival: Timestamp,
        organization: OrganizationID, to writer: inout JSONWriter
    ) throws(FormatError) {
        let fields = try EventFields(family: family, schemaVersion: schemaVersion, reading: encoding)
        writer.openObject()
        writer.key("type")
        writer.string(family.typeName)
        writer.key("sequence")
        writer.integer(sequence)
        writer.key("id")
        writer.id(fields.id)
        writer.key("organization_id")
        writer.string(organization.text)
        writer.key("user_id")
        writer.string(encoding.extracting(fields.user))
        writer.member("team_id", fields.team, of: encoding)
        switch family {
        case .commandExecution: appendCommand(fields, encoding, to: &writer)
        case .agentInteraction: appendAgent(fields, encoding, to: &writer)
        case .sessionChange: appendSessionChange(fields, encoding, to: &writer)
        case .productivityMetric: appendProductivity(fields, encoding, to: &writer)
        case .control: break
        }
        writer.key("timestamp")
        writer.time(fields.timestamp)
        writer.key("created_at")
        writer.time(arrival)
        writer.closeObject()
    }

    /// The same for whoever prints a single event.
    package static func append(
        family: Family, schemaVersion: UInt8, encoding: RawSpan, sequence: UInt64, arrival: Timestamp,
        organization: OrganizationID, to bytes: inout [UInt8]
    ) throws(FormatError) {
        var writer = JSONWriter(byteCapacity: encoding.byteCount + 512)
        try append(
            family: family, schemaVersion: schemaVersion, encoding: encoding, sequence: sequence, arrival: arrival,
            organization: organization, to: &writer)
        writer.withBytes { bytes.append($0) }
    }

    private static func appendCommand(_ fields: EventFields, _ encoding: RawSpan, to writer: inout JSONWriter) {
        writer.key("command_name")
        writer.string(encoding.extracting(fields.name))
        writer.key("execution_time_ms")
        writer.milliseconds(fields.durationNanoseconds)
        writer.key("status")
        writer.string(EventStatus(rawValue: fields.status)?.name ?? "")
        writer.member("error_message", fields.errorMessage, of: encoding)
        writer.member("session_id", fields.session, of: encoding)
        writer.member("command_args", json: fields.arguments, of: encoding)
        writer.member("context", json: fields.object, of: encoding)
    }

    private static func appendAgent(_ fields: EventFields, _ encoding: RawSpan, to writer: inout JSONWriter) {
        writer.key("agent_name")
        writer.string(encoding.extracting(fields.name))
        writer.member("interaction_type", fields.interactionType, of: encoding)
        writer.key("input_tokens")
        writer.integer(fields.inputTokens)
        writer.key("output_tokens")
        writer.integer(fields.outputTokens)
        writer.key("processing_time_ms")
        writer.milliseconds(fields.durationNanoseconds)
        let status = EventStatus(rawValue: fields.status)
        writer.key("success")
        writer.boolean(status == .success)
        writer.key("status")
        writer.string(status?.name ?? "")
        writer.member("error_message", fields.errorMessage, of: encoding)
        writer.member("session_id", fields.session, of: encoding)
        writer.member("metadata", json: fields.object, of: encoding)
    }

    private static func appendSessionChange(
        _ fields: EventFields, _ encoding: RawSpan, to writer: inout JSONWriter
    ) {
        let kind = SessionChangeKind(rawValue: fields.status)
        writer.key("change")
        writer.string(kind?.name ?? "")
        writer.key("session_id")
        writer.string(encoding.extracting(fields.name))
        if kind == .ended {
            writer.key("status")
            writer.string(fields.flags.contains(.abandoned) ? "abandoned" : "completed")
        }
        if fields.flags.contains(.totalDuration) {
            writer.key("total_duration_ms")
            writer.milliseconds(fields.durationNanoseconds)
        }
        if let count = fields.commandsExecuted {
            writer.key("commands_executed")
            writer.integer(count)
        }
        if fields.agentsUsed != nil {
            writer.key("agents_used")
            writer.openArray()
            for agent in fields.agentRanges(encoding) { writer.string(encoding.extracting(agent)) }
            writer.closeArray()
        }
        if let score = fields.productivityScore {
            writer.key("productivity_score")
            writer.number(score)
        }
        writer.member("context", json: fields.object, of: encoding)
    }

    private static func appendProductivity(
        _ fields: EventFields, _ encoding: RawSpan, to writer: inout JSONWriter
    ) {
        writer.key("metric_type")
        writer.string(encoding.extracting(fields.name))
        if let value = fields.value {
            writer.key("value")
            writer.number(value)
        }
        writer.member("unit", fields.unit, of: encoding)
        if let start = fields.periodStart {
            writer.key("period_start")
            writer.time(start)
        }
        if let end = fields.periodEnd {
            writer.key("period_end")
            writer.time(end)
        }
        writer.member("dimensions", json: fields.object, of: encoding)
    }
}

extension JSONWriter {
    /// A member for text of an encoding that may be missing.
    fileprivate mutating func member(_ name: StaticString, _ range: Range<Int>?, of encoding: RawSpan) {
        guard let range else { return }
        key(name)
        string(encoding.extracting(range))
    }

    fileprivate mutating func member(_ name: StaticString, json range: Range<Int>?, of encoding: RawSpan) {
        guard let range else { return }
        key(name)
        json(encoding.extracting(range))
    }
}
