package import DaybookFormat

/// A stored event as one JSON object, the form of replay, exports and lists. Read back as an import line it gives the
/// same encoding.
package enum EventPrinter {
    /// Appends the object, without a line feed. Throws when `encoding` is not a valid one; `bytes` may then hold a part.
    /// Complexity: O(bytes of the encoding).
    package static func append(
        family: Family, schemaVersion: UInt8, encoding: RawSpan, sequence: UInt64, arrival: Timestamp,
        organization: OrganizationID, to bytes: inout [UInt8]
    ) throws(FormatError) {
        let fields = try EventFields(family: family, schemaVersion: schemaVersion, reading: encoding)
        var output = ObjectOutput(bytes: bytes)
        bytes = []
        defer { bytes = output.bytes }
        output.begin()
        output.member("type", text: family.typeName)
        output.member("sequence", number: sequence)
        output.member("id", id: fields.id)
        output.member("organization_id", text: organization.text)
        output.member("user_id", string: encoding.extracting(fields.user))
        if let team = fields.team { output.member("team_id", string: encoding.extracting(team)) }
        switch family {
        case .commandExecution: appendCommand(fields, encoding, to: &output)
        case .agentInteraction: appendAgent(fields, encoding, to: &output)
        case .sessionChange: appendSessionChange(fields, encoding, to: &output)
        case .productivityMetric: appendProductivity(fields, encoding, to: &output)
        case .control: break
        }
        output.member("timestamp", time: fields.timestamp)
        output.member("created_at", time: arrival)
        output.end()
    }

    private static func appendCommand(_ fields: EventFields, _ encoding: RawSpan, to output: inout ObjectOutput) {
        output.member("command_name", string: encoding.extracting(fields.name))
        output.member("execution_time_ms", nanoseconds: fields.durationNanoseconds)
        output.member("status", text: EventStatus(rawValue: fields.status)?.name ?? "")
        if let message = fields.errorMessage { output.member("error_message", string: encoding.extracting(message)) }
        if let session = fields.session { output.member("session_id", string: encoding.extracting(session)) }
        if let arguments = fields.arguments { output.member("command_args", json: encoding.extracting(arguments)) }
        if let object = fields.object { output.member("context", json: encoding.extracting(object)) }
    }

    private static func appendAgent(_ fields: EventFields, _ encoding: RawSpan, to output: inout ObjectOutput) {
        output.member("agent_name", string: encoding.extracting(fields.name))
        if let type = fields.interactionType { output.member("interaction_type", string: encoding.extracting(type)) }
        output.member("input_tokens", number: fields.inputTokens)
        output.member("output_tokens", number: fields.outputTokens)
        output.member("processing_time_ms", nanoseconds: fields.durationNanoseconds)
        let status = EventStatus(rawValue: fields.status)
        output.member("success", literal: status == .success ? "true" : "false")
        output.member("status", text: status?.name ?? "")
        if let message = fields.errorMessage { output.member("error_message", string: encoding.extracting(message)) }
        if let session = fields.session { output.member("session_id", string: encoding.extracting(session)) }
        if let object = fields.object { output.member("metadata", json: encoding.extracting(object)) }
    }

    private static func appendSessionChange(
        _ fields: EventFields, _ encoding: RawSpan, to output: inout ObjectOutput
    ) {
        let kind = SessionChangeKind(rawValue: fields.status)
        output.member("change", text: kind?.name ?? "")
        output.member("session_id", string: encoding.extracting(fields.name))
        if kind == .ended {
            output.member("status", text: fields.flags.contains(.abandoned) ? "abandoned" : "completed")
        }
        if fields.flags.contains(.totalDuration) {
            output.member("total_duration_ms", nanoseconds: fields.durationNanoseconds)
        }
        if let count = fields.commandsExecuted { output.member("commands_executed", number: count) }
        if fields.agentsUsed != nil {
            output.memberName("agents_used")
            output.begin(UInt8(ascii: "["))
            for agent in fields.agentRanges(encoding) { output.element(string: encoding.extracting(agent)) }
            output.end(UInt8(ascii: "]"))
        }
        if let score = fields.productivityScore { output.member("productivity_score", number: score) }
        if let object = fields.object { output.member("context", json: encoding.extracting(object)) }
    }

    private static func appendProductivity(
        _ fields: EventFields, _ encoding: RawSpan, to output: inout ObjectOutput
    ) {
        output.member("metric_type", string: encoding.extracting(fields.name))
        if let value = fields.value { output.member("value", number: value) }
        if let unit = fields.unit { output.member("unit", string: encoding.extracting(unit)) }
        if let start = fields.periodStart { output.member("period_start", time: start) }
        if let end = fields.periodEnd { output.member("period_end", time: end) }
        if let object = fields.object { output.member("dimensions", json: encoding.extracting(object)) }
    }
}

/// JSON text with commas where they belong.
private struct ObjectOutput {
    var bytes: [UInt8]
    private var isFirst = true

    init(bytes: [UInt8]) { self.bytes = bytes }

    mutating func begin(_ mark: UInt8 = UInt8(ascii: "{")) {
        bytes.append(mark)
        isFirst = true
    }

    mutating func end(_ mark: UInt8 = UInt8(ascii: "}")) {
        bytes.append(mark)
        isFirst = false
    }

    private mutating func separate() {
        if !isFirst { bytes.append(UInt8(ascii: ",")) }
        isFirst = false
    }

    mutating func memberName(_ name: StaticString) {
        separate()
        bytes.append(UInt8(ascii: "\""))
        unsafe bytes.append(
            contentsOf: UnsafeBufferPointer(start: name.utf8Start, count: name.utf8CodeUnitCount))
        bytes.append(UInt8(ascii: "\""))
        bytes.append(UInt8(ascii: ":"))
    }

    mutating func member(_ name: StaticString, string: RawSpan) {
        memberName(name)
        JSONText.append(string, to: &bytes)
    }

    mutating func element(string: RawSpan) {
        separate()
        JSONText.append(string, to: &bytes)
    }

    /// Text of our own that needs no escapes.
    mutating func member(_ name: StaticString, text: String) {
        memberName(name)
        bytes.append(UInt8(ascii: "\""))
        bytes.append(contentsOf: text.utf8)
        bytes.append(UInt8(ascii: "\""))
    }

    mutating func member(_ name: StaticString, json: RawSpan) {
        memberName(name)
        bytes.append(json)
    }

    mutating func member(_ name: StaticString, literal: StaticString) {
        memberName(name)
        bytes.append(text: literal)
    }

    mutating func member(_ name: StaticString, number: UInt64) {
        memberName(name)
        bytes.append(decimal: number)
    }

    mutating func member(_ name: StaticString, number: EventNumber) {
        memberName(name)
        number.appendText(to: &bytes)
    }

    mutating func member(_ name: StaticString, nanoseconds: UInt64) {
        memberName(name)
        JSONText.append(millisecondsOf: nanoseconds, to: &bytes)
    }

    mutating func member(_ name: StaticString, id: EventID) {
        memberName(name)
        bytes.append(UInt8(ascii: "\""))
        id.appendText(to: &bytes)
        bytes.append(UInt8(ascii: "\""))
    }

    mutating func member(_ name: StaticString, time: Timestamp) {
        memberName(name)
        bytes.append(UInt8(ascii: "\""))
        TimestampText.append(time, to: &bytes)
        bytes.append(UInt8(ascii: "\""))
    }
}
