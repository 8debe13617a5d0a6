internal import DaybookEvent
internal import DaybookFormat
internal import DaybookRollup
internal import DaybookSegment

/// What the events that name a session say about it, for sessions whose changes do not: how many commands there were, and
/// which agents. Events count from a day before the session's start to a day after its end, or after now.
///
/// Costs one scan of the commands and one of the agent interactions of that time, of the session's pages as far as
/// indexes know them, for all sessions of a page of a list together; nothing when every session has been told about.
struct SessionActivity {
    private(set) var commandCounts: [[UInt8]: UInt64] = [:]
    /// In order of first appearance in the log, at most `Limits.agentsUsedCountMax` of a session.
    private(set) var agents: [[UInt8]: [[UInt8]]] = [:]
    private(set) var scannedRowCount = 0
    private var byteCount = 0
    private var paidByteCount = 0

    /// Late data, and clocks that differ.
    private static let toleranceMicroseconds = Limits.dayMicroseconds

    init(
        of sessions: [SessionState], in source: any EventSource, asOf page: Cursor, _ context: QueryContext
    ) throws {
        let withoutCount = sessions.filter { $0.commandsExecuted == nil }
        let withoutAgents = sessions.filter { $0.agentsUsed.isEmpty }
        try scan(.commandExecution, of: withoutCount, source, page, context) { activity, id, _ in
            activity.commandCounts[id, default: 0] += 1
        }
        try scan(.agentInteraction, of: withoutAgents, source, page, context) { activity, id, agent in
            guard let agent, activity.agents[id, default: []].count < Limits.agentsUsedCountMax,
                activity.agents[id]?.contains(agent) != true
            else { return }
            activity.agents[id, default: []].append(agent)
            activity.byteCount += agent.count + MemoryLayout<[UInt8]>.size
        }
    }

    private mutating func scan(
        _ family: Family, of sessions: [SessionState], _ source: any EventSource, _ page: Cursor,
        _ context: QueryContext, _ note: (inout SessionActivity, [UInt8], [UInt8]?) -> Void
    ) throws {
        guard let first = sessions.map(\.startedAt).min() else { return }
        let lives = Dictionary(
            sessions.map { ($0.id, Self.life(of: $0, now: page.now)) }, uniquingKeysWith: { first, _ in first })
        var range = TimeRange.all
        range.start = first.adding(microseconds: -Self.toleranceMicroseconds)
        range.end = lives.values.map(\.end).max() ?? range.end
        var filter = EventFilter()
        filter.require(.session, anyOf: sessions.map(\.id))
        let names = family == .agentInteraction
        let columns: ColumnSelection = names ? [.session, .time, .name] : [.session, .time]
        let scan = Scan(
            source, family, RowFilter(filter), range, asOfSequence: page.asOfSequence, context,
            tailSelection: columns.union([.sequence]))
        var selector = RowSelector()
        var codes = WantedCodes()
        try scan.forEachPage { rows in
            let selection = scan.conditions.selection(for: rows.zone).union(columns)
            for piece in try rows.readable(selection, scan.damage) {
                scannedRowCount += piece.batch.rowCount
                let outcome = scan.conditions.select(piece.batch, rows.zone, &selector, &codes)
                guard outcome != .none, let column = piece.batch.columns.sessions else { continue }
                let batch = piece.batch.columns
                let found = outcome == .all ? Array(0..<batch.rowCount) : selector.positions.map { Int($0) }
                for row in found {
                    guard let id = column.bytes(row), let life = lives[id],
                        life.contains(batch.timestamps[row])
                    else { continue }
                    note(&self, id, names ? batch.names?.bytes(row) : nil)
                }
            }
            try scan.budget.charge(byteCount, paid: &paidByteCount)
        }
    }

    private static func life(of session: SessionState, now: Timestamp) -> TimeRange {
        var life = TimeRange.all
        life.start = session.startedAt.adding(microseconds: -toleranceMicroseconds)
        life.end = (session.endedAt ?? now).adding(microseconds: toleranceMicroseconds)
        return life
    }
}

extension CodeColumn {
    /// Nil where the row has no value.
    fileprivate func bytes(_ row: Int) -> [UInt8]? {
        let code = codes[row]
        return code < table.count ? Array(table.bytes[table.range(of: code)]) : nil
    }
}
