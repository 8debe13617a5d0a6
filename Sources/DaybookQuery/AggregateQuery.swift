package import DaybookFormat
package import DaybookRollup

/// A question for counts, sums and percentiles, one item for each bucket and group that has events.
package struct AggregateQuery: Sendable {
    /// A grouping dimension under the name by which it was asked for.
    package struct Grouping: Hashable, Sendable {
        package var name: String
        package var dimension: QueryDimension

        package init(_ name: String, _ dimension: QueryDimension) {
            self.name = name
            self.dimension = dimension
        }
    }

    package var family: Family
    /// Events are chosen by their time, sessions by their start.
    package var range: TimeRange
    /// True where a bound of the range was not asked for but follows from the clock. Pages after the first take such a
    /// bound from the cursor; one that was asked for must be the same on every page.
    package var isStartImplied = false
    package var isEndImplied = false
    package var window = AggregationWindow.oneHour
    /// At most four.
    package var groupBy: [Grouping] = []
    package var filter = EventFilter()
    package var percentiles: [Percentile] = [.p50, .p95, .p99]
    package var source = QuerySource.auto
    /// Items of one page, 1 to 1,000.
    package var limit = QueryLimits.itemCountDefault
    package var cursor: String?

    package init(family: Family, range: TimeRange) {
        precondition(Family.ofOrganizations.contains(family))
        self.family = family
        self.range = range
    }

    /// Of everything but limit and cursor: a client may change the page size on the way.
    var hash: UInt64 {
        var bytes: [UInt8] = [family.rawValue]
        range.append(to: &bytes, isStartImplied: isStartImplied, isEndImplied: isEndImplied)
        bytes.append(lengthPrefixed: window.rawValue)
        bytes.append(UInt8(groupBy.count))
        for grouping in groupBy { grouping.dimension.append(to: &bytes) }
        filter.append(to: &bytes)
        for percentile in percentiles { bytes.append(varint: percentile.millionths) }
        return queryHash(of: bytes)
    }
}

extension TimeRange {
    /// The bounds that were asked for, for the hash of a query.
    func append(to bytes: inout [UInt8], isStartImplied: Bool, isEndImplied: Bool) {
        bytes.append(isStartImplied ? 1 : 0)
        bytes.append(littleEndian: isStartImplied ? 0 : start.microseconds)
        bytes.append(isEndImplied ? 1 : 0)
        bytes.append(littleEndian: isEndImplied ? 0 : end.microseconds)
    }
}

/// Where answers may come from. Answers are the same; what they cost is not.
package enum QuerySource: String, CaseIterable, Sendable {
    /// Rollups wherever they do, rows for the rest.
    case auto
    /// Rows only.
    case raw
    /// As `auto`, for questions that rollups can answer.
    case rollup
}

/// What is known of one bucket and group.
package struct AggregateItem: Sendable, Equatable {
    package var bucketStart = Timestamp(microseconds: 0)
    package var bucketEnd = Timestamp(microseconds: 0)
    /// The bucket is cut off by the range.
    package var isPartial = false
    /// One value for each grouping, in the query's order; nil where the events have none.
    package var group: [[UInt8]?] = []
    /// Events, or sessions.
    package var count: UInt64 = 0
    /// Commands and agents.
    package var statuses = StatusCounts()
    /// Of commands, agents, and of the sessions that state one.
    package var durations = DurationTotals()
    package var inputTokens: UInt128 = 0
    package var outputTokens: UInt128 = 0
    /// Metrics.
    package var values = ValueSummary()
    /// One for each percentile of the query, in its order: nanoseconds, or values; nil where there is nothing to rank.
    package var percentiles: [Double?] = []
    /// Sessions only.
    package var sessions: SessionCounts?
}

/// How many sessions are in which state.
package struct SessionCounts: Sendable, Equatable {
    package var active: UInt64 = 0
    package var completed: UInt64 = 0
    package var abandoned: UInt64 = 0
}

package struct AggregateAnswer: Sendable {
    package let family: Family
    package let groupNames: [String]
    package let percentiles: [Percentile]
    let rows: AggregateRows
    /// Nil on the last page.
    package let nextCursor: String?
    /// What was asked, after the cursor had its say.
    package let range: TimeRange
    package let asOfSequence: UInt64
    /// Rows of the pages that were read, and of the rollups.
    package let scannedRowCount: Int
    /// Damage that the answer was made without, at most 100 entries.
    package let warnings: [QueryWarning]
    /// All of it.
    package let warningCount: Int
    /// Where the answer came from: `raw`, `rollup`, or `mixed`.
    package let source: String

    /// By bucket, then by the groups' values as bytes, none first. Buckets and groups without events give no item.
    /// Complexity: O(items), each time.
    package var items: [AggregateItem] { rows.items() }
    package var itemCount: Int { rows.count }
}
