package import DaybookEvent
internal import DaybookFormat
internal import DaybookRollup

extension AggregateAnswer {
    /// Appends the array of items. Milliseconds are exact decimals where they are sums or extremes; averages and
    /// percentiles are rounded to picoseconds, rates to nine decimals.
    package func appendItems(to writer: inout JSONWriter) {
        writer.openArray()
        append(0..<itemCount, ItemWords(self), to: &writer)
        writer.closeArray()
    }

    /// What `appendItems` writes between the brackets, in parts that are printed at the same time.
    /// - Parameter take: keeps the text of one part; called on the thread that printed it.
    package func printItems<Part: Sendable>(
        _ executor: any QueryExecutor, _ take: @escaping @Sendable (RawSpan) -> Part
    ) -> [Part] {
        let words = ItemWords(self)
        return executor.mapPieces(of: itemCount, countMin: Self.pieceItemCountMin) { piece in
            var writer = JSONWriter(byteCapacity: piece.count * 512)
            if piece.lowerBound > 0 { writer.raw(",") }
            append(piece, words, to: &writer)
            return writer.withBytes(take)
        }
    }

    /// Fewer items are not worth waking another thread.
    private static let pieceItemCountMin = 60

    private func append(_ piece: Range<Int>, _ words: ItemWords, to writer: inout JSONWriter) {
        switch rows {
        case .listed(let items):
            for item in items[piece] {
                appendHead(item, to: &writer)
                for dimension in words.groups.indices {
                    writer.key(words.groups[dimension])
                    writer.string(item.group[dimension])
                }
                appendMeasures(item, words, to: &writer)
            }
        case .scanned(var scan, let slots):
            // One for all: its list of percentiles stays where it is.
            var item = AggregateItem()
            for slot in slots[piece] {
                scan.fill(&item, slot: slot)
                appendHead(item, to: &writer)
                for dimension in words.groups.indices {
                    writer.key(words.groups[dimension])
                    scan.groups.appendValue(of: dimension, in: scan.groups.keys[Int(slot)], to: &writer)
                }
                appendMeasures(item, words, to: &writer)
            }
        }
    }

    /// Appends `{"next_cursor":…,"has_more":…}`.
    package func appendPagination(to writer: inout JSONWriter) {
        DaybookQuery.appendPagination(nextCursor, to: &writer)
    }

    /// Everything before the values of the group.
    private func appendHead(_ item: AggregateItem, to writer: inout JSONWriter) {
        writer.openObject()
        writer.key("bucket_start")
        writer.time(item.bucketStart)
        writer.raw(#","bucket_end":"#)
        writer.time(item.bucketEnd)
        if item.isPartial { writer.raw(#","partial":true"#) }
        writer.raw(#","group":{"#)
    }

    /// Everything behind the values of the group.
    private func appendMeasures(_ item: AggregateItem, _ words: ItemWords, to writer: inout JSONWriter) {
        writer.raw(#"},"count":"#)
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
            writer.raw(#","input_tokens":"#)
            writer.integer(item.inputTokens)
            writer.raw(#","output_tokens":"#)
            writer.integer(item.outputTokens)
        }
        writer.closeObject()
    }

    private func append(
        _ statuses: StatusCounts, count: UInt64, to writer: inout JSONWriter
    ) {
        writer.raw(#","success_count":"#)
        writer.integer(statuses.success)
        writer.raw(#","error_count":"#)
        writer.integer(statuses.error)
        writer.raw(#","timeout_count":"#)
        writer.integer(statuses.timeout)
        writer.raw(#","cancelled_count":"#)
        writer.integer(statuses.cancelled)
        writer.raw(#","success_rate":"#)
        if count > 0 {
            writer.decimal(Self.billionths(statuses.success, of: count), decimals: 9)
        } else {
            writer.literal("null")
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
        writer.raw(#"{"sum":"#)
        writer.decimal(durations.sum, decimals: 6)
        if durations.count > 0 {
            writer.raw(#","avg":"#)
            writer.decimal(Self.averagePicoseconds(durations), decimals: 9)
            writer.raw(#","min":"#)
            writer.milliseconds(durations.minimum)
            writer.raw(#","max":"#)
            writer.milliseconds(durations.maximum)
        } else {
            writer.raw(#","avg":null,"min":null,"max":"#)
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
