internal import DaybookEvent

/// The buckets of scale 5 in one row, so that positions rise with the values. 0 is the zero bucket.
enum BucketPosition {
    /// Position less index of the positive buckets of durations, whose first holds 1,000 ns.
    static let durationOffset: Int32 = 1 - 318
    /// Position less index of the positive buckets of values, whose first holds the smallest double; negative buckets
    /// are the mirror image.
    static let valueOffset: Int32 = 1 + 1_074 * 32 + 1
    /// The highest of durations: that of 2^64 - 1.
    static let durationMax: Int32 = 64 * 32 - 1 + durationOffset
    /// The highest of values.
    static let valueMax: Int32 = 1_024 * 32 - 1 + valueOffset

    @inline(__always)
    static func of(duration: UInt64) -> Int32 {
        duration < DurationSummary.zeroBucketEnd ? 0 : BucketIndex.of(duration) + durationOffset
    }

    static func of(_ value: EventNumber) -> Int32 {
        switch value {
        case .unsigned(let number): number == 0 ? 0 : BucketIndex.of(number) + valueOffset
        case .negative(let number): -(BucketIndex.of(number.magnitude) + valueOffset)
        case .double(let number):
            if number == 0 {
                0
            } else if number > 0 {
                BucketIndex.of(number) + valueOffset
            } else {
                -(BucketIndex.of(-number) + valueOffset)
            }
        }
    }
}

/// For each of some rows the buckets that are not empty, by rising position.
struct BinLists: Sendable, Equatable {
    /// Row `r` has the bins `ends[r]..<ends[r + 1]`.
    private(set) var ends: [Int] = [0]
    private(set) var positions: [Int32] = []
    private(set) var counts: [UInt64] = []

    var rowCount: Int { ends.count - 1 }

    func bins(of row: Int) -> Range<Int> { ends[row]..<ends[row + 1] }

    mutating func reserveCapacity(rowCount: Int, binCount: Int) {
        ends.reserveCapacity(rowCount + 1)
        positions.reserveCapacity(binCount)
        counts.reserveCapacity(binCount)
    }

    /// Adds a bin to the row that is being made.
    mutating func append(_ position: Int32, _ count: UInt64) {
        positions.append(position)
        counts.append(count)
    }

    mutating func append(_ positions: ArraySlice<Int32>, _ counts: ArraySlice<UInt64>) {
        self.positions.append(contentsOf: positions)
        self.counts.append(contentsOf: counts)
    }

    mutating func endRow() { ends.append(positions.count) }

    mutating func append(_ other: BinLists, row: Int) {
        let bins = other.bins(of: row)
        positions.append(contentsOf: other.positions[bins])
        counts.append(contentsOf: other.counts[bins])
        endRow()
    }

    mutating func append(contentsOf other: BinLists) {
        let base = positions.count
        positions.append(contentsOf: other.positions)
        counts.append(contentsOf: other.counts)
        ends.append(contentsOf: other.ends.dropFirst().map { $0 + base })
    }

    func histogram(of row: Int, offset: Int32) -> ExponentialHistogram {
        let bins = bins(of: row)
        return ExponentialHistogram(positions: positions[bins], counts: counts[bins], offset: offset)
    }
}

/// Makes the bins of a row from positions in any order.
struct BinScratch: Sendable {
    /// Positions further apart than this are sorted instead of counted.
    private static let spanMax = 4_096
    /// And positions further apart than so many for each bin.
    private static let spanPerBin = 64
    /// So many positions are sorted by insertion.
    private static let insertionCountMax = 16

    private var dense = [UInt64](repeating: 0, count: spanMax)
    private var drainedPositions = [Int32](repeating: 0, count: spanMax)
    private var drainedCounts = [UInt64](repeating: 0, count: spanMax)
    /// Positions of the row that is being made.
    var positions: [Int32] = []

    /// Makes `positions` so long; new ones are 0.
    mutating func resize(to count: Int) {
        if positions.count > count {
            positions.removeLast(positions.count - count)
        } else {
            positions.append(contentsOf: repeatElement(0, count: count - positions.count))
        }
    }

