internal import DaybookEvent
internal import DaybookFormat
internal import DaybookRollup
internal import DaybookSegment
internal import DaybookStore

/// Aggregates the rows of one family, a page at a time. Rows that do not count are left out first; then the codes of the
/// others are turned into slot numbers; then every measure is added up in one loop.
struct AggregateScan: Sendable {
    let query: AggregateQuery
    let grid: BucketGrid
    /// Of the rows that are looked at now.
    private var conditions: RowConditions
    private let paths: [PreparedPath?]

    private(set) var groups: GroupSlots
    private(set) var measures: GroupMeasures
    private(set) var scannedRowCount = 0
    private(set) var usesRows = false
    private(set) var usesRollups = false
    private var selector = RowSelector()
    private var wanted = WantedCodes()
    private var table = SlotTable()
    private var tableShape = SlotShape()
    private var dictionaries: [DimensionCodes]
    private var paidByteCount = 0

    init(_ query: AggregateQuery, _ conditions: RowConditions) {
        self.query = query
        self.conditions = conditions
        grid = BucketGrid(query.window, query.range)
        groups = GroupSlots(dimensionCount: query.groupBy.count)
        measures = GroupMeasures(family: query.family, keepsHistograms: !query.percentiles.isEmpty)
        dictionaries = Array(repeating: DimensionCodes(), count: query.groupBy.count)
        paths = query.groupBy.map { grouping in
            guard case .attribute(let path) = grouping.dimension else { return nil }
            return PreparedPath(path)
        }
        for (dimension, grouping) in query.groupBy.enumerated() where grouping.dimension == .status {
            groups.internStatuses(dimension)
        }
    }

    /// Takes in a part of a scan.
    mutating func add(_ part: ScanPart, of scan: Scan) throws {
        switch part {
        case .rows(let group, let conditions): try add(group, conditions, of: scan)
        case .history(let history, let file, let cover):
            var added = AggregateScan(query, conditions)
            defer { scan.budget.release(added.paidByteCount) }
            do {
                try added.add(file, cover, scan)
                try merge(added)
            } catch let error as FormatError {
                scan.damage.noteRollup(history.path, "\(error)")
            }
        case .rollup(let segment, let file, let cover):
            var added = AggregateScan(query, conditions)
            defer { scan.budget.release(added.paidByteCount) }
            do {
                try added.add(file, cover, scan)
                try merge(added)
            } catch let error as FormatError {
                // Nothing of it counts then; the rows know the same.
                scan.noteRollup(segment, "\(error)")
                let ranges = cover.parts.map { part in
                    TimeRange(
                        start: Timestamp(microseconds: part.starts.lowerBound),
                        end: Timestamp(microseconds: part.starts.upperBound))
                }
                for rows in try scan.rows(of: segment, in: ranges) { try add(rows, of: scan) }
            }
        }
        try charge(scan)
    }

    mutating func charge(_ scan: Scan) throws { try scan.budget.charge(byteCount, paid: &paidByteCount) }

    private var byteCount: Int { groups.byteCount + measures.byteCount + table.byteCount }

    /// Takes in every page of a row group that may count.
    private mutating func add(_ group: RowGroup, _ conditions: RowConditions, of scan: Scan) throws {
        self.conditions = conditions
        for page in try group.pages(scan.damage) where conditions.mayMatch(page.zone) {
            try scan.cancellation.check()
            do {
                try add(page)
            } catch {
                guard DamageLog.isDamage(error) else { throw error }
                let selection = neededSelection(page.zone).union(conditions.selection(for: page.zone))
                for piece in try page.readable(selection, scan.damage) { try add(piece.batch, page.zone) }
            }
            try charge(scan)
        }
    }

    /// Nothing of the page is counted when this throws damage.
    private mutating func add(_ page: RowPage) throws {
        usesRows = true
        let deciding = conditions.selection(for: page.zone)
        if conditions.filter.isSelective {
            let batch = try page.read(deciding)
            guard conditions.select(batch, page.zone, &selector, &wanted) != .none else {
                scannedRowCount += batch.rowCount
                return
            }
        }
        try add(try page.read(deciding.union(neededSelection(page.zone))), page.zone)
    }

    private func neededSelection(_ zone: Zone) -> RowSelection {
        let buckets = bucketSpan(of: zone)
        return query.selection.union(buckets.lowerBound < buckets.upperBound ? .time : [])
    }

    /// The buckets of the first and the last row that may count.
    private func bucketSpan(of zone: Zone) -> ClosedRange<Int64> {
        let first = grid.bucket(of: max(zone.timestampMin, conditions.range.start.microseconds))
        let last = grid.bucket(of: min(zone.timestampMax, conditions.range.end.microseconds - 1))
        return first...max(first, last)
    }

