internal import DaybookEvent
internal import DaybookFormat
internal import DaybookRollup
internal import DaybookSegment

/// Aggregates the rows of one family, a batch at a time. Rows are turned into slot numbers first; then every measure runs
/// over its column in one loop.
struct AggregateScan {
    private let query: AggregateQuery
    private let grid: BucketGrid
    private let filter: RowFilter
    private let asOfSequence: UInt64
    private let paths: [PreparedPath?]

    private(set) var groups: GroupSlots
    private(set) var scannedRowCount = 0
    private var durations = GroupedDurations()
    /// Four counts for each slot.
    private var statusCounts: [UInt64] = []
    private var inputTokens: [UInt128] = []
    private var outputTokens: [UInt128] = []
    private var values: [ValueSummary] = []
    private var scratch: [UInt8] = []

    init(_ query: AggregateQuery, _ filter: RowFilter, asOfSequence: UInt64) {
        self.query = query
        self.filter = filter
        self.asOfSequence = asOfSequence
        grid = BucketGrid(query.window, query.range)
        groups = GroupSlots(dimensionCount: query.groupBy.count)
        paths = query.groupBy.map { grouping in
            guard case .attribute(let path) = grouping.dimension else { return nil }
            return PreparedPath(path)
        }
    }

    mutating func add(_ group: RowGroup) throws {
        let buckets = bucketSpan(of: group)
        var selection = measures
        selection.formUnion(filter.selection(for: group, query.range, asOfSequence: asOfSequence))
        if buckets.lowerBound < buckets.upperBound { selection.insert(.time) }
        for grouping in query.groupBy { selection.formUnion(grouping.dimension.selection) }
        let batch = try group.read(selection)
        scannedRowCount += batch.rowCount
        let mask = filter.mask(batch, of: group, query.range, asOfSequence: asOfSequence)
        if case .none = mask { return }
        var grouping = RowGrouping(rowCount: batch.rowCount, mask: mask)
        splitByBucket(&grouping, batch, buckets)
        var globals: [[UInt32]?] = []
        for dimension in query.groupBy.indices { globals.append(try split(&grouping, by: dimension, batch)) }
        let slots = try slots(of: grouping, globals, batch, firstBucket: buckets.lowerBound)
        grow()
        addMeasures(of: batch, slots: grouping.replace(by: slots))
    }

    private var measures: ColumnSelection {
        switch query.family {
        case .agentInteraction: [.status, .duration, .tokens]
        case .productivityMetric: [.value]
        default: [.status, .duration]
        }
    }

    /// The buckets of the first and the last row of the group that may count.
    private func bucketSpan(of group: RowGroup) -> ClosedRange<Int64> {
        let first = max(group.timestampMin, query.range.start.microseconds)
        let last = min(group.timestampMax, query.range.end.microseconds - 1)
        return grid.bucket(of: first)...max(grid.bucket(of: first), grid.bucket(of: last))
    }

    private func splitByBucket(_ grouping: inout RowGrouping, _ batch: ColumnBatch, _ span: ClosedRange<Int64>) {
        guard span.lowerBound < span.upperBound else { return }
        // The last bucket serves the next row more often than not: no division then.
        var current = grid.bucket(of: batch.timestamps[0])
        var bounds = TimeRange(start: Timestamp(microseconds: 1), end: Timestamp(microseconds: 0))
        var numbers: [UInt64] = []
        numbers.reserveCapacity(batch.rowCount)
        for row in 0..<batch.rowCount {
            let time = batch.timestamps[row]
            guard grouping.combinations[row] >= 0 else {
                numbers.append(0)
                continue
            }
            if !bounds.contains(time) {
                current = grid.bucket(of: time)
                let clipped = grid.bounds(of: current)
                bounds = TimeRange(start: clipped.start, end: clipped.end)
            }
            numbers.append(UInt64(current - span.lowerBound))
        }
        grouping.split(by: numbers, cardinality: Int(span.upperBound - span.lowerBound) + 2)
    }

    /// Splits by one grouping dimension. Returns for each of its codes the key in `GroupSlots`, where that is known
    /// already; nil when it is to be looked up in the column's table.
    private mutating func split(
        _ grouping: inout RowGrouping, by dimension: Int, _ batch: ColumnBatch
    ) throws -> [UInt32]? {
        if let path = paths[dimension] {
            let codes = try attributeCodes(path, dimension, batch, grouping.combinations)
            let missing = UInt32(groups.interners[dimension].count)
            grouping.split(by: codes, cardinality: Int(missing) + 1)
            return Array(1...missing + 1).map { $0 > missing ? 0 : $0 }
        }
        let kind = query.groupBy[dimension].dimension
        if kind == .status {
            grouping.split(by: batch.statuses, cardinality: EventStatus.allCases.count + 1)
            var keys: [UInt32] = []
            for status in EventStatus.allCases {
                let name = Array(status.name.utf8)
                keys.append(try groups.interners[dimension].code(of: name, 0..<name.count) + 1)
            }
            return keys + [0]
        }
        guard let column = kind.column(of: batch) else {
            grouping.split(by: [UInt8](repeating: 0, count: batch.rowCount), cardinality: 1)
            return [0]
        }
        grouping.split(by: column.codes, cardinality: column.table.count + 1)
        return nil
    }

