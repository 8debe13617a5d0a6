package import DaybookFormat

extension AggregateQuery {
    /// Answers from every event that `source` shows, or as of the first page when there is a cursor.
    /// - Parameter now: decides which sessions are abandoned.
    /// - Throws: `QueryError`, or an error of the source.
    /// - Complexity: O(rows of the row groups in range) time, O(groups) memory.
    package func answer(
        from source: any EventSource, now: Timestamp, cancellation: Cancellation = Cancellation(),
        options: QueryOptions = QueryOptions()
    ) throws -> AggregateAnswer {
        let context = QueryContext(options, cancellation)
        var query = self
        let hash = hash
        var page = Cursor(
            kind: .aggregate, queryHash: hash, range: range, asOfSequence: source.lastSequence, now: now,
            position: Cursor.Position(primary: 0, sequence: 0))
        if let cursor {
            page = try Cursor(cursor, kind: .aggregate, queryHash: hash, lastSequence: source.lastSequence)
            query.range = page.range
        }
        let first = Int(page.position.primary)
        let rows: AggregateRows
        let itemCount: Int
        let scannedRowCount: Int
        var origin = "raw"
        if family == .sessionChange {
            let scan = try SessionAggregation(query, source, asOf: page, context)
            (rows, itemCount, scannedRowCount) = (
                .listed(scan.items(from: first)), scan.groups.count, scan.scannedRowCount
            )
        } else {
            let filter = RowFilter(query.filter)
            let scan = Scan(
                source, family, filter, query.range, asOfSequence: page.asOfSequence, context,
                tailSelection: query.selection.union(filter.selection).wholeObjects,
                rollups: query.source == .raw ? nil : RollupPlan(query))
            let aggregate = try AggregateScan.run(query, scan, options)
            let order = aggregate.groups.sorted()
            rows = .scanned(aggregate, Array(order.dropFirst(first).prefix(limit)))
            (itemCount, scannedRowCount) = (order.count, aggregate.scannedRowCount)
            if aggregate.usesRollups { origin = aggregate.usesRows ? "mixed" : "rollup" }
        }
        for corruption in source.damage { context.damage.note(corruption) }
        let next = first + rows.count
        page.position.primary = Int64(next)
        return AggregateAnswer(
            family: family, groupNames: groupBy.map(\.name), percentiles: percentiles, rows: rows,
            nextCursor: next < itemCount ? page.text : nil, range: query.range, asOfSequence: page.asOfSequence,
            scannedRowCount: scannedRowCount, warnings: context.damage.warnings, warningCount: context.damage.count,
            source: origin)
    }
}
