import DaybookFormat
import DaybookQuery
import Foundation
import Testing

@testable import DaybookTools

struct QueryAnswerTests {
    private static let text = #"""
        {"success":true,"data":{"items":[{"bucket_start":"2026-06-15T00:00:00.000000Z","bucket_end":"2026-06-15T01:00:00.000000Z","group":{"command_name":"edit_file"},"count":17,"success_count":9},{"bucket_start":"2026-06-15T01:00:00.000000Z","group":{"command_name":"git:push"},"count":4}],"pagination":{"next_cursor":"abc","has_more":true},"meta":{"source":"mixed","scanned_rows":4711,"warnings":["x"]}}}
        """#
    private let answer = QueryAnswer(status: 200, body: Array(text.utf8))

    @Test func `an answer says where it comes from`() {
        #expect(answer.source == "mixed")
        #expect(answer.scannedRowCount == 4_711)
        #expect(answer.hasWarnings)
        #expect(answer.nextCursor == "abc")
    }

    @Test func `items are cut out as they came`() throws {
        let items = String(decoding: try #require(answer.items), as: UTF8.self)
        #expect(items.hasPrefix(#"[{"bucket_start":"#))
        #expect(items.hasSuffix(#""count":4}]"#))
    }

    @Test func `buckets and groups have their counts`() {
        #expect(answer.buckets().map(\.count) == [17, 4])
        #expect(answer.buckets()[0].start == EventGeneratorTests.day)
        #expect(answer.groups("command_name").map(\.name) == ["edit_file", "git:push"])
    }

    @Test func `an error has a message and no items`() {
        let refusal = QueryAnswer(status: 400, body: Array(#"{"success":false,"message":"no such source"}"#.utf8))
        #expect(refusal.items == nil)
        #expect(refusal.message == "no such source")
        #expect(!refusal.hasWarnings)
    }
}

struct QueryPlanTests {
    private static let now = EventGeneratorTests.day.adding(microseconds: 30 * 86_400_000_000)

    /// Thirty days of an hour's bucket each, with 200 commands.
    private static var probe: QueryProbe {
        let hour: Int64 = 3_600_000_000
        let buckets = (0..<720).map { number in
            QueryProbe.Bucket(start: EventGeneratorTests.day.adding(microseconds: Int64(number) * hour), count: 200)
        }
        return QueryProbe(
            buckets: buckets, bucketMicroseconds: hour, names: [("edit_file", 100_000), ("search/code", 44_000)])
    }

    private static func plan(seed: UInt64, isTail: Bool = false) -> QueryPlan {
        QueryPlan(probe, isTail: isTail, now: now, newestMicroseconds: 30 * 86_400_000_000, seed: seed)
    }

    private func pairs(_ target: String) -> [(name: String, value: String)] {
        target.split(separator: "?")[1].split(separator: "&").map { pair in
            let parts = pair.split(separator: "=", maxSplits: 1).map(String.init)
            return (parts[0], parts[1].removingPercentEncoding ?? "")
        }
    }

    @Test func `equal seeds draw equal questions`() {
        for line in QueryLine.allCases {
            var first = Self.plan(seed: 3)
            var second = Self.plan(seed: 3)
            #expect((0..<20).map { _ in first.next(line) } == (0..<20).map { _ in second.next(line) })
        }
    }

    @Test(arguments: QueryLine.allCases)
    func `parameters are drawn anew for each question`(line: QueryLine) {
        var plan = Self.plan(seed: 3)
        #expect(Set((0..<20).map { _ in plan.next(line).target }).count > 10)
    }

    @Test(arguments: QueryLine.allCases, [false, true])
    func `the server takes every question`(line: QueryLine, isTail: Bool) {
        var plan = Self.plan(seed: 5, isTail: isTail)
        for _ in 0..<50 {
            var parameters = QueryParameters(pairs(plan.next(line).target), now: Self.now)
            if line == .q3 {
                _ = parameters.listQuery(of: .commandExecution)
            } else {
                _ = parameters.aggregateQuery()
            }
            #expect(parameters.faults == [])
        }
    }

    @Test func `the server takes every comparison`() {
        var plan = Self.plan(seed: 5)
        for _ in 0..<200 {
            let (rollup, raw) = plan.comparison()
            #expect(rollup.replacing("source=rollup", with: "source=raw") == raw)
            var parameters = QueryParameters(pairs(rollup), now: Self.now)
            _ = parameters.aggregateQuery()
            #expect(parameters.faults == [])
        }
    }

    @Test func `a stretch holds as many commands as were asked for`() {
        var random = GeneratorRandom(seed: 9)
        for _ in 0..<100 {
            let (start, end) = Self.probe.stretch(holding: 10_000, from: Self.probe.first, random: &random)
            #expect(end.microseconds - start.microseconds == 50 * 3_600_000_000)
        }
        let (start, end) = Self.probe.stretch(holding: 1_000_000, from: Self.probe.first, random: &random)
        #expect(start == Self.probe.first)
        #expect(end == Self.probe.last)
    }

    @Test func `a stretch begins where it is asked to, unless too few commands are behind that`() {
        var random = GeneratorRandom(seed: 9)
        let day: Int64 = 86_400_000_000
        let starts = (0..<100).map { _ in
            Self.probe.stretch(
                holding: 10_000, from: Self.probe.last.adding(microseconds: -3 * day), random: &random
            ).start
        }
        #expect(starts.allSatisfy { $0 >= Self.probe.last.adding(microseconds: -3 * day) })
        #expect(Set(starts).count > 10)
        let (start, end) = Self.probe.stretch(
            holding: 10_000, from: Self.probe.last.adding(microseconds: -day), random: &random)
        #expect(start < Self.probe.last.adding(microseconds: -day))
        #expect(end == Self.probe.last)
    }

    @Test func `a plan is read back as it was written`() {
        let query = PlannedQuery(line: .q5Attribute, target: "/api/v1/metrics/aggregated?a=b")
        #expect(PlannedQuery(query.text.dropLast()) == query)
        for text in ["", "q1", "q9\t/a", "q1\ta"] { #expect(PlannedQuery(text) == nil) }
    }
}

struct QueryMeasurementTests {
    private func measurement(_ line: QueryLine, source: String, milliseconds: [Double]) -> QueryMeasurement {
        var measurement = QueryMeasurement(line)
        let body = Array(#"{"data":{"items":[],"pagination":{},"meta":{"source":"\#(source)","scanned_rows":5}}}"#.utf8)
        for value in milliseconds {
            measurement.note(QueryAnswer(status: 200, body: body), nanoseconds: UInt64(value * 1e6))
        }
        return measurement
    }

    @Test func `the median decides`() {
        #expect(measurement(.q1, source: "rollup", milliseconds: [0.1, 0.4, 9]).verdict(isTail: false) == .met)
        #expect(measurement(.q1, source: "rollup", milliseconds: [0.1, 0.7, 9]).verdict(isTail: false) == .missed)
        #expect(measurement(.q1, source: "rollup", milliseconds: [0.1, 0.7, 9]).verdict(isTail: true) == .met)
    }

    @Test func `a server without rollups misses nothing that needs them`() {
        #expect(measurement(.q2Rollup, source: "raw", milliseconds: [9]).verdict(isTail: false) == .notAvailable)
        #expect(measurement(.q2Rollup, source: "mixed", milliseconds: [0.9]).verdict(isTail: false) == .met)
    }

    @Test func `a refusal is a failure with its words`() {
        var refused = QueryMeasurement(.q4)
        refused.note(QueryAnswer(status: 400, body: Array(#"{"message":"no"}"#.utf8)), nanoseconds: 1)
        #expect(refused.verdict(isTail: false) == .failed)
        #expect(refused.firstFailure == "400: no")
    }

    @Test func `percentiles are nearest rank`() {
        let measured = measurement(.q1, source: "raw", milliseconds: (1...20).map(Double.init))
        #expect(measured.milliseconds(percent: 50) == 10)
        #expect(measured.milliseconds(percent: 95) == 19)
        #expect(measured.scannedRowCountMedian == 5)
    }
}
