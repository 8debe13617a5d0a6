import DaybookEvent
import DaybookFormat
import DaybookLog
import DaybookSystem
import DaybookTestSupport
import Testing

@testable import DaybookStore

/// The same key and body are stored once, wherever the first ones are by then, and whether or not anybody knows.
@Suite struct IdempotencyTests {
    private let log = LogID(16)

    private func expectDuplicate(
        _ outcome: CommitOutcome, first: UInt64, count: Int, sourceLocation: SourceLocation = #_sourceLocation
    ) {
        guard case .duplicate(let firstSequence, let eventCount, _, _) = outcome else {
            Issue.record("\(outcome)", sourceLocation: sourceLocation)
            return
        }
        #expect(firstSequence == first, sourceLocation: sourceLocation)
        #expect(eventCount == count, sourceLocation: sourceLocation)
    }

    @Test func aKeyIsKnownAfterARestartFromTheJournalTheLogAndTheCarryFile() throws {
        let store = try SteppedStore()
        #expect(store.commitCommands(1..<4, key: 7, to: log).isCommitted)
        try store.restart()
        expectDuplicate(store.commitCommands(1..<4, key: 7, to: log), first: 1, count: 3)
        store.checkpoint()
        try store.restart()
        expectDuplicate(store.commitCommands(1..<4, key: 7, to: log), first: 1, count: 3)
        for number in 4..<80 as Range<UInt64> { _ = store.commitCommands(number..<number + 1, to: log) }
        store.checkpointAndSeal()
        #expect(try store.store.snapshot(of: log).manifest.sealedThrough >= 3)
        // In the process that has sealed it, and in the next one, which has no log of it any more.
        expectDuplicate(store.commitCommands(1..<4, key: 7, to: log), first: 1, count: 3)
        try store.restart()
        expectDuplicate(store.commitCommands(1..<4, key: 7, to: log), first: 1, count: 3)
        #expect(try store.lastSequence(of: log) == 79)
    }

    @Test func anotherBodyUnderTheKeyIsRefusedThereToo() throws {
        let store = try SteppedStore()
        #expect(store.commitCommands(1..<2, key: 7, to: log).isCommitted)
        for number in 2..<80 as Range<UInt64> { _ = store.commitCommands(number..<number + 1, to: log) }
        store.checkpointAndSeal()
        try store.restart()
        let now = Timestamp(microseconds: store.clock.wallMicroseconds())
        var group = GroupBuilder(
            log: log, arrival: now, keyHash: IdempotencyHash(7, 1, 2, 3), bodyHash: IdempotencyHash(8, 1, 2, 3))
        TestEvents.command(1, at: now).withRawSpan {
            group.append(.commandExecution, schemaVersion: 1, encoding: $0)
        }
        #expect(store.commit(group) == .refused(.idempotencyConflict))
    }

    @Test func aKeyIsFreeAgainAfterADayAndLeavesTheMemoryOfALongLife() throws {
        let store = try SteppedStore()
        #expect(store.commitCommands(1..<2, key: 1, to: log).isCommitted)
        store.clock.advance(seconds: 24 * 3_600 - 1)
        expectDuplicate(store.commitCommands(1..<2, key: 1, to: log), first: 1, count: 1)
        store.clock.advance(seconds: 1)
        #expect(store.commitCommands(1..<2, key: 1, to: log).isCommitted)
        let organization = try store.store.registry.lease(log)
        defer { store.store.registry.release(log) }
        var state = try AppendState(organization, sessionIdleMicroseconds: 1)
        for number in 0..<20_000 as Range<UInt64> {
            let arrival = Timestamp(microseconds: store.clock.wallMicroseconds() + Int64(number) * 60_000_000)
            var group = GroupBuilder(
                log: log, arrival: arrival, keyHash: IdempotencyHash(number + 10, 0, 0, 0),
                bodyHash: IdempotencyHash(0, 0, 0, 0))
            TestEvents.command(number, at: arrival).withRawSpan {
                group.append(.commandExecution, schemaVersion: 1, encoding: $0)
            }
            group.seal(firstSequence: number + 10, durableThrough: number + 9)
            try group.bytes.withRawSpan { try state.note(group.header, $0) }
        }
        // 1,440 of them came within a day.
        #expect((1_440...8_192).contains(state.requests.count))
    }

