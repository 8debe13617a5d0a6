/// What was seen of one line: the latencies of its questions and what the answers say of themselves.
package struct QueryMeasurement: Sendable, Equatable {
    package let line: QueryLine
    package private(set) var nanoseconds: [UInt64] = []
    private var scannedRowCounts: [Int] = []
    private var byteCounts: [Int] = []
    /// Answers by the source that they name.
    package private(set) var sources: [String: Int] = [:]
    /// Answers that were none, and the first one's words.
    package private(set) var failureCount = 0
    package private(set) var firstFailure: String?
    package private(set) var warningCount = 0
    /// Anonymous memory of the server after the line, when it is known.
    package var anonymousMemoryByteCount: UInt64?

    package init(_ line: QueryLine) { self.line = line }

    mutating func note(_ answer: QueryAnswer, nanoseconds latency: UInt64) {
        guard answer.status == 200 else {
            failureCount += 1
            if firstFailure == nil { firstFailure = "\(answer.status): \(answer.message)" }
            return
        }
        nanoseconds.append(latency)
        byteCounts.append(answer.body.count)
        if let rows = answer.scannedRowCount { scannedRowCounts.append(rows) }
        sources[answer.source ?? "unknown", default: 0] += 1
        if answer.hasWarnings { warningCount += 1 }
    }

    /// Milliseconds; nearest rank. Nil when nothing was answered.
    package func milliseconds(percent: Double) -> Double? {
        guard !nanoseconds.isEmpty else { return nil }
        let sorted = nanoseconds.sorted()
        let rank = max(1, min(sorted.count, Int((Double(sorted.count) * percent / 100).rounded(.up))))
        return Double(sorted[rank - 1]) / 1e6
    }

    package var scannedRowCountMedian: Int? { Self.median(scannedRowCounts) }
    package var byteCountMedian: Int? { Self.median(byteCounts) }

    private static func median(_ values: [Int]) -> Int? {
        values.isEmpty ? nil : values.sorted()[(values.count - 1) / 2]
    }

    package enum Verdict: String, Sendable {
        case met, missed
        case notAvailable = "not available"
        case failed
        /// Nothing was promised.
        case none = ""
    }

    package func verdict(isTail: Bool) -> Verdict {
        // A source that this server does not have is refused, or another one answers.
        if let forced = line.forcedSource, sources[forced] == nil, sources["mixed"] == nil {
            return forced == "rollup" ? .notAvailable : .failed
        }
        guard failureCount == 0, let median = milliseconds(percent: 50) else { return .failed }
        guard let limit = line.limitMilliseconds(isTail: isTail) else { return .none }
        return median <= limit ? .met : .missed
    }
}

/// Whether rollups and raw rows say the same.
package struct QueryComparison: Sendable, Equatable {
    package var questionCount = 0
    /// Questions in whose answer rollups had a part.
    package var rollupCount = 0
    package var differenceCount = 0
    /// The first question whose answers differ.
    package var firstDifference: String?

    package init() {}
}
