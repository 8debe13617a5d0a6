internal import DaybookEvent
internal import DaybookFormat

/// From pages to a batch. What a checksum cannot promise is checked here: that every code has a string, that optional
/// values are there exactly where the flags say so, that sequences rise; above, nothing needs to doubt a batch.
extension RowGroupReader {
    mutating func batch() throws(SegmentError) -> ColumnBatch {
        let family = segment.family
        var batch = ColumnBatch(
            family: family, schemaVersion: segment.schemaVersion, rowCount: rows.count, selection: selection)
        if isWanted(.flags) { batch.flags = try flags(of: family) }
        try readIntegers(&batch)
        batch.users = try codes(.user, batch.flags, announcedBy: nil)
        batch.names = try codes(.name, batch.flags, announcedBy: nil)
        batch.kinds = try codes(.kind, batch.flags, announcedBy: family == .productivityMetric ? .unit : nil)
        batch.sessions = try codes(.session, batch.flags, announcedBy: family == .sessionChange ? nil : .session)
        batch.teams = try codes(.team, batch.flags, announcedBy: .team)
        let object: EventFlags = family == .commandExecution ? .commandContext : .object
        batch.errorMessages = try strings(.errorMessage, batch.flags, announcedBy: .errorMessage)
        batch.arguments = try objects(.arguments, batch.flags, announcedBy: .commandArguments)
        batch.objects = try objects(.object, batch.flags, announcedBy: object)
        batch.agentsUsed = try strings(.agentsUsed, batch.flags, announcedBy: .agentsUsed)
        return batch
    }

    private mutating func readIntegers(_ batch: inout ColumnBatch) throws(SegmentError) {
        if has(.sequence) {
            batch.sequences = try unsigned(.sequence)
            batch.arrivals = try signed(.arrival)
            guard isAscending(batch.sequences) else { throw damage(.sequence, "sequence") }
        }
        if has(.timestamp) {
            batch.timestamps = try signed(.timestamp)
            try check(batch.timestamps, .timestamp)
        }
        if has(.identifierTime) {
            batch.identifiers = try identifiers(has(.timestamp) ? batch.timestamps : try signed(.timestamp))
        }
        if has(.status) { batch.statuses = try statuses() }
        if has(.duration) { batch.durations = try unsigned(.duration) }
        if has(.inputTokens) {
            batch.inputTokens = try unsigned(.inputTokens)
            batch.outputTokens = try unsigned(.outputTokens)
        }
        if has(.valueTag) { batch.values = try numbers() }
        if has(.periodStart) {
            batch.periodStarts = try signed(.periodStart)
            batch.periodEnds = try signed(.periodEnd)
            try check(batch.periodStarts, .periodStart)
            try check(batch.periodEnds, .periodEnd)
        }
        if has(.commandsExecuted) { batch.commandsExecuted = try unsigned(.commandsExecuted) }
    }

    /// Wanted, and the family has it.
    func has(_ column: ColumnNumber) -> Bool {
        isWanted(column) && ColumnNumber.columns(of: segment.family).contains(column)
    }

    func damage(_ column: ColumnNumber, _ reason: StaticString) -> SegmentError {
        segment.file.damage(at: directory.column(column)?.offset ?? 0, .invalid(reason))
    }

    private mutating func unsigned(_ column: ColumnNumber) throws(SegmentError) -> [UInt64] {
        var result: [UInt64] = []
        result.reserveCapacity(rows.count)
        try unsafe forEachPage(try descriptor(column)) { (values: UnsafeBufferPointer<UInt64>, _) in
            unsafe result.append(contentsOf: values)
        }
        return result
    }

    private mutating func signed(_ column: ColumnNumber) throws(SegmentError) -> [Int64] {
        var result: [Int64] = []
        result.reserveCapacity(rows.count)
        try unsafe forEachPage(try descriptor(column)) { (values: UnsafeBufferPointer<UInt64>, _) in
            unsafe values.withMemoryRebound(to: Int64.self) { unsafe result.append(contentsOf: $0) }
        }
        return result
    }

    /// Values that fit fewer bits, plus `offset` (wrapping) before they are cut.
    private mutating func narrow<T: FixedWidthInteger & UnsignedInteger>(
        _ column: ColumnDescriptor, offset: UInt64 = 0, max limit: UInt64
    ) throws(SegmentError) -> [T] {
        var result = [T](repeating: 0, count: rows.count)
        try unsafe forEachPage(column) { (values: UnsafeBufferPointer<UInt64>, first) throws(FormatError) in
            var largest: UInt64 = 0
            var target = result.mutableSpan
            unsafe target.withUnsafeMutableBufferPointer { target in
                for index in 0..<values.count {
                    let value = unsafe values[index]
                    largest = Swift.max(largest, value)
                    unsafe target[first &+ index] = T(truncatingIfNeeded: value &+ offset)
                }
            }
            guard largest <= limit else { throw .invalid("column value") }
        }
        return result
    }

