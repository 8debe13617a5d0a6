/// One line of the table of query figures: a question with parameters that are drawn anew each time.
package enum QueryLine: String, CaseIterable, Sendable {
    case q1
    case q2Rollup = "q2-rollup"
    case q2Raw = "q2-raw"
    case q3
    case q4
    case q5
    case q5Attribute = "q5-attribute"

    package var title: String {
        switch self {
        case .q1: "Q1 24 h by command: count, avg, p95, success rate"
        case .q2Rollup: "Q2 30 days hourly from rollups: count, avg, p95"
        case .q2Raw: "Q2 30 days hourly from raw rows: count, avg, p95"
        case .q3: "Q3 page of 100: one command, errors, 7 days, newest first"
        case .q4: "Q4 p95 by command over all raw rows"
        case .q5: "Q5 10,000 raw rows by user: count, avg"
        case .q5Attribute: "Q5 by context.project instead"
        }
    }

    /// Milliseconds that the median may take on sealed events.
    private var limitMilliseconds: Double {
        switch self {
        case .q1, .q5: 0.5
        case .q2Rollup: 1
        case .q2Raw, .q4: 2.5
        case .q3: 0.7
        case .q5Attribute: 1.5
        }
    }

    /// The same, twice as much where the newest events are not sealed and more arrive meanwhile; nil where nothing was
    /// promised.
    package func limitMilliseconds(isTail: Bool) -> Double? {
        guard isTail else { return limitMilliseconds }
        return [.q1, .q3, .q5].contains(self) ? 2 * limitMilliseconds : nil
    }

    /// What must have answered; any source will do where this is nil.
    package var forcedSource: String? {
        switch self {
        case .q2Rollup: "rollup"
        case .q2Raw, .q4, .q5, .q5Attribute: "raw"
        case .q1, .q3: nil
        }
    }

    /// Costs what its range holds, however much the store holds beside it.
    package var isPruned: Bool { [.q1, .q3, .q5, .q5Attribute, .q2Rollup, .q2Raw].contains(self) }
}

/// A question as it goes over the wire.
package struct PlannedQuery: Sendable, Equatable {
    package var line: QueryLine
    /// Path and query of the request.
    package var target: String

    package init(line: QueryLine, target: String) {
        self.line = line
        self.target = target
    }

    /// One line of a plan file.
    package var text: String { "\(line.rawValue)\t\(target)\n" }

    /// Nil for a line that `text` does not write.
    package init?(_ text: some StringProtocol) {
        let parts = String(text).split(separator: "\t", omittingEmptySubsequences: false).map(String.init)
        guard parts.count == 2, let line = QueryLine(rawValue: parts[0]), parts[1].hasPrefix("/") else { return nil }
        self.init(line: line, target: parts[1])
    }
}
