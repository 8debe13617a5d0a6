package import DaybookEvent
internal import DaybookFormat

/// Parts of rows that a reader may leave out. Windows, keys, statuses and counts are always there.
package struct RollupParts: OptionSet, Sendable {
    package let rawValue: UInt8
    package init(rawValue: UInt8) { self.rawValue = rawValue }

    /// Count, sum and extremes.
    package static let durations = RollupParts(rawValue: 1)
    package static let tokens = RollupParts(rawValue: 2)
    /// Sum and extremes.
    package static let values = RollupParts(rawValue: 4)
    /// What percentiles are made of; brings durations or values with it.
    package static let histograms = RollupParts(rawValue: 8)
    package static let all: RollupParts = [.durations, .tokens, .values, .histograms]
}

/// Some rows of a section, all of one status, by rising window and then key; one entry for each row in every array that
/// was asked for.
package struct RollupBatch: Sendable {
    package let grain: RollupGrain
    package let window: RollupWindow
    let shape: RollupShape
    /// Nil in metrics.
    package internal(set) var status: EventStatus?
    /// The entries whose windows were asked for.
    package internal(set) var rows = 0..<0
    /// Microseconds since 1970.
    package internal(set) var windowStarts: [Int64] = []
    /// Codes into the names or users of the file, or `RollupCodes.missing`; empty in the grain without keys.
    package internal(set) var keys: [UInt32] = []
    /// Events.
    package internal(set) var counts: [UInt64] = []
    /// Events with a duration.
    package internal(set) var durationCounts: [UInt64] = []
    /// Nanoseconds.
    package internal(set) var durationSums: [UInt128] = []
    /// `UInt64.max` where no event has a duration.
    package internal(set) var durationMinimums: [UInt64] = []
    /// 0 where no event has a duration.
    package internal(set) var durationMaximums: [UInt64] = []
    package internal(set) var inputTokens: [UInt128] = []
    package internal(set) var outputTokens: [UInt128] = []
    package internal(set) var valueSums: [ExactSum] = []
    package internal(set) var valueMinimums: [EventNumber] = []
    package internal(set) var valueMaximums: [EventNumber] = []

    var parts: RollupParts = []
    /// Positions of the extremes in the histogram, and where what lies between them begins: a bit of `storage`.
    var lows: [Int32] = []
    var highs: [Int32] = []
    var histogramStarts: [Int] = []
    /// Bytes of `storage` up to the end of the block's histograms.
    var histogramEnd = 0
    /// The bytes of the file, padded.
    let storage: [UInt8]

    init(_ file: RollupFile, _ section: RollupSection) {
        grain = section.grain
        window = section.window
        shape = file.shape
        storage = file.storage
    }

    /// Entries in every array, those outside of `rows` included.
    package var entryCount: Int { counts.count }

    /// The histogram of a row. Precondition: histograms were asked for.
    @inline(__always)
    func histogram(_ row: Int) -> StoredHistogram {
        let eventCount = shape == .values ? counts[row] : durationCounts[row]
        var middle: Int32 = 0
        if eventCount == 3, shape != .values {
            middle = BucketPosition.of(
                duration: UInt64(
                    truncatingIfNeeded: durationSums[row] &- UInt128(durationMinimums[row])
                        &- UInt128(durationMaximums[row])))
        }
        return StoredHistogram(
            eventCount: eventCount, low: lows[row], high: highs[row], middle: middle, shape: shape,
            start: histogramStarts[row], end: histogramEnd)
    }

    /// Ends a row of `lists` with the bins of one row. Precondition: histograms were asked for.
    func appendBins(_ row: Int, to lists: inout BinLists) {
        var bins: [(position: Int32, count: UInt64)] = []
        histogram(row).forEachBin(storage) { bins.append(($0, $1)) }
        bins.sort { $0.position < $1.position }
        var index = 0
        while index < bins.count {
            var count: UInt64 = 0
            let position = bins[index].position
            while index < bins.count, bins[index].position == position {
                count += bins[index].count
                index += 1
            }
            lists.append(position, count)
        }
        lists.endRow()
    }

    /// The row with all parts that were asked for; durations and values only together with histograms.
    package func aggregate(_ row: Int) -> AggregateRow {
        var result = AggregateRow()
        if let status { result.statuses = StatusCounts(counts[row], status: status.rawValue) }
        if parts.contains(.tokens), shape == .durationsAndTokens {
            result.inputTokens = inputTokens[row]
            result.outputTokens = outputTokens[row]
        }
        guard parts.contains(.histograms) else { return result }
        var bins = BinLists()
        appendBins(row, to: &bins)
        if shape == .values {
            result.values = ValueSummary(
                count: counts[row], sum: valueSums[row], minimum: valueMinimums[row], maximum: valueMaximums[row],
                histogram: bins.histogram(of: 0, offset: BucketPosition.valueOffset))
        } else if durationCounts[row] > 0 {
            result.durations = DurationSummary(
                count: durationCounts[row], sum: durationSums[row], minimum: durationMinimums[row],
                maximum: durationMaximums[row],
                histogram: bins.histogram(of: 0, offset: BucketPosition.durationOffset))
        }
        return result
    }
}

/// Where the histogram of a row is, and what is known of it without looking there.
struct StoredHistogram: Sendable {
    var eventCount: UInt64
    /// Positions of the extremes; of three durations that of the middle one.
    var low: Int32
    var high: Int32
    var middle: Int32
    var shape: RollupShape
    /// The bit of the file at which it begins.
    var start: Int
    /// The byte of the file at which the block's histograms end.
    var end: Int

    @inline(__always)
    var coding: HistogramCoding { HistogramCoding(eventCount: eventCount, low: low, high: high, shape: shape) }

    /// Calls `body` with positions and counts of all events, in no order and repeatedly; all lie from `low` to `high`.
    /// Precondition: the histogram was found to be sound in `storage`.
    @inline(__always)
    func forEachBin(_ storage: [UInt8], _ body: (Int32, UInt64) -> Void) {
        guard eventCount > 0 else { return }
        guard low != high else { return body(low, eventCount) }
        body(low, 1)
        if eventCount > 1 { body(high, 1) }
        if eventCount == 3, shape != .values { return body(middle, 1) }
        unsafe storage.withUnsafeBytes { bytes in
            unsafe coding.forEach(from: start, BitSource(bytes, byteCount: end), body)
        }
    }

    /// As `forEachBin`, but at least the `wanted` greatest events, and not many more of them.
    @inline(__always)
    func forEachBinFromTop(_ storage: [UInt8], _ wanted: UInt64, _ body: (Int32, UInt64) -> Void) {
        guard wanted < eventCount, eventCount > 3, low != high else { return forEachBin(storage, body) }
        body(high, 1)
        unsafe storage.withUnsafeBytes { bytes in
            unsafe coding.forEachFromTop(from: start, BitSource(bytes, byteCount: end), wanted &- 1, body)
        }
    }
}
