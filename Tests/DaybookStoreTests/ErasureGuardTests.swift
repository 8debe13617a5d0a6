import DaybookFormat
import DaybookLog
import DaybookSegment
import DaybookSystem
import DaybookTestSupport
import Testing

@testable import DaybookStore

/// What an erasure waits for, and what it takes for possible, in the moments where it would be wrong not to.
struct ErasureGuardTests {
    private static let folder = Layout.folder(of: ErasingStore.log)
    private static let otherFolder = Layout.folder(of: ErasingStore.otherLog)

    private func found(_ erasing: ErasingStore) throws -> [String] {
        try ErasureSearch.found(on: erasing.disk.image(), but: Self.otherFolder)
    }

    private func phase(_ erasing: ErasingStore, _ erasure: ErasureRecord) -> String? {
        erasing.store.erasureStatus(erasure.id)?.phase
    }

    /// The erasing thread alone, as long as the others are busy.
    private func erase(_ erasing: ErasingStore, _ stepCount: Int = 200) {
        for _ in 0..<stepCount {
            if case .resting(let nanoseconds) = erasing.store.machine.stepCompactor() {
                erasing.clock.advance(microseconds: nanoseconds / 1_000 + 1)
            }
        }
    }

    /// Events that come after the erasure began, in a log file that is to be sealed.
    private func rollLaterEvents(_ erasing: ErasingStore) {
        for number in 0..<6 { erasing.send([ErasingStore.command("bob")], key: "bobs-later-key-\(number)") }
        erasing.checkpoint()
        erasing.store.shared.maintenance.addToRoll(ErasingStore.log)
        while erasing.store.machine.stepCheckpointer() {}
    }

    /// The file names nobody that could be read: whether the user is in it, nobody knows.
    @Test func aSegmentWhoseUsersCannotBeReadIsNotKept() throws {
        let sound = try ErasingStore()
        sound.fill(0)
        sound.checkpoint()
        sound.seal()
        let segment = try #require(
            try sound.store.snapshot(of: ErasingStore.log).segments.first { $0.family == .commandExecution })
        let path = Layout.path(Self.folder, segment.path)
        let directory = try SegmentReader.open(disk: sound.disk, path: path).directory(rowGroup: 0)
        let users = try #require(directory.columns.first { $0.number == ColumnNumber.user.rawValue })
        sound.disk.corrupt(path, offset: Int(users.dictionaryPages[0].offset) + 20, xor: 1)
        let erasing = try ErasingStore(on: sound.disk.copy(), wallMicroseconds: sound.clock.wallMicroseconds())
        let erasure = try erasing.begin()
        #expect(erasing.work())
        #expect(try !erasing.disk.exists(path))
        #expect(try found(erasing) == [])
        #expect(try erasing.certificate(erasure.id)["events_unreadable"]?.unsigned == UInt64(segment.rowCount))
    }

    /// A sealing carries over what it found when it began: the user's keys of requests among it.
    @Test func theCarryFileIsCleanedWhenNoSealingIsUnderWay() throws {
        let erasing = try ErasingStore()
        erasing.fill(0)
        erasing.checkpoint()
        erasing.seal()
        #expect(try found(erasing).contains { $0.hasSuffix(".dbk") })
        let erasure = try erasing.begin()
        rollLaterEvents(erasing)
        #expect(erasing.store.machine.stepSealer())
        #expect(erasing.store.machine.sealer.isSealing(ErasingStore.log))
        erase(erasing)
        #expect(phase(erasing, erasure) == "carrying")
        #expect(erasing.work())
        #expect(try found(erasing) == [])
    }

    /// Files that a sealing has made and that nothing names yet are not litter.
    @Test func nothingIsSweptWhileASealingIsUnderWay() throws {
        let erasing = try ErasingStore()
        erasing.fill(0)
        erasing.checkpoint()
        erasing.seal()
        var reader: OrganizationSnapshot? = try erasing.store.snapshot(of: ErasingStore.log)
        #expect(reader?.segments.isEmpty == false)
        let erasure = try erasing.begin()
        #expect(!erasing.work(stepCountMax: 1_000))
        #expect(phase(erasing, erasure) == "sweeping")
        rollLaterEvents(erasing)
        let before = try erasing.events()
        var made: [String] = []
        while made.isEmpty, erasing.store.machine.stepSealer() {
            let named = try erasing.store.snapshot(of: ErasingStore.log).manifest.namedFiles
            made = try erasing.disk.list(Self.folder).filter { name in
                guard case .carry? = FileKind(name: name) else { return false }
                return !named.contains(name)
            }
        }
        #expect(made.count == 1)
        #expect(erasing.store.machine.sealer.isSealing(ErasingStore.log))
        reader = nil
        erase(erasing)
        for name in made { #expect(try erasing.disk.exists(Layout.path(Self.folder, name))) }
        #expect(phase(erasing, erasure) == "sweeping")
        #expect(erasing.work())
        #expect(try erasing.events() == before)
        #expect(try found(erasing) == [])
        #expect(try erasing.disk.check().isSound)
    }

    /// The entry of the ledger is durable before anything follows from it: a user who is invisible and comes back with
    /// the next start was never forgotten.
    @Test func anErasureThatTheLedgerDoesNotHaveHidesNobody() throws {
        let small = try SmallStore(SmallStore.smallOptions)
        small.store.start()
        defer { small.store.shutdown() }
        let acme = try #require(OrganizationID("acme"))
        #expect(try small.store.createOrganization(acme).log == SmallStore.log)
        #expect(try small.snapshot.lastSequence == 0)
        // Whichever thread makes the next change: the entry is not durable.
        var plan = FaultPlan()
        plan.crashAtChange = 1
        small.disk.arm(plan)
        #expect(throws: StoreError.self) {
            try small.store.beginErasure(of: "alice", in: acme, entropy: SeededEntropy(seed: 5))
        }
        #expect(small.store.erasures(of: acme) == [])
        #expect(!small.store.shared.erasures.hasWork)
        #expect(try small.snapshot.visibility(of: .commandExecution).erased == nil)
    }
}
