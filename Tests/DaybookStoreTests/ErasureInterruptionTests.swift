import DaybookFormat
import DaybookRollup
import DaybookSystem
import DaybookTestSupport
import Testing

@testable import DaybookStore

/// An erasure comes to its end whatever interrupts it, with and without sums of expired events.
struct ErasureInterruptionTests {
    enum Place: CaseIterable {
        /// Events in segments, in log files, in memory and in the journal.
        case events
        /// These, and history files with the user.
        case eventsAndHistory
    }

    /// A store before an erasure, and what is there without the user.
    private struct Prepared: Sendable {
        var place: Place
        var disk: SimulatedDisk
        var wallMicroseconds: Int64
        var rest: [UInt64: [UInt8]]
        var other: [UInt64: [UInt8]]
        /// Events that only history files count.
        var historyEventCount: UInt64

        init(_ place: Place) throws {
            self.place = place
            let erasing = try ErasingStore()
            if place == .eventsAndHistory { erasing.fillHistory() }
            erasing.fillEveryPlace()
            let events = try erasing.events()
            let users = ErasingStore.sequences(of: ErasingStore.user, in: events, try erasing.families())
            disk = erasing.disk
            wallMicroseconds = erasing.clock.wallMicroseconds()
            rest = events.filter { !users.contains($0.key) }
            other = try erasing.events(of: ErasingStore.otherLog)
            historyEventCount = try erasing.store.snapshot(of: ErasingStore.log).history.reduce(0) {
                $0 + $1.eventCount
            }
        }

        func open() throws -> ErasingStore { try ErasingStore(on: disk.copy(), wallMicroseconds: wallMicroseconds) }

        /// The user is nowhere, everything else is where it was, and every sequence is accounted for.
        func check(_ erasing: ErasingStore, _ comment: Comment) throws {
            #expect(try erasing.events() == rest, comment)
            #expect(try erasing.events(of: ErasingStore.otherLog) == other, comment)
            let folder = Layout.folder(of: ErasingStore.otherLog)
            #expect(try ErasureSearch.found(on: erasing.disk.image(), but: folder) == [], comment)
            let snapshot = try erasing.store.snapshot(of: ErasingStore.log)
            #expect(snapshot.manifest.firstBrokenInvariant == nil, comment)
            let reasons: Set<AbsenceReason> = place == .events ? [.erased] : [.erased, .expired]
            #expect(Set(snapshot.manifest.absences.map(\.reason)) == reasons, comment)
            for file in snapshot.history { #expect(try snapshot.rollup(of: file)?.damages == [], comment) }
            #expect(snapshot.history.reduce(0) { $0 + $1.eventCount } == historyEventCount, comment)
            #expect(snapshot.damage == [], comment)
        }
    }

    private static let prepared = Dictionary(
        uniqueKeysWithValues: Place.allCases.map { place in (place, Result { try Prepared(place) }) })

    private func prepared(_ place: Place) throws -> Prepared { try #require(Self.prepared[place]).get() }

    /// The next life of a store.
    private func next(_ erasing: ErasingStore, on disk: SimulatedDisk) throws -> ErasingStore {
        try ErasingStore(on: disk, wallMicroseconds: erasing.clock.wallMicroseconds())
    }

    @Test func aUserIsInHistoryFilesBeforeTheErasure() throws {
        let prepared = try prepared(.eventsAndHistory)
        #expect(prepared.historyEventCount > 20)
        let folder = Layout.folder(of: ErasingStore.otherLog)
        let found = try ErasureSearch.found(on: prepared.disk.image(), but: folder)
        #expect(found.contains { $0.hasSuffix(".dba") })
        #expect(found.contains { $0.hasSuffix(".dbs") } && found.contains { $0.hasSuffix(".dbl") })
    }

    /// The power fails at every change that an erasure makes. What lies between two changes reads, and leaves nothing.
    @Test(arguments: Place.allCases, 0..<6)
    func anErasureInterruptedAtEveryChangeIsDoneInTheNextLife(place: Place, part: Int) throws {
        let prepared = try prepared(place)
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
            try prepared.check(after, "change \(change)")
        }
        #expect(lossCount > 20)
    }

