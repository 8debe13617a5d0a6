import DaybookFormat
import Testing

@testable import DaybookStore

/// Each rule of the manifest broken once, by name.
struct ManifestInvariantTests {
    /// One way to break one rule, starting from a sound manifest.
    struct Break: Sendable, CustomTestStringConvertible {
        let rule: String
        let edit: @Sendable (inout Manifest) -> Void
        var testDescription: String { rule }

        init(_ rule: String, _ edit: @escaping @Sendable (inout Manifest) -> Void) {
            self.rule = rule
            self.edit = edit
        }
    }

    static let breaks: [Break] = [
        Break("I1") { $0 = Manifest() },
        Break("I2") { $0.generation = 4 },
        Break("I3") { $0.segments[0].footerChecksum ^= 1 },
        Break("I3") { $0.segments[2].rollupByteCount += 1 },
        Break("I4") { $0.absences.removeLast() },
        Break("I4") { $0.absences[0].eventCount -= 1 },
        Break("I4") { $0.absences[0].reason = .expired },
        Break("I5") { $0.segments.append(Self.next { $0.family = .control }) },
        Break("I5") { $0.segments.append(Self.next { $0.firstSequence = 0 }) },
        Break("I5") { $0.segments.append(Self.next { $0.lastSequence = 300 }) },
        Break("I5") { $0.segments.append(Self.next { $0.rowCount = 0 }) },
        Break("I5") { $0.segments.append(Self.next { $0.rowCount = 11 }) },
        Break("I5") { $0.segments.append(Self.next { $0.rowCount = -1 }) },
        Break("I5") { $0.segments.append(Self.next { $0.timestampMin = Timestamp(microseconds: 1_001) }) },
        Break("I5") { $0.segments.append(Self.next { $0.byteCount = 0 }) },
        Break("I5") { $0.segments.append(Self.next { $0.rollupByteCount = 0 }) },
        Break("I6") { $0.segments.append(Self.next { $0.path = "../" + $0.path }) },
        Break("I6") { $0.segments.append(Self.next { $0.family = .sessionChange }) },
        Break("I6") { $0.segments.append(Self.next { $0.path += "-0000" }) },
        Break("I7") { $0.segments += [Self.next(), Self.next()] },
        Break("I7") { $0.segments += [Self.next(), Self.revised(1)] },
        Break("I7") {
            $0.segments += [Sample.segment(321...330, .commandExecution, rowCount: 10), Self.next()]
        },
        Break("I8") { $0.segments.append(Sample.segment(300...310, .commandExecution, rowCount: 11)) },
        Break("I8") {
            $0.segments += [
                Sample.segment(301...305, .commandExecution, rowCount: 5),
                Sample.segment(301...310, .agentInteraction, rowCount: 5),
            ]
        },
        Break("I9") { $0.sealedThrough = 310 },
        Break("I9") { $0.segments.removeLast(2) },
        Break("I9") { $0.sealedThrough = .max },
        Break("I9") { $0.segments.append(Self.next()) },
        Break("I9") {
            $0.sealedThrough = 320
            $0.segments.append(Sample.segment(311...320, .commandExecution, rowCount: 10))
        },
        Break("I9") {
            $0.sealedThrough = 310
            $0.segments.append(Self.next())
            $0.absences.append(Absence(range: 301...311, eventCount: 1, reason: .segmentMissing))
        },
        Break("I9") { $0.absences.append(Absence(range: 105...106, eventCount: 2, reason: .logDamaged)) },
        Break("I9") {
            $0.sealedThrough = 310
            $0.absences += [Sample.absence(301...310, .expired, 10), Sample.absence(301...309, .erased)]
            $0.absences.swapAt(1, 2)
        },
        Break("I10") {
            $0.sealedThrough = 310
            $0.segments.append(Self.next { $0.rowCount = 9 })
        },
        Break("I10") {
            $0.sealedThrough = 310
            $0.segments += [Self.next(), Sample.segment(301...310, .agentInteraction, rowCount: 1)]
        },
        Break("I10") {
            $0.sealedThrough = 310
            $0.absences.append(Absence(range: 301...310, eventCount: 9, reason: .logDamaged))
        },
        Break("I10") {
            $0.sealedThrough = 310
            $0.segments.append(Self.next())
            $0.absences.append(Absence(range: 301...310, eventCount: 0, reason: .segmentMissing))
        },
        Break("I10") {
            $0.sealedThrough = 310
            $0.segments.append(Self.next())
            $0.absences.append(Absence(range: 301...310, eventCount: .max, reason: .segmentMissing))
        },
        Break("I10") {
            $0.sealedThrough = 310
            $0.absences += [Sample.absence(301...310, .expired, 10), Sample.absence(301...310, .erased, 1)]
        },
        Break("I10") {
            $0.sealedThrough = 310
            $0.absences += [Sample.absence(301...310, .expired, .max), Sample.absence(301...310, .erased, 11)]
        },
        Break("I11") { $0.carry = FileKind.carry(sealedThrough: 301).name },
        Break("I11") { $0.carry = "other.dbk" },
        Break("I12") {
            $0.sealedThrough = 310
            $0.absences += [Sample.absence(301...310, .expired, 4), Sample.absence(301...310, .expired, 6)]
        },
        Break("I12") {
            $0.sealedThrough = 310
            $0.absences += [Sample.absence(301...310, .erased, 4), Sample.absence(301...310, .expired, 6)]
        },
    ]

