internal import DaybookEvent
internal import DaybookFormat
internal import DaybookRollup

/// Aggregates sessions by their start.
struct SessionAggregation {
    private let query: AggregateQuery
    private let grid: BucketGrid
    private(set) var groups: GroupSlots
    private var durations: [DurationSummary] = []
    private var counts: [SessionCounts] = []
    let scannedRowCount: Int

    init(
        _ query: AggregateQuery, _ source: any EventSource, asOf page: Cursor, _ context: QueryContext
    ) throws {
        self.query = query
        grid = BucketGrid(query.window, query.range)
        groups = GroupSlots(dimensionCount: query.groupBy.count)
        let scan = try SessionScan(
            source, range: query.range, filter: query.filter, asOfSequence: page.asOfSequence, context)
        scannedRowCount = scan.scannedRowCount
        let moment = SessionMoment(now: page.now, idleMicroseconds: context.sessionIdleMicroseconds)
        let filter = SessionFilter(query.filter, at: moment)
        for session in scan.sessions.values where filter.matches(session.state) {
            try add(session.state, at: moment)
        }
    }

    private mutating func add(_ state: SessionState, at moment: SessionMoment) throws {
        var key = GroupSlots.Key(bucket: grid.bucket(of: state.startedAt.microseconds))
        for (dimension, grouping) in query.groupBy.enumerated() {
            if let value = SessionFilter.value(of: grouping.dimension, in: state, at: moment) {
                key[dimension] = try groups.interners[dimension].code(of: value, 0..<value.count) + 1
            }
        }
        let slot = Int(try groups.slot(of: key))
        if slot == durations.count {
            durations.append(DurationSummary())
            counts.append(SessionCounts())
        }
        if let duration = state.totalDurationNanoseconds { durations[slot].add(duration) }
        switch moment.status(of: state) {
        case .active: counts[slot].active += 1
        case .completed: counts[slot].completed += 1
        case .abandoned: counts[slot].abandoned += 1
        }
    }

    func items(from first: Int) -> [AggregateItem] {
        groups.sorted().dropFirst(first).prefix(query.limit).map { slot in
            let key = groups.keys[Int(slot)]
            let bounds = grid.bounds(of: key.bucket)
            let summary = durations[Int(slot)]
            let count = counts[Int(slot)]
            return AggregateItem(
                bucketStart: bounds.start, bucketEnd: bounds.end, isPartial: bounds.isPartial,
                group: query.groupBy.indices.map { groups.value(of: $0, in: key) },
                count: count.active + count.completed + count.abandoned, durations: summary.totals,
                percentiles: query.percentiles.map { summary.percentile($0) }, sessions: count)
        }
    }
}
