import DaybookFormat
import DaybookStore
import DaybookSystem
import Testing

/// The manifest on disk: what is published is durable, and what is not durable is not published.
struct ManifestLogTests {
    static func open(_ disk: ManifestTestDisk) throws(ManifestError) -> ManifestLog {
        try ManifestLog.open(disk: disk, folder: Sample.folder, log: Sample.log)
    }

    static func load(_ disk: ManifestTestDisk) throws(ManifestError) -> ManifestFile? {
        try ManifestLog.load(disk: disk, folder: Sample.folder, log: Sample.log)
    }

    /// A disk whose manifest holds the edits.
    static func disk(_ edits: [ManifestEdit] = Sample.edits) throws -> ManifestTestDisk {
        let disk = ManifestTestDisk()
        disk.place(Sample.path, try Sample.file(edits))
        return disk
    }

    @Test func aFolderWithoutAFileHasAnEmptyManifest() throws {
        let disk = ManifestTestDisk()
        #expect(try Self.load(disk) == nil)
        let log = try Self.open(disk)
        #expect(log.manifest == Manifest())
        #expect(disk.calls.isEmpty)
    }

    @Test func eachAppendedEditSurvivesAPowerLoss() throws {
        let disk = ManifestTestDisk()
        var log = try Self.open(disk)
        for edit in Sample.edits {
            try log.append(edit)
            let survivor = disk.afterPowerLoss()
            #expect(try Self.load(survivor)?.manifest == log.manifest)
        }
        let manifest = log.manifest
        #expect(manifest == (try Sample.manifest()))
        #expect(disk.bytes(of: Sample.path) == (try Sample.file()))
    }

    @Test func aLaterEditIsOneWriteAndOneSync() throws {
        let disk = try Self.disk(Array(Sample.edits.prefix(2)))
        var log = try Self.open(disk)
        disk.forgetCalls()
        try log.append(Sample.edits[2])
        #expect(disk.calls == ["write \(Sample.path)", "synchronize \(Sample.path)"])
    }

    @Test func aReopenedManifestGoesOnWhereItWas() throws {
        let disk = ManifestTestDisk()
        for edit in Sample.edits {
            var log = try Self.open(disk)
            try log.append(edit)
        }
        #expect(disk.bytes(of: Sample.path) == (try Sample.file()))
    }

    @Test func loadingWritesNothing() throws {
        let disk = ManifestTestDisk()
        let torn = Array(try Sample.file().dropLast(3))
        disk.place(Sample.path, torn)
        let content = try #require(try Self.load(disk))
        #expect(content.tornByteCount > 0)
        #expect(disk.calls.isEmpty)
        #expect(disk.bytes(of: Sample.path) == torn)
    }

    @Test func aTornEditIsCutOffBeforeTheNextOneIsAppended() throws {
        let kept = Array(Sample.edits.dropLast())
        let whole = try Sample.file()
        let keptByteCount = try Sample.file(kept).count
        for byteCount in keptByteCount + 1..<whole.count {
            let disk = ManifestTestDisk()
            disk.place(Sample.path, Array(whole.prefix(byteCount)))
            var log = try Self.open(disk)
            #expect(log.tornByteCount == byteCount - keptByteCount)
            #expect(disk.afterPowerLoss().bytes(of: Sample.path) == (try Sample.file(kept)))
            try log.append(.lost(107...107, .logMissing))
            #expect(try Self.load(disk)?.manifest == (try Sample.manifest(kept + [.lost(107...107, .logMissing)])))
        }
    }

    @Test func anEditThatWasWrittenButNotSynchronizedIsMadeDurableByOpening() throws {
        let disk = try Self.disk(Array(Sample.edits.dropLast()))
        let file = try disk.open(Sample.path, .readWrite)
        let whole = try Sample.file()
        try whole.withRawSpan { (span) throws(DiskError) in try file.write(span, at: 0) }
        let log = try Self.open(disk)
        let sealedThrough = log.manifest.sealedThrough
        #expect(sealedThrough == 300)
        #expect(try Self.load(disk.afterPowerLoss())?.manifest.sealedThrough == 300)
    }

    @Test func aFileThatWasRenamedButNotMadeDurableIsMadeSoByOpening() throws {
        let disk = ManifestTestDisk()
        disk.place(Sample.path + ".new", try Sample.file())
        try disk.rename(Sample.path + ".new", to: Sample.path)
        #expect(try Self.load(disk.afterPowerLoss()) == nil)
        let log = try Self.open(disk)
        let sealedThrough = log.manifest.sealedThrough
        #expect(sealedThrough == 300)
        #expect(try Self.load(disk.afterPowerLoss())?.manifest.sealedThrough == 300)
    }

    @Test func aDamagedFileIsNotOpenedAndNotTouched() throws {
        let disk = ManifestTestDisk()
        var bytes = try Sample.file()
        bytes[100] ^= 1
        disk.place(Sample.path, bytes)
        #expect(throws: ManifestError.self) { try Self.load(disk) }
        var refused = false
        do throws(ManifestError) { _ = try Self.open(disk) } catch {
            guard case .corrupt(let corruption) = error else { throw error }
            refused = corruption.offset == UInt64(ManifestFileHeader.byteCount)
        }
        #expect(refused)
        #expect(disk.bytes(of: Sample.path) == bytes)
    }

