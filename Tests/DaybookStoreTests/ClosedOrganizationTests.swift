import DaybookEvent
import DaybookFormat
import DaybookLog
import DaybookSystem
import DaybookTestSupport
import Testing

@testable import DaybookStore

/// An organization whose manifest cannot be used is closed alone, loses nothing, and can be opened again.
@Suite struct ClosedOrganizationTests {
    private static let damaged = LogID(16)
    private static let whole = LogID(17)
    private static let folder = Layout.folder(of: damaged)
    private static let manifest = Layout.path(folder, .manifest)

    /// Two organizations with sealed events, events in log files and events that only the journal holds, the second
    /// one's in the same frames.
    private func filled() throws -> SteppedStore {
        let store = try SteppedStore()
        for round in 0..<5 as Range<UInt64> {
            for part in 0..<3 as Range<UInt64> {
                let first = round * 60 + part * 20
                for log in [Self.damaged, Self.whole] {
                    #expect(store.commitCommands(first..<first + 20, key: first, to: log).isCommitted)
                }
            }
            if round < 4 { store.checkpointAndSeal() }
        }
        let snapshot = try store.store.snapshot(of: Self.damaged)
        #expect(snapshot.segments.count > 2 && snapshot.tailExtentCount > 0 && snapshot.pendingGroupCount > 0)
        return store
    }

    /// The ways in which a manifest is lost.
    enum Damage: CaseIterable {
        case changedByte
        case missing
        /// The end looks like a torn edit, but a checkpoint relied on it.
        case cutEnd

        func apply(to disk: SimulatedDisk) throws {
            switch self {
            case .changedByte: disk.corrupt(manifest, offset: 60, xor: 0x10)
            case .missing: try disk.remove(manifest)
            case .cutEnd: disk.truncate(manifest, to: (disk.contents(manifest)?.count ?? 0) - 10)
            }
        }
    }

    private func expectClosed(_ body: () throws -> Void) {
        do {
            try body()
            Issue.record("the organization is open")
        } catch StoreError.organizationClosed(let corruption) {
            #expect(corruption.file == Self.manifest)
        } catch {
            Issue.record("\(error)")
        }
    }

    @Test(arguments: Damage.allCases)
    func itAloneIsClosedAndNothingOfItIsRemoved(damage: Damage) throws {
        let store = try filled()
        let before = try store.events(of: Self.whole)
        try store.restart { try damage.apply(to: $0) }
        let files = store.disk.paths().filter { $0.hasPrefix(Self.folder + "/") && !$0.hasSuffix(".quarantine") }
        #expect(store.commitCommands(500..<501, to: Self.damaged) == .refused(.organizationDamaged))
        expectClosed { _ = try store.store.snapshot(of: Self.damaged) }
        let reader = try ReadOnlyStore.open(disk: store.disk)
        expectClosed { _ = try reader.snapshot(of: Self.damaged) }
        #expect(try SteppedStore.events(reader.snapshot(of: Self.whole)) == before)
        // The other one goes on, through checkpoints and sealing.
        #expect(try store.events(of: Self.whole) == before)
        #expect(store.commitCommands(500..<520, to: Self.whole).isCommitted)
        store.checkpointAndSeal()
        #expect(store.store.acceptsIngest)
        #expect(try store.events(of: Self.whole).count == before.count + 20)
        for file in files { #expect(store.disk.contents(file) != nil, "\(file) is gone") }
    }

    @Test func aReportNamesIt() throws {
        let store = try filled()
        try store.restart { try Damage.changedByte.apply(to: $0) }
        store.checkpoint()
        #expect(Array(store.store.closedOrganizations.keys) == [Self.damaged])
        #expect(store.store.statistics.closedOrganizationCount == 1)
        let report = try #require(store.disk.contents("recovery/manifest-0000000000000010.report"))
        let json = try ParsedJSON(parsing: Array(report.dropLast()))
        #expect(json["closed"] == .text(Array(Self.folder.utf8)))
        #expect(json["file"] == .text(Array(Self.manifest.utf8)))
        #expect(json["reason"] != nil)
    }

    /// Its groups in the journal must not be lost when the journal's files are used again.
    @Test(arguments: Damage.allCases)
    func rebuildingBringsEveryEventBack(damage: Damage) throws {
        let store = try filled()
        let before = try store.events(of: Self.damaged)
        try store.restart { try damage.apply(to: $0) }
        for round in 0..<3 {
            store.checkpoint()
            #expect(store.commitCommands(UInt64(600 + round)..<UInt64(601 + round), to: Self.whole).isCommitted)
        }
        try store.restart()
        store.checkpoint()
        let wholeBefore = try store.events(of: Self.whole)
        try store.restart { disk in
            let report = try OrganizationRebuild.run(disk: disk, log: Self.damaged)
            #expect(report.lostEventCount == 0)
            #expect(report.segmentCount > 1)
            #expect(report.hasCarry)
            #expect(report.restoredGroupCount == 3)
            #expect(report.restoredEventCount == 60)
            #expect(report.setAside.isEmpty)
        }
        #expect(store.store.recoveryReport.isClean)
        #expect(try store.events(of: Self.damaged) == before)
        #expect(try store.events(of: Self.whole) == wholeBefore)
        // It takes events again, knows the keys of before, and can be sealed and opened.
        guard case .duplicate(1, 20, _, _) = store.commitCommands(0..<20, key: 0, to: Self.damaged) else {
            Issue.record("a key of before was forgotten")
            return
        }
        guard case .duplicate(241, 20, _, _) = store.commitCommands(240..<260, key: 240, to: Self.damaged) else {
            Issue.record("a key of a salvaged group was forgotten")
            return
        }
        #expect(
            store.commitCommands(300..<301, to: Self.damaged)
                == .committed(firstSequence: 301, lastSequence: 301))
        store.checkpointAndSeal()
        try store.restart()
        #expect(try store.events(of: Self.damaged).count == 301)
        #expect(store.store.closedOrganizations.isEmpty)
        #expect(throws: StoreError.self) { try OrganizationRebuild.run(disk: store.disk, log: Self.damaged) }
    }

