internal import DaybookEvent
internal import DaybookFormat
internal import DaybookRollup
internal import DaybookSegment

/// The columns that are added up, wanted rows only.
struct MeasureColumns {
    var statuses: [UInt8] = []
    var durations: [UInt64] = []
    var inputTokens: [UInt64] = []
    var outputTokens: [UInt64] = []
    var values: [EventNumber] = []

    init(_ batch: ColumnBatch, _ rows: RowSelector?, family: Family) {
        switch family {
        case .productivityMetric:
            values = batch.values
            guard let rows else { return }
            values = rows.positions.map { batch.values[Int($0)] }
        default:
            statuses = rows?.gathered(batch.statuses.span) ?? batch.statuses
            durations = rows?.gathered(batch.durations.span) ?? batch.durations
            guard family == .agentInteraction else { return }
            inputTokens = rows?.gathered(batch.inputTokens.span) ?? batch.inputTokens
            outputTokens = rows?.gathered(batch.outputTokens.span) ?? batch.outputTokens
        }
    }
}

/// What is added up for every group of an answer. Parts of a scan have measures of their own, which merge in any order to
/// the same bits.
struct GroupMeasures: Sendable {
    private let family: Family
    private(set) var count = 0
    private var executions: GroupedExecutions
    private let keepsHistograms: Bool
    /// What rollups told of commands and agents; nil until one has.
    private var rollups: GroupedRollups?
    private var inputTokens: [UInt128] = []
    private var outputTokens: [UInt128] = []
    private var values: [ValueSummary] = []

    init(family: Family, keepsHistograms: Bool) {
        self.family = family
        self.keepsHistograms = keepsHistograms
        executions = GroupedExecutions(keepsHistograms: keepsHistograms)
    }

    /// The columns that are needed.
    static func selection(_ family: Family) -> ColumnSelection {
        switch family {
        case .agentInteraction: [.status, .duration, .tokens]
        case .productivityMetric: [.value]
        default: [.status, .duration]
        }
    }

    /// Bytes in memory, about. A summary of values has an exact sum and some buckets.
    var byteCount: Int {
        executions.byteCount + 32 * inputTokens.capacity + 1_024 * values.count + (rollups?.byteCount ?? 0)
    }

    mutating func grow(to newCount: Int) {
        let added = newCount - count
        guard added > 0 else { return }
        count = newCount
        rollups?.grow(to: newCount)
        switch family {
        case .productivityMetric: values.append(contentsOf: repeatElement(ValueSummary(), count: added))
        case .agentInteraction:
            inputTokens.append(contentsOf: repeatElement(0, count: added))
            outputTokens.append(contentsOf: repeatElement(0, count: added))
            fallthrough
        default: executions.grow(to: newCount)
        }
    }

    /// Adds every row to its slot.
    mutating func add(_ columns: MeasureColumns, slots: [Int32]) {
        switch family {
        case .productivityMetric:
            for row in slots.indices { values[Int(slots[row])].add(columns.values[row]) }
        case .agentInteraction:
            for row in slots.indices {
                inputTokens[Int(slots[row])] &+= UInt128(columns.inputTokens[row])
                outputTokens[Int(slots[row])] &+= UInt128(columns.outputTokens[row])
            }
            fallthrough
        default:
            executions.add(
                slots: slots.span, statuses: columns.statuses.span, nanoseconds: columns.durations.span)
        }
    }

    /// Adds some rows to one slot.
    mutating func add(_ columns: MeasureColumns, _ rows: Range<Int>, slot: Int) {
        switch family {
        case .productivityMetric:
            for row in rows { values[slot].add(columns.values[row]) }
        case .agentInteraction:
            for row in rows {
                inputTokens[slot] &+= UInt128(columns.inputTokens[row])
                outputTokens[slot] &+= UInt128(columns.outputTokens[row])
            }
            fallthrough
        default:
            executions.add(
                slot: slot, statuses: columns.statuses.span.extracting(rows),
                nanoseconds: columns.durations.span.extracting(rows))
        }
    }

    /// The parts of rollups that are needed.
    var rollupParts: RollupParts {
        switch family {
        case .productivityMetric: [.values, .histograms]
        case .agentInteraction: keepsHistograms ? [.durations, .tokens, .histograms] : [.durations, .tokens]
        default: keepsHistograms ? [.durations, .histograms] : .durations
        }
    }

    /// Adds every row of a rollup to its slot; those of `GroupedRollups.noSlot` are left out.
    mutating func add(_ batch: RollupBatch, slots: [Int32]) {
        guard family != .productivityMetric else {
            for row in batch.rows where slots[row] >= 0 {
                values[Int(slots[row])].merge(batch.aggregate(row).values)
            }
            return
        }
        prepareRollups()
        rollups?.add(batch, slots: slots)
    }

    private mutating func prepareRollups() {
        if rollups == nil { rollups = GroupedRollups() }
        rollups?.grow(to: count)
    }

    /// Adds each slot of `other` to `slots[thatSlot]`.
    mutating func merge(_ other: GroupMeasures, slots: [Int32]) {
        switch family {
        case .productivityMetric:
            for (position, slot) in slots.enumerated() { values[Int(slot)].merge(other.values[position]) }
        case .agentInteraction:
            for (position, slot) in slots.enumerated() {
                inputTokens[Int(slot)] &+= other.inputTokens[position]
                outputTokens[Int(slot)] &+= other.outputTokens[position]
            }
            fallthrough
        default:
            executions.merge(other.executions, slots: slots)
            guard let added = other.rollups else { return }
            prepareRollups()
            rollups?.merge(added, slots: slots)
        }
    }

    /// Puts what was added up for a slot into an item.
    mutating func fill(_ item: inout AggregateItem, slot: Int, _ percentiles: [Percentile]) {
        item.percentiles.removeAll(keepingCapacity: true)
        switch family {
        case .productivityMetric:
            item.values = values[slot]
            item.count = values[slot].count
            for percentile in percentiles { item.percentiles.append(values[slot].percentile(percentile)) }
        case .agentInteraction:
            item.inputTokens = inputTokens[slot] &+ (rollups?.inputTokens(of: slot) ?? 0)
            item.outputTokens = outputTokens[slot] &+ (rollups?.outputTokens(of: slot) ?? 0)
            fallthrough
        default:
            item.statuses = executions.statuses(of: slot)
            item.durations = executions.totals(of: slot)
            if rollups != nil { addRollups(to: &item, slot: slot) }
            item.count = item.durations.count
            guard rollups != nil, keepsHistograms else {
                executions.appendPercentiles(percentiles, of: slot, to: &item.percentiles)
                return
            }
            let ranked = rollups?.percentiles(percentiles, of: slot, with: executions)
            for position in percentiles.indices { item.percentiles.append(ranked?[position]) }
        }
    }

    private func addRollups(to item: inout AggregateItem, slot: Int) {
        guard let rollups else { return }
        item.statuses.merge(rollups.statuses(of: slot))
        let added = rollups.durations(of: slot)
        item.durations.count &+= added.count
        item.durations.sum &+= added.sum
        item.durations.minimum = min(item.durations.minimum, added.minimum)
        item.durations.maximum = max(item.durations.maximum, added.maximum)
    }
}
