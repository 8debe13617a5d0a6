import DaybookFormat
import Testing

@testable import DaybookStore

/// Which ranges are merged.
struct CompactionPlanTests {
    static let limits = CompactionLimits(fanIn: 4...16, outputRowCountMax: 1_000, outputByteCountMax: 1_000_000)

    /// Ranges of ten sequences with these sizes.
    static func ranges(_ byteCounts: [UInt64], rowCount: Int = 10) -> [RangeSummary] {
        byteCounts.enumerated().map { index, byteCount in
            let first = UInt64(index) * 10 + 1
            return RangeSummary(range: first...first + 9, rowCount: rowCount, byteCount: byteCount)
        }
    }

    @Test(
        arguments: [
            ([], nil), ([100, 100, 100], nil), ([100, 100, 100, 100], 0..<4),
            ([100, 100, 100, 100, 100], 0..<5),
            ([1_000, 100, 100, 100], nil), ([1_000, 100, 100, 100, 100], 1..<5),
            ([300, 100, 100, 100], 0..<4),
            ([400_000, 400_000, 400_000, 400_000], nil),
            ([250_000, 250_000, 250_000, 250_000, 250_000], 0..<4),
            ([900_000, 0, 100, 100, 100, 100, 900_000], 1..<6),
            ([UInt64](repeating: 5, count: 40), 0..<16),
        ] as [([UInt64], Range<Int>?)])
    func neighboursOfSimilarSizeAreMerged(byteCounts: [UInt64], run: Range<Int>?) {
        #expect(CompactionPlan.bestRun(Self.ranges(byteCounts), Self.limits) == run)
    }

    @Test func theRunThatSavesMostForItsBytesGoesFirst() {
        let ranges = Self.ranges([90_000, 90_000, 90_000, 90_000, 900_000, 10, 10, 10, 10])
        #expect(CompactionPlan.bestRun(ranges, Self.limits) == 5..<9)
    }

    @Test func noOutputHasMoreRowsThanAllowed() {
        let ranges = Self.ranges([UInt64](repeating: 5, count: 8), rowCount: 200)
        #expect(CompactionPlan.bestRun(ranges, Self.limits) == 0..<5)
    }

    @Test func aBlockedRangeStaysAsItIs() {
        var ranges = Self.ranges([UInt64](repeating: 5, count: 9))
        ranges[3].isBlocked = true
        #expect(CompactionPlan.bestRun(ranges, Self.limits) == 4..<9)
    }

    @Test func mergingComesToAnEnd() {
        var ranges = Self.ranges((0..<200).map { UInt64($0 * 7_919 % 4_000) })
        var written: UInt64 = 0
        while let run = CompactionPlan.bestRun(ranges, Self.limits) {
            var merged = ranges[run.lowerBound]
            merged.range = merged.range.lowerBound...ranges[run.upperBound - 1].range.upperBound
            merged.rowCount = ranges[run].reduce(0) { $0 + $1.rowCount }
            merged.byteCount = ranges[run].reduce(0) { $0 + $1.byteCount }
            written += merged.byteCount
            ranges.replaceSubrange(run, with: [merged])
        }
        #expect(ranges.count < 20)
        #expect(CompactionPlan.debtByteCount(ranges, Self.limits) == 0)
        let total = ranges.reduce(0) { $0 + $1.byteCount }
        #expect(written < total * 4)
    }

    @Test func debtIsWhatIsToBeMerged() {
        #expect(CompactionPlan.debtByteCount(Self.ranges([100, 100, 100]), Self.limits) == 0)
        let ranges = Self.ranges([100, 100, 100, 100, 900_000, 7, 7, 7, 7])
        #expect(CompactionPlan.debtByteCount(ranges, Self.limits) == 428)
    }

    @Test(
        arguments: [
            ([], nil), ([0], nil), ([0, 0], 0..<2), ([5, 0, 5, 0], nil), ([5, 0, 0, 0, 5, 0, 0], 1..<4),
            ([5, 0, 0], 1..<3),
        ] as [([UInt64], Range<Int>?)])
    func neighboursWithoutRowsAreNamedTogether(byteCounts: [UInt64], run: Range<Int>?) {
        #expect(CompactionPlan.emptyRun(Self.ranges(byteCounts)) == run)
    }

    @Test func aManifestIsSummedUpByRanges() throws {
        let manifest = try Sample.manifest(Sample.edits + [.lost(301...310, .logMissing)])
        let summaries = manifest.rangeSummaries(blocked: [manifest.segments[2].path])
        #expect(summaries.map(\.range) == [1...100, 101...105, 106...106, 107...300, 301...310])
        #expect(summaries.map(\.rowCount) == [100, 0, 1, 194, 0])
        #expect(summaries.map(\.byteCount) == [9_216, 0, 4_608, 9_216, 0])
        #expect(summaries.map(\.isBlocked) == [false, false, true, false, false])
    }

    @Test func rangesWithRowsAndAbsencesAreOne() throws {
        let summaries = try Sample.manifest(Sample.edits + [Sample.merge]).rangeSummaries()
        #expect(summaries.map(\.range) == [1...106, 107...300])
        #expect(summaries.map(\.rowCount) == [62, 194])
    }
}
