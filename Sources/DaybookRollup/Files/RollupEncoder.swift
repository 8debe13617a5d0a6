internal import DaybookEvent
internal import DaybookFormat

/// Puts a rollup file together. Spec: docs/format/rollup.md.
struct RollupEncoder {
    private let identity: RollupIdentity
    private let eventCount: UInt64
    private let shape: RollupShape
    private var directory: [UInt8] = []
    private var content: [UInt8] = []

    init(_ identity: RollupIdentity, eventCount: UInt64) {
        self.identity = identity
        self.eventCount = eventCount
        shape = RollupShape(identity.family)
    }

    /// Appends the sections of a grain; grains come in their order.
    /// - Parameters:
    ///   - rows: of the finest window that pays, in memory's order; nil when none does.
    ///   - strings: what the keys of the rows mean.
    mutating func append(
        _ grain: RollupGrain, _ rows: RollupRows?, strings: RollupStrings, _ scratch: inout BinScratch
    ) {
        guard var rows else { return directory.append(0) }
        directory.append(rows.window.rawValue)
        if grain.hasKeys {
            let (sorted, ranks) = strings.sorted()
            rows.replaceKeys(by: ranks)
            appendDictionary(sorted)
        }
        while true {
            append(SectionEncoder(rows.inFileOrder(), hasKeys: grain.hasKeys), rowCount: rows.count)
            guard let coarser = rows.window.nextCoarser else { return }
            rows = rows.coarsened(to: coarser, &scratch)
        }
    }

    private mutating func appendDictionary(_ strings: [[UInt8]]) {
        var bytes: [UInt8] = []
        for string in strings {
            bytes.append(varint: UInt64(string.count))
            bytes += string
        }
        directory.append(varint: UInt64(strings.count))
        appendPart(bytes)
    }

    private mutating func append(_ section: SectionEncoder, rowCount: Int) {
        directory.append(varint: UInt64(rowCount))
        appendPart(section.columns)
        appendPart(section.histograms)
    }

    private mutating func appendPart(_ bytes: [UInt8]) {
        directory.append(varint: UInt64(bytes.count))
        directory.append(littleEndian: crc32c(bytes))
        content += bytes
    }

    /// Nil when nothing is stored.
    func finish() -> [UInt8]? {
        guard !content.isEmpty else { return nil }
        return RollupHeader(
            identity: identity, eventCount: eventCount, directoryByteCount: directory.count,
            directoryChecksum: crc32c(directory)
        ).encoded() + directory + content
    }
}

/// The two parts of a section.
struct SectionEncoder {
    /// Rows of a block, all of one status.
    static let blockRowCountMax = 256

    private(set) var columns: [UInt8] = []
    private(set) var histograms: [UInt8] = []

    private let rows: RollupRows
    private let hasKeys: Bool
    private var table: [UInt8] = []
    private var blockCount = 0
    private var previousFirst: Int64 = 0

    /// Precondition: the rows are in the order of files.
    init(_ rows: RollupRows, hasKeys: Bool) {
        self.rows = rows
        self.hasKeys = hasKeys
        var blocks: [UInt8] = []
        var first = 0
        while first < rows.count {
            var end = first + 1
            while end < rows.count, end - first < Self.blockRowCountMax, rows.statuses[end] == rows.statuses[first] {
                end += 1
            }
            appendBlock(first..<end, to: &blocks)
            first = end
        }
        columns.append(varint: UInt64(blockCount))
        columns += table
        columns += blocks
    }

    private mutating func appendBlock(_ range: Range<Int>, to blocks: inout [UInt8]) {
        let first = rows.windows[range.lowerBound]
        let step = first &- previousFirst
        previousFirst = first
        let start = blocks.count
        appendKeys(range, to: &blocks)
        if rows.shape == .values {
            for row in range { appendValues(row, to: &blocks) }
        } else {
            appendDurations(range, to: &blocks)
            if rows.shape == .durationsAndTokens {
                appendWide(range.map { rows.inputTokens[$0] }, to: &blocks)
                appendWide(range.map { rows.outputTokens[$0] }, to: &blocks)
            }
        }
        let histogramByteCount = appendHistograms(range)
        blockCount += 1
        table.append(rows.statuses[range.lowerBound])
        table.append(varint: UInt64(range.count))
        table.append(varint: UInt64(bitPattern: step << 1 ^ step >> 63))
        table.append(varint: UInt64(rows.windows[range.upperBound - 1] - first))
        table.append(varint: UInt64(blocks.count - start))
        table.append(varint: UInt64(histogramByteCount))
    }

