import DaybookFormat
import DaybookSegment
import DaybookSystem
import DaybookTestSupport
import Testing

@testable import DaybookStore

/// Files of replaced segments: there as long as a reader may want them, gone afterwards, and never in the way.
struct ReplacementPublishingTests {
    /// Publishes a copy of each segment of the first range under its next revision.
    static func rewrite(_ small: SmallStore, setAside: Bool = false) throws {
        try small.store.registry.with(SmallStore.log) { organization in
            let manifest = organization.snapshot().manifest
            let range = manifest.segments[0].range
            var replacement = Replacement(
                range: range, inputs: Array(manifest.segments[manifest.segmentIndices(in: range)]))
            for input in replacement.inputs {
                let kind = try #require(try organization.unusedName(range, input.family))
                let bytes = try small.disk.readAll(Layout.path(SmallStore.folder, input.path))
                let file = try small.disk.open(Layout.path(SmallStore.folder, kind), .create)
                try bytes.withRawSpan { (span) throws(DiskError) in try file.write(span, at: 0) }
                try file.synchronize()
                var output = input
                output.path = kind.name
                replacement.segments.append(output)
                if setAside {
                    replacement.setAside.insert(input.path)
                    let report = Layout.path(SmallStore.folder, .quarantineReport(of: input.path))
                    try [UInt8("{".utf8.first!)].withRawSpan { (span) throws(DiskError) in
                        try small.disk.replaceAtomically(report, with: span)
                    }
                }
            }
            try small.disk.synchronizeDirectory(SmallStore.folder)
            try organization.publish(replacement)
        }
    }

    @Test func replacedFilesGoAtOnceWhenNobodyReads() throws {
        var small = try SmallStore()
        try small.fill([20, 20])
        let before = try small.snapshot.segments.filter { $0.firstSequence == 1 }
        #expect(before.count == 2)
        try Self.rewrite(small)
        let files = try small.files
        for reference in before { #expect(Set(files).isDisjoint(with: reference.fileNames)) }
        #expect(try small.snapshot.segments.count == 4)
        #expect(try SmallStore.sealedRows(small.snapshot).count == 40)
    }

    @Test func aReaderKeepsTheFilesOfItsSnapshot() throws {
        var small = try SmallStore()
        try small.fill([20])
        var reader: OrganizationSnapshot? = try small.snapshot
        let before = try SmallStore.sealedRows(reader!)
        let names = reader!.segments.map(\.path)
        try Self.rewrite(small)
        #expect(try SmallStore.sealedRows(reader!) == before)
        #expect(
            Set(try small.store.registry.with(SmallStore.log) { try $0.filesAwaitingRemoval() }).isSuperset(of: names))
        reader = nil
        #expect(Set(try small.files).isDisjoint(with: names))
        #expect(try small.store.registry.with(SmallStore.log) { try $0.filesAwaitingRemoval() } == [])
    }

    @Test func aReaderKeepsItsFilesAlthoughTheOrganizationWasClosed() throws {
        var options = SmallStore.smallOptions
        options.openOrganizationCountMax = 0
        var small = try SmallStore(options)
        try small.fill([20])
        small.store.machine.participation.releaseAll()
        var reader: OrganizationSnapshot? = try small.snapshot
        let names = reader!.segments.map(\.path)
        small.store.registry.closeIdle(keeping: 0)
        #expect(small.store.registry.openCount == 0)
        try Self.rewrite(small)
        #expect(try SmallStore.sealedRows(reader!).count == 20)
        reader = nil
        #expect(Set(try small.files).isDisjoint(with: names))
    }

    @Test func aNameIsNotGivenTwiceWhileItsFileIsThere() throws {
        var small = try SmallStore()
        try small.fill([20])
        let reader = try small.snapshot
        try Self.rewrite(small)
        try Self.rewrite(small)
        #expect(try small.snapshot.segments.map(\.revision) == [2, 2])
        let kind = try small.store.registry.with(SmallStore.log) { try $0.unusedName(1...20, .commandExecution) }
        #expect(kind == .segment(first: 1, last: 20, family: .commandExecution, revision: 3))
        #expect(reader.segments.map(\.revision) == [0, 0])
    }

