import DaybookFormat
import DaybookLog
import DaybookSegment
import DaybookSystem
import DaybookTestSupport
import Testing

@testable import DaybookStore

/// A store whose sealing, or merging, fails for as long as the test wants.
private struct FailingStore {
    static let acme = OrganizationID("acme")!

    var small: SmallStore
    private var ticket: UInt64 = 100_000

    init(_ options: StoreOptions = SmallStore.smallOptions) throws {
        small = try SmallStore(options)
        try act([.organizationCreated(Self.acme, log: SmallStore.log, at: now)])
    }

    var store: Store { small.store }
    var now: Timestamp { Timestamp(microseconds: small.clock.wallMicroseconds()) }
    var letters: [DeadLetter] { store.deadLetters() }

    /// What an administrator does, without threads to wait for.
    mutating func act(_ acts: [ControlEvent]) throws {
        ticket += 1
        store.submit(Submission(group: ControlEvent.group(of: acts, at: now), sink: small.sink, ticket: ticket))
        while store.machine.stepCommitter() == .committed {}
        guard case .committed(let firstSequence, _) = small.sink.outcome(ticket) else {
            throw SmallStoreFailure.refused
        }
        store.control.take(acts, from: firstSequence)
    }

    mutating func replay(_ letter: DeadLetter) throws {
        try act([.deadLetterRemoved(id: letter.id, isReplayed: true, at: now)])
        store.shared.tryAgain(letter.kind, SmallStore.log)
        work()
    }

    /// Everything that is to be done now.
    func work() {
        for _ in 0..<3 {
            while store.machine.stepCheckpointer() {}
            while store.machine.stepSealer() {}
            small.compact()
            while store.machine.stepCommitter() == .committed {}
        }
    }

    /// Twenty events are sealed, and twenty more wait for it, but what sealing needs is damaged.
    mutating func damageSealing() throws {
        try small.fill([20])
        try damageCarry()
        try small.append(20)
        try small.seal()
    }

    func damageCarry() throws {
        let name = try #require(try small.snapshot.manifest.carry)
        small.disk.corrupt(Layout.path(SmallStore.folder, name), offset: 40, xor: 1)
    }

    /// All attempts that are made by themselves.
    mutating func failUntilItIsALetter() {
        work()
        for seconds in [5, 10] as [UInt64] {
            small.clock.advance(seconds: seconds)
            work()
        }
    }
}

/// Work behind ingest that keeps failing: what is told, what goes on, and what brings it back.
struct DeadLetterTests {
    @Test func sealingIsTriedThreeTimesWithGrowingPauses() throws {
        var failing = try FailingStore()
        try failing.damageSealing()
        var counts: [UInt64] = []
        for _ in 0..<120 {
            failing.work()
            counts.append(failing.store.deadLetterStatus.failedAttemptCount)
            failing.small.clock.advance(seconds: 1)
        }
        // At once, after 5 seconds, after 10 more; then never.
        #expect(counts.firstIndex(of: 2) == 5)
        #expect(counts.firstIndex(of: 3) == 15)
        #expect(counts.last == 3)
        let letter = try #require(failing.letters.first)
        #expect(failing.letters.count == 1)
        #expect(letter.organization == FailingStore.acme)
        #expect(letter.kind == .sealing)
        #expect(letter.sequences == 21...40)
        #expect(letter.subject.hasSuffix(".dbl"))
        #expect(letter.attemptCount == 3)
        let pauses = letter.lastAttemptAt.microseconds - letter.firstAttemptAt.microseconds
        #expect((15_000_000..<17_000_000).contains(pauses))
        #expect(letter.error.contains("checksum"), "\(letter.error)")
        #expect(failing.store.deadLetterStatus.count == 1)
    }

    @Test func theEventsOfADeadSealingAreServedAndMoreAreTaken() throws {
        var failing = try FailingStore()
        try failing.damageSealing()
        failing.failUntilItIsALetter()
        #expect(failing.letters.count == 1)
        // All are there: twenty in segments, the others in the log. Further ones, too.
        try failing.small.check()
        try failing.small.append(30)
        try failing.small.seal()
        failing.work()
        try failing.small.check()
        #expect(try failing.small.ranges == [1...20])
        #expect(failing.letters.count == 1)
        #expect(failing.store.deadLetterStatus.failedAttemptCount == 3)
    }

    @Test func aReplayThatSucceedsSealsEverythingThatWaited() throws {
        var failing = try FailingStore()
        try failing.damageSealing()
        failing.failUntilItIsALetter()
        try failing.small.append(30)
        try failing.small.seal()
        try failing.damageCarry()
        try failing.replay(failing.letters[0])
        #expect(failing.letters == [])
        #expect(try failing.small.ranges.last?.upperBound == 70)
        try failing.small.check()
    }

