package import DaybookEvent
package import DaybookFormat

/// Rows of one family in sequence order, one array per column. An array of a column that was not selected, or that the
/// family does not have, is empty; a code or byte column is nil. Where a field is optional, `flags` says which rows
/// have it, and the arrays hold 0 for the others.
package struct ColumnBatch: Sendable {
    package let family: Family
    package let schemaVersion: UInt8
    package let rowCount: Int
    /// What was asked for.
    package let selection: ColumnSelection

    /// The flags of the encodings: which optional fields follow. Empty when no optional column was selected.
    package internal(set) var flags: [UInt16] = []
    package internal(set) var sequences: [UInt64] = []
    /// Microseconds since 1970.
    package internal(set) var arrivals: [Int64] = []
    /// Microseconds since 1970.
    package internal(set) var timestamps: [Int64] = []
    package internal(set) var identifiers: [EventID] = []
    package internal(set) var statuses: [UInt8] = []
    /// Nanoseconds.
    package internal(set) var durations: [UInt64] = []
    package internal(set) var names: CodeColumn?
    package internal(set) var kinds: CodeColumn?
    package internal(set) var users: CodeColumn?
    package internal(set) var sessions: CodeColumn?
    package internal(set) var teams: CodeColumn?
    package internal(set) var inputTokens: [UInt64] = []
    package internal(set) var outputTokens: [UInt64] = []
    /// The value of a metric; of a session change its productivity score.
    package internal(set) var values: [EventNumber] = []
    package internal(set) var commandsExecuted: [UInt64] = []
    /// Microseconds since 1970.
    package internal(set) var periodStarts: [Int64] = []
    /// Microseconds since 1970.
    package internal(set) var periodEnds: [Int64] = []
    package internal(set) var errorMessages: ByteColumn?
    package internal(set) var arguments: ByteColumn?
    package internal(set) var objects: ByteColumn?
    /// Lists as they stand in the encoding: a varint count, then that many length-prefixed strings.
    package internal(set) var agentsUsed: ByteColumn?

    init(family: Family, schemaVersion: UInt8, rowCount: Int, selection: ColumnSelection) {
        self.family = family
        self.schemaVersion = schemaVersion
        self.rowCount = rowCount
        self.selection = selection
    }

    /// True where `values` holds one: always for metrics, for session changes when a score was sent.
    package func hasValue(_ row: Int) -> Bool {
        switch family {
        case .productivityMetric: true
        case .sessionChange: flags[row] & EventFlags.productivityScore.rawValue != 0
        default: false
        }
    }

    package func hasCommandsExecuted(_ row: Int) -> Bool {
        family == .sessionChange && flags[row] & EventFlags.commandsExecuted.rawValue != 0
    }

    /// True where `durations` holds one: always for commands and agents, for session changes when a total was sent.
    package func hasDuration(_ row: Int) -> Bool {
        switch family {
        case .commandExecution, .agentInteraction: true
        case .sessionChange: flags[row] & EventFlags.totalDuration.rawValue != 0
        default: false
        }
    }

    package func hasPeriodStart(_ row: Int) -> Bool {
        family == .productivityMetric && flags[row] & EventFlags.periodStart.rawValue != 0
    }

    package func hasPeriodEnd(_ row: Int) -> Bool {
        family == .productivityMetric && flags[row] & EventFlags.periodEnd.rawValue != 0
    }

    /// True for a session change that ended the session as abandoned.
    package func isAbandoned(_ row: Int) -> Bool {
        family == .sessionChange && flags[row] & EventFlags.abandoned.rawValue != 0
    }
}
