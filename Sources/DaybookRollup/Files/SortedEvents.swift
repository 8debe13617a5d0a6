internal import DaybookEvent

/// Buffered events of one grain by key, status and minute: the events of every row are neighbours, whatever the window.
struct SortedEvents {
    /// Rising: key, status (2 bits), minute less `base` (`minuteBits` bits).
    private let sorted: [UInt64]
    /// Which event of the buffer stands at each place.
    private let order: [UInt32]
    /// A whole number of days, so that all windows begin at a multiple of their length from here.
    private let base: Int64
    private let minuteBits: Int

    /// Precondition: the buffer is not empty.
    init(_ buffer: EventBuffer, _ grain: RollupGrain) {
        var low = Int64.max
        var high = Int64.min
        for minute in buffer.minutes {
            low = min(low, minute)
            high = max(high, minute)
        }
        let day = RollupWindow.oneDay.minutes
        base = low.flooredQuotient(by: day) * day
        minuteBits = NumberColumn.width(of: UInt64(high - base))
        var packed: [UInt64] = []
        packed.reserveCapacity(buffer.count)
        let keys: [UInt32]
        switch grain {
        case .status: keys = []
        case .name: keys = buffer.names
        case .user: keys = buffer.users
        }
        let keyBits = NumberColumn.width(of: UInt64(keys.max() ?? 0))
        // Times that have a text span 2^33 minutes: 29 bits are left for keys.
        precondition(minuteBits + 2 + keyBits <= 64)
        let shift = UInt64(minuteBits)
        if grain == .status {
            for event in buffer.minutes.indices {
                packed.append(
                    UInt64(buffer.statuses[event]) &<< shift | UInt64(bitPattern: buffer.minutes[event] &- base))
            }
        } else {
            for event in buffer.minutes.indices {
                packed.append(
                    (UInt64(keys[event]) &<< 2 | UInt64(buffer.statuses[event])) &<< shift
                        | UInt64(bitPattern: buffer.minutes[event] &- base))
            }
        }
        order = RadixSort.sort(&packed, bitCount: minuteBits + 2 + keyBits)
        sorted = packed
    }

    private var minuteMask: UInt64 { (1 << UInt64(minuteBits)) - 1 }

    /// How many rows there are with each window, the finest first.
    func rowCounts() -> [Int] {
        var minuteCount = 0
        var fiveCount = 0
        var fifteenCount = 0
        var hourCount = 0
        var dayCount = 0
        let mask = minuteMask
        var previous = UInt64.max
        var (previousGroup, previousMinute) = (UInt64.max, UInt64.max)
        for key in sorted where key != previous {
            previous = key
            minuteCount &+= 1
            let group = key & ~mask
            let minute = key & mask
            if group != previousGroup {
                fiveCount &+= 1
                fifteenCount &+= 1
                hourCount &+= 1
                dayCount &+= 1
                previousGroup = group
            } else {
                if minute / 5 != previousMinute / 5 { fiveCount &+= 1 }
                if minute / 15 != previousMinute / 15 { fifteenCount &+= 1 }
                if minute / 60 != previousMinute / 60 { hourCount &+= 1 }
                if minute / 1_440 != previousMinute / 1_440 { dayCount &+= 1 }
            }
            previousMinute = minute
        }
        return [minuteCount, fiveCount, fifteenCount, hourCount, dayCount]
    }

    /// One row for each key, status and window, in memory's order.
    func rows(
        of buffer: EventBuffer, _ shape: RollupShape, _ window: RollupWindow, rowCount: Int, _ scratch: inout BinScratch
    ) -> RollupRows {
        var rows = RollupRows(shape, window)
        rows.reserveCapacity(rowCount, binCount: buffer.count * 3 / 4)
        let mask = minuteMask
        let length = UInt64(window.minutes)
        let firstWindow = base / window.minutes
        var first = 0
        while first < sorted.count {
            let group = sorted[first] & ~mask
            let number = (sorted[first] & mask) / length
            // Everything below belongs to the row: the group's bits are above the minute's.
            let endKey = group + (number + 1) * length
            let isLastOfGroup = (number + 1) * length > mask
            var end = first + 1
            while end < sorted.count, isLastOfGroup ? sorted[end] & ~mask == group : sorted[end] < endKey { end += 1 }
            let packed = group >> UInt64(minuteBits)
            rows.appendKey(
                window: firstWindow + Int64(number), status: UInt8(packed & 3), key: UInt32(packed >> 2),
                count: UInt64(end - first))
            append(buffer, order[first..<end], to: &rows, &scratch)
            first = end
        }
        return rows
    }

    private func append(
        _ buffer: EventBuffer, _ events: ArraySlice<UInt32>, to rows: inout RollupRows, _ scratch: inout BinScratch
    ) {
        guard rows.shape != .values else {
            return appendValues(buffer, events, to: &rows, &scratch)
        }
        var count = 0
        var (sumLow, sumHigh) = (0 as UInt64, 0 as UInt64)
        var minimum = UInt64.max
        var maximum: UInt64 = 0
        scratch.resize(to: events.count)
        unsafe scratch.positions.withUnsafeMutableBufferPointer { positions in
            for event in events {
                let event = Int(event)
                guard buffer.hasDuration(event) else { continue }
                let duration = buffer.durations[event]
                let (low, overflow) = sumLow.addingReportingOverflow(duration)
                sumLow = low
                sumHigh &+= overflow ? 1 : 0
                minimum = min(minimum, duration)
                maximum = max(maximum, duration)
                // One place for each event: never past the end.
                unsafe positions[count] = buffer.positions[event]
                count &+= 1
            }
        }
        scratch.resize(to: count)
        rows.appendDurations(
            count: UInt64(count), sum: UInt128(sumHigh) << 64 | UInt128(sumLow), minimum: minimum, maximum: maximum)
        rows.appendBins(&scratch)
        guard rows.shape == .durationsAndTokens else { return }
        var input: UInt128 = 0
        var output: UInt128 = 0
        for event in events {
            input += UInt128(buffer.inputTokens[Int(event)])
            output += UInt128(buffer.outputTokens[Int(event)])
        }
        rows.appendTokens(input: input, output: output)
    }

    private func appendValues(
        _ buffer: EventBuffer, _ events: ArraySlice<UInt32>, to rows: inout RollupRows, _ scratch: inout BinScratch
    ) {
        var sum = ExactSum()
        var minimum = buffer.values[Int(events[events.startIndex])]
        var maximum = minimum
        for event in events {
            let value = buffer.values[Int(event)]
            sum.add(value)
            if value.isLess(than: minimum) { minimum = value }
            if maximum.isLess(than: value) { maximum = value }
            scratch.positions.append(buffer.positions[Int(event)])
        }
        rows.appendValues(sum: sum, minimum: minimum, maximum: maximum)
        rows.appendBins(&scratch)
    }
}

extension ExactSum {
    /// Precondition: a `double` is finite.
    mutating func add(_ value: EventNumber) {
        switch value {
        case .unsigned(let number): add(number)
        case .negative(let number): add(number)
        case .double(let number): add(number)
        }
    }
}
