package import DaybookEvent
package import DaybookFormat

/// A question for the events of one family themselves, or for sessions, in order of time.
package struct ListQuery: Sendable {
    package enum Order: UInt8, Sendable {
        case newestFirst = 0
        case oldestFirst = 1
    }

    /// `sessionChange` lists sessions, one item each, not their changes.
    package var family: Family
    /// Of event times; of sessions by their start.
    package var range: TimeRange
    /// True where a bound of the range follows from the clock; see `AggregateQuery`.
    package var isStartImplied = false
    package var isEndImplied = false
    package var filter = EventFilter()
    /// By time, then by sequence.
    package var order = Order.newestFirst
    /// Items of one page, 1 to 1,000; it has fewer where they are more than `QueryOptions.pageByteCountMax` together.
    package var limit = QueryLimits.itemCountDefault
    package var cursor: String?

    package init(family: Family, range: TimeRange) {
        precondition(Family.ofOrganizations.contains(family))
        self.family = family
        self.range = range
    }

    /// Of everything but limit and cursor.
    var hash: UInt64 {
        var bytes: [UInt8] = [family.rawValue, order.rawValue]
        range.append(to: &bytes, isStartImplied: isStartImplied, isEndImplied: isEndImplied)
        filter.append(to: &bytes)
        return queryHash(of: bytes)
    }
}

/// One stored event.
package struct ListedEvent: Sendable, Equatable {
    package var family: Family
    package var schemaVersion: UInt8
    package var sequence: UInt64
    package var arrival: Timestamp
    package var encoding: [UInt8]
}

/// One session in its present state.
package struct ListedSession: Sendable, Equatable {
    package var state: SessionState
    package var status: SessionStatus
    /// Of its first change.
    package var sequence: UInt64
    /// What its changes say, else what the events say that name it: see `SessionActivity`.
    package var commandsExecuted: UInt64
    package var agentsUsed: [[UInt8]]
}

package struct ListAnswer: Sendable {
    package enum Items: Sendable {
        case events([ListedEvent])
        case sessions([ListedSession])

        package var count: Int {
            switch self {
            case .events(let events): events.count
            case .sessions(let sessions): sessions.count
            }
        }
    }

    package let items: Items
    /// Nil on the last page.
    package let nextCursor: String?
    /// What was asked, after the cursor had its say.
    package let range: TimeRange
    package let asOfSequence: UInt64
    /// Rows of the pages that were looked at.
    package let scannedRowCount: Int
    /// Damage that the answer was made without, at most 100 entries.
    package let warnings: [QueryWarning]
    /// All of it.
    package let warningCount: Int
}

extension ListQuery {
    /// Answers from every event that `source` shows, or as of the first page when there is a cursor.
    /// - Parameter now: decides which sessions are abandoned.
    /// - Throws: `QueryError`, or an error of the source.
    package func answer(
        from source: any EventSource, now: Timestamp, cancellation: Cancellation = Cancellation(),
        options: QueryOptions = QueryOptions()
    ) throws -> ListAnswer {
        let context = QueryContext(options, cancellation)
        let kind: Cursor.Kind = family == .sessionChange ? .sessions : .list
        let hash = hash
        var page = Cursor(
            kind: kind, queryHash: hash, range: range, asOfSequence: source.lastSequence, now: now,
            position: Cursor.Position(primary: 0, sequence: 0))
        var after: Cursor.Position?
        if let cursor {
            page = try Cursor(cursor, kind: kind, queryHash: hash, lastSequence: source.lastSequence)
            after = page.position
        }
        let items: ListAnswer.Items
        let last: Cursor.Position?
        let hasMore: Bool
        let scannedRowCount: Int
        if family == .sessionChange {
            let list = try SessionList(self, source, page, after: after, context)
            (items, last, hasMore) = (.sessions(list.sessions), list.last, list.hasMore)
            scannedRowCount = list.scannedRowCount
        } else {
            var list = EventList(self, source, page, after: after, context)
            try list.run()
            (items, last, hasMore) = (.events(list.events), list.last, list.hasMore)
            scannedRowCount = list.scannedRowCount
        }
        for corruption in source.damage { context.damage.note(corruption) }
        if let last { page.position = last }
        return ListAnswer(
            items: items, nextCursor: hasMore ? page.text : nil, range: page.range, asOfSequence: page.asOfSequence,
            scannedRowCount: scannedRowCount, warnings: context.damage.warnings, warningCount: context.damage.count)
    }
}
