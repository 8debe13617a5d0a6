internal import DaybookEvent
internal import DaybookFormat

extension RollupBatch {
    /// Replaces the entries by the rows of a block whose windows start inside `starts`. What stands before them is read as
    /// well, for only that tells where they are; what stands behind them is not looked at.
    /// - Parameter bytes: the file up to the end of the block's columns.
    mutating func read(
        _ block: RollupSection.Block, windowStartsIn starts: Range<Int64>, _ wanted: RollupParts, _ bytes: RawSpan,
        keyCount: UInt64, _ scratch: inout RollupScratch
    ) throws(FormatError) {
        parts = wanted
        status = shape == .values ? nil : EventStatus(rawValue: block.status)
        var reader = ByteReader(at: block.columns.lowerBound)
        try readWindows(block, &reader, bytes, &scratch)
        rows = rows(startingIn: starts)
        guard !rows.isEmpty else { return }
        try readKeys(block, &reader, bytes, keyCount: keyCount, &scratch)
        let wantsHistograms = parts.contains(.histograms)
        if shape == .values {
            guard wantsHistograms || parts.contains(.values) else { return }
            try readValues(&reader, bytes)
        } else {
            let wantsTokens = shape == .durationsAndTokens && parts.contains(.tokens)
            guard wantsHistograms || wantsTokens || parts.contains(.durations) else { return }
            try readDurations(block, &reader, bytes, &scratch)
            if wantsTokens {
                try readTokens(block, &reader, bytes, &scratch, to: \.inputTokens)
                try readTokens(block, &reader, bytes, &scratch, to: \.outputTokens)
            }
        }
        if wantsHistograms { try locateHistograms(block) }
    }

    private func rows(startingIn starts: Range<Int64>) -> Range<Int> {
        var first = 0
        var end = windowStarts.count
        while first < end, windowStarts[first] < starts.lowerBound { first += 1 }
        while end > first, windowStarts[end - 1] >= starts.upperBound { end -= 1 }
        return first..<end
    }

    private mutating func readWindows(
        _ block: RollupSection.Block, _ reader: inout ByteReader, _ bytes: RawSpan, _ scratch: inout RollupScratch
    ) throws(FormatError) {
        try NumberColumn.read(&reader, bytes, padded: storage, count: block.rowCount, to: &scratch.first)
        windowStarts.removeAll(keepingCapacity: true)
        // The table of blocks was checked: no product of a number between the block's first and last overflows.
        let length = window.microseconds
        let span = UInt64(block.windows.upperBound - block.windows.lowerBound)
        let base = block.windows.lowerBound * length
        var distance: UInt64 = 0
        for step in scratch.first {
            guard step <= span &- distance else { throw .invalid("rollup window") }
            distance &+= step
            windowStarts.append(base &+ Int64(bitPattern: distance) &* length)
        }
        guard distance == span, scratch.first[0] == 0 else { throw .invalid("rollup window") }
    }

    private mutating func readKeys(
        _ block: RollupSection.Block, _ reader: inout ByteReader, _ bytes: RawSpan, keyCount: UInt64,
        _ scratch: inout RollupScratch
    ) throws(FormatError) {
        let count = block.rowCount
        keys.removeAll(keepingCapacity: true)
        if grain.hasKeys {
            try NumberColumn.read(&reader, bytes, padded: storage, count: count, to: &scratch.first)
            for key in scratch.first[..<rows.upperBound] {
                guard key <= keyCount else { throw .invalid("rollup key") }
                keys.append(UInt32(truncatingIfNeeded: key) &- 1)
            }
        }
        try NumberColumn.read(&reader, bytes, padded: storage, count: count, to: &counts)
        counts.removeLast(count - rows.upperBound)
        for count in counts {
            guard count > 0, count <= HistogramCoding.countMax else { throw .invalid("row count") }
        }
    }

    private mutating func readDurations(
        _ block: RollupSection.Block, _ reader: inout ByteReader, _ bytes: RawSpan, _ scratch: inout RollupScratch
    ) throws(FormatError) {
        let count = block.rowCount
        try NumberColumn.read(&reader, bytes, padded: storage, count: count, to: &durationCounts)
        durationCounts.removeLast(count - entryCount)
        for row in 0..<entryCount {
            guard durationCounts[row] <= counts[row] else { throw .invalid("row count") }
            durationCounts[row] = counts[row] &- durationCounts[row]
        }
        let unit = try reader.varint(bytes)
        try NumberColumn.read(&reader, bytes, padded: storage, count: count, to: &scratch.first)
        try NumberColumn.read(&reader, bytes, padded: storage, count: count, to: &scratch.second)
        try NumberColumn.read(&reader, bytes, padded: storage, count: count, to: &scratch.third)
        try NumberColumn.read(&reader, bytes, padded: storage, count: count, to: &scratch.fourth)
        var (minimums, maximums, sums) = (durationMinimums, durationMaximums, durationSums)
        (durationMinimums, durationMaximums, durationSums) = ([], [], [])
        minimums.removeAll(keepingCapacity: true)
        maximums.removeAll(keepingCapacity: true)
        sums.removeAll(keepingCapacity: true)
        for row in 0..<entryCount {
            let (minimum, first) = scratch.first[row].multipliedReportingOverflow(by: unit)
            let (span, second) = scratch.second[row].multipliedReportingOverflow(by: unit)
            let (maximum, third) = minimum.addingReportingOverflow(span)
            let stored = UInt128(scratch.fourth[row]) << 64 | UInt128(scratch.third[row])
            let (inner, fourth) = unit == 1 ? (stored, false) : stored.multipliedReportingOverflow(by: UInt128(unit))
            let eventCount = durationCounts[row]
            guard !first, !second, !third, !fourth,
                Self.isPossible(inner, eventCount, minimum: minimum, maximum: maximum)
            else { throw .invalid("row sum") }
            minimums.append(eventCount == 0 ? .max : minimum)
            maximums.append(maximum)
            sums.append(eventCount > 1 ? inner &+ UInt128(minimum) &+ UInt128(maximum) : UInt128(minimum))
        }
        (durationMinimums, durationMaximums, durationSums) = (minimums, maximums, sums)
    }

