import DaybookFormat
import DaybookSegment
import DaybookTestSupport
import Foundation
import Testing

@testable import DaybookStore

/// The files of this format version that are checked in: today's code reads them to the same events, and writes the same
/// bytes. Whoever changes a format on purpose finds in data/golden/README.md what to do.
struct GoldenTests {
    /// Only for whoever changes a format: makes the files anew. See data/golden/README.md.
    @Test(
        .enabled(if: ProcessInfo.processInfo.environment["DAYBOOK_GOLDEN"] == "rewrite"), arguments: GoldenFiles.all)
    func `the files are made anew`(golden: GoldenFiles) throws {
        try golden.rewrite(try golden.make())
        #expect(try golden.image().files.isEmpty == false)
    }

    @Test(arguments: GoldenFiles.all)
    func `the golden events are read as they were written`(golden: GoldenFiles) throws {
        for (organization, log) in golden.organizations {
            let expected = try golden.text(organization + ".ndjson")
            let found = try golden.events(try golden.disk(), organization, log)
            #expect(expected.utf8.count > 1_000)
            // Line by line: the first difference says more than two long texts.
            for (line, pair) in zip(expected.split(separator: "\n"), found.split(separator: "\n")).enumerated() {
                #expect(pair.0 == pair.1, "line \(line + 1) of \(organization)")
            }
            let isSame = expected == found
            #expect(isSame)
        }
    }

    @Test(arguments: GoldenFiles.all)
    func `the golden files say what they said`(golden: GoldenFiles) throws {
        let expected = try golden.text("contents.txt").split(separator: "\n")
        let found = try golden.contents(try golden.disk()).split(separator: "\n")
        #expect(found == expected)
    }

    /// Every kind that a name can tell, in one word. A new kind of file does not compile here until it has one, and then
    /// the test below wants to see such a file.
    private static func word(_ kind: FileKind) -> String {
        switch kind {
        case .logFile: "log file"
        case .segment: "segment"
        case .index: "index"
        case .rollup: "rollup"
        case .history: "history"
        case .carry: "carry file"
        case .manifest: "manifest"
        case .journal: "journal"
        case .checkpoint: "checkpoint"
        case .erasure: "notes of an erasure"
        case .certificate: "certificate"
        case .identity: "identity"
        case .quarantine: "bytes set aside"
        case .quarantineReport: "report"
        case .temporary: "temporary"
        }
    }

    @Test func `every kind of file is among them`() throws {
        let paths = try Set(GoldenFiles.all.flatMap { try $0.image().files.keys })
        let names = paths.map { String($0.split(separator: "/").last ?? "") }
        // A temporary file is not real yet: nobody reads one.
        let expected: Set<String> = [
            "log file", "segment", "index", "rollup", "history", "carry file", "manifest", "journal", "checkpoint",
            "notes of an erasure", "certificate", "identity", "bytes set aside", "report",
        ]
        #expect(Set(names.compactMap { FileKind(name: $0).map(Self.word) }) == expected)
        // Those whose name is the only one of their kind.
        #expect(paths.isSuperset(of: [PositionFile.path, Layout.limits, Layout.signingKeys, Layout.identity]))
        let recovery = names.filter { name in paths.contains(Layout.path(Layout.recovery, name)) }
        #expect(Set(recovery.compactMap { FileKind(name: $0).map(Self.word) }) == ["bytes set aside", "report"])
        for family in Family.ofOrganizations {
            let isThere = names.contains { name in
                guard case .segment(_, _, family, _)? = FileKind(name: name) else { return false }
                return true
            }
            #expect(isThere, "no segment of \(family)")
        }
    }

    @Test func `events are absent for every reason that a running store gives`() throws {
        let reasons = try GoldenFiles.all.flatMap { golden in
            let disk = try golden.disk()
            return try golden.organizations.flatMap { _, log in
                try ManifestLog.load(disk: disk, folder: Layout.folder(of: log), log: log)?.manifest.absences
                    .map(\.reason) ?? []
            }
        }
        // The one that is left is given by `org rebuild` alone, and written like the others.
        #expect(Set(reasons) == Set(AbsenceReason.allCases).subtracting([.segmentMissing]))
    }

    @Test func `every kind of act is among them`() throws {
        var kinds: Set<UInt8> = []
        for golden in GoldenFiles.all {
            try ReadOnlyStore.open(disk: try golden.disk()).snapshot(of: .control).forEachControlAct { _, encoding in
                kinds.insert(encoding.toArray(0..<1)[0])
                return true
            }
        }
        #expect(kinds == Set(ControlEvent.Kind.allCases.map(\.rawValue)))
    }

    @Test(arguments: GoldenFiles.all)
    func `indexes and rollups fit their segments`(golden: GoldenFiles) throws {
        let disk = try golden.disk()
        var indexCount = 0
        for (_, log) in golden.organizations {
            let snapshot = try ReadOnlyStore.open(disk: disk).snapshot(of: log)
            for reference in snapshot.segments {
                #expect(try SegmentIndex.damage(of: snapshot.open(reference), disk: disk) == nil)
                indexCount += 1
            }
        }
        #expect(indexCount > 4)
        let rollups = try RollupCheck(disk: disk, isServed: { false }).run()
        #expect(rollups.findings == [])
        #expect(rollups.rollupCount > 0 || golden.name != GoldenFiles.events.name)
    }

    @Test(arguments: GoldenFiles.all)
    func `a check of the golden store finds no damage`(golden: GoldenFiles) throws {
        let report = try golden.disk().check()
        #expect(report.findings.filter { $0.severity != .note } == [])
    }

    @Test(arguments: GoldenFiles.all)
    func `today's code goes on with the golden store`(golden: GoldenFiles) throws {
        let disk = try golden.disk()
        let store = try Store.open(
            disk: disk, clock: ManualClock(wallMicroseconds: 1_790_000_000_000_000), entropy: SeededEntropy(seed: 9),
            options: golden.options)
        #expect(store.recoveryReport.isClean)
        #expect(store.organizations().map(\.id.text) == golden.organizations.map(\.id))
        for (id, log) in golden.organizations {
            let lastLine = try #require(try golden.text(id + ".ndjson").split(separator: "\n").last)
            let lastSequence = try store.snapshot(of: log).lastSequence
            #expect(lastLine.contains("\"sequence\":\(lastSequence),"))
        }
        store.machine.close()
    }

    /// Compressed pages are as this machine's LZ4 makes them: another version of it may find other bytes for the same
    /// page, which is no change of the format.
    @Test(arguments: GoldenFiles.all)
    func `today's code writes the same bytes`(files: GoldenFiles) throws {
        let golden = try files.image().files
        let written = try files.make().image().files
        #expect(written.keys.sorted() == golden.keys.sorted())
        for (path, bytes) in written.sorted(by: { $0.key < $1.key }) {
            let place = zip(bytes, golden[path] ?? []).enumerated().first { $0.element.0 != $0.element.1 }?.offset
            #expect(place == nil, "\(path) differs at byte \(place ?? 0)")
            #expect(bytes.count == golden[path]?.count, "\(path)")
        }
    }
}