    @Test func aManifestOfALaterVersionIsNotMadeAnew() throws {
        let store = try filled()
        store.disk.corrupt(Self.manifest, offset: 4, xor: 2)
        let bytes = try #require(store.disk.contents(Self.manifest))
        #expect(throws: StoreError.self) { try OrganizationRebuild.run(disk: store.disk, log: Self.damaged) }
        #expect(store.disk.contents(Self.manifest) == bytes)
    }

    /// Before any checkpoint the groups are still in the journal, and come from there.
    @Test func rebuildingBeforeTheNextStartLeavesTheJournalItsPart() throws {
        let store = try filled()
        let before = try store.events(of: Self.damaged)
        try store.restart { disk in
            try Damage.changedByte.apply(to: disk)
            let report = try OrganizationRebuild.run(disk: disk, log: Self.damaged)
            #expect(report.restoredGroupCount == 0)
        }
        #expect(try store.events(of: Self.damaged) == before)
    }

    @Test func withoutAnySegmentWhatTheLogLacksIsCountedAsLost() throws {
        let store = try filled()
        let segments = try store.store.snapshot(of: Self.damaged).segments
        let before = try store.events(of: Self.damaged)
        try store.restart { disk in
            for segment in segments { try disk.remove(Layout.path(Self.folder, segment.path)) }
            try Damage.missing.apply(to: disk)
        }
        // Nothing tells that there was a manifest but the checkpoint.
        expectClosed { _ = try store.store.snapshot(of: Self.damaged) }
        try store.restart { disk in
            let report = try OrganizationRebuild.run(disk: disk, log: Self.damaged)
            #expect(report.lostEventCount == UInt64(segments.reduce(0) { $0 + $1.rowCount }))
        }
        let last = try #require(segments.last).lastSequence
        #expect(try store.events(of: Self.damaged) == before.filter { $0.key > last })
    }

    @Test func aSegmentThatIsGoneIsStatedAsLostAndADamagedOneIsKept() throws {
        let store = try filled()
        let before = try store.events(of: Self.damaged)
        let segments = try store.store.snapshot(of: Self.damaged).segments
        let gone = segments[0]
        let damaged = Layout.path(Self.folder, segments[1].path)
        try store.restart { disk in
            try Damage.changedByte.apply(to: disk)
            try disk.remove(Layout.path(Self.folder, gone.path))
            // The footer: nothing can be read of it.
            let byteCount = disk.contents(damaged)?.count ?? 0
            disk.corrupt(damaged, offset: byteCount - 5, xor: 1)
            let report = try OrganizationRebuild.run(disk: disk, log: Self.damaged)
            #expect(report.lostEventCount == UInt64(gone.rowCount + segments[1].rowCount))
            #expect(report.setAside == [segments[1].path])
        }
        let lost = Set([gone, segments[1]].flatMap { $0.firstSequence...$0.lastSequence })
        #expect(try store.events(of: Self.damaged) == before.filter { !lost.contains($0.key) })
        store.checkpointAndSeal()
        #expect(store.disk.contents(damaged + "-unnamed.quarantine") != nil)
    }

    /// Wherever the power goes while the manifest is made anew: it can be made again, and everything is there.
    @Test func anInterruptedRebuildingCanBeRepeated() throws {
        let store = try filled()
        let before = try store.events(of: Self.damaged)
        try store.restart { try Damage.changedByte.apply(to: $0) }
        store.checkpoint()
        let start = store.disk.copy()
        var interruptionCount = 0
        for change in 1...40 {
            let disk = start.copy()
            var plan = FaultPlan()
            plan.crashAtChange = change
            disk.arm(plan)
            guard (try? OrganizationRebuild.run(disk: disk, log: Self.damaged)) == nil else { break }
            interruptionCount += 1
            let survived = SimulatedDisk(recovering: disk.crash(seed: UInt64(change)), seed: UInt64(change))
            do {
                _ = try OrganizationRebuild.run(disk: survived, log: Self.damaged)
            } catch StoreError.organizationIsOpen {
                // The last step was done.
            }
            let reader = try ReadOnlyStore.open(disk: survived)
            #expect(try SteppedStore.events(reader.snapshot(of: Self.damaged)) == before, "change \(change)")
        }
        #expect(interruptionCount > 5)
    }
}