    /// A segment of the range behind the sample, changed.
    static func next(_ change: (inout SegmentReference) -> Void = { _ in }) -> SegmentReference {
        var segment = Sample.segment(301...310, .commandExecution, rowCount: 10)
        change(&segment)
        return segment
    }

    static func revised(_ revision: UInt16) -> SegmentReference {
        Sample.segment(301...310, .commandExecution, rowCount: 10, revision: revision)
    }

    @Test(arguments: breaks)
    func aBrokenRuleIsNamed(_ broken: Break) throws {
        let previous = try Sample.manifest()
        var manifest = previous
        manifest.generation += 1
        broken.edit(&manifest)
        let rule = try #require(manifest.firstBrokenInvariant(after: previous))
        #expect("\(rule)".split(separator: " ")[0] == broken.rule)
    }

    @Test func everyRuleIsBrokenOnce() {
        #expect(Set(Self.breaks.map(\.rule)) == Set((1...12).map { "I\($0)" }))
    }

    @Test func aRangeMayLackTheRowsThatAreStatedAsLost() throws {
        let previous = try Sample.manifest()
        var manifest = previous
        manifest.generation += 1
        manifest.sealedThrough = 310
        manifest.segments.append(Self.next { $0.rowCount = 9 })
        manifest.absences.append(Sample.absence(301...310, .segmentMissing, 1))
        #expect(manifest.firstBrokenInvariant(after: previous).map { "\($0)" } == nil)
    }

    @Test func theSampleAndTheEmptyManifestAreSound() throws {
        #expect(Manifest().firstBrokenInvariant.map { "\($0)" } == nil)
        var previous = Manifest()
        for edit in Sample.edits {
            let next = try previous.applying(edit)
            #expect(next.firstBrokenInvariant(after: previous).map { "\($0)" } == nil)
            previous = next
        }
        #expect(previous.sealedThrough == 300)
        #expect(previous.generation == 4)
        #expect(previous.carry == FileKind.carry(sealedThrough: 300).name)
        #expect(previous.absences == [Sample.absence(101...105, .logDamaged)])
    }

    @Test(arguments: [
        (ManifestEdit.lost(302...303, .logMissing), "E2"),
        (.lost(300...303, .logMissing), "E2"),
        (Sample.seal(302...400), "E2"),
        (Sample.seal(1...100), "E2"),
        (.seal(301...400, segments: [Sample.segment(301...399, .commandExecution, rowCount: 99)], carry: nil), "E3"),
        (.seal(301...400, segments: [Sample.segment(302...400, .commandExecution, rowCount: 99)], carry: nil), "E3"),
        (.snapshot(Manifest()), "E1"),
        (.lost(301...303, .expired), "E7"),
        (.lost(301...303, .erased), "E7"),
    ])
    func anEditThatDoesNotFitIsRefused(edit: ManifestEdit, rule: String) throws {
        let manifest = try Sample.manifest()
        let violation = #expect(throws: ManifestViolation.self) { try manifest.applying(edit) }
        #expect(violation?.description.hasPrefix(rule + " ") == true)
    }

    @Test func sequencesThatNoSealedSegmentHoldsAreStatedAsLost() throws {
        let segments = [Sample.segment(1...10, .commandExecution, rowCount: 4)]
        let manifest = try Manifest().applying(.seal(1...10, segments: segments, carry: nil))
        #expect(manifest.absences == [Sample.absence(1...10, .logDamaged, 6)])
        #expect(manifest.firstBrokenInvariant.map { "\($0)" } == nil)
    }

    @Test func sealedSegmentsAreKeptInOrderOfFamilies() throws {
        let segments = [
            Sample.segment(1...4, .productivityMetric, rowCount: 1),
            Sample.segment(1...4, .commandExecution, rowCount: 3),
        ]
        let manifest = try Manifest().applying(.seal(1...4, segments: segments, carry: nil))
        #expect(manifest.segments == segments.reversed())
    }

    /// So that whoever asks for the next one need not look out.
    @Test func theLastSequenceOfAllCannotBeSealed() throws {
        var manifest = Manifest()
        manifest = try manifest.applying(.lost(1...(.max - 2), .logMissing))
        manifest = try manifest.applying(Sample.seal(.max - 1 ... .max - 1))
        #expect(manifest.firstBrokenInvariant.map { "\($0)" } == nil)
        manifest = try manifest.applying(Sample.seal(.max ... .max))
        #expect(manifest.firstBrokenInvariant.map { "\($0)" } == "I5 a segment holds rows of an organization's family")
        #expect(throws: ManifestViolation.self) { try manifest.applying(.lost(1...1, .logMissing)) }
    }

    @Test func namedFilesAreSegmentsWhatIsBesideThemAndTheCarryFile() throws {
        let manifest = try Sample.manifest([Sample.seal(1...1)])
        #expect(
            manifest.namedFiles == [
                "0000000000000001-0000000000000001-02.dbs", "0000000000000001-0000000000000001-02.dbi",
                "0000000000000001-0000000000000001-02.dbr", "0000000000000001.dbk",
            ])
    }
}
