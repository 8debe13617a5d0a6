internal import DaybookEvent
internal import DaybookFormat
internal import DaybookRollup

/// The text of an item as far as the question decides it, made once for an answer.
struct ItemForm: Sendable {
    let family: Family
    /// What stands before the value of each dimension.
    let groupKeys: JSONForm
    let percentiles: [[UInt8]]
    /// What stands behind the values of the group; of metrics, whose numbers are not decimals, only the count.
    let measures: JSONForm

    init(_ answer: AggregateAnswer) {
        family = answer.family
        percentiles = answer.percentiles.map { Array($0.key.utf8) }
        var keys = JSONForm()
        for name in answer.groupNames {
            keys.key(Array(name.utf8), isFirst: keys.gapCount == 0)
            keys.gap()
        }
        groupKeys = keys
        var form = JSONForm()
        form.text(#"},"count":"#)
        form.gap()
        switch family {
        case .productivityMetric: break
        case .sessionChange:
            form.numbers([#","active_count":"#, #","completed_count":"#, #","abandoned_count":"#])
            form.text(#","total_duration_ms":{"sum":"#)
            form.durations(percentiles)
            form.text("}")
        default:
            form.numbers([
                #","success_count":"#, #","error_count":"#, #","timeout_count":"#, #","cancelled_count":"#,
                #","success_rate":"#,
            ])
            form.text(
                family == .agentInteraction ? #","processing_time_ms":{"sum":"# : #","execution_time_ms":{"sum":"#)
            form.durations(percentiles)
            form.numbers([#","input_tokens":"#, #","output_tokens":"#])
            form.text("}")
        }
        measures = form
    }
}

extension JSONForm {
    /// Text with a gap behind each.
    fileprivate mutating func numbers(_ texts: [StaticString]) {
        for text in texts {
            self.text(text)
            gap()
        }
    }

    /// The rest of an object of durations, from the value of the sum on.
    fileprivate mutating func durations(_ percentiles: [[UInt8]]) {
        gap()
        numbers([#","avg":"#, #","min":"#, #","max":"#])
        for name in percentiles {
            key(name)
            gap()
        }
        text("}")
    }
}

/// Prints items one behind the other. Milliseconds are exact decimals where they are sums or extremes; averages and
/// percentiles are rounded to picoseconds, rates to nine decimals.
struct ItemPrinter {
    private var numbers: [JSONNumber] = []
    /// The beginning of the item before, which is that of the next one as long as they share their bucket.
    private var head = 0..<0
    private var bucketStart = Timestamp(microseconds: 0)
    private var bucketEnd = Timestamp(microseconds: 0)

    /// Everything before the values of the group.
    mutating func begin(_ item: AggregateItem, _ writer: inout JSONWriter) {
        guard head.isEmpty || item.bucketStart != bucketStart || item.bucketEnd != bucketEnd else {
            return writer.again(head)
        }
        (bucketStart, bucketEnd) = (item.bucketStart, item.bucketEnd)
        writer.openObject()
        let start = writer.byteCount - 1
        writer.key("bucket_start")
        writer.time(item.bucketStart)
        writer.raw(#","bucket_end":"#)
        writer.time(item.bucketEnd)
        if item.isPartial { writer.raw(#","partial":true"#) }
        writer.raw(#","group":{"#)
        head = start..<writer.byteCount
    }

    /// Everything behind the values of the group.
    mutating func end(_ item: AggregateItem, _ form: ItemForm, _ writer: inout JSONWriter) {
        numbers.removeAll(keepingCapacity: true)
        numbers.append(.integer(item.count))
        switch form.family {
        case .productivityMetric:
            writer.fill(form.measures, numbers)
            writer.raw(#","value":"#)
            append(item, form.percentiles, to: &writer)
            writer.closeObject()
            return
        case .sessionChange:
            let sessions = item.sessions ?? SessionCounts()
            numbers.append(.integer(sessions.active))
            numbers.append(.integer(sessions.completed))
            numbers.append(.integer(sessions.abandoned))
            addDurations(of: item)
        default:
            addStatuses(of: item)
            addDurations(of: item)
            numbers.append(.integer(item.inputTokens))
            numbers.append(.integer(item.outputTokens))
        }
        writer.fill(form.measures, numbers)
    }

    private mutating func addStatuses(of item: AggregateItem) {
        numbers.append(.integer(item.statuses.success))
        numbers.append(.integer(item.statuses.error))
        numbers.append(.integer(item.statuses.timeout))
        numbers.append(.integer(item.statuses.cancelled))
        numbers.append(
            item.count > 0
                ? .decimal(Self.billionths(item.statuses.success, of: item.count), decimals: 9) : .null)
    }

    private mutating func addDurations(of item: AggregateItem) {
        let durations = item.durations
        numbers.append(.decimal(durations.sum, decimals: 6))
        if durations.count > 0 {
            numbers.append(.decimal(Self.averagePicoseconds(durations), decimals: 9))
            numbers.append(.decimal(UInt128(durations.minimum), decimals: 6))
            numbers.append(.decimal(UInt128(durations.maximum), decimals: 6))
        } else {
            for _ in 0..<3 { numbers.append(.null) }
        }
        for nanoseconds in item.percentiles {
            numbers.append(nanoseconds.map { .decimal(Self.picoseconds($0), decimals: 9) } ?? .null)
        }
    }

    /// A part of a whole, rounded half up. Precondition: `whole > 0`.
    private static func billionths(_ part: UInt64, of whole: UInt64) -> UInt128 {
        let (product, overflow) = part.multipliedReportingOverflow(by: 1_000_000_000)
        let (sum, carries) = product.addingReportingOverflow(whole / 2)
        guard !overflow, !carries else {
            return (UInt128(part) * 1_000_000_000 + UInt128(whole / 2)) / UInt128(whole)
        }
        return UInt128(sum / whole)
    }

    private static func picoseconds(_ nanoseconds: Double) -> UInt128 {
        let rounded = (nanoseconds * 1_000).rounded()
        // The conversion to 64 bits is one instruction.
        return rounded < 0x1p63 ? UInt128(UInt64(rounded)) : UInt128(rounded)
    }

    private static func averagePicoseconds(_ durations: DurationTotals) -> UInt128 {
        let (product, overflow) = UInt64(truncatingIfNeeded: durations.sum).multipliedReportingOverflow(by: 1_000)
        let half = durations.count / 2
        if !overflow, durations.sum <= UInt128(UInt64.max), product <= .max - half {
            return UInt128((product + half) / durations.count)
        }
        let (whole, rest) = durations.sum.quotientAndRemainder(dividingBy: UInt128(durations.count))
        return whole * 1_000 + (rest * 1_000 + UInt128(half)) / UInt128(durations.count)
    }

    /// The object of a metric's values.
    private func append(_ item: AggregateItem, _ percentiles: [[UInt8]], to writer: inout JSONWriter) {
        let values = item.values
        writer.openObject()
        writer.key("sum")
        if let whole = values.sum.integer { writer.integer(whole) } else { writer.number(values.sum.rounded) }
        writer.key("avg")
        if values.count > 0 { writer.number(values.sum.rounded / Double(values.count)) } else { writer.literal("null") }
        writer.key("min")
        writer.number(values.minimum)
        writer.key("max")
        writer.number(values.maximum)
        for (key, value) in zip(percentiles, item.percentiles) {
            writer.key(key)
            if let value { writer.number(value) } else { writer.literal("null") }
        }
        writer.closeObject()
    }
}