    /// Every call of an erasure fails once, those that only read included. It goes on in the same life, or in the next one
    /// where the store takes nothing any more because it could not synchronize.
    @Test(arguments: Place.allCases, 0..<6)
    func aCallThatFailsDelaysAnErasureAndNothingElse(place: Place, part: Int) throws {
        let prepared = try prepared(place)
        var failureCount = 0
        for call in stride(from: 1 + part, through: 20_000, by: 6) {
            let erasing = try prepared.open()
            try erasing.begin()
            let before = erasing.disk.callCount
            var plan = FaultPlan()
            plan.failCall = call
            erasing.disk.arm(plan)
            let isDone = erasing.work()
            guard erasing.disk.callCount - before >= call else { break }
            failureCount += 1
            erasing.disk.arm(FaultPlan())
            if isDone {
                try prepared.check(erasing, "call \(call)")
            } else {
                #expect(erasing.store.shared.isPoisoned, "call \(call)")
                let after = try next(erasing, on: erasing.disk.copy().reopen(seed: UInt64(call)))
                #expect(after.work(), "call \(call)")
                try prepared.check(after, "call \(call), the next life")
            }
        }
        #expect(failureCount > 60)
    }

    enum Fault: CaseIterable {
        /// With a part of the bytes written.
        case write
        case full

        func plan(_ moment: Int) -> FaultPlan {
            var plan = FaultPlan()
            switch self {
            case .write: plan.failWrite = moment
            case .full: plan.fillAtWrite = moment
            }
            return plan
        }
    }

    /// The process is killed some time after a write has failed.
    @Test(arguments: Place.allCases, Fault.allCases)
    func aWriteThatFailsDelaysAnErasureAndNothingElse(place: Place, fault: Fault) throws {
        let prepared = try prepared(place)
        for moment in stride(from: 1, through: 400, by: 7) {
            let erasing = try prepared.open()
            guard (try? erasing.begin()) != nil else { continue }
            erasing.disk.arm(fault.plan(moment))
            erasing.work(stepCountMax: 150)
            erasing.disk.arm(FaultPlan())
            let after = try next(erasing, on: erasing.disk.copy())
            #expect(after.work(), "moment \(moment)")
            try prepared.check(after, "moment \(moment)")
        }
    }

    @Test(arguments: Place.allCases)
    func theCertificateIsCompleteAlthoughTheProcessWasKilledInBetween(place: Place) throws {
        let prepared = try prepared(place)
        var erasing = try prepared.open()
        let erasure = try erasing.begin()
        var lifeCount = 0
        while erasing.store.shared.erasures.hasWork, lifeCount < 400 {
            for _ in 0..<25 where erasing.store.shared.erasures.hasWork { erasing.step() }
            lifeCount += 1
            if lifeCount % 3 == 0 { erasing.work() }
            erasing = try next(erasing, on: erasing.disk.copy())
        }
        try prepared.check(erasing, "after \(lifeCount) lives")
        let certificate = try erasing.certificate(erasure.id)
        let erased = Family.ofOrganizations.compactMap { certificate["events_erased"]?[$0.typeName]?.unsigned }
        let absent = try erasing.store.snapshot(of: ErasingStore.log).manifest.absences.eventCounts()
        #expect(lifeCount > 1)
        #expect(erased.reduce(0, +) == absent[.erased])
        let rewritten = certificate["files_rewritten"]?.elements ?? []
        let old = rewritten.compactMap { $0["old"]?[0]?["file"]?.string }
        #expect(old.contains { $0.hasSuffix(".dba") } == (place == .eventsAndHistory))
    }
}