    /// The sync of the commit fails: nobody knows whether the events are there. After the power is back, and a restart, the
    /// retry finds what was stored, or stores it.
    @Test func afterAnUnknownOutcomeTheRetryStoresOnce() throws {
        var foundCount = 0
        var storedCount = 0
        for seed in 0..<40 as Range<UInt64> {
            let disk = SimulatedDisk(seed: seed)
            let clock = ManualClock()
            let options = SteppedStore.options
            try Store.create(disk: disk, clock: clock, entropy: SeededEntropy(seed: 1), options: options)
            var store = try Store.open(disk: disk, clock: clock, entropy: SeededEntropy(seed: 2), options: options)
            let sink = CollectingSink()
            func commit(_ key: UInt64, ticket: UInt64) -> CommitOutcome {
                let now = Timestamp(microseconds: clock.wallMicroseconds())
                let hash = IdempotencyHash(key, 0, 0, 0)
                var group = GroupBuilder(log: log, arrival: now, keyHash: hash, bodyHash: hash)
                for number in 0..<3 as Range<UInt64> {
                    TestEvents.command(key * 10 + number, at: now).withRawSpan {
                        group.append(.commandExecution, schemaVersion: 1, encoding: $0)
                    }
                }
                store.submit(Submission(group: group, sink: sink, ticket: ticket))
                while store.machine.stepCommitter() == .committed {}
                return sink.outcome(ticket)
            }
            #expect(commit(1, ticket: 1).isCommitted)
            var plan = FaultPlan()
            plan.failSynchronize = 1
            disk.arm(plan)
            #expect(commit(2, ticket: 2) == .refused(.durabilityUnknown))
            // Nothing is taken until the next start: a later sync could lie.
            #expect(commit(2, ticket: 3) == .refused(.storageUnavailable))
            let after = disk.reopen(seed: seed)
            store = try Store.open(disk: after, clock: clock, entropy: SeededEntropy(seed: 3), options: options)
            switch commit(2, ticket: 4) {
            case .duplicate(4, 3, _, _): foundCount += 1
            case .committed(4, 6): storedCount += 1
            case let outcome: Issue.record("seed \(seed): \(outcome)")
            }
            expectDuplicate(commit(2, ticket: 5), first: 4, count: 3)
            expectDuplicate(commit(1, ticket: 6), first: 1, count: 3)
            #expect(try store.snapshot(of: log).lastSequence == 6)
        }
        // Both remains of the same moment are legal, and both were met.
        #expect(foundCount > 0)
        #expect(storedCount > 0)
    }

    /// The power goes at any moment of commit, checkpoint and sealing. Whatever the client was told, its retry stores once.
    @Test func aPowerLossAtAnyMomentLeavesARetryExactlyOnce() throws {
        var lossCount = 0
        for change in stride(from: 1, to: 400, by: 3) {
            let store = try SteppedStore()
            for number in 1..<60 as Range<UInt64> { _ = store.commitCommands(number..<number + 1, to: log) }
            var plan = FaultPlan()
            plan.crashAtChange = change
            store.disk.arm(plan)
            _ = store.commitCommands(60..<63, key: 9, to: log)
            store.checkpointAndSeal()
            guard store.disk.isCrashed else { break }
            lossCount += 1
            try store.losePower(seed: UInt64(change))
            let retried = store.commitCommands(60..<63, key: 9, to: log)
            if case .duplicate(60, 3, _, _) = retried {} else { #expect(retried.isCommitted, "change \(change)") }
            expectDuplicate(store.commitCommands(60..<63, key: 9, to: log), first: 60, count: 3)
            #expect(try store.lastSequence(of: log) == 62, "change \(change)")
            #expect(try store.events(of: log).count == 62)
        }
        #expect(lossCount > 10)
    }
}