    /// The codes of an attribute's values in the dimension's interner; the largest number where there is none.
    private mutating func attributeCodes(
        _ path: PreparedPath, _ dimension: Int, _ batch: ColumnBatch, _ combinations: [Int32]
    ) throws -> [UInt32] {
        var codes = [UInt32](repeating: .max, count: batch.rowCount)
        guard let column = path.column(of: batch) else { return codes }
        try column.bytes.withRawSpan { (all: RawSpan) in
            for row in codes.indices where combinations[row] >= 0 && column.isPresent(row) {
                let start = column.range(row).lowerBound
                let object = all.extracting(column.range(row))
                guard let value = CanonicalScanner.find(path.keys, in: object) else { continue }
                switch AttributeValue(object, value) {
                case .missing: continue
                case .scalar(let range):
                    codes[row] = try groups.interners[dimension].code(of: column.bytes, range.shifted(by: start))
                case .string(let range):
                    let text = range.shifted(by: start)
                    if column.bytes[text].contains(UInt8(ascii: "\\")) {
                        scratch.removeAll(keepingCapacity: true)
                        CanonicalScanner.appendUnescaped(object, range, to: &scratch)
                        codes[row] = try groups.interners[dimension].code(of: scratch, 0..<scratch.count)
                    } else {
                        codes[row] = try groups.interners[dimension].code(of: column.bytes, text)
                    }
                }
            }
        }
        return codes
    }

    /// The slot of each combination.
    private mutating func slots(
        of grouping: RowGrouping, _ globals: [[UInt32]?], _ batch: ColumnBatch, firstBucket: Int64
    ) throws -> [Int32] {
        // The bucket's column comes first, if there is one.
        let hasBuckets = grouping.codes.count > query.groupBy.count
        var slots: [Int32] = []
        slots.reserveCapacity(grouping.count)
        for combination in 0..<grouping.count {
            var key = GroupSlots.Key(
                bucket: hasBuckets ? firstBucket + Int64(grouping.codes[0][combination]) : firstBucket)
            for dimension in query.groupBy.indices {
                let code = grouping.codes[dimension + (hasBuckets ? 1 : 0)][combination]
                if let known = globals[dimension] {
                    key[dimension] = known[code]
                } else if let column = query.groupBy[dimension].dimension.column(of: batch), code < column.table.count {
                    key[dimension] =
                        try groups.interners[dimension].code(
                            of: column.table.bytes, column.table.range(of: UInt32(code)))
                        + 1
                }
            }
            slots.append(try groups.slot(of: key))
        }
        return slots
    }

    private mutating func grow() {
        let added = groups.count - (query.family == .productivityMetric ? values.count : statusCounts.count / 4)
        guard added > 0 else { return }
        switch query.family {
        case .productivityMetric: values.append(contentsOf: repeatElement(ValueSummary(), count: added))
        case .agentInteraction:
            inputTokens.append(contentsOf: repeatElement(0, count: added))
            outputTokens.append(contentsOf: repeatElement(0, count: added))
            fallthrough
        default:
            statusCounts.append(contentsOf: repeatElement(0, count: 4 * added))
            durations.grow(to: groups.count)
        }
    }

    private mutating func addMeasures(of batch: ColumnBatch, slots: [Int32]) {
        switch query.family {
        case .productivityMetric:
            for row in slots.indices where slots[row] >= 0 { values[Int(slots[row])].add(batch.values[row]) }
        case .agentInteraction:
            for row in slots.indices where slots[row] >= 0 {
                inputTokens[Int(slots[row])] &+= UInt128(batch.inputTokens[row])
                outputTokens[Int(slots[row])] &+= UInt128(batch.outputTokens[row])
            }
            fallthrough
        default:
            let statuses = batch.statuses
            for row in slots.indices where slots[row] >= 0 {
                statusCounts[Int(slots[row]) &* 4 &+ Int(statuses[row] & 3)] &+= 1
            }
            durations.add(slots: slots, nanoseconds: batch.durations)
        }
    }

    /// What was gathered for one slot.
    func item(_ slot: Int32) -> AggregateItem {
        let key = groups.keys[Int(slot)]
        let bounds = grid.bounds(of: key.bucket)
        var row = AggregateRow()
        let position = Int(slot)
        if query.family == .productivityMetric {
            row.values = values[position]
        } else {
            row.statuses = StatusCounts(
                success: statusCounts[position * 4], error: statusCounts[position * 4 + 1],
                timeout: statusCounts[position * 4 + 2], cancelled: statusCounts[position * 4 + 3])
            row.durations = durations.summary(of: position)
        }
        if query.family == .agentInteraction {
            row.inputTokens = inputTokens[position]
            row.outputTokens = outputTokens[position]
        }
        return AggregateItem(
            bucketStart: bounds.start, bucketEnd: bounds.end, isPartial: bounds.isPartial,
            group: query.groupBy.indices.map { groups.value(of: $0, in: key) },
            count: query.family == .productivityMetric ? row.values.count : row.durations.count, row: row,
            sessions: nil)
    }
}

extension Range<Int> {
    func shifted(by distance: Int) -> Range<Int> { lowerBound + distance..<upperBound + distance }
}
