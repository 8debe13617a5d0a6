internal import DaybookEvent
internal import DaybookFormat
internal import DaybookRollup

/// How whole windows cover a range of time: the coarsest in the middle, finer ones towards both ends, and what is left at
/// the ends for rows.
struct RollupCover: Equatable, Sendable {
    struct Part: Equatable, Sendable {
        var window: RollupWindow
        /// Of the windows' starts, microseconds.
        var starts: Range<Int64>
    }

    private(set) var parts: [Part] = []
    /// None of them is empty; at most one before and one behind the windows.
    private(set) var rest: [TimeRange] = []

    /// - Parameter windows: those that may be used, the coarsest first.
    init(_ range: TimeRange, _ windows: [RollupWindow]) {
        let start = Self.clamped(range.start.microseconds)
        cover(start..<max(start, Self.clamped(range.end.microseconds)), windows[...])
    }

    /// So far from the ends of time that rounding cannot overflow; no event is that far.
    static func clamped(_ time: Int64) -> Int64 { min(max(time, -(1 << 62)), 1 << 62) }

    private mutating func cover(_ range: Range<Int64>, _ windows: ArraySlice<RollupWindow>) {
        guard !range.isEmpty else { return }
        guard let window = windows.first else {
            rest.append(
                TimeRange(
                    start: Timestamp(microseconds: range.lowerBound), end: Timestamp(microseconds: range.upperBound)))
            return
        }
        let length = window.microseconds
        let first = Self.roundedDown(range.lowerBound &+ length &- 1, length)
        let end = Self.roundedDown(range.upperBound, length)
        guard first < end else { return cover(range, windows.dropFirst()) }
        cover(range.lowerBound..<first, windows.dropFirst())
        parts.append(Part(window: window, starts: first..<end))
        cover(end..<range.upperBound, windows.dropFirst())
    }

    /// Leaves some more to rows.
    mutating func leave(_ range: TimeRange) {
        if range.start < range.end { rest.append(range) }
    }

    static func roundedDown(_ time: Int64, _ length: Int64) -> Int64 {
        let rest = time % length
        return time - (rest < 0 ? rest + length : rest)
    }
}

/// Which rollups a query can be answered from, as far as the question itself tells.
struct RollupPlan: Sendable {
    let grain: RollupGrain
    /// Whether what has expired counts: of it only whole hours and days are kept.
    let countsHistory: Bool
    /// Those that lie inside the buckets of the query, the coarsest first.
    private let windows: [RollupWindow]
    private let needsHistograms: Bool
    private let range: TimeRange
    /// Which statuses count; nil for all.
    let statuses: [EventStatus]?
    /// Which keys count; nil for all.
    let keys: [[UInt8]]?

    /// Nil when rollups do not tell apart what the query does.
    init?(_ query: AggregateQuery) {
        let filter = query.filter
        guard RollupPolicy.covers(query.family), filter.durationMin == nil, filter.durationMax == nil,
            filter.search == nil, filter.rows == nil
        else { return nil }
        var grains: Set<RollupGrain> = []
        for grouping in query.groupBy {
            switch grouping.dimension {
            case .name: grains.insert(.name)
            case .user: grains.insert(.user)
            case .status: continue
            default: return nil
            }
        }
        var keys: Set<[UInt8]>?
        for condition in filter.conditions {
            switch condition.dimension {
            case .name: grains.insert(.name)
            case .user: grains.insert(.user)
            case .status: continue
            default: return nil
            }
            keys = keys.map { $0.intersection(condition.values) } ?? Set(condition.values)
        }
        guard grains.count <= 1 else { return nil }
        grain = grains.first ?? .status
        self.keys = keys.map { Array($0) }
        statuses = RowFilter(filter).statuses
        // Metrics have no status to choose by.
        if query.family == .productivityMetric, statuses != nil { return nil }
        range = query.range
        needsHistograms = !query.percentiles.isEmpty || query.family == .productivityMetric
        let longest = query.window.microseconds ?? .max
        countsHistory = longest >= RollupWindow.oneHour.microseconds
        windows = RollupWindow.allCases.reversed().filter { $0.microseconds <= longest }
    }

    /// What the rollups of a segment answer, and what is left; nil when that is nothing.
    /// - Parameters:
    ///   - times: of the first and the last event of the segment.
    ///   - visibleFrom: what is older may be hidden in part.
    func cover(_ file: RollupFile, _ times: ClosedRange<Int64>, visibleFrom: Int64) -> RollupCover? {
        let stored = windows.filter { window in
            file.section(grain, window).map { $0.hasHistograms || !needsHistograms } ?? false
        }
        guard let coarsest = stored.first else { return nil }
        // Where the segment ends inside the range, a window that reaches beyond it has nothing that does not count.
        let length = coarsest.microseconds
        let (first, last) = (RollupCover.clamped(times.lowerBound), RollupCover.clamped(times.upperBound))
        let start = Timestamp(microseconds: max(range.start.microseconds, visibleFrom))
        guard start.microseconds <= last else { return nil }
        var whole = TimeRange(start: start, end: range.end)
        if start.microseconds <= first {
            whole.start = Timestamp(microseconds: RollupCover.roundedDown(first, length))
        }
        if last < range.end.microseconds {
            whole.end = Timestamp(microseconds: RollupCover.roundedDown(last, length) + length)
        }
        var cover = RollupCover(whole, stored)
        guard !cover.parts.isEmpty else { return nil }
        if first < start.microseconds { cover.leave(TimeRange(start: range.start, end: start)) }
        return cover
    }
}
