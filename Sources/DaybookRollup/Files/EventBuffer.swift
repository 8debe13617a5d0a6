internal import DaybookEvent

/// Events that wait to be rolled up together, as columns.
struct EventBuffer: Sendable {
    private(set) var minutes: [Int64] = []
    private(set) var statuses: [UInt8] = []
    /// Code of the builder's dictionary plus one; 0 for none.
    private(set) var names: [UInt32] = []
    private(set) var users: [UInt32] = []
    private(set) var durations: [UInt64] = []
    /// Empty when all events have a duration.
    private(set) var durationPresence: [Bool] = []
    /// Where durations or values stand in the histogram.
    private(set) var positions: [Int32] = []
    private(set) var inputTokens: [UInt64] = []
    private(set) var outputTokens: [UInt64] = []
    private(set) var values: [EventNumber] = []

    var count: Int { minutes.count }

    func hasDuration(_ event: Int) -> Bool { durationPresence.isEmpty || durationPresence[event] }

    /// Appends rows of `columns`. The keys are those of all its rows.
    mutating func append(
        _ columns: RollupColumns, _ rows: Range<Int>, _ shape: RollupShape, names nameKeys: [UInt32],
        users userKeys: [UInt32]
    ) {
        let first = count
        for row in rows { minutes.append(columns.timestamps[row].flooredQuotient(by: 60_000_000)) }
        names += nameKeys[rows]
        users += userKeys[rows]
        guard shape != .values else {
            statuses.append(contentsOf: repeatElement(0, count: rows.count))
            values += columns.values[rows]
            for row in rows { positions.append(BucketPosition.of(columns.values[row])) }
            return
        }
        for row in rows {
            precondition(columns.statuses[row] < 4)
            statuses.append(columns.statuses[row])
        }
        durations += columns.durations[rows]
        appendPositions(of: columns.durations[rows])
        if let presence = columns.durationPresence {
            durationPresence.append(contentsOf: repeatElement(true, count: first - durationPresence.count))
            durationPresence += presence[rows]
        } else if !durationPresence.isEmpty {
            durationPresence.append(contentsOf: repeatElement(true, count: rows.count))
        }
        if shape == .durationsAndTokens {
            inputTokens += columns.inputTokens[rows]
            outputTokens += columns.outputTokens[rows]
        }
    }

    private mutating func appendPositions(of durations: ArraySlice<UInt64>) {
        let first = positions.count
        positions.append(contentsOf: repeatElement(0, count: durations.count))
        unsafe positions.withUnsafeMutableBufferPointer { positions in
            unsafe BucketIndex.withTables { tables in
                var place = first
                for duration in durations {
                    if duration >= DurationSummary.zeroBucketEnd {
                        unsafe positions[place] = tables.index(of: duration) &+ BucketPosition.durationOffset
                    }
                    place &+= 1
                }
            }
        }
    }

    mutating func removeAll() {
        minutes.removeAll(keepingCapacity: true)
        statuses.removeAll(keepingCapacity: true)
        names.removeAll(keepingCapacity: true)
        users.removeAll(keepingCapacity: true)
        durations.removeAll(keepingCapacity: true)
        durationPresence.removeAll(keepingCapacity: true)
        positions.removeAll(keepingCapacity: true)
        inputTokens.removeAll(keepingCapacity: true)
        outputTokens.removeAll(keepingCapacity: true)
        values.removeAll(keepingCapacity: true)
    }
}

/// Gives each distinct string a code, in the order in which they come.
struct RollupStrings: Sendable {
    private var codes: [[UInt8]: UInt32] = [:]
    private(set) var strings: [[UInt8]] = []

    /// For each row the code of its string plus one; 0 for none.
    mutating func keys(of column: RollupCodes, rowCount: Int) -> [UInt32] {
        precondition(column.codes.count == rowCount)
        var known = [UInt32](repeating: 0, count: column.offsets.count - 1)
        var keys: [UInt32] = []
        keys.reserveCapacity(rowCount)
        for code in column.codes {
            guard code != RollupCodes.missing else {
                keys.append(0)
                continue
            }
            if known[Int(code)] == 0 {
                let range = Int(column.offsets[Int(code)])..<Int(column.offsets[Int(code) + 1])
                known[Int(code)] = key(of: Array(column.bytes[range]))
            }
            keys.append(known[Int(code)])
        }
        return keys
    }

    mutating func key(of string: [UInt8]) -> UInt32 {
        if let code = codes[string] { return code + 1 }
        let code = UInt32(strings.count)
        codes[string] = code
        strings.append(string)
        return code + 1
    }

    mutating func removeAll() { self = RollupStrings() }

    /// The strings by rising bytes, and for each key its place among them plus one, 0 for key 0.
    func sorted() -> (strings: [[UInt8]], ranks: [UInt32]) {
        let order = strings.indices.sorted { strings[$0].lexicographicallyPrecedes(strings[$1]) }
        var ranks = [UInt32](repeating: 0, count: strings.count + 1)
        for (rank, code) in order.enumerated() { ranks[code + 1] = UInt32(rank) + 1 }
        return (order.map { strings[$0] }, ranks)
    }
}