    private mutating func flags(of family: Family) throws(SegmentError) -> [UInt16] {
        let flags: [UInt16] = try narrow(try descriptor(.flags), max: UInt64(UInt16.max))
        let seen = flags.reduce(0, |)
        guard seen & ~EventFlags.known(of: family).rawValue == 0 else { throw damage(.flags, "event flags") }
        return flags
    }

    private mutating func statuses() throws(SegmentError) -> [UInt8] {
        let known: ClosedRange<UInt8> =
            switch segment.family {
            case .commandExecution, .agentInteraction: 0...3
            case .sessionChange: 1...3
            case .productivityMetric, .control: 0...0
            }
        let statuses: [UInt8] = try narrow(try descriptor(.status), max: UInt64(known.upperBound))
        guard statuses.allSatisfy({ $0 >= known.lowerBound }) else { throw damage(.status, "event status") }
        return statuses
    }

    /// They were written less the milliseconds of the timestamps.
    private mutating func identifiers(_ timestamps: [Int64]) throws(SegmentError) -> [EventID] {
        var times = try unsigned(.identifierTime)
        for row in 0..<rows.count { times[row] &+= ColumnBatch.milliseconds(timestamps[row]) }
        let middles = try unsigned(.identifierMiddle)
        let lows = try unsigned(.identifierLow)
        var result: [EventID] = []
        result.reserveCapacity(rows.count)
        var seen: UInt64 = 0
        for row in 0..<rows.count {
            seen |= times[row] >> 48 | middles[row] >> 16
            result.append(EventID(high: times[row] << 16 | middles[row] & 0xFFFF, low: lows[row]))
        }
        guard seen == 0 else { throw damage(.identifierTime, "event identifier") }
        return result
    }

    private mutating func numbers() throws(SegmentError) -> [EventNumber] {
        let tags = try unsigned(.valueTag)
        let words = try unsigned(.valueBits)
        var result: [EventNumber] = []
        result.reserveCapacity(rows.count)
        for row in 0..<rows.count {
            switch tags[row] {
            case 0:
                result.append(.unsigned(words[row]))
            case 1 where Int64(bitPattern: words[row]) < 0:
                result.append(.negative(Int64(bitPattern: words[row])))
            case 2:
                guard let number = EventNumber(Double(bitPattern: words[row])), case .double = number else {
                    throw damage(.valueBits, "number")
                }
                result.append(number)
            default:
                throw damage(.valueTag, "number")
            }
        }
        return result
    }

    /// Only times that have a text: printing must not meet others.
    private func check(_ times: [Int64], _ column: ColumnNumber) throws(SegmentError) {
        guard let low = times.min(), let high = times.max() else { return }
        guard TimestampText.printable.contains(Timestamp(microseconds: low)),
            TimestampText.printable.contains(Timestamp(microseconds: high))
        else { throw damage(column, "event time") }
    }

    private func isAscending(_ sequences: [UInt64]) -> Bool {
        guard let first = sequences.first, let last = sequences.last else { return true }
        guard first >= segment.firstSequence, last <= segment.lastSequence else { return false }
        var isAscending = true
        for row in 1..<max(1, sequences.count) where sequences[row] <= sequences[row - 1] { isAscending = false }
        return isAscending
    }

    /// - Parameter flag: rows without it have no value, rows with it have one; nil: all rows have one.
    private mutating func codes(
        _ column: ColumnNumber, _ flags: [UInt16], announcedBy flag: EventFlags?
    ) throws(SegmentError) -> CodeColumn? {
        guard has(column) else { return nil }
        let result = try codes(try descriptor(column))
        let codes = result.codes
        var agrees = true
        if let flag {
            let bit = flag.rawValue
            for row in 0..<codes.count { agrees = agrees && (flags[row] & bit != 0) == (codes[row] != .max) }
        } else {
            for code in codes { agrees = agrees && code != .max }
        }
        guard agrees else { throw damage(column, "missing value") }
        return result
    }

    /// Codes with their strings; rows without a value have `CodeColumn.missing`.
    mutating func codes(_ descriptor: ColumnDescriptor) throws(SegmentError) -> CodeColumn {
        let table = try table(descriptor)
        // On disk 0 is missing, so taking 1 away makes it `CodeColumn.missing`.
        let codes: [UInt32] = try narrow(descriptor, offset: .max, max: UInt64(table.count))
        return CodeColumn(table: table, codes: codes)
    }

    mutating func strings(
        _ column: ColumnNumber, _ flags: [UInt16], announcedBy flag: EventFlags
    ) throws(SegmentError) -> ByteColumn? {
        guard has(column) else { return nil }
        let result = try byteColumn(try descriptor(column))
        for row in 0..<flags.count where (flags[row] & flag.rawValue != 0) != result.isPresent(row) {
            throw damage(column, "missing value")
        }
        return result
    }
}
