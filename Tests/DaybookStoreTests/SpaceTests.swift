import DaybookFormat
import DaybookLog
import DaybookTestSupport
import Testing

@testable import DaybookStore

/// Full disks and full quotas: no more is taken in, and it comes back by itself.
struct SpaceTests {
    static var options: StoreOptions {
        var options = SmallStore.smallOptions
        options.compaction.byteCountMax = 100_000
        options.spaceMarginByteCount = 50_000
        return options
    }

    /// Lets the disk have this much beyond what it holds.
    static func limit(_ small: SmallStore, free: UInt64) throws {
        small.disk.arm(FaultPlan())
        var plan = FaultPlan()
        plan.capacityByteCount = small.disk.image().files.values.reduce(0) { $0 + $1.count } + Int(free)
        small.disk.arm(plan)
        small.clock.advance(seconds: 1)
        _ = small.store.machine.stepCheckpointer()
    }

    static func outcome(_ small: SmallStore, ticket: UInt64, log: LogID = SmallStore.log) -> CommitOutcome {
        let now = Timestamp(microseconds: small.clock.wallMicroseconds())
        var group = GroupBuilder(log: log, arrival: now)
        TestEvents.command(1, at: now).withRawSpan {
            group.append(.commandExecution, schemaVersion: 1, encoding: $0)
        }
        small.store.submit(Submission(group: group, sink: small.sink, ticket: ticket))
        while small.store.machine.stepCommitter() == .committed {}
        return small.sink.outcome(ticket)
    }

    @Test func ingestStopsBelowTheReserveAndComesBackByItself() throws {
        var small = try SmallStore(Self.options)
        try small.fill([20, 20])
        let reserve = small.options.spaceReserveByteCount
        #expect(reserve == 4 * 65_536 + 100_000 + 16_384 + 50_000)
        try Self.limit(small, free: reserve)
        #expect(small.store.acceptsIngest)
        try small.append(5)
        try Self.limit(small, free: reserve - 1)
        #expect(small.store.acceptsIngest == false)
        #expect(small.store.statistics.space.isLow)
        #expect(Self.outcome(small, ticket: 1_000) == .refused(.storageUnavailable))
        try small.check()
        try Self.limit(small, free: reserve + 49_999)
        #expect(small.store.acceptsIngest == false)
        try Self.limit(small, free: reserve + 50_000)
        #expect(small.store.acceptsIngest)
        try small.append(5)
        try small.check()
    }

    @Test func theControlLogGoesOnWithoutSpace() throws {
        let small = try SmallStore(Self.options)
        try Self.limit(small, free: 100_000)
        #expect(small.store.acceptsIngest == false)
        var group = GroupBuilder(log: .control, arrival: Timestamp(microseconds: small.clock.wallMicroseconds()))
        let act = ControlEvent.organizationCreated(
            OrganizationID("acme")!, log: SmallStore.log, at: Timestamp(microseconds: 0))
        act.encoded().withRawSpan { group.append(.control, schemaVersion: 1, encoding: $0) }
        small.store.submit(Submission(group: group, sink: small.sink, ticket: 9))
        while small.store.machine.stepCommitter() == .committed {}
        #expect(small.sink.outcome(9) == .committed(firstSequence: 1, lastSequence: 1))
    }

    @Test func mergingWaitsForSpaceAndExpiryDoesNot() throws {
        var options = Self.options
        options.retention = RetentionPolicy(commands: 10, agents: 10, sessions: 10, productivity: 10)
        var small = try SmallStore(options)
        try small.fill([30, 30, 30])
        small.clock.advance(seconds: 11 * 24 * 3_600)
        for _ in 0..<4 {
            try small.append(30)
            try small.seal()
        }
        try Self.limit(small, free: 200_000)
        #expect(small.store.acceptsIngest == false)
        small.compact()
        #expect(try small.ranges == [1...90, 91...120, 121...150, 151...180, 181...210])
        try small.check(absentCount: 90)
        try Self.limit(small, free: 1_000_000)
        small.store.shared.maintenance.add(SmallStore.log)
        small.compact()
        #expect(try small.ranges == [1...210])
        try small.check(absentCount: 90)
    }

    @Test func anOrganizationTakesNoMoreThanItsQuota() throws {
        var options = Self.options
        options.organizationByteCountMax = 20_000
        var small = try SmallStore(options)
        var taken = 0
        while taken < 200, (try? small.append(10)) != nil {
            taken += 1
            if taken.isMultiple(of: 4) { small.checkpoint() }
        }
        #expect((10..<200).contains(taken))
        while (try? small.append(1)) != nil {}
        #expect(Self.outcome(small, ticket: 5_000) == .refused(.quotaExceeded))
        let used = try small.store.registry.with(SmallStore.log) { $0.usedByteCount }
        #expect((18_000...20_000).contains(used))
        #expect(small.store.acceptsIngest)
        try small.seal()
        #expect(Self.outcome(small, ticket: 5_001) != .refused(.quotaExceeded))
    }

