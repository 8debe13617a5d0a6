import DaybookFormat
import Testing

@testable import DaybookStore

/// What one edit may do to ranges that are there already.
struct ManifestReplacementTests {
    typealias Sound = (name: String, edit: ManifestEdit)

    static func replace(
        _ range: ClosedRange<UInt64>, _ segments: [SegmentReference], _ absences: [Absence] = []
    ) -> ManifestEdit {
        .replace(range, segments: segments, absences: absences)
    }

    static let commands = Family.commandExecution
    static let agents = Family.agentInteraction

    /// The sample: 1...100 (99 commands, 1 agent), 101...105 lost, 106 (1 agent), 107...300 (193 commands, 1 agent).
    static let sound: [Sound] = [
        ("a merge", Sample.merge),
        (
            "a merge without rows",
            replace(101...106, [], [Sample.absence(101...106, .logDamaged, 5), Sample.absence(101...106, .expired, 1)])
        ),
        ("all rows of a range erased", replace(1...100, [], [Sample.absence(1...100, .erased)])),
        (
            "one family written anew, the other as it was",
            replace(
                1...100,
                [
                    Sample.segment(1...100, commands, rowCount: 50, revision: 1),
                    Sample.segment(1...100, agents, rowCount: 1),
                ], [Sample.absence(1...100, .expired, 49)])
        ),
        (
            "a range cut in two",
            replace(
                107...300,
                [
                    Sample.segment(107...200, commands, rowCount: 94),
                    Sample.segment(201...300, commands, rowCount: 99), Sample.segment(201...300, agents, rowCount: 1),
                ])
        ),
        (
            "everything",
            replace(
                1...300, [Sample.segment(1...300, commands, rowCount: 200)],
                [
                    Sample.absence(1...300, .logDamaged, 5), Sample.absence(1...300, .segmentDamaged, 60),
                    Sample.absence(1...300, .expired, 30), Sample.absence(1...300, .erased, 5),
                ])
        ),
        ("nothing changed", replace(101...105, [], [Sample.absence(101...105, .logDamaged)])),
    ]

    @Test(arguments: sound.map(\.name))
    func aSoundReplacementKeepsTheRules(name: String) throws {
        let edit = try #require(Self.sound.first { $0.name == name }).edit
        let previous = try Sample.manifest()
        let next = try previous.applying(edit)
        #expect(next.firstBrokenInvariant(after: previous).map { "\($0)" } == nil)
        #expect(next.generation == previous.generation + 1)
        #expect(next.sealedThrough == previous.sealedThrough)
        #expect(next.carry == previous.carry)
        let later = try next.applying(Sample.seal(301...400))
        #expect(later.firstBrokenInvariant(after: next).map { "\($0)" } == nil)
    }

    static let unsound: [(String, ManifestEdit)] = [
        ("E3", replace(1...100, [Sample.segment(1...106, commands, rowCount: 100)])),
        ("E3", replace(1...100, [], [Sample.absence(1...101, .erased, 100)])),
        ("E4", replace(1...99, [], [Sample.absence(1...99, .erased)])),
        ("E4", replace(2...100, [], [Sample.absence(2...100, .erased)])),
        ("E4", replace(2...105, [], [Sample.absence(2...105, .erased)])),
        ("E4", replace(102...106, [], [Sample.absence(102...106, .erased)])),
        ("E4", replace(101...104, [], [Sample.absence(101...104, .erased)])),
        ("E4", replace(107...301, [], [Sample.absence(107...301, .erased)])),
        ("E4", replace(301...310, [], [Sample.absence(301...310, .erased)])),
        ("E5", replace(101...105, [], [Sample.absence(101...105, .expired)])),
        ("E5", replace(101...106, [], [Sample.absence(101...106, .erased)])),
        ("E6", replace(106...106, [Sample.segment(106...106, agents, rowCount: 1)].map(changed))),
    ]

    static func changed(_ segment: SegmentReference) -> SegmentReference {
        var segment = segment
        segment.footerChecksum ^= 1
        return segment
    }

    @Test(arguments: unsound)
    func aReplacementThatDoesNotFitIsRefused(rule: String, edit: ManifestEdit) throws {
        let manifest = try Sample.manifest()
        let violation = #expect(throws: ManifestViolation.self) { try manifest.applying(edit) }
        #expect(violation?.description.hasPrefix(rule + " ") == true)
    }

    @Test func aFileWrittenAnewNeedsAHigherRevisionThanBefore() throws {
        func rewrite(_ revision: UInt16) -> ManifestEdit {
            Self.replace(
                106...106, [Self.changed(Sample.segment(106...106, Self.agents, rowCount: 1, revision: revision))])
        }
        let manifest = try Sample.manifest().applying(rewrite(3))
        for revision in [0, 2, 3] as [UInt16] {
            let violation = #expect(throws: ManifestViolation.self) {
                try manifest.applying(
                    Self.replace(106...106, [Sample.segment(106...106, Self.agents, rowCount: 1, revision: revision)]))
            }
            #expect(violation?.description.hasPrefix("E6 ") == true)
        }
        #expect(try manifest.applying(rewrite(4)).generation == manifest.generation + 1)
    }

    @Test func rowsThatDoNotAddUpBreakTheAccount() throws {
        let previous = try Sample.manifest()
        let next = try previous.applying(
            Self.replace(1...100, [Sample.segment(1...100, Self.commands, rowCount: 99, revision: 1)]))
        #expect(next.firstBrokenInvariant(after: previous).map { "\($0)".prefix(4) } == "I10 ")
    }

    @Test func aReplacementThatLeavesAHoleBreaksTheTiling() throws {
        let previous = try Sample.manifest()
        let next = try previous.applying(
            Self.replace(107...300, [Sample.segment(107...299, Self.commands, rowCount: 193)]))
        #expect(next.firstBrokenInvariant(after: previous).map { "\($0)".prefix(3) } == "I9 ")
    }

    @Test func anEmptyManifestHasNothingToReplace() {
        #expect(throws: ManifestViolation.self) {
            try Manifest().applying(Self.replace(1...1, [], [Sample.absence(1...1, .erased)]))
        }
    }

    @Test func whatIsReplacedIsReadBackFromTheFile() throws {
        for (_, edit) in Self.sound {
            let manifest = try Sample.manifest(Sample.edits + [edit])
            #expect(try Sample.read(try Sample.file(Sample.edits + [edit])).manifest == manifest)
            let snapshot = try Sample.file([.snapshot(manifest)])
            #expect(try Sample.read(snapshot).manifest == manifest)
        }
    }
}