    /// Ends a row of `lists` with one count for each of `positions`, and forgets them.
    mutating func endRow(of lists: inout BinLists) {
        switch positions.count {
        case 0: break
        case 1: lists.append(positions[0], 1)
        case ...Self.insertionCountMax:
            sortByInsertion()
            appendSorted(to: &lists)
        default:
            if !appendCounted(to: &lists) {
                positions.sort()
                appendSorted(to: &lists)
            }
        }
        positions.removeAll(keepingCapacity: true)
        lists.endRow()
    }

    private mutating func sortByInsertion() {
        unsafe positions.withUnsafeMutableBufferPointer { positions in
            for index in 1..<positions.count {
                let value = unsafe positions[index]
                var place = index
                while place > 0, unsafe positions[place &- 1] > value {
                    unsafe positions[place] = positions[place &- 1]
                    place &-= 1
                }
                unsafe positions[place] = value
            }
        }
    }

    private func appendSorted(to lists: inout BinLists) {
        var current = positions[0]
        var count: UInt64 = 0
        for position in positions {
            if position != current {
                lists.append(current, count)
                current = position
                count = 0
            }
            count += 1
        }
        lists.append(current, count)
    }

    /// False when the positions lie too far apart.
    private mutating func appendCounted(to lists: inout BinLists) -> Bool {
        var low = Int32.max
        var high = Int32.min
        for position in positions {
            low = min(low, position)
            high = max(high, position)
        }
        guard Int(high) - Int(low) < Self.spanMax else { return false }
        unsafe dense.withUnsafeMutableBufferPointer { dense in
            for position in positions { unsafe dense[Int(position &- low)] &+= 1 }
        }
        drain(low, high, to: &lists)
        return true
    }

    /// Moves the counts from `low` to `high` out of `dense`.
    private mutating func drain(_ low: Int32, _ high: Int32, to lists: inout BinLists) {
        let end = Int(high - low) + 1
        var binCount = 0
        unsafe dense.withUnsafeMutableBufferPointer { dense in
            unsafe drainedPositions.withUnsafeMutableBufferPointer { positions in
                unsafe drainedCounts.withUnsafeMutableBufferPointer { counts in
                    precondition(end <= dense.count && dense.count <= positions.count && dense.count <= counts.count)
                    for offset in 0..<end {
                        // Written where the next bin stands, whether there is one or not.
                        let count = unsafe dense[offset]
                        unsafe positions[binCount] = low &+ Int32(truncatingIfNeeded: offset)
                        unsafe counts[binCount] = count
                        binCount &+= count == 0 ? 0 : 1
                        unsafe dense[offset] = 0
                    }
                }
            }
        }
        lists.append(drainedPositions[..<binCount], drainedCounts[..<binCount])
    }

    /// Ends a row of `lists` with the sum of rows of `source`.
    mutating func appendSum(of source: BinLists, rows: ArraySlice<UInt32>, to lists: inout BinLists) {
        var low = Int32.max
        var high = Int32.min
        var binCount = 0
        for row in rows {
            let bins = source.bins(of: Int(row))
            guard let first = bins.first, let last = bins.last else { continue }
            low = min(low, source.positions[first])
            high = max(high, source.positions[last])
            binCount += bins.count
        }
        guard low <= high else { return lists.endRow() }
        if Int(high) - Int(low) < min(Self.spanMax, Self.spanPerBin * binCount) {
            for row in rows {
                for bin in source.bins(of: Int(row)) {
                    dense[Int(source.positions[bin] &- low)] &+= source.counts[bin]
                }
            }
            drain(low, high, to: &lists)
        } else {
            appendSorted(source, rows, to: &lists)
        }
        lists.endRow()
    }

    private func appendSorted(_ source: BinLists, _ rows: ArraySlice<UInt32>, to lists: inout BinLists) {
        var all: [(position: Int32, count: UInt64)] = []
        for row in rows {
            for bin in source.bins(of: Int(row)) { all.append((source.positions[bin], source.counts[bin])) }
        }
        all.sort { $0.position < $1.position }
        var current = all[0]
        for next in all.dropFirst() {
            if next.position == current.position {
                current.count += next.count
            } else {
                lists.append(current.position, current.count)
                current = next
            }
        }
        lists.append(current.position, current.count)
    }
}
