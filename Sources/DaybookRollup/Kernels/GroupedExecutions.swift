/// What is counted of commands and agents, for many groups at once: how many ended how, the exact sum, the extremes and
/// the distribution of their durations. The inner loop of every aggregation: a row costs a few memory accesses, most of
/// them to one cache line of its group.
package struct GroupedExecutions: Sendable {
    /// One cache line. Counts have 32 bits; `spill` empties them long before they overflow.
    struct Totals {
        var statuses = SIMD4<UInt32>()
        var sumLow: UInt64 = 0
        var sumHigh: UInt64 = 0
        var minimum = UInt64.max
        var maximum: UInt64 = 0
        /// The histogram: `cells[start..<start + length]`, the first of bucket `firstIndex`.
        var start: UInt32 = 0
        var length: UInt16 = 0
        var firstIndex: Int16 = 0

        var count: UInt64 {
            UInt64(statuses[0]) + UInt64(statuses[1]) + UInt64(statuses[2]) + UInt64(statuses[3])
        }
    }

    /// What was moved out of the totals of a slot.
    struct Spilled {
        var statuses = StatusCounts()
        var durations = DurationSummary()
    }

    private(set) var totals: [Totals] = []
    /// The histograms of all slots. Space that a grown one left behind is not used again.
    private(set) var cells: [UInt32] = []
    /// What is not in histograms yet.
    private(set) var runs = BucketRuns()
    private(set) var spilled: [Spilled] = []
    /// Rows since the last spill: no count is larger.
    private var rowCount = 0
    /// The buckets that any slot needed so far.
    private var knownFirst = Int.max
    private var knownEnd = Int.min
    let keepsHistograms: Bool

    private static let rowCountMax = Int(UInt32.max)
    /// Up to so many slots, each new histogram has room for all buckets that were seen in others.
    private static let wideSlotCountMax = 2_048

    /// - Parameter keepsHistograms: without them there are no percentiles.
    package init(keepsHistograms: Bool = true) { self.keepsHistograms = keepsHistograms }

    package var slotCount: Int { totals.count }

    /// Bytes in memory, about.
    package var byteCount: Int {
        totals.capacity * 64 + cells.capacity * 4 + runs.byteCount + spilled.count * MemoryLayout<Spilled>.stride
    }

    /// Makes room for slots up to `count`.
    package mutating func grow(to count: Int) {
        guard count > totals.count else { return }
        totals.append(contentsOf: repeatElement(Totals(), count: count - totals.count))
    }

    /// Adds each row to its slot. Precondition: all have the same length, and every slot is from 0 to below `slotCount`.
    package mutating func add(slots: Span<Int32>, statuses: Span<UInt8>, nanoseconds: Span<UInt64>) {
        precondition(slots.count == statuses.count && slots.count == nanoseconds.count)
        makeRoom(forRows: slots.count)
        guard keepsHistograms else {
            _ = addRows(from: 0, slots, statuses, nanoseconds, histograms: false)
            return
        }
        noteRange(of: nanoseconds)
        var row = 0
        while true {
            row = addRows(from: row, slots, statuses, nanoseconds, histograms: true)
            guard row < slots.count else { return }
            widen(Int(slots[row]), toInclude: Int(BucketIndex.of(nanoseconds[row])))
        }
    }

    /// Histograms that are made for a batch have room for all its rows: none of them moves more than once a batch.
    private mutating func noteRange(of nanoseconds: Span<UInt64>) {
        guard slotCount <= Self.wideSlotCountMax else { return }
        var least = UInt64.max
        var greatest: UInt64 = 0
        for row in nanoseconds.indices {
            let value = nanoseconds[row]
            least = min(least, max(value, DurationSummary.zeroBucketEnd))
            greatest = max(greatest, value)
        }
        guard least <= greatest else { return }
        knownFirst = min(knownFirst, Int(BucketIndex.of(least)))
        knownEnd = max(knownEnd, Int(BucketIndex.of(greatest)) + 1)
    }

    /// Adds rows until the end, or until one needs a bucket that its slot has no place for; returns that row.
    @inline(__always)
    private mutating func addRows(
        from first: Int, _ slots: Span<Int32>, _ statuses: Span<UInt8>, _ nanoseconds: Span<UInt64>, histograms: Bool
    ) -> Int {
        unsafe totals.withUnsafeMutableBufferPointer { totals in
            unsafe cells.withUnsafeMutableBufferPointer { cells in
                unsafe slots.withUnsafeBufferPointer { slots in
                    unsafe statuses.withUnsafeBufferPointer { statuses in
                        unsafe nanoseconds.withUnsafeBufferPointer { nanoseconds in
                            unsafe Self.add(
                                first..<slots.count, slots, statuses, nanoseconds, totals, cells, histograms)
                        }
                    }
                }
            }
        }
    }

    @inline(__always)
    private static func add(
        _ rows: Range<Int>, _ slots: UnsafeBufferPointer<Int32>, _ statuses: UnsafeBufferPointer<UInt8>,
        _ nanoseconds: UnsafeBufferPointer<UInt64>, _ totals: UnsafeMutableBufferPointer<Totals>,
        _ cells: UnsafeMutableBufferPointer<UInt32>, _ histograms: Bool
    ) -> Int {
        unsafe BucketIndex.withTables { tables in
            for row in rows {
                let slot = Int(unsafe slots[row])
                precondition(UInt(bitPattern: slot) < UInt(bitPattern: totals.count))
                let entry = unsafe totals.baseAddress.unsafelyUnwrapped + slot
                let value = unsafe nanoseconds[row]
                if histograms, value >= DurationSummary.zeroBucketEnd {
                    let offset = Int(unsafe tables.index(of: value)) &- Int(unsafe entry.pointee.firstIndex)
                    if UInt(bitPattern: offset) >= UInt(unsafe entry.pointee.length) { return row }
                    unsafe cells[Int(entry.pointee.start) &+ offset] &+= 1
                }
                unsafe entry.pointee.statuses &+= Self.increment(statuses[row])
                let (low, overflow) = unsafe entry.pointee.sumLow.addingReportingOverflow(value)
                unsafe entry.pointee.sumLow = low
                unsafe entry.pointee.sumHigh &+= overflow ? 1 : 0
                unsafe entry.pointee.minimum = min(entry.pointee.minimum, value)
                unsafe entry.pointee.maximum = max(entry.pointee.maximum, value)
            }
            return rows.upperBound
        }
    }

    /// One in the lane of the status.
    @inline(__always)
    private static func increment(_ status: UInt8) -> SIMD4<UInt32> {
        let low: UInt64 = status & 2 == 0 ? 1 &<< (UInt64(status & 1) &* 32) : 0
        let high: UInt64 = status & 2 == 0 ? 0 : 1 &<< (UInt64(status & 1) &* 32)
        return unsafe unsafeBitCast(SIMD2(low, high), to: SIMD4<UInt32>.self)
    }

    /// Adds all rows to one slot. Precondition: both have the same length, and the slot is there.
    package mutating func add(slot: Int, statuses: Span<UInt8>, nanoseconds: Span<UInt64>) {
        precondition(statuses.count == nanoseconds.count && slot >= 0 && slot < slotCount)
        makeRoom(forRows: statuses.count)
        if keepsHistograms { addBuckets(of: nanoseconds, slot) }
        var entry = totals[slot]
        unsafe nanoseconds.withUnsafeBufferPointer { nanoseconds in
            for row in 0..<nanoseconds.count {
                let value = unsafe nanoseconds[row]
                let (low, overflow) = entry.sumLow.addingReportingOverflow(value)
                entry.sumLow = low
                entry.sumHigh &+= overflow ? 1 : 0
                entry.minimum = min(entry.minimum, value)
                entry.maximum = max(entry.maximum, value)
            }
        }
        entry.statuses &+= Self.count(statuses)
        totals[slot] = entry
    }

    private mutating func addBuckets(of nanoseconds: Span<UInt64>, _ slot: Int) {
        if totals[slot].length == 0 {
            guard nanoseconds.count > BucketRuns.countMax - runs.count else {
                return runs.append(nanoseconds, to: slot)
            }
            settle()
        }
        var row = 0
        while true {
            row = addBuckets(of: nanoseconds, from: row, slot)
            guard row < nanoseconds.count else { return }
            widen(slot, toInclude: Int(BucketIndex.of(nanoseconds[row])))
        }
    }

    /// The buckets of rows that all go to one slot; returns the first row that has no place.
    private mutating func addBuckets(of nanoseconds: Span<UInt64>, from first: Int, _ slot: Int) -> Int {
        let entry = totals[slot]
        return unsafe cells.withUnsafeMutableBufferPointer { cells in
            unsafe nanoseconds.withUnsafeBufferPointer { nanoseconds in
                unsafe BucketIndex.withTables { tables in
                    for row in first..<nanoseconds.count {
                        let value = unsafe nanoseconds[row]
                        if value < DurationSummary.zeroBucketEnd { continue }
                        let offset = Int(unsafe tables.index(of: value)) &- Int(entry.firstIndex)
                        if UInt(bitPattern: offset) >= UInt(entry.length) { return row }
                        unsafe cells[Int(entry.start) &+ offset] &+= 1
                    }
                    return nanoseconds.count
                }
            }
        }
    }

    private static func count(_ statuses: Span<UInt8>) -> SIMD4<UInt32> {
        var result = SIMD4<UInt32>()
        unsafe statuses.withUnsafeBufferPointer { statuses in
            var row = 0
            while row < statuses.count {
                // Four counts of 16 bits in one word; so many rows cannot overflow one.
                let end = min(statuses.count, row + 0xFFFF)
                var packed: UInt64 = 0
                while row < end {
                    packed &+= 1 &<< (UInt64(unsafe statuses[row] & 3) &* 16)
                    row &+= 1
                }
                for lane in 0..<4 { result[lane] &+= UInt32(truncatingIfNeeded: packed &>> UInt64(16 * lane)) & 0xFFFF }
            }
        }
        return result
    }

    /// Moves the histogram of a slot to a place that has room for bucket `index`.
    @inline(never)
    private mutating func widen(_ slot: Int, toInclude index: Int) {
        let old = totals[slot]
        let oldFirst = Int(old.firstIndex)
        knownFirst = min(knownFirst, index)
        knownEnd = max(knownEnd, index + 1)
        var first = old.length == 0 ? index - 4 : oldFirst
        var end = old.length == 0 ? index + 4 : oldFirst + Int(old.length)
        // Half as much again on the side that was too short.
        let margin = Int(old.length) / 2
        if index < first { first = index - margin }
        if index >= end { end = index + 1 + margin }
        if slotCount <= Self.wideSlotCountMax {
            first = min(first, knownFirst)
            end = max(end, knownEnd)
        }
        let start = cells.count
        precondition(start + end - first <= Int(UInt32.max))
        cells.append(contentsOf: repeatElement(0, count: end - first))
        for position in 0..<Int(old.length) {
            cells[start + oldFirst - first + position] = cells[Int(old.start) + position]
        }
        totals[slot].start = UInt32(start)
        totals[slot].length = UInt16(end - first)
        totals[slot].firstIndex = Int16(first)
    }
}

