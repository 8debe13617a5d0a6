internal import DaybookFormat
package import DaybookSystem

/// What a run of the query benchmark is to do.
package struct QueryRunOptions: Sendable {
    package var host = "127.0.0.1"
    package var port = 8080
    /// Of the organization that is asked, with the scope read.
    package var key = ""
    package var lines = QueryLine.allCases
    /// Questions of each line that count, and before them those that do not.
    package var repeatCount = 50
    package var warmupCount = 5
    package var seed: UInt64 = 1
    /// Ask about this moment, on an organization whose newest events are not sealed.
    package var isTail = false
    /// Q5 draws its stretches from the newest so many microseconds; everything else is drawn as without.
    package var newestMicroseconds: Int64 = 30 * 24 * 3_600_000_000
    /// Questions that are put to rollups and to raw rows.
    package var comparisonCount = 0
    package var serverProcessID: Int?
    /// Questions that were drawn before; nil draws them now.
    package var plan: [PlannedQuery]?

    package init() {}
}

/// Puts the questions of each line one after the other, and looks at the answers.
package struct QueryRun {
    private let options: QueryRunOptions
    private let clock: any Clock
    private let client: QueryClient

    package init(_ options: QueryRunOptions, clock: any Clock) throws {
        self.options = options
        self.clock = clock
        client = try QueryClient(host: options.host, port: options.port, key: options.key, clock: clock)
    }

    /// - Parameter progress: called with what is being measured.
    package func run(progress: (String) -> Void = { _ in }) throws -> QueryReport {
        var report = QueryReport(isTail: options.isTail, repeatCount: options.repeatCount)
        let processor = try processorMicroseconds()
        if let plan = options.plan {
            for line in options.lines {
                progress(line.rawValue)
                report.measurements.append(try measure(line, plan.filter { $0.line == line }))
            }
        } else {
            progress("looking at the data")
            var plan = try drawing()
            for line in options.lines {
                progress(line.rawValue)
                for query in (0..<options.warmupCount).map({ _ in plan.next(line) }) {
                    _ = try client.ask(query.target)
                }
                let queries = (0..<options.repeatCount).map { _ in plan.next(line) }
                report.measurements.append(try measure(line, queries))
            }
            progress("comparing rollups with raw rows")
            report.comparison = try compare(&plan)
        }
        if let before = processor, let after = try processorMicroseconds() {
            report.serverProcessorMicroseconds = after - before
        }
        return report
    }

    /// The questions of a run, without putting them.
    package func planned() throws -> [PlannedQuery] {
        var plan = try drawing()
        return options.lines.flatMap { line in (0..<options.repeatCount).map { _ in plan.next(line) } }
    }

    private func drawing() throws -> QueryPlan {
        let now = Timestamp(microseconds: clock.wallMicroseconds())
        let probe = try QueryProbe(client, isTail: options.isTail, now: now)
        return QueryPlan(
            probe, isTail: options.isTail, now: now, newestMicroseconds: options.newestMicroseconds, seed: options.seed)
    }

    private func measure(_ line: QueryLine, _ queries: [PlannedQuery]) throws -> QueryMeasurement {
        var measurement = QueryMeasurement(line)
        for query in queries {
            let (answer, nanoseconds) = try client.ask(query.target)
            measurement.note(answer, nanoseconds: nanoseconds)
        }
        if let number = options.serverProcessID.flatMap(Int32.init(exactly:)) {
            measurement.anonymousMemoryByteCount = try ProcessStatistics.of(processID: number).anonymousByteCount
        }
        return measurement
    }

    private func processorMicroseconds() throws -> UInt64? {
        guard let number = options.serverProcessID.flatMap(Int32.init(exactly:)) else { return nil }
        return try ProcessStatistics.of(processID: number).processorMicroseconds
    }

    /// Items must be the same bytes: counts and sums are exact, and histograms merge to the same bits.
    private func compare(_ plan: inout QueryPlan) throws -> QueryComparison {
        var comparison = QueryComparison()
        for _ in 0..<options.comparisonCount {
            let (rollup, raw) = plan.comparison()
            let other = try client.ask(rollup).answer
            comparison.questionCount += 1
            guard other.status == 200, other.source != "raw" else { continue }
            comparison.rollupCount += 1
            let answer = try client.answer(raw)
            guard let left = other.items, let right = answer.items, left.elementsEqual(right) else {
                comparison.differenceCount += 1
                if comparison.firstDifference == nil { comparison.firstDifference = rollup }
                continue
            }
        }
        return comparison
    }
}
