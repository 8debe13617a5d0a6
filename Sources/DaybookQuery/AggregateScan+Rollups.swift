internal import DaybookEvent
internal import DaybookFormat
internal import DaybookRollup

extension AggregateScan {
    /// Takes in the windows of a rollup file. After a `FormatError` what was taken in is of no use.
    mutating func add(_ file: RollupFile, _ cover: RollupCover, _ scan: Scan) throws {
        guard let plan = scan.rollups else { return }
        let dictionary = plan.grain == .user ? file.users : file.names
        var slots = RollupSlots(
            dictionary, wanted: plan.keys?.compactMap { dictionary.code(of: $0) },
            keyDimension: query.groupBy.firstIndex { $0.dimension == .name || $0.dimension == .user },
            statusDimension: query.groupBy.firstIndex { $0.dimension == .status })
        for part in cover.parts {
            guard let section = file.section(plan.grain, part.window) else {
                throw FormatError.invalid("rollup section")
            }
            let statuses: [EventStatus?] = plan.statuses.map { $0.map { $0 } } ?? [nil]
            for status in statuses {
                try file.forEachBatch(
                    of: section, windowStartsIn: part.starts, status: status, parts: measures.rollupParts
                ) { batch in
                    try scan.cancellation.check()
                    noteRollup(rowCount: batch.rows.count)
                    try addMeasures(of: batch, slots: slots.slots(of: batch, &self))
                }
            }
        }
    }
}

/// Finds the slots of the rows of rollups.
private struct RollupSlots {
    private let dictionary: RollupDictionary
    private let isWanted: [Bool]?
    private let keyDimension: Int?
    private let statusDimension: Int?
    /// Keys of `GroupSlots` for the codes of the file that were met.
    private var keys: [UInt32?]
    /// The bucket and status that `known` is about: rows come window by window.
    private var bucket = Int64.min
    private var status: EventStatus?
    private var known: [Int32]

    init(_ dictionary: RollupDictionary, wanted: [UInt32]?, keyDimension: Int?, statusDimension: Int?) {
        self.dictionary = dictionary
        self.keyDimension = keyDimension
        self.statusDimension = statusDimension
        isWanted = wanted.map { codes in
            var marks = [Bool](repeating: false, count: dictionary.count)
            for code in codes { marks[Int(code)] = true }
            return marks
        }
        keys = Array(repeating: nil, count: dictionary.count)
        known = [Int32](repeating: -1, count: keyDimension == nil ? 1 : dictionary.count + 1)
    }

    /// One for each entry of the batch; below zero where it does not count.
    mutating func slots(of batch: RollupBatch, _ scan: inout AggregateScan) throws -> [Int32] {
        var slots = [Int32](repeating: -1, count: batch.entryCount)
        for row in batch.rows {
            let code = batch.keys.isEmpty ? RollupCodes.missing : batch.keys[row]
            if let isWanted, code >= isWanted.count || !isWanted[Int(code)] { continue }
            let bucket = scan.grid.bucket(of: batch.windowStarts[row])
            if bucket != self.bucket || status != batch.status {
                for position in known.indices { known[position] = -1 }
                self.bucket = bucket
                status = batch.status
            }
            // The missing value stands at the end.
            let position = min(Int(code), known.count - 1)
            if known[position] < 0 { known[position] = try slot(of: code, &scan) }
            slots[row] = known[position]
        }
        return slots
    }

    private mutating func slot(of code: UInt32, _ scan: inout AggregateScan) throws -> Int32 {
        var key = GroupSlots.Key(bucket: bucket)
        if let keyDimension, code < keys.count {
            if keys[Int(code)] == nil {
                let bytes = Array(dictionary.bytes(of: code))
                keys[Int(code)] = try scan.intern(bytes, keyDimension)
            }
            key[keyDimension] = keys[Int(code)] ?? 0
        }
        if let statusDimension, let status { key[statusDimension] = UInt32(status.rawValue) + 1 }
        return try scan.slot(of: key)
    }
}
