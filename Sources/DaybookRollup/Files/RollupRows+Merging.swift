internal import DaybookEvent

extension RollupRows {
    /// The order of rows in memory: by key, status, window, so that the windows of one coarser window are neighbours.
    /// Of files: by status, window, key.
    enum Order {
        case memory
        case file
    }

    /// The rows' places in that order. Rows that are equal in all three stay as they are.
    func order(_ order: Order) -> [UInt32] {
        guard let low = windows.min(), let high = windows.max() else { return [] }
        let windowBits = NumberColumn.width(of: UInt64(bitPattern: high &- low))
        let keyBits = NumberColumn.width(of: UInt64(keys.max() ?? 0))
        guard windowBits + keyBits + 2 <= 64 else { return orderByComparing(order) }
        var packed: [UInt64] = []
        packed.reserveCapacity(count)
        switch order {
        case .memory:
            for row in windows.indices {
                packed.append(
                    (UInt64(keys[row]) << 2 | UInt64(statuses[row])) << UInt64(windowBits)
                        | UInt64(bitPattern: windows[row] &- low))
            }
        case .file:
            for row in windows.indices {
                packed.append(
                    (UInt64(statuses[row]) << UInt64(windowBits) | UInt64(bitPattern: windows[row] &- low))
                        << UInt64(keyBits) | UInt64(keys[row]))
            }
        }
        return RadixSort.sort(&packed, bitCount: windowBits + keyBits + 2)
    }

    private func orderByComparing(_ order: Order) -> [UInt32] {
        Array(0..<UInt32(count)).sorted { left, right in
            let (left, right) = (Int(left), Int(right))
            switch order {
            case .memory:
                return (keys[left], statuses[left], windows[left], left)
                    < (keys[right], statuses[right], windows[right], right)
            case .file:
                return (statuses[left], windows[left], keys[left], left)
                    < (statuses[right], windows[right], keys[right], right)
            }
        }
    }

    /// Sums up rows of the same key, status and window, the window being `target`. The result is in memory's order.
    /// Precondition: `order` is memory's order of the rows, and `target` not finer than they are.
    func summed(in order: [UInt32], to target: RollupWindow, _ scratch: inout BinScratch) -> RollupRows {
        precondition(target >= window)
        let ratio = target.minutes / window.minutes
        var result = RollupRows(shape, target)
        var first = 0
        while first < order.count {
            let row = Int(order[first])
            let number = windows[row].flooredQuotient(by: ratio)
            var end = first + 1
            while end < order.count {
                let next = Int(order[end])
                guard keys[next] == keys[row], statuses[next] == statuses[row],
                    windows[next].flooredQuotient(by: ratio) == number
                else { break }
                end += 1
            }
            result.append(sumOf: order[first..<end], of: self, window: number, &scratch)
            first = end
        }
        return result
    }

    /// How many rows there would be with that window. Precondition: they are in memory's order, and it is not finer.
    func rowCount(in target: RollupWindow) -> Int {
        guard target > window else { return count }
        let ratio = target.minutes / window.minutes
        var rowCount = 0
        var (key, status, number) = (UInt32.max, UInt8.max, Int64.min)
        for row in windows.indices {
            let next = windows[row].flooredQuotient(by: ratio)
            guard next != number || keys[row] != key || statuses[row] != status else { continue }
            (key, status, number) = (keys[row], statuses[row], next)
            rowCount += 1
        }
        return rowCount
    }

    /// The same rows in windows of another length. Precondition: they are in memory's order.
    func coarsened(to target: RollupWindow, _ scratch: inout BinScratch) -> RollupRows {
        summed(in: Array(0..<UInt32(count)), to: target, &scratch)
    }

    /// Rows of several parts as one, in memory's order. Precondition: not empty, and all of one shape and window.
    static func merged(_ parts: [RollupRows], _ scratch: inout BinScratch) -> RollupRows {
        var parts = parts
        return merged(consuming: &parts, &scratch)
    }

    /// The same, letting go of each part as soon as it is taken over.
    static func merged(consuming parts: inout [RollupRows], _ scratch: inout BinScratch) -> RollupRows {
        var all = parts.removeLast()
        while let next = parts.popLast() { all.append(contentsOf: next) }
        return all.summed(in: all.order(.memory), to: all.window, &scratch)
    }

