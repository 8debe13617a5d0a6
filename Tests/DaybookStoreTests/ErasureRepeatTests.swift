import DaybookEvent
import DaybookFormat
import DaybookLog
import DaybookSegment
import DaybookSystem
import DaybookTestSupport
import Testing

@testable import DaybookStore

/// Erasures that are interrupted, copies from before that come back, and what later requests know of an erased user.
struct ErasureRepeatTests {
    private static let folder = Layout.folder(of: ErasingStore.log)
    private static let otherFolder = Layout.folder(of: ErasingStore.otherLog)

    /// A store of which every place holds events, and what is there without the user.
    private struct Prepared: Sendable {
        var disk: SimulatedDisk
        var wallMicroseconds: Int64
        var rest: [UInt64: [UInt8]]
        var other: [UInt64: [UInt8]]

        init() throws {
            let erasing = try ErasingStore()
            erasing.fillEveryPlace()
            let events = try erasing.events()
            let users = ErasingStore.sequences(of: ErasingStore.user, in: events, try erasing.families())
            disk = erasing.disk
            wallMicroseconds = erasing.clock.wallMicroseconds()
            rest = events.filter { !users.contains($0.key) }
            other = try erasing.events(of: ErasingStore.otherLog)
        }

        func open() throws -> ErasingStore { try ErasingStore(on: disk.copy(), wallMicroseconds: wallMicroseconds) }
    }

    private static let prepared = Result { try Prepared() }

    /// The next life of a store.
    private func next(_ erasing: ErasingStore, on disk: SimulatedDisk) throws -> ErasingStore {
        try ErasingStore(on: disk, wallMicroseconds: erasing.clock.wallMicroseconds())
    }

    private func check(_ erasing: ErasingStore, _ comment: Comment) throws {
        let prepared = try Self.prepared.get()
        #expect(try erasing.events() == prepared.rest, comment)
        #expect(try erasing.events(of: ErasingStore.otherLog) == prepared.other, comment)
        let found = try ErasureSearch.found(on: erasing.disk.image(), but: Self.otherFolder)
        #expect(found == [], comment)
        let manifest = try erasing.store.snapshot(of: ErasingStore.log).manifest
        #expect(manifest.firstBrokenInvariant == nil, comment)
        #expect(Set(manifest.absences.map(\.reason)) == [.erased], comment)
    }