    @Test func theManifestOfAnotherLogIsRefused() throws {
        let disk = try Self.disk()
        let error = #expect(throws: ManifestError.self) {
            try ManifestLog.load(disk: disk, folder: Sample.folder, log: LogID(17))
        }
        guard case .corrupt = error else {
            Issue.record("not corrupt but \(String(describing: error))")
            return
        }
    }

    @Test func aRefusedEditWritesNothingAndPoisonsNothing() throws {
        let disk = try Self.disk()
        var log = try Self.open(disk)
        disk.forgetCalls()
        let wrongRows = ManifestEdit.seal(
            301...310, segments: [Sample.segment(301...310, .commandExecution, rowCount: 9)], carry: nil)
        for (edit, rule) in [(wrongRows, "I10"), (.lost(400...401, .logMissing), "E2")] {
            var refusal: ManifestError?
            do throws(ManifestError) { try log.append(edit) } catch { refusal = error }
            guard case .violation(let text)? = refusal else {
                Issue.record("not refused but \(String(describing: refusal))")
                return
            }
            #expect("\(text)".hasPrefix(rule + " "))
        }
        #expect(disk.calls.isEmpty)
        try log.append(Sample.seal(301...310))
        #expect(try Self.load(disk)?.manifest.sealedThrough == 310)
    }

    /// Lets the given call of an append fail, and looks at what then holds in the process and after a restart. False
    /// when the append made fewer calls and went through.
    private func failedAppend(_ disk: ManifestTestDisk, atCall call: Int, edit: ManifestEdit) throws -> Bool {
        var log = try Self.open(disk)
        let before = log.manifest
        let after = try before.applying(edit)
        disk.fail(atCall: call)
        var first: ManifestError?
        do throws(ManifestError) { try log.append(edit) } catch { first = error }
        guard let first else { return false }
        let unchanged = log.manifest == before
        #expect(unchanged)
        disk.fail(atCall: nil)
        var second: ManifestError?
        do throws(ManifestError) { try log.append(edit) } catch { second = error }
        #expect(second == first)
        #expect(disk.calls.isEmpty)
        for found in [disk, disk.afterPowerLoss()] {
            let manifest = try Self.load(found)?.manifest ?? Manifest()
            #expect(manifest == before || manifest == after)
        }
        return true
    }

    @Test func aFailureAtAnyCallOfAnAppendPoisons() throws {
        var failures = 0
        while try failedAppend(try Self.disk(), atCall: failures, edit: Sample.seal(301...400)) { failures += 1 }
        #expect(failures == 2)
    }

    @Test func aFailureAtAnyCallOfTheFirstPublicationPoisons() throws {
        var failures = 0
        while try failedAppend(ManifestTestDisk(), atCall: failures, edit: Sample.edits[0]) { failures += 1 }
        #expect(failures == 5)
    }

    static func manyEdits(_ count: Int) -> [ManifestEdit] {
        (0..<UInt64(count)).map {
            $0 % 3 == 2 ? .lost(10 * $0 + 1...10 * $0 + 10, .logDamaged) : Sample.seal(10 * $0 + 1...10 * $0 + 10)
        }
    }

    @Test func aFullFileIsReplacedByASnapshotOfTheSameManifest() throws {
        let edits = Self.manyEdits(ManifestLog.editCountMax + 3)
        let disk = ManifestTestDisk()
        var log = try Self.open(disk)
        for (index, edit) in edits.enumerated() {
            try log.append(edit)
            let content = try #require(try Self.load(disk.afterPowerLoss()))
            #expect(content.manifest == log.manifest)
            let inFile = index < ManifestLog.editCountMax ? index + 1 : index + 1 - ManifestLog.editCountMax
            #expect(content.editCount == inFile)
        }
        let manifest = log.manifest
        #expect(manifest == (try Sample.manifest(edits)))
    }

    @Test func aFailureWhileAFullFileIsReplacedPoisons() throws {
        let edits = Self.manyEdits(ManifestLog.editCountMax)
        let last = UInt64(10 * edits.count)
        var failures = 0
        while try failedAppend(try Self.disk(edits), atCall: failures, edit: Sample.seal(last + 1...last + 2)) {
            failures += 1
        }
        #expect(failures == 5)
    }

    @Test func aRebuiltManifestStartsAFileAsASnapshot() throws {
        let disk = ManifestTestDisk()
        let rebuilt = Manifest.rebuilt(from: [Sample.segment(11...20, .commandExecution, rowCount: 10)]).manifest
        var log = try Self.open(disk)
        try log.append(.snapshot(rebuilt))
        #expect(try Self.load(disk.afterPowerLoss())?.manifest == rebuilt)
        try log.append(Sample.seal(21...30))
        #expect(try Self.load(disk.afterPowerLoss())?.manifest.sealedThrough == 30)
    }

    @Test func aLeftoverOfAReplacementIsReplaced() throws {
        let disk = ManifestTestDisk()
        disk.place(Sample.path + ".tmp", [1, 2, 3])
        var log = try Self.open(disk)
        try log.append(Sample.edits[0])
        #expect(try Self.load(disk.afterPowerLoss())?.manifest.sealedThrough == 100)
    }
}
