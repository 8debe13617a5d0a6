import DaybookFormat
import DaybookSegment
import DaybookSystem
import DaybookTestSupport
import Testing

@testable import DaybookStore

/// A user is forgotten: everything of theirs goes, and nothing else does.
struct ErasureTests {
    private static let otherFolder = Layout.folder(of: ErasingStore.otherLog)

    /// Puts bytes with the mark where files lie that nobody counts.
    private func litter(_ erasing: ErasingStore) throws -> [String] {
        let folder = Layout.folder(of: ErasingStore.log)
        let paths = [
            Layout.path(folder, .quarantine(of: "0000000000000001.dbl-00000040")),
            Layout.path(folder, .temporary(of: FileKind.carry(sealedThrough: 7).name)),
            Layout.path(folder, .carry(sealedThrough: 7)),
            Layout.path(folder, .logFile(first: 1)),
            Layout.path(folder, .segment(first: 1, last: 3, family: .commandExecution)),
            Layout.path(Layout.recovery, .quarantine(of: "0006478e8f3a0000-0-00000040")),
        ]
        for path in paths {
            let file = try erasing.disk.open(path, .create)
            try Array("some \(ErasingStore.user) bytes".utf8).withRawSpan { (span) throws(DiskError) in
                try file.write(span, at: 0)
            }
            try file.synchronize()
            file.close()
        }
        for folder in [folder, Layout.recovery] { try erasing.disk.synchronizeDirectory(folder) }
        return paths
    }

    private func found(_ disk: SimulatedDisk) throws -> [String] {
        try ErasureSearch.found(on: disk.image(), but: Self.otherFolder)
    }

    @Test func nothingOfAUserIsLeftAnywhere() throws {
        let erasing = try ErasingStore()
        try erasing.plantMember()
        erasing.fillRollups()
        erasing.fillEveryPlace()
        let litter = try litter(erasing)
        let before = try erasing.events()
        let families = try erasing.families()
        let other = try erasing.events(of: ErasingStore.otherLog)
        let users = ErasingStore.sequences(of: ErasingStore.user, in: before, families)
        let places = try found(erasing.disk)
        for ending in [".dbs", ".dbr", ".dbl", ".dbk", ".dbj", ".quarantine", ".tmp"] {
            #expect(places.contains { $0.hasSuffix(ending) }, "the mark is in no file that ends in \(ending)")
        }
        #expect(places.contains { $0.hasPrefix(Layout.control) })
        #expect(try hasMarkedAttribute(erasing))
        #expect(users.count > 40)

        let erasure = try erasing.begin()
        #expect(erasing.work())

        #expect(try found(erasing.disk) == [])
        for seed in 0..<4 as Range<UInt64> {
            #expect(try ErasureSearch.found(on: erasing.disk.copy().crash(seed: seed), but: Self.otherFolder) == [])
        }
        let after = try erasing.events()
        #expect(after == before.filter { !users.contains($0.key) })
        #expect(try erasing.events(of: ErasingStore.otherLog) == other)
        let manifest = try erasing.store.snapshot(of: ErasingStore.log).manifest
        #expect(manifest.absences.eventCounts() == [.erased: UInt64(users.count)])
        #expect(manifest.firstBrokenInvariant == nil)
        try checkDerived(erasing)
        #expect(try erasing.disk.check().isSound)
        try checkCertificate(erasing, erasure, users.count, litter)
    }

    /// Whether a segment has a column of an attribute that only the user's events have: its name stands in the footer.
    private func hasMarkedAttribute(_ erasing: ErasingStore) throws -> Bool {
        let snapshot = try erasing.store.snapshot(of: ErasingStore.log)
        return try snapshot.segments.contains { segment in
            try snapshot.open(segment).attributes.contains { attribute in
                attribute.name.keys.contains { ErasureSearch.contains($0, Array(ErasingStore.mark.utf8)) }
            }
        }
    }

    /// Indexes and rollups hash and compress: each is what the rows of its segment make, and nothing else.
    private func checkDerived(_ erasing: ErasingStore) throws {
        let snapshot = try erasing.store.snapshot(of: ErasingStore.log)
        #expect(snapshot.segments.contains { $0.revision > 0 })
        for segment in snapshot.segments {
            let path = Layout.path(Layout.folder(of: ErasingStore.log), segment.path)
            let copy = SimulatedDisk(recovering: DiskImage(files: ["copy.dbs": try erasing.disk.readAll(path)]))
            let reader = try SegmentReader.open(disk: copy, path: "copy.dbs")
            _ = try SegmentIndex.rebuild(reader, disk: copy)
            let index = try erasing.disk.readAll(SegmentIndex.path(ofSegment: path))
            #expect(index == (try copy.readAll("copy.dbi")))
            var rollup = SegmentRollup(reader)
            while try rollup.step() {}
            let stored = segment.rollupByteCount > 0 ? try erasing.disk.readAll(parentFolder + segment.rollupPath) : nil
            #expect(rollup.finish(segment) == stored)
        }
    }

