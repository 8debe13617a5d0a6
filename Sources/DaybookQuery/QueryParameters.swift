internal import DaybookEvent
package import DaybookFormat
internal import DaybookRollup
internal import DaybookSegment

/// What is wrong with one parameter of a query.
package struct QueryFault: Error, Equatable, Sendable {
    package var parameter: String
    package var message: String

    package init(_ parameter: String, _ message: String) {
        self.parameter = parameter
        self.message = message
    }
}

/// The parameters of a request, decoded from the URL, in their order. Queries are made of them; every fault is noted, and
/// a query is valid only when there is none.
package struct QueryParameters: Sendable {
    private let pairs: [(name: String, value: String)]
    private let now: Timestamp
    package private(set) var faults: [QueryFault] = []
    private var isTaken: [Bool]

    /// How far back an answer reaches when no start is given: 24 hours.
    package static let defaultRangeMicroseconds: Int64 = 24 * 3_600 * 1_000_000

    /// - Parameter now: the end of the range when none is given.
    package init(_ pairs: [(name: String, value: String)], now: Timestamp) {
        self.pairs = pairs
        self.now = now
        isTaken = Array(repeating: false, count: pairs.count)
    }

    package mutating func fault(_ parameter: String, _ message: String) {
        faults.append(QueryFault(parameter, message))
    }

    /// The value of a parameter that may come once; nil when it is missing or empty.
    package mutating func single(_ name: String) -> String? {
        var found: String?
        for position in pairs.indices where pairs[position].name == name {
            if found != nil { fault(name, "must not be repeated") }
            isTaken[position] = true
            found = pairs[position].value
        }
        return found.flatMap { $0.isEmpty ? nil : $0 }
    }

    /// Reads `aggregated`.
    package mutating func aggregateQuery() -> AggregateQuery {
        let family = metric()
        let (range, isStartImplied, isEndImplied) = timeRange()
        var query = AggregateQuery(family: family, range: range)
        query.isStartImplied = isStartImplied
        query.isEndImplied = isEndImplied
        if let text = single("aggregation_window") {
            if let window = AggregationWindow(rawValue: text) {
                query.window = window
            } else {
                fault("aggregation_window", "must be one of 1m, 5m, 15m, 1h, 1d, total")
            }
        }
        query.groupBy = groupings(family)
        if let text = single("percentiles") { query.percentiles = percentiles(text) }
        if let text = single("source") {
            query.source = QuerySource(rawValue: text) ?? .auto
            if QuerySource(rawValue: text) == nil { fault("source", "must be one of auto, raw, rollup") }
        }
        query.limit = limit()
        query.cursor = single("cursor")
        query.filter = filter(family)
        if query.source == .rollup, RollupPlan(query) == nil {
            fault("source", "rollups do not tell these groups and filters apart")
        }
        return query
    }

    /// Reads a list of one family.
    package mutating func listQuery(of family: Family) -> ListQuery {
        let (range, isStartImplied, isEndImplied) = timeRange()
        var query = ListQuery(family: family, range: range)
        query.isStartImplied = isStartImplied
        query.isEndImplied = isEndImplied
        switch single("order") {
        case nil, "desc": query.order = .newestFirst
        case "asc": query.order = .oldestFirst
        default: fault("order", "must be asc or desc")
        }
        query.limit = limit()
        query.cursor = single("cursor")
        query.filter = filter(family)
        return query
    }

    /// What `metric` may be.
    package static let metricNames = metrics.map(\.name)
    private static let metrics: [(name: String, family: Family)] = [
        ("command_executions", .commandExecution), ("agent_interactions", .agentInteraction),
        ("user_sessions", .sessionChange), ("productivity_metrics", .productivityMetric),
    ]

    private mutating func metric() -> Family {
        guard let name = single("metric") else { return .commandExecution }
        if let known = Self.metrics.first(where: { $0.name == name }) { return known.family }
        fault("metric", "must be one of \(Self.metricNames.joined(separator: ", "))")
        return .commandExecution
    }

    private mutating func limit() -> Int {
        guard let text = single("limit") else { return QueryLimits.itemCountDefault }
        guard let limit = Int(text), (1...QueryLimits.itemCountMax).contains(limit) else {
            fault("limit", "must be a whole number from 1 to \(QueryLimits.itemCountMax)")
            return QueryLimits.itemCountDefault
        }
        return limit
    }

    private mutating func timeRange() -> (TimeRange, isStartImplied: Bool, isEndImplied: Bool) {
        let start = time("start_date")
        let end = time("end_date")
        let rangeEnd = end ?? now
        let range = TimeRange(
            start: start ?? rangeEnd.adding(microseconds: -Self.defaultRangeMicroseconds), end: rangeEnd)
        if range.start > range.end { fault("start_date", "must not be after end_date") }
        // Without a start the range begins a day before its end, so the start is implied only when the end is.
        return (range, start == nil && end == nil, end == nil)
    }

    private mutating func time(_ name: String) -> Timestamp? {
        guard let text = single(name) else { return nil }
        if let time = TimestampText.parse(text) { return time }
        if let milliseconds = Int64(text) {
            let (microseconds, overflow) = milliseconds.multipliedReportingOverflow(by: 1_000)
            let time = Timestamp(microseconds: microseconds)
            if !overflow, TimestampText.printable.contains(time) { return time }
        }
        fault(name, "must be an RFC 3339 time or epoch milliseconds")
        return nil
    }

    private mutating func percentiles(_ text: String) -> [Percentile] {
        if text == "none" { return [] }
        var percentiles: [Percentile] = []
        for part in text.split(separator: ",", omittingEmptySubsequences: false) {
            guard let percentile = Percentile(part) else {
                fault("percentiles", "must be numbers above 0 up to 100, parted by commas, or none")
                return [.p50]
            }
            if !percentiles.contains(percentile) { percentiles.append(percentile) }
        }
        if percentiles.count > QueryLimits.percentileCountMax {
            fault("percentiles", "must be at most \(QueryLimits.percentileCountMax)")
        }
        return percentiles
    }

    private mutating func groupings(_ family: Family) -> [AggregateQuery.Grouping] {
        var groupings: [AggregateQuery.Grouping] = []
        for position in pairs.indices where pairs[position].name == "group_by" {
            isTaken[position] = true
            for name in pairs[position].value.split(separator: ",").map(String.init) {
                guard let dimension = QueryDimension(name, of: family) else {
                    fault("group_by", "these events cannot be grouped by \(name)")
                    continue
                }
                let grouping = AggregateQuery.Grouping(name, dimension)
                if !groupings.contains(grouping) { groupings.append(grouping) }
            }
        }
        if groupings.count > QueryLimits.groupDimensionCountMax {
            fault("group_by", "must be at most \(QueryLimits.groupDimensionCountMax)")
            groupings.removeLast(groupings.count - QueryLimits.groupDimensionCountMax)
        }
        return groupings
    }

    /// Takes every parameter that is left: each must name a dimension of the family, or be one of the special filters.
    private mutating func filter(_ family: Family) -> EventFilter {
        var filter = EventFilter()
        let hasStatus = family == .commandExecution || family == .agentInteraction
        if family != .productivityMetric {
            filter.durationMin = milliseconds("min_ms")
            filter.durationMax = milliseconds("max_ms")
        }
        if hasStatus {
            switch single("success") {
            case nil: break
            case "true": filter.isSuccess = true
            case "false": filter.isSuccess = false
            default: fault("success", "must be true or false")
            }
        }
        if let text = single("search") {
            filter.search = TokenSearch(Array(text.utf8))
            if filter.search == nil { fault("search", "must hold 1 to \(TokenSearch.tokenCountMax) words") }
        }
        var valueCount = 0
        for position in pairs.indices where !isTaken[position] {
            isTaken[position] = true
            let (name, value) = pairs[position]
            guard let dimension = QueryDimension(name, of: family) else {
                fault(name, "is not a parameter of this query")
                continue
            }
            if dimension == .status, !Self.statusNames(of: family).contains(value) {
                fault(name, "must be one of \(Self.statusNames(of: family).joined(separator: ", "))")
            }
            valueCount += 1
            filter.require(dimension, anyOf: [Array(value.utf8)])
        }
        if valueCount > QueryLimits.filterValueCountMax {
            fault("filters", "must be at most \(QueryLimits.filterValueCountMax)")
        }
        return filter
    }

    private static func statusNames(of family: Family) -> [String] {
        family == .sessionChange ? SessionStatus.allCases.map(\.name) : EventStatus.allCases.map(\.name)
    }

    /// A decimal number of milliseconds as nanoseconds; more than six decimals are a fault.
    private mutating func milliseconds(_ name: String) -> UInt64? {
        guard let text = single(name) else { return nil }
        let parts = text.utf8.split(separator: UInt8(ascii: "."), omittingEmptySubsequences: false)
        var digits = Array(parts[0])
        if parts.count == 2 { digits += parts[1] }
        let decimals = parts.count == 2 ? parts[1].count : 0
        guard parts.count <= 2, !parts[0].isEmpty, parts.count == 1 || (1...6).contains(decimals),
            digits.count + 6 - decimals <= 19,
            digits.allSatisfy({ (UInt8(ascii: "0")...UInt8(ascii: "9")).contains($0) })
        else {
            fault(name, "must be a number of milliseconds with at most six decimals")
            return nil
        }
        digits += repeatElement(UInt8(ascii: "0"), count: 6 - decimals)
        return digits.reduce(0) { $0 * 10 + UInt64($1 - UInt8(ascii: "0")) }
    }
}
