import Benchmark
import DaybookFormat
import DaybookQuery
import DaybookRollup

/// The loops that decide what a question costs.
func registerQueries() {
    registerScans()
    registerSketches()
    registerCompression()
}

/// Rows in memory: grouped by a dimension, with count, sum, status counts and p95.
private func registerScans() {
    let encodings = Samples.encodings(65_536)
    for name in ["command_name", "user_id", "context.project"] {
        kernel(
            "scan-65536-by-\(name)",
            prepare: { (try Samples.source(encodings), try Samples.query(groupedBy: name)) },
            run: { source, query in blackHole(try Samples.answer(query, source)) })
    }
    kernel(
        "scan-65536-by-minute",
        prepare: {
            var query = try Samples.query(groupedBy: nil)
            query.window = .oneMinute
            return (try Samples.source(encodings), query)
        },
        run: { source, query in blackHole(try Samples.answer(query, source)) })
}

private func registerSketches() {
    let durations = Samples.durations(65_536)
    let statuses = durations.indices.map { UInt8($0 % 4) }
    for slotCount in [1, 24, 500] {
        let slots = durations.indices.map { Int32($0 * 7 % slotCount) }
        kernel("histogram-65536-in-\(slotCount)-groups") {
            var groups = GroupedExecutions()
            groups.grow(to: slotCount)
            groups.add(slots: slots.span, statuses: statuses.span, nanoseconds: durations.span)
            blackHole(groups.slotCount)
        }
        // Count, sum, extremes and statuses; no percentiles.
        kernel("sums-65536-in-\(slotCount)-groups") {
            var groups = GroupedExecutions(keepsHistograms: false)
            groups.grow(to: slotCount)
            groups.add(slots: slots.span, statuses: statuses.span, nanoseconds: durations.span)
            blackHole(groups.slotCount)
        }
    }
    let rows = Samples.rows(720, of: durations)
    kernel("merge-720-rows") { blackHole(Samples.merged(rows).durations.count) }
    kernel(
        "percentile-of-merged-row", prepare: { Samples.merged(rows) },
        run: { row in blackHole(row.durations.percentile(.p95)) })
    var encoded: [UInt8] = []
    for row in rows { row.append(to: &encoded) }
    kernel("decode-720-rows") { [encoded] in blackHole(try Samples.decodeRows(encoded)) }
}

/// The library as the pages use it: 16 KiB at a time.
private func registerCompression() {
    let text = Samples.columnBytes(16 << 10)
    kernel("lz4-16-kib-compressed-fast") { blackHole(Samples.compress(text).count) }
    kernel("lz4-16-kib-compressed-high") { blackHole(Samples.compress(text, isHigh: true).count) }
    let compressed = Samples.compress(text, isHigh: true)
    kernel("lz4-16-kib-expanded") { blackHole(Samples.expand(compressed, byteCount: text.count)) }
}