    @Test func aReplayThatFailsComesBackUnderAnotherID() throws {
        var failing = try FailingStore()
        try failing.damageSealing()
        failing.failUntilItIsALetter()
        let first = failing.letters[0]
        try failing.replay(first)
        #expect(failing.letters == [])
        failing.failUntilItIsALetter()
        #expect(failing.letters.count == 1)
        #expect(failing.letters[0].id != first.id)
        #expect(failing.letters[0].sequences == first.sequences)
        #expect(failing.store.deadLetterStatus.total == 2)
    }

    @Test func aPurgedOneIsTriedAgainWhenSomethingHappens() throws {
        var failing = try FailingStore()
        try failing.damageSealing()
        failing.failUntilItIsALetter()
        try failing.act([.deadLetterRemoved(id: failing.letters[0].id, isReplayed: false, at: failing.now)])
        try failing.damageCarry()
        try failing.small.append(1)
        try failing.small.seal()
        failing.work()
        #expect(try failing.small.ranges.last?.upperBound == 41)
        try failing.small.check()
    }

    @Test func lettersOutliveTheProcessAndAreNotTriedByTheNextOne() throws {
        var failing = try FailingStore()
        try failing.damageSealing()
        failing.failUntilItIsALetter()
        let letters = failing.letters
        try failing.small.reopen(failing.small.disk.copy().reopen(seed: 4))
        #expect(failing.letters == letters)
        failing.small.clock.advance(seconds: 700)
        failing.work()
        #expect(failing.store.deadLetterStatus.failedAttemptCount == 0)
        try failing.small.check()
        // Mended in the meantime, and replayed there.
        try failing.damageCarry()
        try failing.replay(letters[0])
        #expect(failing.letters == [])
        #expect(try failing.small.ranges.last?.upperBound == 40)
        try failing.small.check()
    }

    @Test func attemptsOfAnEarlierProcessDoNotCount() throws {
        var failing = try FailingStore()
        try failing.damageSealing()
        failing.work()
        failing.small.clock.advance(seconds: 5)
        failing.work()
        try failing.small.reopen(failing.small.disk.copy())
        failing.small.clock.advance(seconds: 700)
        failing.work()
        #expect(failing.store.deadLetterStatus.failedAttemptCount == 1)
        #expect(failing.letters == [])
    }

    @Test func aPowerLossAtAnyMomentLeavesTheLetterOnceOrTheWorkUndone() throws {
        var lossCount = 0
        for change in 1...60 {
            var failing = try FailingStore()
            try failing.damageSealing()
            failing.work()
            failing.small.clock.advance(seconds: 5)
            failing.work()
            failing.small.clock.advance(seconds: 10)
            var plan = FaultPlan()
            plan.crashAtChange = change
            failing.small.disk.arm(plan)
            failing.work()
            failing.small.clock.advance(seconds: 60)
            failing.work()
            guard failing.small.disk.isCrashed else { break }
            lossCount += 1
            for seed in 0..<4 as Range<UInt64> {
                var after = failing
                try after.small.reopen(failing.small.disk.copy().reopen(seed: seed))
                #expect(after.letters.count <= 1)
                try after.small.check("change \(change), seed \(seed)", isQuiet: false)
                after.small.clock.advance(seconds: 700)
                after.failUntilItIsALetter()
                #expect(after.letters.count == 1, "change \(change), seed \(seed)")
                #expect(after.letters.first?.sequences == 21...40)
                try after.small.check("change \(change), seed \(seed), later", isQuiet: false)
            }
        }
        #expect(lossCount > 2)
    }

    @Test func aFullDiskIsNotTheWorksFault() throws {
        var failing = try FailingStore()
        try failing.small.append(40)
        failing.small.checkpoint()
        var plan = FaultPlan()
        plan.capacityByteCount = failing.small.disk.image().files.values.reduce(0) { $0 + $1.count }
        failing.small.disk.arm(plan)
        try failing.small.store.registry.with(SmallStore.log) { $0.roll() }
        failing.store.shared.addSealable(SmallStore.log)
        for _ in 0..<20 {
            while failing.store.machine.stepSealer() {}
            failing.small.clock.advance(seconds: 11)
            _ = failing.store.machine.stepCheckpointer()
        }
        #expect(failing.store.shared.lastError?.contains("noSpace") == true)
        #expect(failing.store.deadLetterStatus.failedAttemptCount == 0)
        #expect(failing.letters == [])
        failing.small.disk.arm(FaultPlan())
        failing.small.clock.advance(seconds: 11)
        failing.work()
        #expect(try failing.small.ranges == [1...40])
        try failing.small.check()
    }

