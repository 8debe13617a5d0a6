package import DaybookEvent
internal import DaybookFormat
internal import DaybookRollup

extension AggregateAnswer {
    /// Appends the array of items. Milliseconds are exact decimals where they are sums or extremes; averages and
    /// percentiles are rounded to picoseconds.
    /// - Parameter executor: long answers are printed in parts at the same time.
    package func appendItems(to writer: inout JSONWriter, executor: any QueryExecutor = SerialExecutor()) {
        let words = ItemWords(self)
        writer.openArray()
        if executor.width > 1, items.count >= 2 * Self.pieceItemCountMin {
            let pieces = executor.mapPieces(of: items.count, countMin: Self.pieceItemCountMin) { piece in
                var writer = JSONWriter(byteCapacity: piece.count * 512)
                for item in items[piece] { append(item, words, to: &writer) }
                return writer.toArray()
            }
            for piece in pieces { writer.json(piece) }
        } else {
            for item in items { append(item, words, to: &writer) }
        }
        writer.closeArray()
    }

    /// Fewer items are not worth waking another thread.
    static let pieceItemCountMin = 120

    /// Appends `{"next_cursor":…,"has_more":…}`.
    package func appendPagination(to writer: inout JSONWriter) {
        DaybookQuery.appendPagination(nextCursor, to: &writer)
    }

    private func append(_ item: AggregateItem, _ words: ItemWords, to writer: inout JSONWriter) {
        writer.openObject()
        writer.key("bucket_start")
        writer.time(item.bucketStart)
        writer.key("bucket_end")
        writer.time(item.bucketEnd)
        if item.isPartial {
            writer.key("partial")
            writer.literal("true")
        }
        writer.key("group")
        writer.openObject()
        for (name, value) in zip(words.groups, item.group) {
            writer.key(name)
            writer.string(value)
        }
        writer.closeObject()
        writer.key("count")
        writer.integer(item.count)
        switch family {
        case .productivityMetric:
            writer.key("value")
            append(item.values, item.percentiles, words, to: &writer)
        case .sessionChange:
            append(item.sessions ?? SessionCounts(), to: &writer)
            writer.key("total_duration_ms")
            append(item.durations, item.percentiles, words, to: &writer)
        default:
            append(item.statuses, count: item.count, to: &writer)
            writer.key(family == .agentInteraction ? "processing_time_ms" : "execution_time_ms")
            append(item.durations, item.percentiles, words, to: &writer)
            writer.key("input_tokens")
            writer.integer(item.inputTokens)
            writer.key("output_tokens")
            writer.integer(item.outputTokens)
        }
        writer.closeObject()
    }

    private func append(
        _ statuses: StatusCounts, count: UInt64, to writer: inout JSONWriter
    ) {
        writer.key("success_count")
        writer.integer(statuses.success)
        writer.key("error_count")
        writer.integer(statuses.error)
        writer.key("timeout_count")
        writer.integer(statuses.timeout)
        writer.key("cancelled_count")
        writer.integer(statuses.cancelled)
        writer.key("success_rate")
        if statuses.success == count {
            writer.literal("1")
        } else {
            writer.number(Double(statuses.success) / Double(count))
        }
    }

    private func append(_ sessions: SessionCounts, to writer: inout JSONWriter) {
        writer.key("active_count")
        writer.integer(sessions.active)
        writer.key("completed_count")
        writer.integer(sessions.completed)
        writer.key("abandoned_count")
        writer.integer(sessions.abandoned)
    }

    private func append(
        _ durations: DurationTotals, _ percentileValues: [Double?], _ words: ItemWords, to writer: inout JSONWriter
    ) {
        writer.openObject()
        writer.key("sum")
        writer.decimal(durations.sum, decimals: 6)
        writer.key("avg")
        if durations.count > 0 {
            writer.decimal(Self.averagePicoseconds(durations), decimals: 9)
            writer.key("min")
            writer.decimal(UInt128(durations.minimum), decimals: 6)
            writer.key("max")
            writer.decimal(UInt128(durations.maximum), decimals: 6)
        } else {
            writer.literal("null")
            writer.key("min")
            writer.literal("null")
            writer.key("max")
            writer.literal("null")
        }
        for (key, nanoseconds) in zip(words.percentiles, percentileValues) {
            writer.key(key)
            if let nanoseconds {
                writer.decimal(Self.picoseconds(nanoseconds), decimals: 9)
            } else {
                writer.literal("null")
            }
        }
        writer.closeObject()
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
        _ values: ValueSummary, _ percentileValues: [Double?], _ words: ItemWords, to writer: inout JSONWriter
    ) {
        writer.openObject()
        writer.key("sum")
        if let whole = values.sum.integer { writer.integer(whole) } else { writer.number(values.sum.rounded) }
        writer.key("avg")
        if values.count > 0 { writer.number(values.sum.rounded / Double(values.count)) } else { writer.literal("null") }
        writer.key("min")
        writer.number(values.minimum)
        writer.key("max")
        writer.number(values.maximum)
        for (key, value) in zip(words.percentiles, percentileValues) {
            writer.key(key)
            if let value { writer.number(value) } else { writer.literal("null") }
        }
        writer.closeObject()
    }
}

/// The names of an item that the question decides, made once for an answer.
private struct ItemWords: Sendable {
    let groups: [[UInt8]]
    let percentiles: [[UInt8]]

    init(_ answer: AggregateAnswer) {
        groups = answer.groupNames.map { Array($0.utf8) }
        percentiles = answer.percentiles.map { Array($0.key.utf8) }
    }
}

extension AggregateAnswer {
    /// Appends the array of warnings.
    package func appendWarnings(to writer: inout JSONWriter) { DaybookQuery.appendWarnings(warnings, to: &writer) }
}

func appendWarnings(_ warnings: [QueryWarning], to writer: inout JSONWriter) {
    writer.openArray()
    for warning in warnings {
        writer.openObject()
        writer.key("file")
        writer.string(warning.file)
        writer.key("offset")
        writer.integer(warning.offset)
        if let rowGroup = warning.rowGroup {
            writer.key("row_group")
            writer.integer(UInt64(rowGroup))
        }
        if let rows = warning.rows {
            writer.key("first_row")
            writer.integer(UInt64(rows.lowerBound))
            writer.key("rows")
            writer.integer(UInt64(rows.count))
        }
        writer.key("reason")
        writer.string(warning.reason)
        writer.closeObject()
    }
    writer.closeArray()
}

func appendPagination(_ nextCursor: String?, to writer: inout JSONWriter) {
    writer.openObject()
    writer.key("next_cursor")
    writer.string(nextCursor.map { Array($0.utf8) })
    writer.key("has_more")
    writer.boolean(nextCursor != nil)
    writer.closeObject()
}
