internal import DaybookEvent
internal import DaybookFormat
internal import DaybookRollup

extension AggregateAnswer {
    /// Appends the array of items. Milliseconds are exact decimals where they are sums or extremes; averages and
    /// percentiles are rounded to picoseconds.
    package func appendItems(to bytes: inout [UInt8]) {
        // About what an item takes, so that the array need not move.
        bytes.reserveCapacity(bytes.count + items.count * 400 + 64)
        var writer = AnswerWriter(bytes)
        bytes = []
        let words = ItemWords(self)
        writer.open("[")
        for item in items { append(item, words, to: &writer) }
        writer.close("]")
        bytes = writer.bytes
    }

    /// Appends `{"next_cursor":…,"has_more":…}`.
    package func appendPagination(to bytes: inout [UInt8]) {
        DaybookQuery.appendPagination(nextCursor, to: &bytes)
    }

    private func append(_ item: AggregateItem, _ words: ItemWords, to writer: inout AnswerWriter) {
        writer.open("{")
        writer.key(words.bucketStart)
        writer.time(item.bucketStart)
        writer.key(words.bucketEnd)
        writer.time(item.bucketEnd)
        if item.isPartial { writer.json(words.partial) }
        writer.key(words.group)
        writer.open("{")
        for (name, value) in zip(words.groupNames, item.group) {
            writer.key(name)
            writer.string(value)
        }
        writer.close("}")
        writer.key(words.count)
        writer.integer(item.count)
        switch family {
        case .productivityMetric:
            writer.key(words.value)
            append(item.values, item.percentiles, words, to: &writer)
        case .sessionChange:
            append(item.sessions ?? SessionCounts(), to: &writer)
            writer.key(words.totalDuration)
            append(item.durations, item.percentiles, words, to: &writer)
        default:
            append(item.statuses, count: item.count, words, to: &writer)
            writer.key(family == .agentInteraction ? words.processingTime : words.executionTime)
            append(item.durations, item.percentiles, words, to: &writer)
            writer.key(words.inputTokens)
            writer.integer(item.inputTokens)
            writer.key(words.outputTokens)
            writer.integer(item.outputTokens)
        }
        writer.close("}")
    }

    private func append(
        _ statuses: StatusCounts, count: UInt64, _ words: ItemWords, to writer: inout AnswerWriter
    ) {
        writer.key(words.successCount)
        writer.integer(statuses.success)
        writer.key(words.errorCount)
        writer.integer(statuses.error)
        writer.key(words.timeoutCount)
        writer.integer(statuses.timeout)
        writer.key(words.cancelledCount)
        writer.integer(statuses.cancelled)
        writer.key(words.successRate)
        if statuses.success == count {
            writer.literal("1")
        } else {
            writer.number(Double(statuses.success) / Double(count))
        }
    }

    private func append(_ sessions: SessionCounts, to writer: inout AnswerWriter) {
        writer.key("active_count")
        writer.integer(sessions.active)
        writer.key("completed_count")
        writer.integer(sessions.completed)
        writer.key("abandoned_count")
        writer.integer(sessions.abandoned)
    }