    /// The power fails at every change that an erasure makes.
    @Test(arguments: 0..<6)
    func anErasureInterruptedAtEveryChangeIsDoneInTheNextLife(part: Int) throws {
        let prepared = try Self.prepared.get()
        var lossCount = 0
        for change in stride(from: 1 + part, through: 2_000, by: 6) {
            let erasing = try prepared.open()
            var plan = FaultPlan()
            plan.crashAtChange = change
            erasing.disk.arm(plan)
            _ = try? erasing.begin()
            erasing.work()
            guard erasing.disk.isCrashed else { break }
            lossCount += 1
            let after = try next(erasing, on: erasing.disk.copy().reopen(seed: UInt64(change)))
            // The entry may have been lost with the power: nobody was told of it then.
            if after.store.erasures(of: ErasingStore.acme).isEmpty { try after.begin() }
            #expect(after.work(), "change \(change)")
            try check(after, "change \(change)")
        }
        #expect(lossCount > 20)
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
    func aCallThatFailsDelaysAnErasureAndNothingElse(fault: Fault) throws {
        let prepared = try Self.prepared.get()
        for moment in stride(from: 1, through: 400, by: 7) {
            let erasing = try prepared.open()
            guard (try? erasing.begin()) != nil else { continue }
            erasing.disk.arm(fault.plan(moment))
            erasing.work(stepCountMax: 150)
            erasing.disk.arm(FaultPlan())
            let after = try next(erasing, on: erasing.disk.copy())
            #expect(after.work(), "moment \(moment)")
            try check(after, "moment \(moment)")
        }
    }

    @Test func theCertificateIsCompleteAlthoughTheProcessWasKilledInBetween() throws {
        let prepared = try Self.prepared.get()
        var erasing = try prepared.open()
        let erasure = try erasing.begin()
        var lifeCount = 0
        while erasing.store.shared.erasures.hasWork, lifeCount < 400 {
            for _ in 0..<25 where erasing.store.shared.erasures.hasWork { erasing.step() }
            lifeCount += 1
            if lifeCount % 3 == 0 { erasing.work() }
            erasing = try next(erasing, on: erasing.disk.copy())
        }
        try check(erasing, "after \(lifeCount) lives")
        let certificate = try erasing.certificate(erasure.id)
        let erased = Family.ofOrganizations.compactMap { certificate["events_erased"]?[$0.typeName]?.unsigned }
        let absent = try erasing.store.snapshot(of: ErasingStore.log).manifest.absences.eventCounts()
        #expect(lifeCount > 1)
        #expect(erased.reduce(0, +) == absent[.erased])
    }

    // MARK: - Copies

    /// The organization's folder comes back from a copy that was made before the erasure.
    @Test func aFolderOutOfAnOldCopyIsErasedAgain() throws {
        let erasing = try ErasingStore()
        erasing.fill(0)
        erasing.checkpoint()
        erasing.seal()
        erasing.checkpoint()
        let copy = erasing.disk.image()
        let erasure = try erasing.begin()
        #expect(erasing.work())
        erasing.checkpoint()
        var image = erasing.disk.image()
        for path in image.files.keys where path.hasPrefix(Self.folder + "/") { image.files[path] = nil }
        for (path, bytes) in copy.files where path.hasPrefix(Self.folder + "/") { image.files[path] = bytes }
        let restored = try next(erasing, on: SimulatedDisk(recovering: image))
        #expect(!restored.store.shared.erasures.hasWork)
        let visibility = try restored.store.snapshot(of: ErasingStore.log).visibility(of: .commandExecution)
        #expect(visibility.erases(user: Array(ErasingStore.user.utf8), sequence: erasure.through))
        #expect(try !ErasureSearch.found(on: restored.disk.image(), but: Self.otherFolder).isEmpty)
        #expect(restored.work())
        #expect(try ErasureSearch.found(on: restored.disk.image(), but: Self.otherFolder) == [])
        let again = try next(restored, on: restored.disk.copy())
        _ = try again.store.snapshot(of: ErasingStore.log)
        #expect(!again.store.shared.erasures.hasWork)
    }

    @Test func anErasureThatIsBegunAgainIsDoneAgain() throws {
        let erasing = try ErasingStore()
        erasing.fill(0)
        let erasure = try erasing.begin()
        #expect(erasing.work())
        let before = try erasing.events()
        try erasing.act([.erasureBegun(erasure)])
        #expect(erasing.store.erasureStatus(erasure.id)?.isDone == false)
        #expect(erasing.work())
        #expect(erasing.store.erasureStatus(erasure.id)?.isDone == true)
        #expect(try erasing.events() == before)
    }

    // MARK: - What later requests know

    @Test func aSessionOfAnErasedUserWasNeverThere() throws {
        let erasing = try ErasingStore()
        erasing.send([ErasingStore.session(ErasingStore.user, "erased-session")])
        erasing.send([ErasingStore.session("bob", "kept-session")])
        try erasing.begin()
        #expect(erasing.work())
        let erased = erasing.send(
            [(#"{"user_id":"bob","agents_used":["a"]}"#, .sessionUpdate(sessionID: Array("erased-session".utf8)))])
        let kept = erasing.send(
            [(#"{"user_id":"bob","agents_used":["a"]}"#, .sessionUpdate(sessionID: Array("kept-session".utf8)))])
        #expect(erased == .refused(.sessionNotFound(ChangePlace())))
        #expect(kept.isCommitted)
    }

    @Test func whatAnErasedUserBroughtIntoASessionOfAnotherIsGone() throws {
        let erasing = try ErasingStore()
        erasing.send([ErasingStore.session("bob", "shared")])
        erasing.send([
            (
                #"{"user_id":"\#(ErasingStore.user)","context":{"x":"\#(ErasingStore.mark)"}}"#,
                .sessionUpdate(sessionID: Array("shared".utf8))
            )
        ])
        erasing.checkpoint()
        erasing.seal()
        try erasing.begin()
        #expect(erasing.work())
        #expect(try ErasureSearch.found(on: erasing.disk.image(), but: Self.otherFolder) == [])
        let name = try #require(try erasing.store.snapshot(of: ErasingStore.log).manifest.carry)
        let carry = try CarryFile.load(disk: erasing.disk, folder: Self.folder, name: name, log: ErasingStore.log)
        #expect(carry.sessions.map(\.sessionID) == [Array("shared".utf8)])
    }

    @Test func keysOfRequestsWithEventsOfOthersAreKept() throws {
        let erasing = try ErasingStore()
        let mixed = [ErasingStore.command(ErasingStore.user, ErasingStore.mark), ErasingStore.command("bob")]
        #expect(erasing.send(mixed, key: "mixed").isCommitted)
        #expect(erasing.send([ErasingStore.command(ErasingStore.user, ErasingStore.mark)], key: "own").isCommitted)
        try erasing.begin()
        #expect(erasing.work())
        guard case .duplicate(let first, let count, _, let firstEvent) = erasing.send(mixed, key: "mixed") else {
            Issue.record("the key of others is forgotten")
            return
        }
        #expect(first == 1 && count == 2)
        let bobs = try #require(try erasing.events()[2])
        let fields = try bobs.withRawSpan { (span) throws(FormatError) in
            try EventFields(family: .commandExecution, schemaVersion: 1, reading: span)
        }
        #expect(firstEvent == fields.id)
        #expect(erasing.send([ErasingStore.command(ErasingStore.user)], key: "own").isCommitted)
    }

    // MARK: - Damage

    /// What cannot be read may be the user's: it is not kept.
    @Test func aDamagedSegmentOfTheUserIsNotSetAside() throws {
        let erasing = try ErasingStore()
        erasing.fill(0)
        erasing.checkpoint()
        erasing.seal()
        let segment = try #require(
            try erasing.store.snapshot(of: ErasingStore.log).segments.first { $0.family == .commandExecution })
        let path = Layout.path(Self.folder, segment.path)
        let directory = try SegmentReader.open(disk: erasing.disk, path: path).directory(rowGroup: 0)
        let page = try #require(directory.columns.first { $0.number == ColumnNumber.timestamp.rawValue }?.pages[0])
        erasing.disk.corrupt(path, offset: Int(page.offset) + 20, xor: 1)
        let damaged = try next(erasing, on: erasing.disk.copy())
        let erasure = try damaged.begin()
        #expect(damaged.work())
        #expect(try ErasureSearch.found(on: damaged.disk.image(), but: Self.otherFolder) == [])
        #expect(try damaged.disk.list(Self.folder).contains { $0.hasSuffix(".quarantine") } == false)
        #expect(try damaged.certificate(erasure.id)["events_unreadable"]?.unsigned == UInt64(segment.rowCount))
    }
}
