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
        #expect(rebuilt.manifest.absences.isEmpty)
        #expect(rebuilt.manifest.carry == nil)
        #expect(rebuilt.unused.isEmpty)
    }

    @Test func withoutSegmentsNothingIsSealed() {
        #expect(Manifest.rebuilt(from: []).manifest == Manifest())
    }

    @Test func sequencesThatNoSegmentHoldsAreLost() {
        let rebuilt = Manifest.rebuilt(from: [Self.commands(11...20), Self.commands(31...40)])
        #expect(
            rebuilt.manifest.absences == [
                Sample.absence(1...10, .segmentMissing), Sample.absence(21...30, .segmentMissing),
            ])
        #expect(rebuilt.manifest.sealedThrough == 40)
    }

    @Test func rowsOfAMissingFamilyAreLost() {
        let rebuilt = Manifest.rebuilt(from: [Sample.segment(1...10, .agentInteraction, rowCount: 4)])
        #expect(rebuilt.manifest.absences == [Sample.absence(1...10, .segmentMissing, 6)])
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

    @Test func aWholeReplacementGoesBeforeItsInputsAlthoughRowsExpired() {
        let parts = [Self.commands(1...10), Self.commands(11...20)]
        let merged = Sample.segment(1...20, .commandExecution, rowCount: 4)
        let rebuilt = Manifest.rebuilt(from: parts + [merged])
        #expect(rebuilt.manifest.segments == [merged])
        #expect(rebuilt.manifest.absences == [Sample.absence(1...20, .segmentMissing, 16)])
        #expect(rebuilt.unused == parts)
    }

    @Test func inputsThatWereRemovedInPartDoNotComeBack() {
        let merged = [
            Sample.segment(1...20, .commandExecution, rowCount: 12),
            Sample.segment(1...20, .agentInteraction, rowCount: 5),
        ]
        let left = Sample.segment(11...20, .commandExecution, rowCount: 10)
        let rebuilt = Manifest.rebuilt(from: [left] + merged)
        #expect(rebuilt.manifest.segments == merged)
        #expect(rebuilt.unused == [left])
    }

    @Test func aMergeOfSomeFamiliesIsTakenWhenItsInputsAreGone() {
        let merged = Sample.segment(1...20, .commandExecution, rowCount: 15)
        let left = Sample.segment(11...20, .agentInteraction, rowCount: 3)
        let rebuilt = Manifest.rebuilt(from: [left, merged])
        #expect(rebuilt.manifest.segments == [merged])
        #expect(rebuilt.unused == [left])
    }

    @Test func theHighestRevisionOfEachFamilyIsTaken() {
        let old = [
            Sample.segment(1...10, .commandExecution, rowCount: 6),
            Sample.segment(1...10, .agentInteraction, rowCount: 4),
        ]
        let new = Sample.segment(1...10, .commandExecution, rowCount: 5, revision: 0x10)
        let middle = Sample.segment(1...10, .commandExecution, rowCount: 6, revision: 2)
        let rebuilt = Manifest.rebuilt(from: [middle] + old + [new])
        #expect(rebuilt.manifest.segments == [new, old[1]])
        #expect(rebuilt.manifest.absences == [Sample.absence(1...10, .segmentMissing, 1)])
        #expect(Set(rebuilt.unused.map(\.path)) == [middle.path, old[0].path])
    }

    @Test func mergesOfMergesAreDecidedFromTheInsideOut() {
        let leaves = [Self.commands(1...10), Self.commands(11...20), Self.commands(21...30), Self.commands(31...40)]
        let middle = Self.commands(1...20)
        let unfinished = Sample.segment(1...40, .agentInteraction, rowCount: 1)
        let rebuilt = Manifest.rebuilt(from: leaves + [middle, unfinished])
        #expect(rebuilt.manifest.segments == [middle, leaves[2], leaves[3]])
        #expect(rebuilt.manifest.absences.isEmpty)
        #expect(Set(rebuilt.unused.map(\.path)) == [leaves[0].path, leaves[1].path, unfinished.path])
    }

    @Test func deeplyNestedRangesAreNoDanger() {
        let references = (1...3_000 as ClosedRange<UInt64>).map { Self.commands($0...6_001 - $0) }
        let rebuilt = Manifest.rebuilt(from: references)
        #expect(rebuilt.manifest.segments == [references[0]])
        #expect(rebuilt.unused.count == 2_999)
    }

    @Test func rangesThatOverlapInPartDoNotMeet() {
        let rebuilt = Manifest.rebuilt(from: [Self.commands(1...10), Self.commands(5...20), Self.commands(20...21)])
        #expect(rebuilt.manifest.segments == [Self.commands(5...20)])
        #expect(rebuilt.manifest.absences == [Sample.absence(1...4, .segmentMissing)])
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
