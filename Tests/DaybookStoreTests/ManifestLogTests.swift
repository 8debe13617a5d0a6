import DaybookFormat
import DaybookSystem
import DaybookTestSupport
import Testing

@testable import DaybookStore

/// The manifest on disk: what is published is durable, and what is not published is not there.
struct ManifestLogTests {
    @Test func aFolderWithoutAFileHasAnEmptyManifest() throws {
        let disk = Sample.disk()
        #expect(try Sample.load(disk) == nil)
        let log = try Sample.open(disk)
        #expect(log.manifest == Manifest())
        #expect(disk.changeCount == 0)
    }

    @Test func eachAppendedEditSurvivesAPowerLoss() throws {
        let disk = Sample.disk()
        var log = try Sample.open(disk)
        for edit in Sample.edits {
            try log.append(edit)
            for found in try Sample.afterPowerLoss(disk) { #expect(found == log.manifest) }
        }
        let manifest = log.manifest
        #expect(manifest == (try Sample.manifest()))
        #expect(disk.contents(Sample.path) == (try Sample.file()))
    }

    @Test func aLaterEditIsOneWriteAndOneSync() throws {
        let disk = try Sample.disk(Array(Sample.edits.prefix(2)))
        var log = try Sample.open(disk)
        let before = (disk.writeCount, disk.synchronizeCount, disk.changeCount)
        try log.append(Sample.edits[2])
        #expect(disk.writeCount == before.0 + 1)
        #expect(disk.synchronizeCount == before.1 + 1)
        #expect(disk.changeCount == before.2 + 2)
    }

    @Test func aReopenedManifestGoesOnWhereItWas() throws {
        let disk = Sample.disk()
        for edit in Sample.edits {
            var log = try Sample.open(disk)
            try log.append(edit)
        }
        #expect(disk.contents(Sample.path) == (try Sample.file()))
    }

    @Test func loadingWritesNothing() throws {
        let torn = Array(try Sample.file().dropLast(3))
        let disk = Sample.disk([Sample.path: torn])
        let content = try #require(try ManifestLog.load(disk: disk, folder: Sample.folder, log: Sample.log))
        #expect(content.tornByteCount > 0)
        #expect(disk.changeCount == 0)
        #expect(disk.contents(Sample.path) == torn)
    }

    @Test func aTornEditIsCutOffBeforeTheNextOneIsAppended() throws {
        let kept = Array(Sample.edits.dropLast())
        let whole = try Sample.file()
        let keptBytes = try Sample.file(kept)
        for byteCount in keptBytes.count + 1..<whole.count {
            let disk = Sample.disk([Sample.path: Array(whole.prefix(byteCount))])
            var log = try Sample.open(disk)
            #expect(log.tornByteCount == byteCount - keptBytes.count)
            #expect(disk.copy().reopen(seed: UInt64(byteCount)).contents(Sample.path) == keptBytes)
            try log.append(.lost(107...107, .logMissing))
            #expect(try Sample.load(disk) == (try Sample.manifest(kept + [.lost(107...107, .logMissing)])))
        }
    }

    @Test func anEditThatWasWrittenButNotSynchronizedIsMadeDurableByOpening() throws {
        let disk = try Sample.disk(Array(Sample.edits.dropLast()))
        let file = try disk.open(Sample.path, .readWrite)
        try Sample.file().withRawSpan { (span) throws(DiskError) in try file.write(span, at: 0) }
        let log = try Sample.open(disk)
        let manifest = log.manifest
        #expect(manifest == (try Sample.manifest()))
        for found in try Sample.afterPowerLoss(disk) { #expect(found == manifest) }
    }

    @Test func aFileThatWasRenamedButNotMadeDurableIsMadeSoByOpening() throws {
        let disk = Sample.disk([Sample.path + ".new": try Sample.file()])
        try disk.rename(Sample.path + ".new", to: Sample.path)
        #expect(try Sample.afterPowerLoss(disk).contains(nil))
        let log = try Sample.open(disk)
        let manifest = log.manifest
        for found in try Sample.afterPowerLoss(disk) { #expect(found == manifest) }
    }

    @Test func aDamagedFileIsNotOpenedAndNotTouched() throws {
        var bytes = try Sample.file()
        bytes[100] ^= 1
        let disk = Sample.disk([Sample.path: bytes])
        var refusal: ManifestError?
        do throws(ManifestError) { _ = try Sample.open(disk) } catch { refusal = error }
        guard case .corrupt(let corruption)? = refusal else {
            Issue.record("not corrupt but \(String(describing: refusal))")
            return
        }
        #expect(corruption.file == Sample.path)
        #expect(corruption.offset == UInt64(ManifestFileHeader.byteCount))
        #expect(disk.writeCount == 0)
        #expect(disk.contents(Sample.path) == bytes)
    }

    @Test func theManifestOfAnotherLogIsRefused() throws {
        let disk = try Sample.disk(Sample.edits)
        let error = #expect(throws: ManifestError.self) {
            try ManifestLog.load(disk: disk, folder: Sample.folder, log: LogID(17))
        }
        guard case .corrupt = error else {
            Issue.record("not corrupt but \(String(describing: error))")
            return
        }
    }

    @Test func aRefusedEditWritesNothingAndPoisonsNothing() throws {
        let disk = try Sample.disk(Sample.edits)
        var log = try Sample.open(disk)
        let before = disk.changeCount
        let tooManyRows = ManifestEdit.seal(
            301...310,
            segments: [
                Sample.segment(301...310, .commandExecution, rowCount: 9),
                Sample.segment(301...310, .agentInteraction, rowCount: 2),
            ], carry: nil)
        for (edit, rule) in [(tooManyRows, "I10"), (.lost(400...401, .logMissing), "E2")] {
            var refusal: ManifestError?
            do throws(ManifestError) { try log.append(edit) } catch { refusal = error }
            guard case .violation(let text)? = refusal else {
                Issue.record("not refused but \(String(describing: refusal))")
                return
            }
            #expect("\(text)".hasPrefix(rule + " "))
        }
        #expect(disk.changeCount == before)
        try log.append(Sample.seal(301...310))
        #expect(try Sample.load(disk)?.sealedThrough == 310)
    }

    /// Edits of ten sequences each.
    static func manyEdits(_ count: Int) -> [ManifestEdit] {
        (0..<UInt64(count)).map { number in
            let range = 10 * number + 1...10 * number + 10
            return number % 3 == 2 ? .lost(range, .logDamaged) : Sample.seal(range)
        }
    }

    @Test func aFullFileIsReplacedByASnapshotOfTheSameManifest() throws {
        let edits = Self.manyEdits(ManifestLog.editCountMax + 3)
        let disk = Sample.disk()
        var log = try Sample.open(disk)
        for (index, edit) in edits.enumerated() {
            try log.append(edit)
            let content = try #require(try ManifestLog.load(disk: disk, folder: Sample.folder, log: Sample.log))
            #expect(content.manifest == log.manifest)
            let inFile = index < ManifestLog.editCountMax ? index + 1 : index + 1 - ManifestLog.editCountMax
            #expect(content.editCount == inFile)
        }
        let manifest = log.manifest
        #expect(manifest == (try Sample.manifest(edits)))
        for found in try Sample.afterPowerLoss(disk) { #expect(found == manifest) }
    }

    @Test func aRebuiltManifestStartsAFileAsASnapshot() throws {
        let disk = Sample.disk()
        let rebuilt = Manifest.rebuilt(from: [Sample.segment(11...20, .commandExecution, rowCount: 10)]).manifest
        var log = try Sample.open(disk)
        try log.append(.snapshot(rebuilt))
        #expect(try Sample.load(disk) == rebuilt)
        try log.append(Sample.seal(21...30))
        #expect(try Sample.load(disk)?.sealedThrough == 30)
    }

    @Test func aLeftoverOfAReplacementIsReplaced() throws {
        let disk = Sample.disk([Sample.path + ".tmp": [1, 2, 3]])
        var log = try Sample.open(disk)
        try log.append(Sample.edits[0])
        for found in try Sample.afterPowerLoss(disk) { #expect(found?.sealedThrough == 100) }
    }
}