    /// True when so many durations can have these extremes and, without them, that sum.
    @inline(__always)
    private static func isPossible(_ inner: UInt128, _ count: UInt64, minimum: UInt64, maximum: UInt64) -> Bool {
        guard count > 1 else { return inner == 0 && minimum == maximum && (count == 1 || minimum == 0) }
        return UInt128((count &- 2).multipliedFullWidth(by: minimum)) <= inner
            && inner <= UInt128((count &- 2).multipliedFullWidth(by: maximum))
    }

    private mutating func readTokens(
        _ block: RollupSection.Block, _ reader: inout ByteReader, _ bytes: RawSpan, _ scratch: inout RollupScratch,
        to column: WritableKeyPath<RollupBatch, [UInt128]>
    ) throws(FormatError) {
        try NumberColumn.read(&reader, bytes, padded: storage, count: block.rowCount, to: &scratch.first)
        try NumberColumn.read(&reader, bytes, padded: storage, count: block.rowCount, to: &scratch.second)
        var sums: [UInt128] = []
        sums.reserveCapacity(entryCount)
        for row in 0..<entryCount {
            guard scratch.second[row] <= HistogramCoding.countMax else { throw .invalid("row sum") }
            sums.append(UInt128(scratch.second[row]) << 64 | UInt128(scratch.first[row]))
        }
        self[keyPath: column] = sums
    }

    private mutating func readValues(_ reader: inout ByteReader, _ bytes: RawSpan) throws(FormatError) {
        valueSums.removeAll(keepingCapacity: true)
        valueMinimums.removeAll(keepingCapacity: true)
        valueMaximums.removeAll(keepingCapacity: true)
        for row in 0..<entryCount {
            let minimum = try CompactNumber.read(&reader, bytes)
            let maximum = counts[row] > 1 ? try CompactNumber.read(&reader, bytes) : minimum
            guard !maximum.isLess(than: minimum) else { throw .invalid("summary extremes") }
            var sum = ExactSum()
            if counts[row] > 2 {
                sum = try ExactSum(compact: &reader, bytes)
            } else {
                sum.add(minimum)
                if counts[row] == 2 { sum.add(maximum) }
            }
            valueMinimums.append(minimum)
            valueMaximums.append(maximum)
            valueSums.append(sum)
        }
    }

    private func histogramCoding(_ row: Int) -> HistogramCoding {
        HistogramCoding(
            eventCount: shape == .values ? counts[row] : durationCounts[row], low: lows[row], high: highs[row],
            shape: shape)
    }

    /// Finds where the histogram of each entry begins, and checks it.
    private mutating func locateHistograms(_ block: RollupSection.Block) throws(FormatError) {
        var (lows, highs) = (self.lows, self.highs)
        (self.lows, self.highs) = ([], [])
        lows.removeAll(keepingCapacity: true)
        highs.removeAll(keepingCapacity: true)
        for row in 0..<entryCount {
            if shape == .values {
                lows.append(BucketPosition.of(valueMinimums[row]))
                highs.append(BucketPosition.of(valueMaximums[row]))
            } else {
                lows.append(durationCounts[row] == 0 ? 0 : BucketPosition.of(duration: durationMinimums[row]))
                highs.append(BucketPosition.of(duration: durationMaximums[row]))
            }
        }
        (self.lows, self.highs) = (lows, highs)
        histogramEnd = block.histograms.upperBound
        var starts = histogramStarts
        starts.removeAll(keepingCapacity: true)
        try unsafe storage.span.bytes.withUnsafeBytes { (bytes: UnsafeRawBufferPointer) throws(FormatError) in
            let source = unsafe BitSource(bytes, byteCount: block.histograms.upperBound)
            var position = block.histograms.lowerBound * 8
            for row in 0..<entryCount {
                starts.append(position)
                position = try unsafe histogramCoding(row).end(from: position, source)
            }
            let end = (position + 7) / 8
            guard end == block.histograms.upperBound || end < block.histograms.upperBound && entryCount < block.rowCount
            else { throw .invalid("histogram length") }
        }
        histogramStarts = starts
    }
}

extension UInt128 {
    @inline(__always)
    fileprivate init(_ product: (high: UInt64, low: UInt64)) {
        self = UInt128(product.high) << 64 | UInt128(product.low)
    }
}