    /// How many rows parts have together, with a window that is not finer than theirs. Looks at keys alone.
    static func mergedCount(_ parts: ArraySlice<RollupRows>, in target: RollupWindow) -> Int {
        guard let first = parts.first else { return 0 }
        var keys = RollupRows(first.shape, first.window)
        for part in parts { keys.appendKeys(of: part) }
        let ratio = target.minutes / first.window.minutes
        var count = 0
        var last: (key: UInt32, status: UInt8, window: Int64)?
        for row in keys.order(.memory) {
            let row = Int(row)
            let place = (keys.keys[row], keys.statuses[row], keys.windows[row].flooredQuotient(by: ratio))
            if let last, last == place { continue }
            last = place
            count += 1
        }
        return count
    }

    /// The same rows in the order of files.
    func inFileOrder() -> RollupRows {
        // Without keys both orders are the same.
        guard keys.contains(where: { $0 != 0 }) else { return self }
        var result = RollupRows(shape, window)
        for row in order(.file) { result.append(self, row: Int(row)) }
        return result
    }

    /// The rows whose key is wanted, in their order.
    func filtered(_ isWanted: (UInt32) -> Bool) -> RollupRows {
        var result = RollupRows(shape, window)
        for row in keys.indices where isWanted(keys[row]) { result.append(self, row: row) }
        return result
    }

    private mutating func append(_ source: RollupRows, row: Int) {
        appendKey(
            window: source.windows[row], status: source.statuses[row], key: source.keys[row],
            count: source.counts[row])
        appendMeasures(of: source, row: row)
        appendBins(of: source.bins, row: row)
    }

    private mutating func appendMeasures(of source: RollupRows, row: Int) {
        guard shape != .values else {
            return appendValues(
                sum: source.valueSums[row], minimum: source.valueMinimums[row], maximum: source.valueMaximums[row])
        }
        appendDurations(
            count: source.durationCounts[row], sum: source.sums[row], minimum: source.minimums[row],
            maximum: source.maximums[row])
        if shape == .durationsAndTokens {
            appendTokens(input: source.inputTokens[row], output: source.outputTokens[row])
        }
    }

    private mutating func append(
        sumOf rows: ArraySlice<UInt32>, of source: RollupRows, window: Int64, _ scratch: inout BinScratch
    ) {
        let first = Int(rows[rows.startIndex])
        var eventCount: UInt64 = 0
        for row in rows { eventCount += source.counts[Int(row)] }
        appendKey(window: window, status: source.statuses[first], key: source.keys[first], count: eventCount)
        guard rows.count > 1 else {
            appendMeasures(of: source, row: first)
            return appendBins(of: source.bins, row: first)
        }
        if shape == .values {
            appendValueSums(of: rows, source)
        } else {
            appendDurationSums(of: rows, source)
        }
        appendBins(sumOf: source.bins, rows: rows, &scratch)
    }

    private mutating func appendDurationSums(of rows: ArraySlice<UInt32>, _ source: RollupRows) {
        var count: UInt64 = 0
        var sum: UInt128 = 0
        var minimum = UInt64.max
        var maximum: UInt64 = 0
        for row in rows {
            let row = Int(row)
            count += source.durationCounts[row]
            sum += source.sums[row]
            minimum = min(minimum, source.minimums[row])
            maximum = max(maximum, source.maximums[row])
        }
        appendDurations(count: count, sum: sum, minimum: minimum, maximum: maximum)
        guard shape == .durationsAndTokens else { return }
        var input: UInt128 = 0
        var output: UInt128 = 0
        for row in rows {
            input += source.inputTokens[Int(row)]
            output += source.outputTokens[Int(row)]
        }
        appendTokens(input: input, output: output)
    }

    private mutating func appendValueSums(of rows: ArraySlice<UInt32>, _ source: RollupRows) {
        let first = Int(rows[rows.startIndex])
        var sum = source.valueSums[first]
        var minimum = source.valueMinimums[first]
        var maximum = source.valueMaximums[first]
        for row in rows.dropFirst() {
            let row = Int(row)
            sum.merge(source.valueSums[row])
            if source.valueMinimums[row].isLess(than: minimum) { minimum = source.valueMinimums[row] }
            if maximum.isLess(than: source.valueMaximums[row]) { maximum = source.valueMaximums[row] }
        }
        appendValues(sum: sum, minimum: minimum, maximum: maximum)
    }
}

extension Int64 {
    /// The quotient rounded down. Precondition: the divisor is positive.
    @inline(__always)
    func flooredQuotient(by divisor: Int64) -> Int64 {
        let quotient = self / divisor
        return self % divisor < 0 ? quotient - 1 : quotient
    }
}
