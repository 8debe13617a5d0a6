import DaybookFormat
import DaybookLog
import DaybookSystem
import DaybookTestSupport
import Testing

@testable import DaybookStore

/// An organization goes with everything that it has, whenever the process ends, and nobody else loses anything.
struct OrganizationDeletionTests {
    private static let folder = Layout.folder(of: ErasingStore.log)
    private static let otherFolder = Layout.folder(of: ErasingStore.otherLog)

    /// A store of which every place holds events of both organizations.
    private struct Prepared: Sendable {
        var disk: SimulatedDisk
        var wallMicroseconds: Int64
        var other: [UInt64: [UInt8]]

        init() throws {
            let erasing = try ErasingStore()
            let now = Timestamp(microseconds: erasing.clock.wallMicroseconds())
            var configuration = OrganizationConfiguration()
            configuration.webhookURL = "https://hooks.example/zqx7"
            let user = UserRecord(
                recordID: "u1", organization: ErasingStore.acme, user: ErasingStore.user, name: "zqx7")
            try erasing.act([
                .members(.userSet(user, at: now)), .configurationSet(ErasingStore.acme, configuration, at: now),
            ])
            erasing.fillEveryPlace()
            disk = erasing.disk
            wallMicroseconds = erasing.clock.wallMicroseconds()
            other = try erasing.events(of: ErasingStore.otherLog)
        }

        func open() throws -> ErasingStore { try ErasingStore(on: disk.copy(), wallMicroseconds: wallMicroseconds) }
    }

    private static let prepared = Result { try Prepared() }

    private func next(_ erasing: ErasingStore, on disk: SimulatedDisk) throws -> ErasingStore {
        try ErasingStore(on: disk, wallMicroseconds: erasing.clock.wallMicroseconds())
    }

    private func delete(_ erasing: ErasingStore) throws {
        try erasing.act(try erasing.store.deletionActs(of: ErasingStore.acme))
    }

    /// Steps everything until nothing is left to be removed. False when it does not come to that.
    @discardableResult
    private func work(_ erasing: ErasingStore, stepCountMax: Int = 5_000) -> Bool {
        for _ in 0..<stepCountMax {
            guard erasing.store.shared.deletions.hasWork else { return true }
            guard !erasing.disk.isCrashed else { return false }
            erasing.step()
        }
        return false
    }

    private func isDeleted(_ erasing: ErasingStore) -> Bool {
        erasing.store.deletion(of: ErasingStore.acme) != nil
    }

    private func check(_ erasing: ErasingStore, _ comment: Comment = "") throws {
        let prepared = try Self.prepared.get()
        let image = erasing.disk.image()
        #expect(!image.directories.contains(Self.folder), comment)
        #expect(!image.files.keys.contains { $0.hasPrefix(Self.folder + "/") }, comment)
        #expect(try ErasureSearch.found(on: image, but: Self.otherFolder) == [], comment)
        #expect(try erasing.events(of: ErasingStore.otherLog) == prepared.other, comment)
        #expect(erasing.store.organization(ErasingStore.acme) == nil, comment)
        #expect(erasing.store.deletion(of: ErasingStore.acme)?.organization.removedAt != nil, comment)
        #expect(throws: StoreError.self, comment) { try erasing.store.snapshot(of: ErasingStore.log) }
        // The next start finds nothing amiss.
        let after = try next(erasing, on: erasing.disk.copy())
        #expect(after.store.recoveryReport.isClean, comment)
        #expect(!after.store.shared.deletions.hasWork, comment)
        #expect(try after.events(of: ErasingStore.otherLog) == prepared.other, comment)
        let findings = try StoreCheck(disk: erasing.disk.copy(), isServed: { false }).run().findings
        #expect(findings.filter { $0.severity == .damage }.isEmpty, comment)
    }

