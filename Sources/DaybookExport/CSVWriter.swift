internal import DaybookEvent
package import DaybookFormat

/// Writes events of one family as CSV by RFC 4180: a header row, lines that end with CR LF, cells with a comma, a quote
/// or a line break in quotes.
///
/// A missing field is an empty cell, an empty text is `""`. Objects and lists are JSON text. Text that a spreadsheet
/// would take for a formula gets an apostrophe in front, as OWASP advises; numbers stay numbers, the negative ones too.
package struct CSVWriter: Sendable {
    package let family: Family
    private let organization: OrganizationID

    /// Precondition: a family that organizations' logs hold.
    package init(family: Family, organization: OrganizationID) {
        precondition(Family.ofOrganizations.contains(family))
        self.family = family
        self.organization = organization
    }

    /// The names of the columns, which are those of the fields in NDJSON.
    package static func columns(of family: Family) -> [String] {
        columnTable(family).map(\.rawValue)
    }

    package func appendHeader(to bytes: inout [UInt8]) {
        for (position, name) in Self.columns(of: family).enumerated() {
            if position > 0 { bytes.append(UInt8(ascii: ",")) }
            bytes.append(contentsOf: name.utf8)
        }
        bytes.append(contentsOf: "\r\n".utf8)
    }

    /// One line. Precondition: the event is of this writer's family.
    package func append(
        schemaVersion: UInt8, encoding: RawSpan, sequence: UInt64, arrival: Timestamp, to bytes: inout [UInt8]
    ) throws {
        let fields = try EventFields(family: family, schemaVersion: schemaVersion, reading: encoding)
        for (position, column) in Self.columnTable(family).enumerated() {
            if position > 0 { bytes.append(UInt8(ascii: ",")) }
            switch column {
            case .sequence: bytes.append(contentsOf: String(sequence).utf8)
            case .organizationID: Self.append(text: Array(organization.text.utf8), to: &bytes)
            case .createdAt: TimestampText.append(arrival, to: &bytes)
            default: append(column, of: fields, encoding, to: &bytes)
            }
        }
        bytes.append(contentsOf: "\r\n".utf8)
    }

    private func append(_ column: CSVColumn, of fields: EventFields, _ encoding: RawSpan, to bytes: inout [UInt8]) {
        switch column {
        case .identifier: fields.id.appendText(to: &bytes)
        case .timestamp: TimestampText.append(fields.timestamp, to: &bytes)
        case .executionTime, .processingTime: Self.append(milliseconds: fields.durationNanoseconds, to: &bytes)
        case .totalDuration:
            if fields.flags.contains(.totalDuration) {
                Self.append(milliseconds: fields.durationNanoseconds, to: &bytes)
            }
        case .status: bytes.append(contentsOf: Self.statusText(fields).utf8)
        case .success: bytes.append(contentsOf: (fields.status == 0 ? "true" : "false").utf8)
        case .change: bytes.append(contentsOf: (SessionChangeKind(rawValue: fields.status)?.name ?? "").utf8)
        case .inputTokens: bytes.append(contentsOf: String(fields.inputTokens).utf8)
        case .outputTokens: bytes.append(contentsOf: String(fields.outputTokens).utf8)
        case .value: fields.value?.appendText(to: &bytes)
        case .commandsExecuted: if let count = fields.commandsExecuted { bytes.append(contentsOf: String(count).utf8) }
        case .productivityScore: fields.productivityScore?.appendText(to: &bytes)
        case .periodStart: if let time = fields.periodStart { TimestampText.append(time, to: &bytes) }
        case .periodEnd: if let time = fields.periodEnd { TimestampText.append(time, to: &bytes) }
        case .agentsUsed: appendAgents(fields, encoding, to: &bytes)
        case .sequence, .organizationID, .createdAt: preconditionFailure("written by the caller")
        default:
            // The session of a session change is what the change is about: it stands where other families have a name.
            let isOwnSession = column == .session && family == .sessionChange
            guard let string = isOwnSession ? .name : column.string, let range = fields.range(of: string) else {
                return
            }
            Self.append(text: encoding.toArray(range), to: &bytes)
        }
    }

    /// Only the end of a session has a status: it ended as completed or as abandoned.
    private static func statusText(_ fields: EventFields) -> String {
        guard fields.family == .sessionChange else { return EventStatus(rawValue: fields.status)?.name ?? "" }
        guard fields.status == SessionChangeKind.ended.rawValue else { return "" }
        return fields.flags.contains(.abandoned) ? "abandoned" : "completed"
    }

    private func appendAgents(_ fields: EventFields, _ encoding: RawSpan, to bytes: inout [UInt8]) {
        guard fields.agentsUsed != nil else { return }
        var list: [UInt8] = [UInt8(ascii: "[")]
        for (position, range) in fields.agentRanges(encoding).enumerated() {
            if position > 0 { list.append(UInt8(ascii: ",")) }
            Self.append(jsonString: encoding.toArray(range), to: &list)
        }
        list.append(UInt8(ascii: "]"))
        Self.append(text: list, to: &bytes)
    }
}

// MARK: - Cells

extension CSVWriter {
    /// A text cell: guarded against being run as a formula, and quoted where it must be.
    package static func append(text: [UInt8], to bytes: inout [UInt8]) {
        let isFormula = text.first.map(startsFormula) ?? false
        let needsQuotes =
            text.isEmpty || isFormula || text.first == 0x20 || text.last == 0x20 || text.contains(where: breaksCell)
        guard needsQuotes else {
            bytes.append(contentsOf: text)
            return
        }
        bytes.append(UInt8(ascii: "\""))
        if isFormula { bytes.append(UInt8(ascii: "'")) }
        for byte in text {
            if byte == UInt8(ascii: "\"") { bytes.append(byte) }
            bytes.append(byte)
        }
        bytes.append(UInt8(ascii: "\""))
    }

    private static func startsFormula(_ byte: UInt8) -> Bool {
        switch byte {
        case UInt8(ascii: "="), UInt8(ascii: "+"), UInt8(ascii: "-"), UInt8(ascii: "@"), 0x09, 0x0D: true
        default: false
        }
    }

    private static func breaksCell(_ byte: UInt8) -> Bool {
        switch byte {
        case UInt8(ascii: ","), UInt8(ascii: "\""), 0x0A, 0x0D: true
        default: false
        }
    }

    /// Exact: a nanosecond is the sixth decimal of a millisecond.
    package static func append(milliseconds nanoseconds: UInt64, to bytes: inout [UInt8]) {
        bytes.append(contentsOf: String(nanoseconds / 1_000_000).utf8)
        var rest = nanoseconds % 1_000_000
        guard rest > 0 else { return }
        bytes.append(UInt8(ascii: "."))
        var unit: UInt64 = 100_000
        while rest > 0 {
            bytes.append(UInt8(ascii: "0") + UInt8(rest / unit))
            rest %= unit
            unit /= 10
        }
    }

    private static func append(jsonString text: [UInt8], to bytes: inout [UInt8]) {
        bytes.append(UInt8(ascii: "\""))
        for byte in text {
            switch byte {
            case UInt8(ascii: "\""), UInt8(ascii: "\\"):
                bytes.append(UInt8(ascii: "\\"))
                bytes.append(byte)
            case 0..<0x20:
                bytes.append(contentsOf: "\\u00".utf8)
                bytes.append(hexDigit(byte >> 4))
                bytes.append(hexDigit(byte & 15))
            default: bytes.append(byte)
            }
        }
        bytes.append(UInt8(ascii: "\""))
    }
}