extension GroupedExecutions {
    private mutating func makeRoom(forRows added: Int) {
        precondition(added <= Self.rowCountMax)
        if rowCount > Self.rowCountMax - added { spill() }
        rowCount += added
    }

    /// Moves everything where counts have 64 bits.
    mutating func spill() {
        let summaries = (0..<slotCount).map { Spilled(statuses: statuses(of: $0), durations: durations(of: $0)) }
        spilled = summaries
        runs = BucketRuns()
        totals = Array(repeating: Totals(), count: slotCount)
        cells.removeAll(keepingCapacity: true)
        rowCount = 0
    }

    /// Adds what `other` holds of each slot to slot `slots[thatSlot]`. In any order the result is the same to the bit.
    /// Precondition: one slot for each of the other's, all below `slotCount`.
    package mutating func merge(_ other: GroupedExecutions, slots: [Int32]) {
        precondition(slots.count == other.slotCount && keepsHistograms == other.keepsHistograms)
        makeRoom(forRows: other.rowCount)
        takeRuns(of: other, slots)
        let base = takeCells(of: other, slots)
        for (position, slot) in slots.enumerated() {
            var added = other.totals[position]
            if let base, totals[Int(slot)].length == 0, added.length > 0 {
                totals[Int(slot)].start = UInt32(base) + added.start
                totals[Int(slot)].length = added.length
                totals[Int(slot)].firstIndex = added.firstIndex
                added.length = 0
            }
            merge(other, added, into: Int(slot))
        }
        guard !other.spilled.isEmpty else { return }
        spill()
        for (position, slot) in slots.enumerated() where position < other.spilled.count {
            spilled[Int(slot)].statuses.merge(other.spilled[position].statuses)
            spilled[Int(slot)].durations.merge(other.spilled[position].durations)
        }
    }