    /// - Parameter zone: of the rows of the batch, or of more rows.
    private mutating func add(_ read: RowBatch, _ zone: Zone) throws {
        let batch = read.columns
        scannedRowCount += batch.rowCount
        let outcome = conditions.select(read, zone, &selector, &wanted)
        guard outcome != .none else { return }
        let rows = outcome == .all ? nil : selector
        let columns = MeasureColumns(batch, rows, family: query.family)
        let buckets = bucketSpan(of: zone)
        let hasBuckets = buckets.lowerBound < buckets.upperBound
        let times = hasBuckets ? rows?.gathered(batch.timestamps.span) ?? batch.timestamps : []
        guard !query.groupBy.isEmpty else {
            return try addRuns(columns, times, rowCount: rows?.positions.count ?? batch.rowCount, buckets)
        }
        var codes: [[UInt32]] = []
        for dimension in query.groupBy.indices {
            codes.append(try self.codes(of: dimension, read, rows))
        }
        let shape = SlotShape(buckets: buckets, dictionaries)
        if let combinationCount = shape.combinationCount, combinationCount <= SlotTable.combinationCountMax {
            try fillSlots(shape, combinationCount, codes, times)
            measures.add(columns, slots: table.slots)
        } else {
            measures.add(columns, slots: try manySlots(shape, codes, times))
        }
    }

    /// Without groups, rows of one bucket that follow each other are added at once.
    private mutating func addRuns(
        _ columns: MeasureColumns, _ times: [Int64], rowCount: Int, _ buckets: ClosedRange<Int64>
    ) throws {
        guard !times.isEmpty else {
            let slot = try self.slot(of: GroupSlots.Key(bucket: buckets.lowerBound))
            return measures.add(columns, 0..<rowCount, slot: Int(slot))
        }
        try forEachRun(times, in: buckets) { scan, rows, bucket in
            let slot = try scan.slot(of: GroupSlots.Key(bucket: bucket))
            scan.measures.add(columns, rows, slot: Int(slot))
        }
    }

    /// Calls `body` with rows that follow each other and lie in one of the buckets.
    private mutating func forEachRun(
        _ times: [Int64], in buckets: ClosedRange<Int64>,
        _ body: (inout AggregateScan, Range<Int>, Int64) throws -> Void
    ) rethrows {
        var row = 0
        while row < times.count {
            let bucket = grid.bucket(of: times[row])
            let bounds = grid.bounds(of: bucket)
            let end = TimeRuns.end(
                times.span, from: row, first: bounds.start.microseconds, end: max(bounds.start, bounds.end).microseconds
            )
            // Where a zone does not tell the truth a time may lie beyond the buckets; that must not trap.
            let rows = row..<max(row + 1, end)
            try body(&self, rows, min(max(bucket, buckets.lowerBound), buckets.upperBound))
            row = rows.upperBound
        }
    }

    mutating func slot(of key: GroupSlots.Key) throws -> Int32 {
        let slot = try groups.slot(of: key)
        measures.grow(to: groups.count)
        return slot
    }

    // MARK: Slots of rows

    /// Fills the slots of `table` by an entry for every combination; entries stay good while the shape is the same.
    private mutating func fillSlots(
        _ shape: SlotShape, _ combinationCount: Int, _ codes: [[UInt32]], _ times: [Int64]
    ) throws {
        if shape != tableShape {
            table.reset(combinationCount: combinationCount)
            tableShape = shape
        }
        var combinations = codes[0]
        if codes.count > 1 || !times.isEmpty {
            combinations = [UInt32](repeating: 0, count: codes[0].count)
            if !times.isEmpty {
                forEachRun(times, in: shape.buckets) { _, rows, bucket in
                    let number = UInt32(bucket - shape.buckets.lowerBound)
                    for row in rows { combinations[row] = number }
                }
            }
            for (dimension, column) in codes.enumerated() {
                CodeCombinations.append(column.span, cardinality: shape.cardinality(dimension), to: &combinations)
            }
        }
        let new = table.newCombinations(combinations.span)
        for (combination, key) in zip(new, try keys(of: new, shape)) {
            table.setSlot(try groups.slot(of: key), of: combination)
        }
        measures.grow(to: groups.count)
        table.translate(combinations.span)
    }

    private mutating func keys(of combinations: [UInt32], _ shape: SlotShape) throws -> [GroupSlots.Key] {
        var rests = combinations
        var keys = [GroupSlots.Key](repeating: GroupSlots.Key(bucket: 0), count: combinations.count)
        for dimension in (0..<shape.dimensionCount).reversed() {
            let cardinality = UInt32(shape.cardinality(dimension))
            let found = try dictionaries[dimension].keys(
                of: rests.lazy.map { $0 % cardinality }, &groups.interners[dimension])
            for position in keys.indices {
                keys[position][dimension] = found[position]
                rests[position] /= cardinality
            }
        }
        for position in keys.indices { keys[position].bucket = shape.buckets.lowerBound + Int64(rests[position]) }
        return keys
    }