    @Test func whatReadersHadWhenTheProcessEndedIsSweptAtTheNextStart() throws {
        var small = try SmallStore()
        try small.fill([20])
        let reader = try small.snapshot
        try Self.rewrite(small)
        try small.reopen(small.disk.copy())
        #expect(try SmallStore.sealedRows(small.snapshot).count == 20)
        #expect(Set(try small.files).isDisjoint(with: reader.segments.flatMap(\.fileNames)))
    }

    @Test func outputsThatWereNeverPublishedAreSweptAtTheNextStart() throws {
        var small = try SmallStore()
        try small.fill([20])
        let stray = FileKind.segment(first: 1, last: 20, family: .commandExecution, revision: 1).name
        let rollup = FileKind.rollup(first: 1, last: 20, family: .commandExecution, revision: 1).name
        for name in [stray, rollup] { _ = try small.disk.open(Layout.path(SmallStore.folder, name), .create) }
        try small.reopen()
        #expect(try SmallStore.sealedRows(small.snapshot).count == 20)
        #expect(try small.files.contains(stray) == false)
        #expect(try small.files.contains(rollup) == false)
    }

    @Test func aSegmentThatWasSetAsideIsKeptUnderAnotherName() throws {
        var small = try SmallStore()
        try small.fill([20])
        let names = try small.snapshot.segments.map(\.path)
        try Self.rewrite(small, setAside: true)
        let files = Set(try small.files)
        #expect(files.isDisjoint(with: names))
        #expect(files.isSuperset(of: names.map { FileKind.quarantine(of: $0).name }))
    }

    @Test func aSegmentThatWasSetAsideOutlivesAKillAndTheNextStart() throws {
        var small = try SmallStore()
        try small.fill([20])
        let reader = try small.snapshot
        let names = reader.segments.map(\.path)
        try Self.rewrite(small, setAside: true)
        #expect(Set(try small.files).isSuperset(of: names))
        try small.reopen(small.disk.copy())
        #expect(try SmallStore.sealedRows(small.snapshot).count == 20)
        let files = Set(try small.files)
        #expect(files.isDisjoint(with: names))
        #expect(files.isSuperset(of: names.map { FileKind.quarantine(of: $0).name }))
        #expect(reader.segments.count == 2)
    }

    @Test func aReplacementOfWhatIsNotThereAnyMoreIsRefused() throws {
        var small = try SmallStore()
        try small.fill([20])
        let old = try small.snapshot.segments
        try Self.rewrite(small)
        let before = try small.snapshot.manifest
        try small.store.registry.with(SmallStore.log) { organization in
            var replacement = Replacement(range: 1...20, inputs: old)
            replacement.absences = [Absence(range: 1...20, eventCount: 20, reason: .expired)]
            let error = #expect(throws: StoreError.self) { try organization.publish(replacement) }
            guard case .unstable? = error else {
                Issue.record("not unstable but \(String(describing: error))")
                return
            }
        }
        #expect(try small.snapshot.manifest == before)
    }

    @Test func aReaderInAnotherProcessHoldsWhatItSaw() throws {
        var small = try SmallStore()
        try small.fill([20])
        let reader = try ReadOnlyStore.open(disk: small.disk, isServed: { true })
        let snapshot = try reader.snapshot(of: SmallStore.log)
        try Self.rewrite(small)
        #expect(try SmallStore.sealedRows(snapshot).count == 20)
        #expect(try reader.snapshot(of: SmallStore.log).segments.map(\.revision) == [1, 1])
    }

    @Test func aReaderInAnotherProcessDoesNotStopAtAMissingSegment() throws {
        var small = try SmallStore()
        try small.fill([20])
        let missing = try small.snapshot.segments[0]
        try small.disk.remove(Layout.path(SmallStore.folder, missing.path))
        let snapshot = try ReadOnlyStore.open(disk: small.disk, isServed: { true }).snapshot(of: SmallStore.log)
        #expect(throws: SegmentError.self) { try snapshot.open(missing) }
        #expect(try snapshot.open(snapshot.segments[1]).rowCount == 2)
    }
}