    private mutating func takeRuns(of other: GroupedExecutions, _ slots: [Int32]) {
        guard !other.runs.isEmpty else { return }
        if other.runs.count <= BucketRuns.countMax - runs.count {
            runs.merge(other.runs, slots: slots)
        } else {
            settle()
            for (position, slot) in slots.enumerated() { settle(other.runs, position, into: Int(slot)) }
        }
    }

    /// Puts everything into histograms.
    private mutating func settle() {
        guard !runs.isEmpty else { return }
        let settled = runs
        runs = BucketRuns()
        for slot in totals.indices { settle(settled, slot, into: slot) }
    }

    private mutating func settle(_ runs: BucketRuns, _ position: Int, into slot: Int) {
        guard let range = runs.range(of: position) else { return }
        for index in [range.lowerBound, range.upperBound] where !holds(index, slot) { widen(slot, toInclude: index) }
        let start = Int(totals[slot].start) - Int(totals[slot].firstIndex)
        runs.forEachIndex(of: position) { cells[start + Int($0)] &+= 1 }
    }

    /// Copies the histograms of `other` as a whole where most of them are of slots that have none here, as when parts of a
    /// scan cover different times. Returns where they begin.
    private mutating func takeCells(of other: GroupedExecutions, _ slots: [Int32]) -> Int? {
        var newCellCount = 0
        for (position, slot) in slots.enumerated() where totals[Int(slot)].length == 0 {
            newCellCount += Int(other.totals[position].length)
        }
        guard newCellCount > other.cells.count / 2 else { return nil }
        let base = cells.count
        precondition(base + other.cells.count <= Int(UInt32.max))
        cells.append(contentsOf: other.cells)
        knownFirst = min(knownFirst, other.knownFirst)
        knownEnd = max(knownEnd, other.knownEnd)
        return base
    }