    @Test func theWholeStoreTakesNoMoreThanItsQuota() throws {
        var options = Self.options
        options.storeByteCountMax = 20_000
        var small = try SmallStore(options)
        while (try? small.append(10)) != nil {}
        while (try? small.append(1)) != nil {}
        #expect(Self.outcome(small, ticket: 5_000) == .refused(.quotaExceeded))
        #expect((18_000...20_000).contains(small.store.statistics.space.usedByteCount))
        try small.seal()
        small.compact()
        #expect(small.store.statistics.space.usedByteCount < 15_000)
        #expect(Self.outcome(small, ticket: 5_001) != .refused(.quotaExceeded))
    }

    /// Whoever comes first after a start, and whether or not anybody has opened the others yet.
    @Test func theQuotaOfTheStoreHoldsFromTheFirstCommitAfterAStart() throws {
        var small = try SmallStore(Self.options)
        try small.fill([40, 40])
        small.compact()
        try small.append(40)
        small.checkpoint()
        for ticket in 0..<20 as Range<UInt64> { _ = Self.outcome(small, ticket: 6_000 + ticket, log: LogID(17)) }
        small.checkpoint()
        try small.append(30)
        for ticket in 20..<30 as Range<UInt64> { _ = Self.outcome(small, ticket: 6_000 + ticket, log: LogID(17)) }
        let logs = [SmallStore.log, LogID(17)]
        let used = try logs.map { log in try small.store.registry.with(log) { $0.usedByteCount } }
        #expect(used.allSatisfy { $0 > 1_000 })

        small.options.storeByteCountMax = used[0] + used[1]
        try small.reopen()
        #expect(small.store.statistics.space.usedByteCount == used[0] + used[1])
        for (ticket, log) in zip([7_000, 7_001, 7_002], logs + [LogID(18)]) {
            #expect(Self.outcome(small, ticket: UInt64(ticket), log: log) == .refused(.quotaExceeded))
        }
        // Opening them has changed nothing.
        #expect(small.store.statistics.space.usedByteCount == used[0] + used[1])

        small.options.storeByteCountMax += 10_000
        try small.reopen()
        #expect(Self.outcome(small, ticket: 7_003, log: LogID(18)) == .committed(firstSequence: 1, lastSequence: 1))
        #expect(small.store.statistics.space.usedByteCount > used[0] + used[1])
    }

    @Test func theFilesOfAClosedOrganizationCountAfterAStart() throws {
        var small = try SmallStore(Self.options)
        try small.fill([40, 40])
        let used = try small.store.registry.with(SmallStore.log) { $0.usedByteCount }
        small.options.storeByteCountMax = used + 50
        small.disk.corrupt(Layout.path(SmallStore.folder, .manifest), offset: 40, xor: 1)
        try small.reopen()
        #expect(small.store.statistics.space.usedByteCount >= used)
        #expect(Self.outcome(small, ticket: 7_000, log: LogID(17)) == .refused(.quotaExceeded))
    }

    @Test func oneOrganizationThatCannotBeReadDoesNotKeepTheStoreFromOpening() throws {
        var small = try SmallStore(Self.options)
        try small.fill([40])
        try small.append(40)
        small.checkpoint()
        small.options.storeByteCountMax = 1 << 30
        // One read after the other fails: without identity, checkpoint, journal or control log nothing opens.
        var errors: [String] = []
        for read in 1...40 {
            var plan = FaultPlan()
            plan.failRead = read
            small.disk.arm(plan)
            guard (try? small.reopen()) != nil else { continue }
            guard let error = small.store.statistics.lastError else { continue }
            errors.append(error)
            #expect(small.store.statistics.space.usedByteCount > 0)
        }
        #expect(!errors.isEmpty && errors.allSatisfy { $0.contains(SmallStore.folder) }, "\(errors)")
    }

    @Test func aQuotaOfAnOrganizationGoesBeforeThatOfTheOptions() throws {
        var control = ControlState()
        let organization = try #require(OrganizationID("acme"))
        let now = Timestamp(microseconds: 0)
        try control.apply(.organizationCreated(organization, log: SmallStore.log, at: now))
        try control.apply(.quotaSet(organization, byteCount: 1, at: now))
        let table = SettingsTable(standard: .standard, quotaByteCount: 7)
        #expect(table.quotaByteCount(of: SmallStore.log) == 7)
        #expect(table.adopt(control) == [SmallStore.log])
        #expect(table.quotaByteCount(of: SmallStore.log) == 1)
        #expect(table.quotaByteCount(of: LogID(17)) == 7)
        #expect(table.adopt(control) == [])
    }
}
