internal import DaybookEvent
internal import DaybookFormat
internal import DaybookRollup

extension AggregateScan {
    /// Takes in the windows of a rollup file. After a `FormatError` what was taken in is of no use.
    mutating func add(_ file: RollupFile, _ cover: RollupCover, _ scan: Scan) throws {
        guard let plan = scan.rollups else { return }
        let dictionary = file.dictionary(of: plan.grain)
        var slots = RollupSlots(
            dictionary, wanted: plan.keys?.compactMap { dictionary.code(of: $0) },
            keyDimension: query.groupBy.firstIndex { $0.dimension == .name || $0.dimension == .user },
            statusDimension: query.groupBy.firstIndex { $0.dimension == .status })
        beginRollup()
        let statuses: [EventStatus?] = plan.statuses?.map { $0 } ?? [nil]
        for part in cover.parts {
            guard let section = file.section(plan.grain, part.window) else {
                throw FormatError.invalid("rollup section")
            }
            for status in statuses {
                try file.forEachBatch(
                    of: section, windowStartsIn: part.starts, status: status, parts: measures.rollupParts
                ) { batch in
                    try scan.cancellation.check()
                    let found = try slots.slots(of: batch, &self)
                    add(batch, slots: found)
                    try charge(scan)
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
    /// The slots that were found, for `bucketCount` buckets from `base` on: by bucket, status where it is a group, and
    /// key where it is one, the missing key last.
    private var known: [Int32] = []
    private var base: Int64 = 0
    private let bucketCount: Int
    private let statusCount: Int
    private let keyCount: Int

    /// Slots that are remembered at once, about. All of them are cleared for each file, however few it needs.
    private static let knownCountMax = 1 << 12

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
        keyCount = keyDimension == nil ? 1 : dictionary.count + 1
        statusCount = statusDimension == nil ? 1 : EventStatus.allCases.count
        bucketCount = max(1, Self.knownCountMax / (keyCount * statusCount))
    }

    /// One for each entry of the batch; `noSlot` where it does not count.
    mutating func slots(of batch: RollupBatch, _ scan: inout AggregateScan) throws -> [Int32] {
        var slots = [Int32](repeating: GroupedRollups.noSlot, count: batch.entryCount)
        let status = statusDimension == nil ? 0 : Int(batch.status?.rawValue ?? 0)
        for row in batch.rows {
            let code = batch.keys.isEmpty ? RollupCodes.missing : batch.keys[row]
            if let isWanted, code >= isWanted.count || !isWanted[Int(code)] { continue }
            let bucket = scan.grid.bucket(of: batch.windowStarts[row])
            if known.isEmpty || UInt64(bitPattern: bucket &- base) >= UInt64(bucketCount) { begin(at: bucket) }
            let place =
                (Int(bucket - base) * statusCount + status) * keyCount + min(Int(code), keyCount - 1)
            if known[place] < 0 { known[place] = try slot(of: bucket, code, batch.status, &scan) }
            slots[row] = known[place]
        }
        return slots
    }

    private mutating func begin(at bucket: Int64) {
        base = bucket
        known.removeAll(keepingCapacity: true)
        known.append(contentsOf: repeatElement(-1, count: bucketCount * statusCount * keyCount))
    }

    private mutating func slot(
        of bucket: Int64, _ code: UInt32, _ status: EventStatus?, _ scan: inout AggregateScan
    ) throws -> Int32 {
        var key = GroupSlots.Key(bucket: bucket)
        if let keyDimension, code < keys.count {
            if keys[Int(code)] == nil {
                keys[Int(code)] = try scan.intern(Array(dictionary.bytes(of: code)), keyDimension)
            }
            key[keyDimension] = keys[Int(code)] ?? 0
        }
        if let statusDimension, let status { key[statusDimension] = UInt32(status.rawValue) + 1 }
        return try scan.slot(of: key)
    }
}
