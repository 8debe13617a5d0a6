import DaybookFormat
import Testing

@testable import DaybookStore

/// The account that can be given of the segments alone.
struct ManifestRebuildingTests {
    static func commands(_ range: ClosedRange<UInt64>) -> SegmentReference {
        Sample.segment(range, .commandExecution, rowCount: range.upperBound - range.lowerBound + 1)
    }

    @Test func theSegmentsOfASoundManifestGiveItBack() throws {
        let manifest = try Sample.manifest([Sample.seal(1...100), Sample.seal(101...106), Sample.seal(107...107)])
        let rebuilt = Manifest.rebuilt(from: manifest.segments.reversed())
        #expect(rebuilt.manifest.segments == manifest.segments)
        #expect(rebuilt.manifest.sealedThrough == 107)
        #expect(rebuilt.manifest.lost.isEmpty)
        #expect(rebuilt.manifest.carry == nil)
        #expect(rebuilt.unused.isEmpty)
    }

    @Test func withoutSegmentsNothingIsSealed() {
        #expect(Manifest.rebuilt(from: []).manifest == Manifest())
    }

    @Test func sequencesThatNoSegmentHoldsAreLost() {
        let rebuilt = Manifest.rebuilt(from: [Self.commands(11...20), Self.commands(31...40)])
        #expect(
            rebuilt.manifest.lost == [
                LostRange(range: 1...10, eventCount: 10, reason: .segmentMissing),
                LostRange(range: 21...30, eventCount: 10, reason: .segmentMissing),
            ])
        #expect(rebuilt.manifest.sealedThrough == 40)
    }

    @Test func rowsOfAMissingFamilyAreLost() {
        let rebuilt = Manifest.rebuilt(from: [Sample.segment(1...10, .agentInteraction, rowCount: 4)])
        #expect(rebuilt.manifest.lost == [LostRange(range: 1...10, eventCount: 6, reason: .segmentMissing)])
        #expect(rebuilt.manifest.firstBrokenInvariant.map { "\($0)" } == nil)
    }

    @Test func aWholeRangeGoesBeforeTheRangesItWasMergedFrom() {
        let parts = [Self.commands(1...10), Self.commands(11...20)]
        let rebuilt = Manifest.rebuilt(from: parts + [Self.commands(1...20)])
        #expect(rebuilt.manifest.segments == [Self.commands(1...20)])
        #expect(rebuilt.unused == parts)
    }

    @Test func wholeRangesGoBeforeAMergeCutShort() {
        let parts = [Self.commands(1...10), Sample.segment(11...20, .agentInteraction, rowCount: 10)]
        let merge = Sample.segment(1...20, .commandExecution, rowCount: 10)
        let rebuilt = Manifest.rebuilt(from: [merge] + parts)
        #expect(rebuilt.manifest.segments == parts)
        #expect(rebuilt.unused == [merge])
    }

    @Test func rangesThatOverlapInPartDoNotMeet() {
        let rebuilt = Manifest.rebuilt(from: [Self.commands(1...10), Self.commands(5...20), Self.commands(20...21)])
        #expect(rebuilt.manifest.segments == [Self.commands(5...20)])
        #expect(rebuilt.manifest.lost == [LostRange(range: 1...4, eventCount: 4, reason: .segmentMissing)])
        #expect(rebuilt.unused.count == 2)
    }

    @Test func impossibleAndDoubledSegmentsAreSetAside() {
        var named = Self.commands(1...10)
        named.path = "other.dbs"
        var backwards = Self.commands(1...10)
        backwards.firstSequence = 11
        var empty = Self.commands(1...10)
        empty.rowCount = 0
        let tooMany = Sample.segment(1...10, .agentInteraction, rowCount: 1)
        let good = Self.commands(1...10)
        let rebuilt = Manifest.rebuilt(from: [named, backwards, empty, good, good, tooMany])
        #expect(rebuilt.manifest.segments == [good])
        #expect(rebuilt.unused.count == 5)
    }

    @Test func aRebuiltManifestCanBePublishedAndContinued() throws {
        let rebuilt = Manifest.rebuilt(from: [Self.commands(11...20)]).manifest
        let manifest = try Sample.manifest([.snapshot(rebuilt), Sample.seal(21...30)])
        #expect(manifest.firstBrokenInvariant(after: rebuilt).map { "\($0)" } == nil)
        #expect(manifest.generation == 2)
    }
}
