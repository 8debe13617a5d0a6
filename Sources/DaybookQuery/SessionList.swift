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
        let shown = hits.prefix(query.limit)
        let activity = try SessionActivity(of: shown.map(\.session.state), in: source, asOf: page, context)
        sessions = shown.map { hit in
            let state = hit.session.state
            return ListedSession(
                state: state, status: moment.status(of: state), sequence: hit.session.sequence,
                commandsExecuted: state.commandsExecuted ?? activity.commandCounts[state.id] ?? 0,
                agentsUsed: state.agentsUsed.isEmpty ? activity.agents[state.id] ?? [] : state.agentsUsed)
        }
        last = shown.last?.position
        hasMore = hits.count > query.limit
        scannedRowCount = scan.scannedRowCount + activity.scannedRowCount
    }
}