    @Test func nothingIsLeftOfADeletedOrganization() throws {
        let erasing = try Self.prepared.get().open()
        #expect(
            try ErasureSearch.found(on: erasing.disk.image(), but: Self.otherFolder).contains {
                $0.hasPrefix(Self.folder)
            })
        try delete(erasing)
        #expect(work(erasing))
        try check(erasing)
    }

    @Test func nothingIsTakenOrShownFromThatMomentOn() throws {
        let erasing = try Self.prepared.get().open()
        try delete(erasing)
        #expect(erasing.send([ErasingStore.command("bob")]) == .refused(.organizationDeleted))
        #expect(throws: StoreError.self) { try erasing.store.snapshot(of: ErasingStore.log) }
        guard case .committed = erasing.send([ErasingStore.command("bob")], to: ErasingStore.otherLog) else {
            Issue.record("the other organization is not served")
            return
        }
    }

    @Test func filesThatAreReadStayUntilTheReaderHasGone() throws {
        let erasing = try Self.prepared.get().open()
        var snapshot: OrganizationSnapshot? = try erasing.store.snapshot(of: ErasingStore.log)
        let events = try SteppedStore.events(try #require(snapshot))
        try delete(erasing)
        #expect(!work(erasing, stepCountMax: 200))
        #expect(try SteppedStore.events(try #require(snapshot)) == events)
        snapshot = nil
        #expect(work(erasing))
        try check(erasing)
    }

    @Test func aLegalHoldKeepsTheOrganization() throws {
        let erasing = try Self.prepared.get().open()
        let now = Timestamp(microseconds: erasing.clock.wallMicroseconds())
        var policy = RetentionPolicy.standard
        policy.isHeld = true
        try erasing.act([.retentionSet(ErasingStore.acme, policy, at: now)])
        #expect(throws: StoreError.self) { try erasing.store.deletionActs(of: ErasingStore.acme) }
        #expect(throws: StoreError.self) { try erasing.store.deletionActs(of: OrganizationID("nobody")!) }
    }

    @Test func anErasureUnderWayEndsWithItsOrganization() throws {
        let erasing = try Self.prepared.get().open()
        let erasure = try erasing.begin()
        for _ in 0..<30 { erasing.step() }
        try delete(erasing)
        #expect(work(erasing))
        #expect(!erasing.store.shared.erasures.hasWork)
        #expect(erasing.store.erasureStatus(erasure.id) == nil)
        try check(erasing)
    }

    /// The power fails at every change that a deletion makes.
    @Test(arguments: 0..<6)
    func aDeletionInterruptedAtEveryChangeIsDoneInTheNextLife(part: Int) throws {
        let prepared = try Self.prepared.get()
        var lossCount = 0
        for change in stride(from: 1 + part, through: 2_000, by: 6) {
            let erasing = try prepared.open()
            var plan = FaultPlan()
            plan.crashAtChange = change
            erasing.disk.arm(plan)
            _ = try? delete(erasing)
            work(erasing)
            guard erasing.disk.isCrashed else { break }
            lossCount += 1
            let after = try next(erasing, on: erasing.disk.copy().reopen(seed: UInt64(change)))
            // The act may have been lost with the power: nobody was told of it then.
            if !isDeleted(after) { try delete(after) }
            #expect(work(after), "change \(change)")
            try check(after, "change \(change)")
        }
        #expect(lossCount > 5)
    }

    enum Fault: CaseIterable {
        case write, read, full

        func plan(_ moment: Int) -> FaultPlan {
            var plan = FaultPlan()
            switch self {
            case .write: plan.failWrite = moment
            case .read: plan.failRead = moment
            case .full: plan.fillAtWrite = moment
            }
            return plan
        }
    }

    /// The process is killed some time after a call has failed.
    @Test(arguments: Fault.allCases)
    func aCallThatFailsDelaysADeletionAndNothingElse(fault: Fault) throws {
        let prepared = try Self.prepared.get()
        for moment in stride(from: 1, through: 120, by: 3) {
            let erasing = try prepared.open()
            guard (try? delete(erasing)) != nil else { continue }
            erasing.disk.arm(fault.plan(moment))
            work(erasing, stepCountMax: 150)
            erasing.disk.arm(FaultPlan())
            let after = try next(erasing, on: erasing.disk.copy())
            #expect(work(after), "moment \(moment)")
            try check(after, "moment \(moment)")
        }
    }

    @Test func aDeletionThatIsInterruptedAgainAndAgainComesToItsEnd() throws {
        var erasing = try Self.prepared.get().open()
        try delete(erasing)
        var lifeCount = 0
        while erasing.store.shared.deletions.hasWork, lifeCount < 400 {
            for _ in 0..<5 * (lifeCount + 1) where erasing.store.shared.deletions.hasWork { erasing.step() }
            lifeCount += 1
            erasing = try next(erasing, on: erasing.disk.copy())
            let findings = try StoreCheck(disk: erasing.disk.copy(), isServed: { false }).run().findings
            #expect(findings.filter { $0.severity == .damage }.isEmpty)
        }
        #expect(lifeCount > 1)
        try check(erasing)
    }

    @Test func severalOrganizationsGoOneAfterTheOther() throws {
        let erasing = try Self.prepared.get().open()
        try delete(erasing)
        try erasing.act(try erasing.store.deletionActs(of: ErasingStore.umbrella))
        #expect(work(erasing))
        let image = erasing.disk.image()
        #expect(!image.directories.contains(Self.folder) && !image.directories.contains(Self.otherFolder))
        #expect(erasing.store.organizations().isEmpty)
        let after = try next(erasing, on: erasing.disk.copy())
        #expect(after.store.recoveryReport.isClean)
    }

    /// Once nothing is left of it, a log is not in the checkpoint any more when that is made anew.
    @Test func theCheckpointForgetsTheLog() throws {
        let erasing = try Self.prepared.get().open()
        try delete(erasing)
        #expect(work(erasing))
        erasing.checkpoint()
        #expect(erasing.store.machine.checkpointer.table.marks[ErasingStore.log] == nil)
        #expect(erasing.store.machine.checkpointer.table.marks[ErasingStore.otherLog] != nil)
    }
}