    private func append(
        _ durations: DurationTotals, _ percentileValues: [Double?], _ words: ItemWords, to writer: inout AnswerWriter
    ) {
        writer.open("{")
        writer.key(words.sum)
        writer.decimal(durations.sum, decimals: 6)
        writer.key(words.average)
        if durations.count > 0 {
            writer.decimal(Self.averagePicoseconds(durations), decimals: 9)
            writer.key(words.minimum)
            writer.decimal(UInt128(durations.minimum), decimals: 6)
            writer.key(words.maximum)
            writer.decimal(UInt128(durations.maximum), decimals: 6)
        } else {
            writer.literal("null")
            for key in [words.minimum, words.maximum] {
                writer.key(key)
                writer.literal("null")
            }
        }
        for (key, nanoseconds) in zip(words.percentiles, percentileValues) {
            writer.key(key)
            if let nanoseconds {
                writer.decimal(Self.picoseconds(nanoseconds), decimals: 9)
            } else {
                writer.literal("null")
            }
        }
        writer.close("}")
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

    private func append(
        _ values: ValueSummary, _ percentileValues: [Double?], _ words: ItemWords, to writer: inout AnswerWriter
    ) {
        writer.open("{")
        writer.key(words.sum)
        if let whole = values.sum.integer { writer.integer(whole) } else { writer.number(values.sum.rounded) }
        writer.key(words.average)
        if values.count > 0 { writer.number(values.sum.rounded / Double(values.count)) } else { writer.literal("null") }
        writer.key(words.minimum)
        writer.number(values.minimum)
        writer.key(words.maximum)
        writer.number(values.maximum)
        for (key, value) in zip(words.percentiles, percentileValues) {
            writer.key(key)
            if let value { writer.number(value) } else { writer.literal("null") }
        }
        writer.close("}")
    }
}

/// The words of an item, made once for an answer.
private struct ItemWords {
    let bucketStart: AnswerKey = "bucket_start"
    let bucketEnd: AnswerKey = "bucket_end"
    let partial = Array("\"partial\":true".utf8)
    let group: AnswerKey = "group"
    let count: AnswerKey = "count"
    let value: AnswerKey = "value"
    let totalDuration: AnswerKey = "total_duration_ms"
    let processingTime: AnswerKey = "processing_time_ms"
    let executionTime: AnswerKey = "execution_time_ms"
    let inputTokens: AnswerKey = "input_tokens"
    let outputTokens: AnswerKey = "output_tokens"
    let successCount: AnswerKey = "success_count"
    let errorCount: AnswerKey = "error_count"
    let timeoutCount: AnswerKey = "timeout_count"
    let cancelledCount: AnswerKey = "cancelled_count"
    let successRate: AnswerKey = "success_rate"
    let sum: AnswerKey = "sum"
    let average: AnswerKey = "avg"
    let minimum: AnswerKey = "min"
    let maximum: AnswerKey = "max"
    let groupNames: [AnswerKey]
    let percentiles: [AnswerKey]

    init(_ answer: AggregateAnswer) {
        groupNames = answer.groupNames.map { AnswerKey($0) }
        percentiles = answer.percentiles.map { AnswerKey($0.key) }
    }
}

extension AggregateAnswer {
    /// Appends the array of warnings.
    package func appendWarnings(to bytes: inout [UInt8]) { DaybookQuery.appendWarnings(warnings, to: &bytes) }
}

func appendWarnings(_ warnings: [QueryWarning], to bytes: inout [UInt8]) {
    var writer = AnswerWriter(bytes)
    bytes = []
    writer.open("[")
    for warning in warnings {
        writer.open("{")
        writer.key("file")
        writer.string(Array(warning.file.utf8))
        writer.key("offset")
        writer.integer(warning.offset)
        if let rowGroup = warning.rowGroup {
            writer.key("row_group")
            writer.integer(rowGroup)
        }
        if let rows = warning.rows {
            writer.key("first_row")
            writer.integer(rows.lowerBound)
            writer.key("rows")
            writer.integer(rows.count)
        }
        writer.key("reason")
        writer.string(Array(warning.reason.utf8))
        writer.close("}")
    }
    writer.close("]")
    bytes = writer.bytes
}

func appendPagination(_ nextCursor: String?, to bytes: inout [UInt8]) {
    var writer = AnswerWriter(bytes)
    bytes = []
    writer.open("{")
    writer.key("next_cursor")
    writer.string(nextCursor.map { Array($0.utf8) })
    writer.key("has_more")
    if nextCursor == nil { writer.literal("false") } else { writer.literal("true") }
    writer.close("}")
    bytes = writer.bytes
}
