/// The buckets of rows that came one behind the other for one slot, as they came: two bytes a row. Where thousands of
/// slots get some rows each, that takes less memory and time than a histogram of hundreds of counts for each.
struct BucketRuns: Sendable {
    private struct Run {
        var start: UInt32
        var count: UInt32
        /// The one before it of the same slot, or -1.
        var previous: Int32
    }

    private var indexes: [Int16] = []
    private var runs: [Run] = []
    /// Of each slot its last run, or -1; slots at the end may be missing.
    private var lastRuns: [Int32] = []

    /// Rows, and with them runs, that are kept this way; more of them are cheaper in histograms.
    static let countMax = 1 << 18

    var isEmpty: Bool { runs.isEmpty }
    var count: Int { indexes.count }

    /// Bytes in memory, about.
    var byteCount: Int { 2 * indexes.capacity + 12 * runs.capacity + 4 * lastRuns.capacity }

    /// Adds the buckets of durations, but for those of the zero bucket. Precondition: `slot >= 0`, and no more than
    /// `countMax` with these.
    mutating func append(_ nanoseconds: Span<UInt64>, to slot: Int) {
        precondition(nanoseconds.count <= Self.countMax - indexes.count)
        let start = indexes.count
        indexes.append(addingCapacity: nanoseconds.count) { target in
            unsafe BucketIndex.withTables { tables in
                for row in nanoseconds.indices where nanoseconds[row] >= DurationSummary.zeroBucketEnd {
                    target.append(Int16(truncatingIfNeeded: unsafe tables.index(of: nanoseconds[row])))
                }
            }
        }
        if indexes.count > start { appendRun(start, indexes.count - start, slot) }
    }

    private mutating func appendRun(_ start: Int, _ count: Int, _ slot: Int) {
        if slot >= lastRuns.count {
            lastRuns.append(contentsOf: repeatElement(-1, count: slot + 1 - lastRuns.count))
        }
        runs.append(Run(start: UInt32(start), count: UInt32(count), previous: lastRuns[slot]))
        lastRuns[slot] = Int32(runs.count - 1)
    }

    /// Adds each slot of `other` to `slots[thatSlot]`. Precondition: no more than `countMax` together.
    mutating func merge(_ other: BucketRuns, slots: [Int32]) {
        precondition(other.count <= Self.countMax - count)
        let base = indexes.count
        indexes.append(contentsOf: other.indexes)
        for slot in other.lastRuns.indices {
            var next = other.lastRuns[slot]
            while next >= 0 {
                let run = other.runs[Int(next)]
                appendRun(base + Int(run.start), Int(run.count), Int(slots[slot]))
                next = run.previous
            }
        }
    }

    func hasRuns(_ slot: Int) -> Bool { slot < lastRuns.count && lastRuns[slot] >= 0 }

    /// The lowest and the highest bucket of a slot; nil when it has none.
    func range(of slot: Int) -> ClosedRange<Int>? {
        var low = Int16.max
        var high = Int16.min
        forEachIndex(of: slot) { index in
            low = min(low, index)
            high = max(high, index)
        }
        return low <= high ? Int(low)...Int(high) : nil
    }

    /// Calls `body` with the bucket of every row of a slot.
    @inline(__always)
    func forEachIndex(of slot: Int, _ body: (Int16) -> Void) {
        guard hasRuns(slot) else { return }
        var next = lastRuns[slot]
        unsafe indexes.withUnsafeBufferPointer { indexes in
            while next >= 0 {
                let run = runs[Int(next)]
                // Runs are made here only, of what stood at the end.
                for position in Int(run.start)..<Int(run.start) + Int(run.count) { body(unsafe indexes[position]) }
                next = run.previous
            }
        }
    }
}
