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
    @Test(.enabled(if: ProcessInfo.processInfo.environment["DAYBOOK_GOLDEN"] == "rewrite"))
    func `the files are made anew`() throws {
        try GoldenFiles.rewrite(try GoldenStore.make())
        #expect(try GoldenFiles.image().files.isEmpty == false)
    }

    @Test(arguments: GoldenStore.organizations.map { $0.id })
    func `the golden events are read as they were written`(organization: String) throws {
        let log = try #require(GoldenStore.organizations.first { $0.id == organization }).log
        let expected = try GoldenFiles.text(organization + ".ndjson")
        let found = try GoldenFiles.events(try GoldenFiles.disk(), organization, log)
        #expect(expected.utf8.count > 1_000)
        // Line by line: the first difference says more than two long texts.
        for (line, pair) in zip(expected.split(separator: "\n"), found.split(separator: "\n")).enumerated() {
            #expect(pair.0 == pair.1, "line \(line + 1)")
        }
        let isSame = expected == found
        #expect(isSame)
    }

    @Test func `the golden files say what they said`() throws {
        let expected = try GoldenFiles.text("contents.txt").split(separator: "\n")
        let found = try GoldenFiles.contents(try GoldenFiles.disk()).split(separator: "\n")
        #expect(found == expected)
    }

    @Test func `every kind of file is among them`() throws {
        let names = try GoldenFiles.image().files.keys.map { $0.split(separator: "/").last.map(String.init) ?? "" }
        let kinds = Set(names.map { $0.drop { $0 != "." } })
        let expected: Set<Substring> = [
            ".dbh", ".dbc", ".dbj", ".dbl", ".dbm", ".dbs", ".dbi", ".dbr", ".dba", ".dbk", ".dbs.quarantine",
            ".dbs.report",
        ]
        #expect(expected.isSubset(of: kinds), "\(kinds)")
        for family in Family.ofOrganizations {
            let isThere = names.contains { name in
                guard case .segment(_, _, family, _)? = FileKind(name: name) else { return false }
                return true
            }
            #expect(isThere, "no segment of \(family)")
        }
        let reasons = try GoldenStore.organizations.flatMap { _, log in
            try ManifestLog.load(disk: GoldenFiles.disk(), folder: Layout.folder(of: log), log: log)?.manifest.absences
                .map(\.reason) ?? []
        }
        #expect(Set(reasons).isSuperset(of: [.expired, .logDamaged, .logMissing, .segmentDamaged]))
    }

    @Test func `indexes and rollups fit their segments`() throws {
        let disk = try GoldenFiles.disk()
        var indexCount = 0
        for (_, log) in GoldenStore.organizations {
            let snapshot = try ReadOnlyStore.open(disk: disk).snapshot(of: log)
            for reference in snapshot.segments {
                #expect(try SegmentIndex.damage(of: snapshot.open(reference), disk: disk) == nil)
                indexCount += 1
            }
        }
        #expect(indexCount > 4)
        let rollups = try RollupCheck(disk: disk, isServed: { false }).run()
        #expect(rollups.findings == [])
        #expect(rollups.rollupCount > 0)
    }

    @Test func `a check of the golden store finds no damage`() throws {
        let report = try GoldenFiles.disk().check()
        #expect(report.findings.filter { $0.severity != .note } == [])
    }

    @Test func `today's code goes on with the golden store`() throws {
        let disk = try GoldenFiles.disk()
        let store = try Store.open(
            disk: disk, clock: ManualClock(wallMicroseconds: 1_790_000_000_000_000), entropy: SeededEntropy(seed: 9),
            options: GoldenStore.options)
        #expect(store.recoveryReport.isClean)
        #expect(store.organizations().map(\.id.text) == ["acme", "borealis"])
        for (id, log) in GoldenStore.organizations {
            let lastLine = try #require(try GoldenFiles.text(id + ".ndjson").split(separator: "\n").last)
            let lastSequence = try store.snapshot(of: log).lastSequence
            #expect(lastLine.contains("\"sequence\":\(lastSequence),"))
        }
        store.machine.close()
    }

    /// Compressed pages are as this machine's LZ4 makes them: another version of it may find other bytes for the same
    /// page, which is no change of the format.
    @Test func `today's code writes the same bytes`() throws {
        let golden = try GoldenFiles.image().files
        let written = try GoldenStore.make().image().files
        #expect(written.keys.sorted() == golden.keys.sorted())
        for (path, bytes) in written.sorted(by: { $0.key < $1.key }) {
            let place = zip(bytes, golden[path] ?? []).enumerated().first { $0.element.0 != $0.element.1 }?.offset
            #expect(place == nil, "\(path) differs at byte \(place ?? 0)")
            #expect(bytes.count == golden[path]?.count, "\(path)")
        }
    }
}
