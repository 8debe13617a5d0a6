package import DaybookFormat

/// The columns of a segment by their number on disk: never renumber. Spec: docs/format/segment.md, "Columns".
package enum ColumnNumber: UInt16, CaseIterable, Sendable {
    case sequence = 1
    case arrival = 2
    case timestamp = 3
    /// The first 48 bits of the identifier, of a version 7 UUID its milliseconds, less those of the timestamp: whether
    /// the client made it or the server, it was made close to then.
    case identifierTime = 4
    /// The next 16 bits: version and 12 bits.
    case identifierMiddle = 5
    /// The last 64 bits.
    case identifierLow = 6
    case flags = 7
    case status = 8
    case duration = 9
    case user = 16
    case name = 17
    case kind = 18
    case session = 19
    case team = 20
    case inputTokens = 32
    case outputTokens = 33
    case valueTag = 34
    case valueBits = 35
    case commandsExecuted = 36
    case periodStart = 37
    case periodEnd = 38
    case errorMessage = 48
    case arguments = 49
    case object = 50
    case agentsUsed = 51

    /// How the values are laid out. The raw value is on disk.
    package enum Shape: UInt8, Sendable {
        case unsigned = 1
        /// 64-bit two's complement; minima and maxima are compared as signed.
        case signed = 2
        /// Codes into a dictionary of the row group, plus one; 0 is missing.
        case code = 3
        /// Optional byte strings.
        case bytes = 4
        /// Doubles, as bit patterns; minima and maxima are compared as doubles. Attributes only.
        case number = 5
    }

    package var shape: Shape {
        switch self {
        case .arrival, .timestamp, .identifierTime, .periodStart, .periodEnd: .signed
        case .user, .name, .kind, .session, .team: .code
        case .errorMessage, .arguments, .object, .agentsUsed: .bytes
        default: .unsigned
        }
    }

    /// Whether the values rise evenly but for a few.
    var isTime: Bool {
        switch self {
        case .arrival, .timestamp, .identifierTime: true
        default: false
        }
    }

    /// What a reader must select to get the column.
    package var selection: ColumnSelection {
        switch self {
        case .sequence, .arrival: .sequence
        case .timestamp: .time
        case .identifierTime, .identifierMiddle, .identifierLow: .identifier
        case .flags: []
        case .status: .status
        case .duration: .duration
        case .user: .user
        case .name: .name
        case .kind: .kind
        case .session: .session
        case .team: .team
        case .inputTokens, .outputTokens: .tokens
        case .valueTag, .valueBits, .periodStart, .periodEnd: .value
        case .commandsExecuted, .agentsUsed: .sessionFields
        case .errorMessage: .errorMessage
        case .arguments: .arguments
        case .object: .object
        }
    }

    /// The columns of a family in the order in which they stand in a row group. Columns that are read together stand
    /// together; the wide ones come last.
    package static func columns(of family: Family) -> [ColumnNumber] {
        let head: [ColumnNumber] = [
            .flags, .timestamp, .status, .duration, .user, .name, .kind, .session, .team, .inputTokens, .outputTokens,
            .valueTag, .valueBits, .periodStart, .periodEnd, .commandsExecuted, .sequence, .arrival, .identifierTime,
            .identifierMiddle, .identifierLow, .agentsUsed, .errorMessage, .arguments, .object,
        ]
        return head.filter { isUsed($0, by: family) }
    }

    private static func isUsed(_ column: ColumnNumber, by family: Family) -> Bool {
        switch column {
        case .inputTokens, .outputTokens: family == .agentInteraction
        case .valueTag, .valueBits: family == .productivityMetric || family == .sessionChange
        case .periodStart, .periodEnd: family == .productivityMetric
        case .commandsExecuted, .agentsUsed: family == .sessionChange
        case .kind: family == .agentInteraction || family == .productivityMetric
        case .name: family != .sessionChange
        case .session: family != .productivityMetric
        case .errorMessage: family == .commandExecution || family == .agentInteraction
        case .arguments: family == .commandExecution
        case .duration: family != .productivityMetric
        default: true
        }
    }
}
