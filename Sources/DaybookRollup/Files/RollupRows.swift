internal import DaybookEvent

/// Rows of one grain and window as columns, in memory: what building, merging and comparing work on.
struct RollupRows: Sendable, Equatable {
    let shape: RollupShape
    let window: RollupWindow

    /// The number of the window since 1970, negative before it.
    private(set) var windows: [Int64] = []
    /// Raw values of `EventStatus`; 0 in metrics.
    private(set) var statuses: [UInt8] = []
    /// Code plus one; 0 for events without a value, and in the grain without keys.
    private(set) var keys: [UInt32] = []
    /// Events.
    private(set) var counts: [UInt64] = []

    /// Events with a duration.
    private(set) var durationCounts: [UInt64] = []
    private(set) var sums: [UInt128] = []
    /// `UInt64.max` where no event has a duration.
    private(set) var minimums: [UInt64] = []
    /// 0 where no event has a duration.
    private(set) var maximums: [UInt64] = []
    private(set) var inputTokens: [UInt128] = []
    private(set) var outputTokens: [UInt128] = []

    private(set) var valueSums: [ExactSum] = []
    private(set) var valueMinimums: [EventNumber] = []
    private(set) var valueMaximums: [EventNumber] = []

    /// Of durations or values.
    private(set) var bins = BinLists()

    init(_ shape: RollupShape, _ window: RollupWindow) {
        self.shape = shape
        self.window = window
    }

    /// - Parameter binCount: of all rows, about.
    mutating func reserveCapacity(_ rowCount: Int, binCount: Int) {
        bins.reserveCapacity(rowCount: rowCount, binCount: binCount)
        windows.reserveCapacity(rowCount)
        statuses.reserveCapacity(rowCount)
        keys.reserveCapacity(rowCount)
        counts.reserveCapacity(rowCount)
        guard shape != .values else { return }
        durationCounts.reserveCapacity(rowCount)
        sums.reserveCapacity(rowCount)
        minimums.reserveCapacity(rowCount)
        maximums.reserveCapacity(rowCount)
    }

    var count: Int { windows.count }
    var isEmpty: Bool { windows.isEmpty }

    mutating func appendKey(window: Int64, status: UInt8, key: UInt32, count: UInt64) {
        windows.append(window)
        statuses.append(status)
        keys.append(key)
        counts.append(count)
    }

    mutating func appendDurations(count: UInt64, sum: UInt128, minimum: UInt64, maximum: UInt64) {
        durationCounts.append(count)
        sums.append(sum)
        minimums.append(minimum)
        maximums.append(maximum)
    }

    mutating func appendTokens(input: UInt128, output: UInt128) {
        inputTokens.append(input)
        outputTokens.append(output)
    }

    mutating func appendValues(sum: ExactSum, minimum: EventNumber, maximum: EventNumber) {
        valueSums.append(sum)
        valueMinimums.append(minimum)
        valueMaximums.append(maximum)
    }

    mutating func appendBins(_ scratch: inout BinScratch) { scratch.endRow(of: &bins) }

    mutating func appendBins(of list: BinLists, row: Int) { bins.append(list, row: row) }

    mutating func appendBins(sumOf list: BinLists, rows: ArraySlice<UInt32>, _ scratch: inout BinScratch) {
        scratch.appendSum(of: list, rows: rows, to: &bins)
    }

    /// Precondition: the same shape and window.
    mutating func append(contentsOf other: RollupRows) {
        precondition(shape == other.shape && window == other.window)
        windows += other.windows
        statuses += other.statuses
        keys += other.keys
        counts += other.counts
        durationCounts += other.durationCounts
        sums += other.sums
        minimums += other.minimums
        maximums += other.maximums
        inputTokens += other.inputTokens
        outputTokens += other.outputTokens
        valueSums += other.valueSums
        valueMinimums += other.valueMinimums
        valueMaximums += other.valueMaximums
        bins.append(contentsOf: other.bins)
    }

    /// Takes over what tells rows apart, and nothing else.
    mutating func appendKeys(of other: RollupRows) {
        windows += other.windows
        statuses += other.statuses
        keys += other.keys
    }

    /// Replaces each key by `ranks[key]`. Precondition: there is one for each.
    mutating func replaceKeys(by ranks: [UInt32]) {
        for row in keys.indices { keys[row] = ranks[Int(keys[row])] }
    }

    /// The row as one that merges with any other.
    func aggregate(_ row: Int) -> AggregateRow {
        var result = AggregateRow()
        if shape == .values {
            result.values = ValueSummary(
                count: counts[row], sum: valueSums[row], minimum: valueMinimums[row], maximum: valueMaximums[row],
                histogram: bins.histogram(of: row, offset: BucketPosition.valueOffset))
            return result
        }
        result.statuses = StatusCounts(counts[row], status: statuses[row])
        result.durations = DurationSummary(
            count: durationCounts[row], sum: sums[row], minimum: minimums[row], maximum: maximums[row],
            histogram: bins.histogram(of: row, offset: BucketPosition.durationOffset))
        if shape == .durationsAndTokens {
            result.inputTokens = inputTokens[row]
            result.outputTokens = outputTokens[row]
        }
        return result
    }
}

extension StatusCounts {
    /// That many of one status, given as its raw value.
    init(_ count: UInt64, status: UInt8) {
        self.init(
            success: status == 0 ? count : 0, error: status == 1 ? count : 0, timeout: status == 2 ? count : 0,
            cancelled: status == 3 ? count : 0)
    }
}
