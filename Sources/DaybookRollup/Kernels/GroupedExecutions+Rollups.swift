internal import DaybookEvent
package import DaybookFormat

extension GroupedExecutions {
    /// Adds entry `row` of a batch to slot `slots[row]` for every entry that was asked for, so that one slot can hold raw
    /// rows and rollups of many files. After an error the slots are of no use.
    /// Precondition: the batch has durations, and histograms where these are kept; there is one slot for each entry, below
    /// zero to leave it out, or below `slotCount`.
    package mutating func add(_ batch: RollupBatch, slots: [Int32]) throws(FormatError) {
        precondition(slots.count == batch.entryCount && batch.durationSums.count == batch.entryCount)
        guard let status = batch.status else { throw .invalid("rollup status") }
        for row in batch.rows where slots[row] >= 0 {
            let slot = Int(slots[row])
            precondition(slot < slotCount)
            let count = batch.counts[row]
            guard count == batch.durationCounts[row], count <= UInt64(Self.rowCountMax) else {
                try addSpilled(batch, row, slot)
                continue
            }
            makeRoom(forRows: Int(count))
            if keepsHistograms { try addCells(batch, row, slot) }
            totals[slot].statuses[Int(status.rawValue)] &+= UInt32(count)
            let sum = batch.durationSums[row]
            let (low, overflow) = totals[slot].sumLow.addingReportingOverflow(UInt64(truncatingIfNeeded: sum))
            totals[slot].sumLow = low
            totals[slot].sumHigh += UInt64(truncatingIfNeeded: sum >> 64) + (overflow ? 1 : 0)
            totals[slot].minimum = min(totals[slot].minimum, batch.durationMinimums[row])
            totals[slot].maximum = max(totals[slot].maximum, batch.durationMaximums[row])
        }
    }

    private mutating func addCells(_ batch: RollupBatch, _ row: Int, _ slot: Int) throws(FormatError) {
        // Position 0 is the zero bucket, which is what the cells lack of the count.
        guard batch.highs[row] > 0 else { return }
        for position in [max(1, batch.lows[row]), batch.highs[row]] {
            let index = Int(position - BucketPosition.durationOffset)
            if !holds(index, slot) { widen(slot, toInclude: index) }
        }
        let entry = totals[slot]
        let base = Int(entry.start) - Int(entry.firstIndex) - Int(BucketPosition.durationOffset)
        let end = Int(entry.start) + Int(entry.length)
        var isSound = true
        try unsafe cells.withUnsafeMutableBufferPointer {
            (cells: inout UnsafeMutableBufferPointer<UInt32>) throws(FormatError) in
            try batch.forEachBin(row) { position, count in
                guard position != 0 else { return }
                let cell = base &+ Int(position)
                guard cell >= Int(entry.start), cell < end else {
                    isSound = false
                    return
                }
                unsafe cells[cell] &+= UInt32(truncatingIfNeeded: count)
            }
        }
        guard isSound else { throw .invalid("histogram bucket") }
    }

    /// Rare: more events than 32 bits count, or events without a duration.
    private mutating func addSpilled(_ batch: RollupBatch, _ row: Int, _ slot: Int) throws(FormatError) {
        let aggregate = try batch.aggregate(row)
        spill()
        spilled[slot].statuses.merge(aggregate.statuses)
        spilled[slot].durations.merge(aggregate.durations)
    }
}
