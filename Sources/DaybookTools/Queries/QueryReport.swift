/// What a run of the query benchmark saw.
package struct QueryReport: Sendable, Equatable {
    package let isTail: Bool
    package let repeatCount: Int
    package var measurements: [QueryMeasurement] = []
    package var comparison = QueryComparison()
    /// Processor time of the server during the run, when it is known.
    package var serverProcessorMicroseconds: UInt64?

    package init(isTail: Bool, repeatCount: Int) {
        self.isTail = isTail
        self.repeatCount = repeatCount
    }

    /// Something was answered wrongly or not at all. A figure that was missed is no failure of the run.
    package var failed: Bool {
        comparison.differenceCount > 0
            || measurements.contains { $0.warningCount > 0 || $0.verdict(isTail: isTail) == .failed }
    }
}

extension QueryReport {
    /// One JSON object on one line.
    package func json() -> [UInt8] {
        var object = JSONObjectWriter(byteCapacity: 4_096)
        object.field("tail", isTail)
        object.field("questions_per_line", repeatCount)
        var lines: [UInt8] = [UInt8(ascii: "[")]
        for (position, measurement) in measurements.enumerated() {
            if position > 0 { lines.append(UInt8(ascii: ",")) }
            lines.append(contentsOf: json(measurement))
        }
        lines.append(UInt8(ascii: "]"))
        object.field("lines", json: lines)
        if comparison.questionCount > 0 { object.field("comparison", json: json(comparison)) }
        if let serverProcessorMicroseconds {
            object.field("server_cpu_seconds", Double(serverProcessorMicroseconds) / 1e6)
        }
        return object.finish()
    }

    private func json(_ measurement: QueryMeasurement) -> [UInt8] {
        var object = JSONObjectWriter(byteCapacity: 512)
        object.field("line", measurement.line.rawValue)
        object.field("title", measurement.line.title)
        object.field("answers", measurement.nanoseconds.count)
        if let median = measurement.milliseconds(percent: 50), let high = measurement.milliseconds(percent: 95),
            let least = measurement.milliseconds(percent: 0), let most = measurement.milliseconds(percent: 100)
        {
            object.field("median_ms", median)
            object.field("p95_ms", high)
            object.field("min_ms", least)
            object.field("max_ms", most)
        }
        if let limit = measurement.line.limitMilliseconds(isTail: isTail) { object.field("limit_ms", limit) }
        object.field("verdict", measurement.verdict(isTail: isTail).rawValue)
        object.field("pruned", measurement.line.isPruned)
        if let rows = measurement.scannedRowCountMedian { object.field("scanned_rows", rows) }
        if let byteCount = measurement.byteCountMedian { object.field("answer_bytes", byteCount) }
        var sources = JSONObjectWriter(byteCapacity: 64)
        for (source, count) in measurement.sources.sorted(by: { $0.key < $1.key }) { sources.field(source, count) }
        object.field("sources", json: sources.finish())
        object.field("failures", measurement.failureCount)
        if let firstFailure = measurement.firstFailure { object.field("first_failure", firstFailure) }
        object.field("warnings", measurement.warningCount)
        if let memory = measurement.anonymousMemoryByteCount {
            object.field("anonymous_memory_mib", Double(memory) / Double(1 << 20))
        }
        return object.finish()
    }

    private func json(_ comparison: QueryComparison) -> [UInt8] {
        var object = JSONObjectWriter(byteCapacity: 256)
        object.field("questions", comparison.questionCount)
        object.field("with_rollups", comparison.rollupCount)
        object.field("different", comparison.differenceCount)
        if let first = comparison.firstDifference { object.field("first_difference", first) }
        return object.finish()
    }

    /// For people: a table, one line of it for each line of questions.
    package func table() -> String {
        var rows = [["line", "median ms", "p95", "at most", "", "source", "rows read", "answer bytes"]]
        for measurement in measurements {
            let sources = measurement.sources.keys.sorted().joined(separator: "+")
            rows.append([
                measurement.line.rawValue, Self.text(measurement.milliseconds(percent: 50)),
                Self.text(measurement.milliseconds(percent: 95)),
                Self.text(measurement.line.limitMilliseconds(isTail: isTail)),
                measurement.verdict(isTail: isTail).rawValue, sources,
                measurement.scannedRowCountMedian.map(String.init) ?? "-",
                measurement.byteCountMedian.map(String.init) ?? "-",
            ])
        }
        let widths = rows[0].indices.map { column in rows.map { $0[column].count }.max() ?? 0 }
        var lines = rows.map { row in
            row.indices.map { row[$0] + String(repeating: " ", count: widths[$0] - row[$0].count) }
                .joined(separator: "  ")
        }
        for measurement in measurements {
            if let failure = measurement.firstFailure {
                lines.append("\(measurement.line.rawValue): \(measurement.failureCount) refused, \(failure)")
            }
            if measurement.warningCount > 0 {
                lines.append("\(measurement.line.rawValue): \(measurement.warningCount) answers with warnings")
            }
        }
        if comparison.questionCount > 0 { lines.append(comparisonText) }
        if let memory = measurements.compactMap(\.anonymousMemoryByteCount).max() {
            lines.append("server memory: \(Self.text(Double(memory) / Double(1 << 20))) MiB anonymous")
        }
        return lines.joined(separator: "\n")
    }

    private var comparisonText: String {
        guard comparison.rollupCount > 0 else { return "rollups against raw rows: not available" }
        var text =
            "rollups against raw rows: \(comparison.rollupCount) of \(comparison.questionCount) questions, \(comparison.differenceCount) differ"
        if let first = comparison.firstDifference { text += "; the first: \(first)" }
        return text
    }

    private static func text(_ value: Double?) -> String {
        guard let value else { return "-" }
        var bytes: [UInt8] = []
        PlainJSON.append(decimal: Int((value * 1_000).rounded()), decimals: 3, to: &bytes)
        return String(decoding: bytes, as: UTF8.self)
    }
}