    @Test func mergingThatCannotReadASegmentIsALetterAndTheRestGoesOn() throws {
        var options = SmallStore.smallOptions
        options.compaction.fanInMin = 3
        var failing = try FailingStore(options)
        try failing.small.fill([30, 30, 30])
        let missing = try failing.small.snapshot.segments[0]
        let path = Layout.path(SmallStore.folder, missing.path)
        let bytes = try failing.small.disk.readAll(path)
        try failing.small.disk.remove(path)
        failing.failUntilItIsALetter()
        let letter = try #require(failing.letters.first)
        #expect(letter.kind == .compaction)
        #expect(letter.sequences == 1...30)
        #expect(letter.subject == path)
        #expect(letter.attemptCount == 3)
        // The patrol does not bring it back, and its neighbours are merged without it.
        failing.store.shared.maintenance.addPatrolled(SmallStore.log)
        failing.small.clock.advance(seconds: 60)
        failing.work()
        try failing.small.fill([30, 30, 30])
        failing.work()
        #expect(failing.store.deadLetterStatus.failedAttemptCount == 3)
        #expect(failing.letters == [letter])
        #expect(try failing.small.ranges.first == 1...30)
        #expect(try failing.small.ranges.count < 6)
        let file = try failing.small.disk.open(path, .create)
        try bytes.withRawSpan { (span) throws(DiskError) in try file.write(span, at: 0) }
        try failing.replay(letter)
        #expect(failing.letters == [])
        try failing.small.check()
    }

    @Test func anErasureSaysWhichLetterItWaitsFor() throws {
        var failing = try FailingStore()
        try failing.damageSealing()
        failing.failUntilItIsALetter()
        let (record, acts) = try failing.store.erasureActs(
            of: "owner", in: FailingStore.acme, entropy: SeededEntropy(seed: 9))
        try failing.act(acts)
        failing.small.clock.advance(seconds: 1)
        for _ in 0..<200 {
            _ = failing.store.machine.stepCheckpointer()
            _ = failing.store.machine.stepCompactor()
            while failing.store.machine.stepCommitter() == .committed {}
            failing.small.clock.advance(microseconds: 100_000)
        }
        let status = try #require(failing.store.erasureStatus(record.id))
        #expect(status.isDone == false)
        #expect(status.lastError?.contains(hexText(failing.letters[0].id)) == true, "\(status.lastError ?? "")")
    }

    @Test(.timeLimit(.minutes(15))) func theThreadsOfAStoreRecordALetterByThemselves() throws {
        let disk = SimulatedDisk(seed: 1)
        let clock = ManualClock()
        let options = SmallStore.smallOptions
        try Store.create(disk: disk, clock: clock, entropy: SeededEntropy(seed: 1), options: options)
        let store = try Store.open(disk: disk, clock: clock, entropy: SeededEntropy(seed: 2), options: options)
        store.start()
        defer { store.shutdown() }
        let record = try store.createOrganization(FailingStore.acme)
        let work = BackgroundWork(kind: .sealing, log: record.log, sequences: 1...5)
        for _ in 0..<3 { store.shared.retries.failed(work, StoreError.unstable, at: Timestamp(microseconds: 0), 0) }
        // The thread that records is a humble one: it needs the processor, too.
        let pause = Wakeup()
        while store.deadLetters().isEmpty {
            store.threads.wakeSealer()
            _ = pause.wait(microseconds: 1_000)
        }
        #expect(store.deadLetters().map(\.sequences) == [1...5])
        try store.remove(store.deadLetters(), isReplayed: true, with: [])
        #expect(store.deadLetters() == [])
        #expect(store.shared.retries.held(.sealing, record.log, at: 0) == [])
    }

    @Test func withoutAnOrganizationThereIsNobodyToTellAndTheWorkGoesOn() {
        let board = RetryBoard()
        let work = BackgroundWork(kind: .sealing, log: SmallStore.log, sequences: 1...5)
        let now = Timestamp(microseconds: 0)
        for _ in 0..<7 { board.failed(work, StoreError.unstable, at: now, 0) }
        #expect(board.letter(.sealing, SmallStore.log) == nil)
        #expect(board.held(.sealing, SmallStore.log, at: 0) == [1...5])
        #expect(board.takeDue(at: .max) == [work])
        #expect(board.takeDue(at: .max) == [])
        board.succeeded(work)
        #expect(board.held(.sealing, SmallStore.log, at: 0) == [])
    }

    @Test func attemptsAtOverlappingRangesAreAttemptsAtOneWork() throws {
        let board = RetryBoard()
        var control = ControlState()
        let now = Timestamp(microseconds: 0)
        try control.apply(.organizationCreated(FailingStore.acme, log: SmallStore.log, at: now))
        board.adopt(control)
        func fail(_ range: ClosedRange<UInt64>) {
            board.failed(
                BackgroundWork(kind: .compaction, log: SmallStore.log, sequences: range), StoreError.unstable, at: now,
                0)
        }
        fail(1...10)
        fail(21...30)
        fail(5...12)
        #expect(board.unrecorded(10) == [])
        fail(8...9)
        #expect(board.unrecorded(10).map(\.sequences) == [1...12])
        #expect(board.unrecorded(10).map(\.attemptCount) == [3])
        // What is to be done is found out by a work of its own.
        fail(BackgroundWork.everything)
        #expect(board.held(.compaction, SmallStore.log, at: 0).count == 3)
    }
}