    private func appendKeys(_ range: Range<Int>, to blocks: inout [UInt8]) {
        var steps: [UInt64] = []
        var previous = rows.windows[range.lowerBound]
        for row in range {
            steps.append(UInt64(rows.windows[row] - previous))
            previous = rows.windows[row]
        }
        NumberColumn.append(steps, to: &blocks)
        if hasKeys { NumberColumn.append(range.map { UInt64(rows.keys[$0]) }, to: &blocks) }
        NumberColumn.append(range.map { rows.counts[$0] }, to: &blocks)
    }

    /// Rows without a duration have zeros. What is left of the sum without the extremes is smaller than the sum, and
    /// nothing where one or two events have a duration.
    private func appendDurations(_ range: Range<Int>, to blocks: inout [UInt8]) {
        NumberColumn.append(range.map { rows.counts[$0] - rows.durationCounts[$0] }, to: &blocks)
        var minimums: [UInt64] = []
        var spans: [UInt64] = []
        var inners: [UInt128] = []
        for row in range {
            let count = rows.durationCounts[row]
            minimums.append(count == 0 ? 0 : rows.minimums[row])
            spans.append(count == 0 ? 0 : rows.maximums[row] - rows.minimums[row])
            inners.append(count < 2 ? 0 : rows.sums[row] - UInt128(rows.minimums[row]) - UInt128(rows.maximums[row]))
        }
        let unit = Self.unit(of: minimums, spans, inners)
        blocks.append(varint: unit)
        NumberColumn.append(minimums.map { $0 / unit }, to: &blocks)
        NumberColumn.append(spans.map { $0 / unit }, to: &blocks)
        appendWide(inners.map { $0 / UInt128(unit) }, to: &blocks)
    }

    /// The greatest common divisor: clients count in micro- or milliseconds. 1 when all are zero.
    private static func unit(of minimums: [UInt64], _ spans: [UInt64], _ inners: [UInt128]) -> UInt64 {
        var unit: UInt64 = 0
        for index in minimums.indices {
            guard unit != 1 else { return 1 }
            unit = commonDivisor(unit, minimums[index])
            unit = commonDivisor(unit, spans[index])
            guard let inner = UInt64(exactly: inners[index]) else { return 1 }
            unit = commonDivisor(unit, inner)
        }
        return max(1, unit)
    }

    private static func commonDivisor(_ left: UInt64, _ right: UInt64) -> UInt64 {
        var (left, right) = (left, right)
        while right != 0 { (left, right) = (right, left % right) }
        return left
    }

    private func appendWide(_ values: [UInt128], to blocks: inout [UInt8]) {
        NumberColumn.append(values.map { UInt64(truncatingIfNeeded: $0) }, to: &blocks)
        NumberColumn.append(values.map { UInt64($0 >> 64) }, to: &blocks)
    }

    /// The sum of one or two values follows from the extremes.
    private func appendValues(_ row: Int, to blocks: inout [UInt8]) {
        CompactNumber.append(rows.valueMinimums[row], to: &blocks)
        guard rows.counts[row] > 1 else { return }
        CompactNumber.append(rows.valueMaximums[row], to: &blocks)
        if rows.counts[row] > 2 { rows.valueSums[row].appendCompact(to: &blocks) }
    }

    private mutating func appendHistograms(_ range: Range<Int>) -> Int {
        var writer = BitWriter()
        for row in range {
            let bins = rows.bins.bins(of: row)
            guard let first = bins.first, let last = bins.last else { continue }
            let coding = HistogramCoding(
                eventCount: rows.shape == .values ? rows.counts[row] : rows.durationCounts[row],
                low: rows.bins.positions[first], high: rows.bins.positions[last], shape: rows.shape)
            coding.append(rows.bins, row: row, to: &writer)
        }
        let bytes = writer.finish()
        histograms += bytes
        return bytes.count
    }
}
