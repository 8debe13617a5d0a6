package import DaybookEvent
internal import DaybookFormat

/// One row of a section.
package struct RollupRow: Sendable, Equatable {
    /// Microseconds since 1970.
    package var windowStart: Int64
    /// A code into the names or users of the file; `RollupCodes.missing` for events without, and in the grain without.
    package var key: UInt32
    /// Nil in metrics.
    package var status: EventStatus?
    package var aggregate: AggregateRow
}

extension RollupFile {
    /// Calls `body` with the rows of a section whose windows start inside `starts` (microseconds since 1970), up to 256
    /// at a time: first those of one status, then those of the next.
    /// - Parameter status: only rows of this status; of metrics, which have none, none.
    /// - Throws: `FormatError` when histograms are asked for and damaged, and for damage that the checksum did not show;
    ///   what `body` throws.
    package func forEachBatch(
        of section: RollupSection, windowStartsIn starts: Range<Int64>, status: EventStatus? = nil,
        parts: RollupParts, _ body: (RollupBatch) throws -> Void
    ) throws {
        try check(section, parts)
        var batch = RollupBatch(self, section)
        var scratch = RollupScratch()
        for block in section.blocks {
            if let status, shape == .values || block.status != status.rawValue { continue }
            let first = block.windows.lowerBound * section.window.microseconds
            let last = block.windows.upperBound * section.window.microseconds
            guard first < starts.upperBound, last >= starts.lowerBound else { continue }
            try read(block, windowStartsIn: starts, parts, into: &batch, &scratch)
            if !batch.rows.isEmpty { try body(batch) }
        }
    }

    /// The same, a row at a time. Of durations and values a row has only what comes with histograms.
    package func forEachRow(
        of section: RollupSection, windowStartsIn starts: Range<Int64> = .min..<(.max), status: EventStatus? = nil,
        parts: RollupParts = .all, _ body: (RollupRow) throws -> Void
    ) throws {
        try forEachBatch(of: section, windowStartsIn: starts, status: status, parts: parts) { batch in
            for row in batch.rows {
                try body(
                    RollupRow(
                        windowStart: batch.windowStarts[row],
                        key: batch.keys.isEmpty ? RollupCodes.missing : batch.keys[row], status: batch.status,
                        aggregate: batch.aggregate(row)))
            }
        }
    }

    /// All rows of a section, in the order of files, the keys being codes plus one.
    func rows(of section: RollupSection) throws(FormatError) -> RollupRows {
        try check(section, .all)
        var rows = RollupRows(shape, section.window)
        var batch = RollupBatch(self, section)
        var scratch = RollupScratch()
        for block in section.blocks {
            try read(block, windowStartsIn: .min..<(.max), .all, into: &batch, &scratch)
            for row in batch.rows { rows.append(batch, row) }
        }
        return rows
    }

    private func check(_ section: RollupSection, _ parts: RollupParts) throws(FormatError) {
        guard section.hasHistograms || !parts.contains(.histograms) else { throw .invalid("rollup histograms") }
    }

    private func read(
        _ block: RollupSection.Block, windowStartsIn starts: Range<Int64>, _ parts: RollupParts,
        into batch: inout RollupBatch, _ scratch: inout RollupScratch
    ) throws(FormatError) {
        try storage.withRawSpan { (span: RawSpan) throws(FormatError) in
            try batch.read(
                block, windowStartsIn: starts, parts, span.extracting(0..<block.columns.upperBound),
                keyCount: UInt64(dictionary(of: batch.grain).count), &scratch)
        }
    }
}

extension RollupRows {
    fileprivate mutating func append(_ batch: RollupBatch, _ row: Int) {
        appendKey(
            window: batch.windowStarts[row] / window.microseconds, status: batch.status?.rawValue ?? 0,
            key: batch.keys.isEmpty ? 0 : batch.keys[row] &+ 1, count: batch.counts[row])
        if shape == .values {
            appendValues(
                sum: batch.valueSums[row], minimum: batch.valueMinimums[row], maximum: batch.valueMaximums[row])
        } else {
            appendDurations(
                count: batch.durationCounts[row], sum: batch.durationSums[row],
                minimum: batch.durationMinimums[row], maximum: batch.durationMaximums[row])
            if shape == .durationsAndTokens {
                appendTokens(input: batch.inputTokens[row], output: batch.outputTokens[row])
            }
        }
        var bins = BinLists()
        batch.appendBins(row, to: &bins)
        appendBins(of: bins, row: 0)
    }
}

/// Arrays that are used again from block to block.
struct RollupScratch {
    var first: [UInt64] = []
    var second: [UInt64] = []
    var third: [UInt64] = []
    var fourth: [UInt64] = []
}
