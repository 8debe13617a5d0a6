internal import DaybookEvent
internal import DaybookFormat
internal import DaybookRollup

extension AggregateAnswer {
    /// Appends the array of items. Milliseconds are exact decimals where they are sums or extremes; averages and
    /// percentiles are rounded to picoseconds.
    package func appendItems(to bytes: inout [UInt8]) {
        var writer = AnswerWriter(bytes)
        bytes = []
        writer.open("[")
        for item in items { append(item, to: &writer) }
        writer.close("]")
        bytes = writer.bytes
    }

    /// Appends `{"next_cursor":…,"has_more":…}`.
    package func appendPagination(to bytes: inout [UInt8]) {
        DaybookQuery.appendPagination(nextCursor, to: &bytes)
    }

    private func append(_ item: AggregateItem, to writer: inout AnswerWriter) {
        writer.open("{")
        writer.key("bucket_start")
        writer.time(item.bucketStart)
        writer.key("bucket_end")
        writer.time(item.bucketEnd)
        if item.isPartial {
            writer.key("partial")
            writer.literal("true")
        }
        writer.key("group")
        writer.open("{")
        for (name, value) in zip(groupNames, item.group) {
            writer.key(name)
            writer.string(value)
        }
        writer.close("}")
        writer.key("count")
        writer.integer(item.count)
        switch family {
        case .productivityMetric:
            writer.key("value")
            append(item.row.values, to: &writer)
        case .sessionChange:
            append(item.sessions ?? SessionCounts(), to: &writer)
            writer.key("total_duration_ms")
            append(item.row.durations, to: &writer)
        default:
            append(item.row.statuses, count: item.count, to: &writer)
            writer.key(family == .agentInteraction ? "processing_time_ms" : "execution_time_ms")
            append(item.row.durations, to: &writer)
            writer.key("input_tokens")
            writer.integer(item.row.inputTokens)
            writer.key("output_tokens")
            writer.integer(item.row.outputTokens)
        }
        writer.close("}")
    }

    private func append(_ statuses: StatusCounts, count: UInt64, to writer: inout AnswerWriter) {
        writer.key("success_count")
        writer.integer(statuses.success)
        writer.key("error_count")
        writer.integer(statuses.error)
        writer.key("timeout_count")
        writer.integer(statuses.timeout)
        writer.key("cancelled_count")
        writer.integer(statuses.cancelled)
        writer.key("success_rate")
        writer.number(Double(statuses.success) / Double(count))
    }

    private func append(_ sessions: SessionCounts, to writer: inout AnswerWriter) {
        writer.key("active_count")
        writer.integer(sessions.active)
        writer.key("completed_count")
        writer.integer(sessions.completed)
        writer.key("abandoned_count")
        writer.integer(sessions.abandoned)
    }

    private func append(_ durations: DurationSummary, to writer: inout AnswerWriter) {
        writer.open("{")
        writer.key("sum")
        writer.decimal(durations.sum, decimals: 6)
        if durations.count > 0 {
            writer.key("avg")
            writer.decimal(Self.averagePicoseconds(durations), decimals: 9)
            writer.key("min")
            writer.decimal(UInt128(durations.minimum), decimals: 6)
            writer.key("max")
            writer.decimal(UInt128(durations.maximum), decimals: 6)
        } else {
            for name in ["avg", "min", "max"] {
                writer.key(name)
                writer.literal("null")
            }
        }
        for percentile in percentiles {
            writer.key(percentile.key)
            if let nanoseconds = durations.percentile(percentile) {
                writer.decimal(UInt128((nanoseconds * 1_000).rounded()), decimals: 9)
            } else {
                writer.literal("null")
            }
        }
        writer.close("}")
    }

    private static func averagePicoseconds(_ durations: DurationSummary) -> UInt128 {
        let (whole, rest) = durations.sum.quotientAndRemainder(dividingBy: UInt128(durations.count))
        return whole * 1_000 + (rest * 1_000 + UInt128(durations.count) / 2) / UInt128(durations.count)
    }

    private func append(_ values: ValueSummary, to writer: inout AnswerWriter) {
        writer.open("{")
        writer.key("sum")
        if let whole = values.sum.integer { writer.integer(whole) } else { writer.number(values.sum.rounded) }
        writer.key("avg")
        if values.count > 0 { writer.number(values.sum.rounded / Double(values.count)) } else { writer.literal("null") }
        writer.key("min")
        writer.number(values.minimum)
        writer.key("max")
        writer.number(values.maximum)
        for percentile in percentiles {
            writer.key(percentile.key)
            if let value = values.percentile(percentile) { writer.number(value) } else { writer.literal("null") }
        }
        writer.close("}")
    }
}

func appendPagination(_ nextCursor: String?, to bytes: inout [UInt8]) {
    var writer = AnswerWriter(bytes)
    bytes = []
    writer.open("{")
    writer.key("next_cursor")
    writer.string(nextCursor.map { Array($0.utf8) })
    writer.key("has_more")
    writer.literal(nextCursor == nil ? "false" : "true")
    writer.close("}")
    bytes = writer.bytes
}