    private mutating func merge(_ other: GroupedExecutions, _ added: Totals, into slot: Int) {
        let first = Int(added.firstIndex)
        let counts = other.cells[Int(added.start)..<Int(added.start) + Int(added.length)]
        if let low = counts.firstIndex(where: { $0 > 0 }), let high = counts.lastIndex(where: { $0 > 0 }) {
            let lowest = first + low - counts.startIndex
            let highest = first + high - counts.startIndex
            for index in [lowest, highest] where !holds(index, slot) { widen(slot, toInclude: index) }
            let start = Int(totals[slot].start) + lowest - Int(totals[slot].firstIndex)
            for position in 0...(high - low) { cells[start + position] &+= counts[low + position] }
        }
        totals[slot].statuses &+= added.statuses
        let (low, overflow) = totals[slot].sumLow.addingReportingOverflow(added.sumLow)
        totals[slot].sumLow = low
        totals[slot].sumHigh += added.sumHigh + (overflow ? 1 : 0)
        totals[slot].minimum = min(totals[slot].minimum, added.minimum)
        totals[slot].maximum = max(totals[slot].maximum, added.maximum)
    }

    private func holds(_ index: Int, _ slot: Int) -> Bool {
        let offset = index - Int(totals[slot].firstIndex)
        return offset >= 0 && offset < Int(totals[slot].length)
    }
}