    /// The slots of rows of too many possible combinations for a table: those that do occur are numbered first.
    private mutating func manySlots(_ shape: SlotShape, _ codes: [[UInt32]], _ times: [Int64]) throws -> [Int32] {
        var grouping = RowGrouping(rowCount: codes[0].count)
        if !times.isEmpty {
            var numbers = [UInt64](repeating: 0, count: times.count)
            forEachRun(times, in: shape.buckets) { _, rows, bucket in
                let number = UInt64(bucket - shape.buckets.lowerBound)
                for row in rows { numbers[row] = number }
            }
            grouping.split(by: numbers, cardinality: Int(shape.buckets.upperBound - shape.buckets.lowerBound) + 2)
        }
        for (dimension, column) in codes.enumerated() {
            grouping.split(by: column, cardinality: shape.cardinality(dimension))
        }
        let first = times.isEmpty ? 0 : 1
        var keys = [GroupSlots.Key](
            repeating: GroupSlots.Key(bucket: shape.buckets.lowerBound), count: grouping.count)
        if first == 1 {
            for combination in keys.indices { keys[combination].bucket += Int64(grouping.codes[0][combination]) }
        }
        for dimension in codes.indices {
            let found = try dictionaries[dimension].keys(
                of: grouping.codes[first + dimension].lazy.map { UInt32($0) }, &groups.interners[dimension])
            for combination in keys.indices { keys[combination][dimension] = found[combination] }
        }
        let slots = try keys.map { try slot(of: $0) }
        return grouping.replace(by: slots)
    }

    // MARK: Codes of rows

    /// One code for each wanted row; `dictionaries[dimension]` says what they mean.
    private mutating func codes(
        of dimension: Int, _ read: RowBatch, _ rows: RowSelector?
    ) throws -> [UInt32] {
        let batch = read.columns
        if let path = paths[dimension] {
            let values = read.values(of: path)
            if let column = values.onlyCodes {
                dictionaries[dimension].begin(column.table)
                return rows?.gathered(column.codes.span) ?? column.codes
            }
            let codes = try attributeCodes(path, dimension, values, rows, rowCount: batch.rowCount)
            dictionaries[dimension].begin(keyCount: groups.interners[dimension].count)
            return codes
        }
        let kind = query.groupBy[dimension].dimension
        if kind == .status {
            dictionaries[dimension].begin(keyCount: EventStatus.allCases.count)
            return (rows?.gathered(batch.statuses.span) ?? batch.statuses).map { UInt32($0) }
        }
        guard let column = kind.column(of: batch) else {
            dictionaries[dimension].begin(keyCount: 0)
            return [UInt32](repeating: .max, count: rows?.positions.count ?? batch.rowCount)
        }
        dictionaries[dimension].begin(column.table)
        return rows?.gathered(column.codes.span) ?? column.codes
    }

    /// The codes of an attribute's values in the dimension's interner; the largest number where there is none.
    private mutating func attributeCodes(
        _ path: PreparedPath, _ dimension: Int, _ values: AttributeValues, _ rows: RowSelector?, rowCount: Int
    ) throws -> [UInt32] {
        let positions = rows?.positions.map { Int($0) }
        var codes = [UInt32](repeating: .max, count: positions?.count ?? rowCount)
        var text: [UInt8] = []
        for position in codes.indices where values.read(positions?[position] ?? position, path, into: &text) {
            codes[position] = try groups.interners[dimension].code(of: text, 0..<text.count)
        }
        return codes
    }
}

extension AggregateScan {
    // For rollups, which are no part of a page.

    mutating func beginRollup() { usesRollups = true }

    mutating func add(_ batch: RollupBatch, slots: [Int32]) {
        scannedRowCount += batch.rows.count
        measures.add(batch, slots: slots)
    }

    /// The key of a value of a dimension.
    mutating func intern(_ value: [UInt8], _ dimension: Int) throws -> UInt32 {
        try groups.interners[dimension].code(of: value, 0..<value.count) + 1
    }

    /// Adds what another part of the scan found. In any order the result is the same to the bit.
    mutating func merge(_ other: AggregateScan) throws {
        scannedRowCount += other.scannedRowCount
        usesRows = usesRows || other.usesRows
        usesRollups = usesRollups || other.usesRollups
        guard groups.count > 0 else {
            // What was remembered of codes was about the groups here.
            (groups, measures) = (other.groups, other.measures)
            dictionaries = Array(repeating: DimensionCodes(), count: dictionaries.count)
            tableShape = SlotShape()
            return
        }
        let slots = try groups.merge(other.groups)
        measures.grow(to: groups.count)
        measures.merge(other.measures, slots: slots)
    }

    /// Puts what was gathered for a slot into an item, apart from the group's values. What the item held before goes.
    mutating func fill(_ item: inout AggregateItem, slot: Int32) {
        let bounds = grid.bounds(of: groups.keys[Int(slot)].bucket)
        item.bucketStart = bounds.start
        item.bucketEnd = bounds.end
        item.isPartial = bounds.isPartial
        measures.fill(&item, slot: Int(slot), query.percentiles)
    }

    func group(of slot: Int32) -> [[UInt8]?] {
        query.groupBy.indices.map { groups.value(of: $0, in: groups.keys[Int(slot)]) }
    }
}

extension AggregateQuery {
    /// The columns that are added up or grouped by.
    var selection: RowSelection {
        var selection = RowSelection(GroupMeasures.selection(family))
        for grouping in groupBy { selection.formUnion(grouping.dimension.selection) }
        return selection
    }
}
