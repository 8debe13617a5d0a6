internal import DaybookEvent
internal import DaybookFormat

/// One page of a list of sessions.
struct SessionList {
    let sessions: [ListedSession]
    let last: Cursor.Position?
    let hasMore: Bool
    let scannedRowCount: Int

    init(
        _ query: ListQuery, _ source: any EventSource, _ page: Cursor, after: Cursor.Position?,
        _ context: QueryContext
    ) throws {
        let scan = try SessionScan(
            source, range: page.range, filter: query.filter, asOfSequence: page.asOfSequence, context)
        let moment = SessionMoment(now: page.now, idleMicroseconds: context.sessionIdleMicroseconds)
        let filter = SessionFilter(query.filter, at: moment)
        var hits: [(position: Cursor.Position, session: SessionEntry)] = []
        for session in scan.sessions.values where filter.matches(session.state) {
            let position = Cursor.Position(
                primary: session.state.startedAt.microseconds, sequence: session.sequence)
            if let after, !BestHits.precedes(after, position, in: query.order) { continue }
            hits.append((position, session))
        }
        hits.sort { BestHits.precedes($0.position, $1.position, in: query.order) }
        let fitting = Self.page(hits.prefix(query.limit).map(\.session.state), context)
        var paid = 0
        // The hits, and the page as text and as the buffer that is sent; the states are paid for by the scan.
        let foundByteCount = hits.count * MemoryLayout<(Cursor.Position, SessionEntry)>.stride
        try context.budget.charge(foundByteCount + 2 * fitting.byteCount, paid: &paid)
        let shown = hits.prefix(fitting.count)
        let activity = try SessionActivity(of: shown.map(\.session.state), in: source, asOf: page, context)
        sessions = shown.map { hit in
            let state = hit.session.state
            return ListedSession(
                state: state, status: moment.status(of: state), sequence: hit.session.sequence,
                commandsExecuted: state.commandsExecuted ?? activity.commandCounts[state.id] ?? 0,
                agentsUsed: state.agentsUsed.isEmpty ? activity.agents[state.id] ?? [] : state.agentsUsed)
        }
        last = shown.last?.position
        hasMore = hits.count > shown.count
        scannedRowCount = scan.scannedRowCount + activity.scannedRowCount
    }

    /// How many of the first sessions fit a page, one at least, and the bytes that they hold.
    private static func page(_ states: [SessionState], _ context: QueryContext) -> (count: Int, byteCount: Int) {
        var byteCount = 0
        for (number, state) in states.enumerated() {
            let added = SessionScan.byteCount(of: state)
            guard number == 0 || byteCount + added <= context.pageByteCountMax else { return (number, byteCount) }
            byteCount += added
        }
        return (states.count, byteCount)
    }
}
