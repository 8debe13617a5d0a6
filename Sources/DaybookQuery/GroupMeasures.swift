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
    private var inputTokens: [UInt128] = []
    private var outputTokens: [UInt128] = []
    private var values: [ValueSummary] = []

    init(family: Family, keepsHistograms: Bool) {
        self.family = family
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
    var byteCount: Int { executions.byteCount + 32 * inputTokens.capacity + 1_024 * values.count }

    mutating func grow(to newCount: Int) {
        let added = newCount - count
        guard added > 0 else { return }
        count = newCount
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
        default: executions.merge(other.executions, slots: slots)
        }
    }

    /// Puts what was added up for a slot into an item.
    func fill(_ item: inout AggregateItem, slot: Int, _ percentiles: [Percentile]) {
        switch family {
        case .productivityMetric:
            item.values = values[slot]
            item.count = values[slot].count
            item.percentiles = percentiles.map { values[slot].percentile($0) }
        case .agentInteraction:
            item.inputTokens = inputTokens[slot]
            item.outputTokens = outputTokens[slot]
            fallthrough
        default:
            item.statuses = executions.statuses(of: slot)
            item.durations = executions.totals(of: slot)
            item.count = item.durations.count
            item.percentiles = percentiles.map { executions.percentile($0, of: slot) }
        }
    }
}
