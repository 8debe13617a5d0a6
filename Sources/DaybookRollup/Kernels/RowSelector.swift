/// Which rows of a page are wanted, narrowed down condition by condition. A condition is one loop over one column, without
/// a branch; the positions of the rows that are left are gathered once, at the end.
package struct RowSelector: Sendable {
    package enum Outcome: Sendable {
        case all
        /// `positions` says which.
        case some
        case none
    }

    /// 1 where every condition so far holds. Of use only once `isNarrowed`.
    private var mask: [UInt8] = []
    /// The wanted rows, rising, when `finish` said `some`.
    package private(set) var positions: [UInt32] = []
    private var rowCount = 0
    private var isNarrowed = false

    package init() {}

    /// Forgets what was before: all rows of the next page are wanted.
    package mutating func begin(rowCount: Int) {
        self.rowCount = rowCount
        isNarrowed = false
    }

    /// Keeps rows with `first <= value < end`.
    package mutating func keep(_ values: Span<Int64>, from first: Int64, before end: Int64) {
        guard first < end else { return keepNone() }
        let width = UInt64(bitPattern: end &- first)
        narrow(values) { UInt64(bitPattern: $0 &- first) < width }
    }

    /// Keeps rows with `first <= value <= last`.
    package mutating func keep(_ values: Span<UInt64>, from first: UInt64, through last: UInt64) {
        guard first <= last else { return keepNone() }
        let width = last &- first
        narrow(values) { $0 &- first <= width }
    }

    /// Keeps rows of the values whose bit is set.
    package mutating func keep(_ values: Span<UInt8>, bits: UInt8) {
        narrow(values) { $0 < 8 && bits &>> $0 & 1 == 1 }
    }

    /// Keeps rows whose code has a 1 in `wanted`. Precondition: `wanted` is not empty. Its last entry answers for all
    /// codes from there on, the missing value among them.
    package mutating func keep(codes: Span<UInt32>, wanted: [UInt8]) {
        precondition(!wanted.isEmpty)
        let last = UInt32(wanted.count - 1)
        unsafe wanted.withUnsafeBufferPointer { wanted in
            narrow(codes) { unsafe wanted[Int(min($0, last))] == 1 }
        }
    }

    /// Keeps rows with an event time from `first` on, and of the older ones those that arrived from `arrival` on.
    package mutating func keep(
        _ timestamps: Span<Int64>, from first: Int64, orArrivals arrivals: Span<Int64>, from arrival: Int64
    ) {
        precondition(timestamps.count == rowCount && arrivals.count == rowCount)
        prepare()
        for row in 0..<rowCount where timestamps[row] < first && arrivals[row] < arrival { mask[row] = 0 }
    }

    /// Keeps rows that `matches` says yes to; asked only about rows that are still wanted.
    package mutating func keep(where matches: (_ row: Int) -> Bool) {
        prepare()
        for row in 0..<rowCount where mask[row] == 1 && !matches(row) { mask[row] = 0 }
    }

    package mutating func keepNone() {
        prepare()
        for row in 0..<rowCount { mask[row] = 0 }
    }

    /// Gathers the positions.
    package mutating func finish() -> Outcome {
        guard isNarrowed else { return rowCount == 0 ? .none : .all }
        let rowCount = rowCount
        positions = unsafe [UInt32](unsafeUninitializedCapacity: rowCount) { buffer, count in
            unsafe mask.withUnsafeBufferPointer { mask in
                guard let target = buffer.baseAddress else { return }
                for row in 0..<rowCount {
                    // Never beyond the row itself, so inside the buffer.
                    unsafe (target + count).initialize(to: UInt32(truncatingIfNeeded: row))
                    count &+= Int(unsafe mask[row])
                }
            }
        }
        if positions.count == rowCount { return rowCount == 0 ? .none : .all }
        return positions.isEmpty ? .none : .some
    }

    private mutating func prepare() {
        guard !isNarrowed else { return }
        isNarrowed = true
        mask.removeAll(keepingCapacity: true)
        mask.append(contentsOf: repeatElement(1, count: rowCount))
    }

    @inline(__always)
    private mutating func narrow<Value: BitwiseCopyable>(_ values: Span<Value>, _ matches: (Value) -> Bool) {
        precondition(values.count == rowCount)
        prepare()
        unsafe mask.withUnsafeMutableBufferPointer { mask in
            unsafe values.withUnsafeBufferPointer { values in
                for row in 0..<values.count { unsafe mask[row] &= matches(values[row]) ? 1 : 0 }
            }
        }
    }
}