    private var parentFolder: String { Layout.folder(of: ErasingStore.log) + "/" }

    private func checkCertificate(
        _ erasing: ErasingStore, _ erasure: ErasureRecord, _ count: Int, _ litter: [String]
    ) throws {
        let certificate = try erasing.certificate(erasure.id)
        #expect(certificate["state"]?.string == "done")
        #expect(certificate["organization"]?.string == "acme")
        #expect(certificate["through_sequence"]?.unsigned == erasure.through)
        let erased = Family.ofOrganizations.compactMap { certificate["events_erased"]?[$0.typeName]?.unsigned }
        #expect(erased.count == 4 && erased.reduce(0, +) == UInt64(count) && erased.allSatisfy { $0 > 0 })
        #expect(certificate["carried_state_dropped"]?["idempotency_keys"]?.unsigned == 3)
        #expect(certificate["files_rewritten"]?[0]?["old"]?[0]?["bytes"]?.unsigned ?? 0 > 0)
        #expect(certificate["control_log_rewritten"]?[0]?["file"]?.string?.hasPrefix("control/") == true)
        #expect(certificate["journal_zeroed"]?[0]?["file"]?.string?.hasPrefix("journal/") == true)
        var removed: Set<String> = []
        var index = 0
        while let name = certificate["files_removed"]?[index]?["file"]?.string {
            removed.insert(name)
            index += 1
        }
        for path in litter { #expect(removed.contains(path) || removed.contains(fileName(of: path)), "\(path)") }
        #expect(erasing.store.erasureStatus(erasure.id)?.isDone == true)
    }

    @Test func aUserGoesFromWhatIsKeptOfExpiredEvents() throws {
        let erasing = try ErasingStore()
        erasing.fillEveryPlace()
        erasing.seal()
        erasing.clock.advance(seconds: 120 * 86_400)
        for _ in 0..<200 {
            erasing.store.shared.maintenance.addPatrolled(ErasingStore.log)
            for _ in 0..<10 { erasing.step() }
        }
        let history = try erasing.store.snapshot(of: ErasingStore.log).history
        #expect(history.count >= 2)
        let marked = try found(erasing.disk).filter { $0.hasSuffix(".dba") }
        #expect(!marked.isEmpty)
        let eventCount = history.reduce(0) { $0 + $1.eventCount }

        let erasure = try erasing.begin()
        #expect(erasing.work())

        let places = try found(erasing.disk)
        #expect(places == [], "\(places)")
        let left = try erasing.store.snapshot(of: ErasingStore.log)
        #expect(left.history.reduce(0) { $0 + $1.eventCount } == eventCount)
        for file in left.history { #expect(try left.rollup(of: file)?.damages == []) }
        #expect(left.manifest.firstBrokenInvariant == nil && left.damage.isEmpty)
        let rewritten = try erasing.certificate(erasure.id)["files_rewritten"]?.elements ?? []
        let old = rewritten.compactMap { $0["old"]?[0]?["file"]?.string }
        #expect(Set(marked.map { String($0.split(separator: "/").last ?? "") }).isSubset(of: old))
    }

    @Test func theUserIsInvisibleFromTheMomentOfTheLedgersEntry() throws {
        let erasing = try ErasingStore()
        erasing.fillEveryPlace()
        let events = try erasing.events()
        let users = ErasingStore.sequences(of: ErasingStore.user, in: events, try erasing.families())
        let erasure = try erasing.begin()
        for log in [ErasingStore.log, ErasingStore.otherLog] {
            let visibility = try erasing.store.snapshot(of: log).visibility(of: .commandExecution)
            for sequence in 1...erasure.through {
                let isErased = visibility.erases(user: Array(ErasingStore.user.utf8), sequence: sequence)
                #expect(isErased == (log == ErasingStore.log))
                #expect(!visibility.erases(user: Array("bob".utf8), sequence: sequence))
            }
            #expect(!visibility.erases(user: Array(ErasingStore.user.utf8), sequence: erasure.through + 1))
        }
        let reader = try ReadOnlyStore.open(disk: erasing.disk.copy())
        let offline = try reader.snapshot(of: ErasingStore.log)
        #expect(offline.visibility(of: .agentInteraction).erases(user: Array(ErasingStore.user.utf8), sequence: 1))
        #expect(erasure.through == UInt64(events.count))
        #expect(!users.isEmpty)
    }

    @Test func nothingIsKeptForReaders() throws {
        let erasing = try ErasingStore()
        erasing.fillEveryPlace()
        let snapshot = try erasing.store.snapshot(of: ErasingStore.log)
        for segment in snapshot.segments {
            _ = try snapshot.open(segment).read(rowGroup: 0, [.time, .user, .sequence])
            _ = try snapshot.tailChunks(of: segment.family, through: .max, [.user])
        }
        #expect(erasing.store.cacheStatus.pageCount > 0 && erasing.store.cacheStatus.tailCount == 1)
        try erasing.begin()
        erasing.step()
        #expect(erasing.store.cacheStatus.pageCount == 0 && erasing.store.cacheStatus.tailCount == 0)
    }

    @Test func mergingLeavesAnOrganizationAloneUntilTheErasureIsDone() throws {
        var options = ErasingStore.options
        options.compaction.mergesRanges = true
        options.compaction.fanInMin = 2
        let erasing = try ErasingStore(options)
        erasing.fillEveryPlace()
        erasing.checkpoint()
        erasing.seal()
        let before = try erasing.events()
        let users = ErasingStore.sequences(of: ErasingStore.user, in: before, try erasing.families())
        // A merge is under way when the erasure begins: it gives up.
        for _ in 0..<3 { _ = erasing.store.machine.stepCompactor() }
        #expect(erasing.store.compactionStatus.isRunning)
        try erasing.begin()
        #expect(erasing.work())
        #expect(try erasing.events() == before.filter { !users.contains($0.key) })
        #expect(try found(erasing.disk) == [])
        let rangeCount = try erasing.store.snapshot(of: ErasingStore.log).manifest.rangeSummaries().count
        for _ in 0..<200 { erasing.step() }
        #expect(try erasing.store.snapshot(of: ErasingStore.log).manifest.rangeSummaries().count < rangeCount)
        #expect(try erasing.events() == before.filter { !users.contains($0.key) })
    }

    @Test func theControlLogKeepsItsLengthAndAllOtherActs() throws {
        let erasing = try ErasingStore()
        erasing.checkpoint()
        let path = try #require(erasing.disk.paths().first { $0.hasPrefix("control/") && $0.hasSuffix(".dbl") })
        let before = try erasing.disk.readAll(path)
        let acts = erasing.store.controlEvents()
        try erasing.begin()
        #expect(erasing.work())
        let after = try erasing.disk.readAll(path)
        let changed = before.indices.filter { before[$0] != after[$0] }
        let laptop = "laptop of \(ErasingStore.user)"
        #expect(changed.count <= laptop.utf8.count + ErasingStore.user.utf8.count + 4)
        #expect(changed.count >= laptop.utf8.count + ErasingStore.user.utf8.count)
        let again = try ErasingStore(on: erasing.disk.copy(), wallMicroseconds: erasing.clock.wallMicroseconds())
        let found = again.store.controlEvents()
        #expect(found == erasing.store.controlEvents())
        #expect(zip(acts, found).count { $0 != $1 } == 1)
        guard case .keyCreated(let key) = found[2] else {
            Issue.record("the key of the user is another act")
            return
        }
        #expect(key.keyID == "k-user" && key.user == "*********" && key.name.allSatisfy { $0 == "*" })
        #expect(try erasing.disk.check().isSound)
    }

    /// Of the user's record both texts go; team, grant, dead letter and trail name nobody, and stay.
    @Test func whatTheControlLogSaysOfAUserGoes() throws {
        let erasing = try ErasingStore()
        try erasing.plantMember()
        erasing.checkpoint()
        let mark = Array(ErasingStore.mark.utf8)
        let acts = erasing.store.controlEvents()
        #expect(acts.count { ErasureSearch.contains($0.encoded(), mark) } == 2)
        try erasing.begin()
        #expect(erasing.work())
        #expect(try found(erasing.disk) == [])
        let again = try ErasingStore(on: erasing.disk.copy(), wallMicroseconds: erasing.clock.wallMicroseconds())
        for found in [erasing.store.controlEvents(), again.store.controlEvents()] {
            let changed = zip(acts, found).filter { $0 != $1 }.map(\.1)
            #expect(changed.count == 2)
            for act in changed {
                switch act {
                case .keyCreated(let key): #expect((key.name + key.user).allSatisfy { $0 == "*" })
                case .members(.userSet(let record, _)):
                    #expect((record.name + record.user).allSatisfy { $0 == "*" })
                    #expect(record.recordID == "usr_1" && record.team == "platform")
                default: Issue.record("another act was changed: \(act)")
                }
            }
            #expect(
                found.contains { act in
                    if case .members(.userDeleted(ErasingStore.acme, "usr_1", _)) = act { true } else { false }
                })
        }
        #expect(try erasing.disk.check().isSound)
    }

    @Test func theLedgerNamesNobody() throws {
        let erasing = try ErasingStore()
        let (record, acts) = try erasing.store.erasureActs(
            of: ErasingStore.user, in: ErasingStore.acme, entropy: erasing.entropy)
        for act in acts { #expect(!ErasureSearch.contains(act.encoded(), Array(ErasingStore.mark.utf8))) }
        #expect(acts.contains(.keyRevoked(keyID: "k-user", at: record.begunAt)))
        #expect(!acts.contains { if case .keyRevoked("k-bob", _) = $0 { true } else { false } })
        try erasing.act(acts)
        #expect(
            !erasing.store.controlEvents().contains { act in
                ErasureSearch.contains(act.encoded(), Array(ErasingStore.mark.utf8))
            })
    }

    @Test func aUserWhoComesBackIsAnotherOne() throws {
        let erasing = try ErasingStore()
        erasing.fill(0)
        let erasure = try erasing.begin()
        #expect(erasing.send([ErasingStore.command(ErasingStore.user, "later")]).isCommitted)
        #expect(erasing.work())
        let sequence = try erasing.store.snapshot(of: ErasingStore.log).lastSequence
        #expect(sequence == erasure.through + 1)
        #expect(try erasing.events()[sequence] != nil)
        erasing.checkpoint()
        erasing.seal()
        #expect(try erasing.events()[sequence] != nil)
        let second = try erasing.begin()
        #expect(second.id != erasure.id && second.userHash == erasure.userHash)
        #expect(erasing.work())
        #expect(try erasing.events()[sequence] == nil)
    }

    @Test func beginningTwiceIsOneErasure() throws {
        let erasing = try ErasingStore()
        erasing.fill(0)
        let first = try erasing.begin()
        #expect(try erasing.begin() == first)
        #expect(erasing.work())
        #expect(try erasing.begin().id != first.id)
    }

    @Test func anErasureWaitsForReadersOfOldFiles() throws {
        let erasing = try ErasingStore()
        erasing.fillEveryPlace()
        let before = try erasing.events()
        var reader: OrganizationSnapshot? = try erasing.store.snapshot(of: ErasingStore.log)
        let erasure = try erasing.begin()
        #expect(!erasing.work(stepCountMax: 2_000))
        let status = try #require(erasing.store.erasureStatus(erasure.id))
        #expect(status.phase == "sweeping" && !status.awaited.isEmpty)
        let certificate = try erasing.certificate(erasure.id)
        #expect(certificate["state"]?.string == "begun")
        #expect(certificate["awaited"]?[0]?.string == status.awaited[0])
        if let reader { #expect(try SteppedStore.events(reader) == before) }
        reader = nil
        #expect(erasing.work())
        #expect(try found(erasing.disk) == [])
    }

    @Test func aLegalHoldRefusesAnErasure() throws {
        let erasing = try ErasingStore()
        var policy = RetentionPolicy.standard
        policy.isHeld = true
        try erasing.act([
            .retentionSet(ErasingStore.acme, policy, at: Timestamp(microseconds: erasing.clock.wallMicroseconds()))
        ])
        #expect(throws: StoreError.self) { try erasing.begin() }
        try erasing.begin(ErasingStore.user, ErasingStore.umbrella)
        #expect(erasing.work())
    }

    @Test func anOrganizationWithoutEventsIsDoneAtOnce() throws {
        let erasing = try ErasingStore()
        let erasure = try erasing.begin()
        #expect(erasure.through == 0)
        #expect(erasing.work())
        #expect(try erasing.certificate(erasure.id)["state"]?.string == "done")
        #expect(try found(erasing.disk) == [])
    }

    @Test func severalUsersAreForgottenAtOnce() throws {
        let erasing = try ErasingStore()
        erasing.fillEveryPlace()
        let before = try erasing.events()
        let families = try erasing.families()
        let gone = [ErasingStore.user, "bob"].reduce(into: Set<UInt64>()) {
            $0.formUnion(ErasingStore.sequences(of: $1, in: before, families))
        }
        try erasing.begin()
        try erasing.begin("bob")
        try erasing.begin("bob", ErasingStore.umbrella)
        #expect(erasing.work())
        #expect(try erasing.events() == before.filter { !gone.contains($0.key) })
        #expect(try found(erasing.disk) == [])
    }

    @Test func theSameNameInAnotherOrganizationIsAnotherUser() throws {
        let erasing = try ErasingStore()
        erasing.fillEveryPlace()
        let other = try erasing.events(of: ErasingStore.otherLog)
        let erasure = try erasing.begin()
        #expect(erasing.work())
        #expect(try erasing.events(of: ErasingStore.otherLog) == other)
        #expect(try erasing.store.snapshot(of: ErasingStore.otherLog).manifest.absences == [])
        let second = try erasing.begin(ErasingStore.user, ErasingStore.umbrella)
        #expect(second.userHash != erasure.userHash)
        #expect(erasing.work())
        let everything = try ErasureSearch.found(on: erasing.disk.image(), but: "none")
        #expect(everything == [])
    }
}
