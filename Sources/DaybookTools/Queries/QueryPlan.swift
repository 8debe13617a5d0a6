internal import DaybookFormat

/// Draws questions. Equal seeds draw equal questions from equal probes.
struct QueryPlan {
    private let probe: QueryProbe
    private let isTail: Bool
    private let now: Timestamp
    /// How far back from the last event Q5 looks.
    private let newestMicroseconds: Int64
    private var random: GeneratorRandom

    private static let hour: Int64 = 3_600_000_000
    private static let day: Int64 = 24 * 3_600_000_000
    /// Rows that Q5 is about.
    private static let rowCount = 10_000

    init(_ probe: QueryProbe, isTail: Bool, now: Timestamp, newestMicroseconds: Int64, seed: UInt64) {
        self.probe = probe
        self.isTail = isTail
        self.now = now
        self.newestMicroseconds = newestMicroseconds
        random = GeneratorRandom(seed: seed)
    }

    mutating func next(_ line: QueryLine) -> PlannedQuery {
        let target =
            switch line {
            case .q1: lastDay()
            case .q2Rollup, .q2Raw: hourly(source: line.forcedSource ?? "auto")
            case .q3: page()
            case .q4: everything()
            case .q5: someRows(by: "user_id")
            case .q5Attribute: someRows(by: "context.project")
            }
        return PlannedQuery(line: line, target: target.text)
    }

    /// Where "now" is for a person that asks: within a day of the last event; in the tail within a minute of this moment.
    private mutating func recentEnd() -> Timestamp {
        isTail
            ? now.adding(microseconds: -Int64(random.below(60_000_000)))
            : probe.last.adding(microseconds: -Int64(random.below(Int(Self.day))))
    }

    private mutating func lastDay() -> QueryTarget {
        let end = recentEnd()
        var target = aggregated(from: end.adding(microseconds: -Self.day), to: end, window: "total", source: "auto")
        target.add("group_by", "command_name")
        target.add("percentiles", "95")
        return target
    }

    /// Whole hours, so that rollups alone can answer.
    private mutating func hourly(source: String) -> QueryTarget {
        let lastHour = (probe.last.microseconds - 1) / Self.hour + 1
        let end = Timestamp(microseconds: (lastHour - Int64(random.below(24))) * Self.hour)
        var target = aggregated(from: end.adding(microseconds: -30 * Self.day), to: end, window: "1h", source: source)
        target.add("percentiles", "95")
        target.add("limit", "1000")
        return target
    }

    private mutating func page() -> QueryTarget {
        let end = recentEnd()
        var target = QueryTarget("commands")
        target.add("start_date", end.adding(microseconds: -7 * Self.day))
        target.add("end_date", end)
        target.add("command_name", probe.name(&random))
        target.add("status", "error")
        target.add("limit", "100")
        return target
    }

    /// The range begins anywhere before the first event: another question each time, and always all rows.
    private mutating func everything() -> QueryTarget {
        let start = probe.first.adding(microseconds: -1 - Int64(random.below(Int(Self.hour))))
        var target = aggregated(
            from: start, to: probe.last.adding(microseconds: Self.day), window: "total", source: "raw")
        target.add("group_by", "command_name")
        target.add("percentiles", "95")
        return target
    }

    private mutating func someRows(by group: String) -> QueryTarget {
        let earliest = probe.last.adding(microseconds: -newestMicroseconds)
        let (start, end) = probe.stretch(holding: Self.rowCount, from: earliest, random: &random)
        var target = aggregated(from: start, to: end, window: "total", source: "raw")
        target.add("group_by", group)
        target.add("percentiles", "none")
        target.add("limit", "1000")
        return target
    }

    private func aggregated(from start: Timestamp, to end: Timestamp, window: String, source: String) -> QueryTarget {
        var target = QueryTarget("aggregated")
        target.add("start_date", start)
        target.add("end_date", end)
        target.add("aggregation_window", window)
        target.add("source", source)
        return target
    }

    // MARK: - The same question to both sources

    /// A question that rollups may be able to answer, once for each source.
    mutating func comparison() -> (rollup: String, raw: String) {
        let windows: [(name: String, range: Int64)] = [
            ("1m", Self.hour), ("5m", 6 * Self.hour), ("15m", Self.day), ("1h", 7 * Self.day), ("1d", 30 * Self.day),
            ("total", 30 * Self.day),
        ]
        let window = random.pick(windows)
        let metric = random.pick(["command_executions", "command_executions", "agent_interactions"])
        let name = metric == "agent_interactions" ? "agent_name" : "command_name"
        let groups = random.pick(["", name, "status", "user_id", "\(name),status"])
        // Half of the ranges begin and end anywhere, so that rollups need raw rows at their edges.
        let unit = random.chance(perThousand: 500) ? 1 : Self.day
        let span = max(1, Int(probe.last.microseconds - probe.first.microseconds))
        let end = (probe.last.microseconds - Int64(random.below(span))) / unit * unit + unit
        let start = end - (unit == Self.day ? max(Self.day, window.range) : window.range)
        func target(_ source: String) -> String {
            var target = aggregated(
                from: Timestamp(microseconds: start), to: Timestamp(microseconds: end), window: window.name,
                source: source)
            target.add("metric", metric)
            if !groups.isEmpty { target.add("group_by", groups) }
            target.add("limit", "1000")
            return target.text
        }
        return (target("rollup"), target("raw"))
    }
}
