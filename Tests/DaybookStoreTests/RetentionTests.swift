import DaybookFormat
import DaybookSegment
import DaybookSystem
import DaybookTestSupport
import Testing

@testable import DaybookStore

/// What has expired is invisible at once and goes later; everything else stays.
struct RetentionTests {
    /// Commands for 10 days, sessions for 20.
    static var options: StoreOptions {
        var options = SmallStore.smallOptions
        options.retention = RetentionPolicy(commands: 10, agents: 10, sessions: 20, productivity: 0)
        options.compaction.mergesRanges = false
        return options
    }

    static let day: UInt64 = 24 * 3_600

    /// The patrol comes by, and what it finds is done.
    static func maintain(_ small: SmallStore) {
        small.store.shared.maintenance.addPatrolled(SmallStore.log)
        small.compact()
    }

    @Test func expiredEventsAreInvisibleBeforeTheyAreGone() throws {
        var small = try SmallStore(Self.options)
        try small.append(20)
        try small.append(10)
        small.clock.advance(seconds: 11 * Self.day)
        let snapshot = try small.snapshot
        let then = Timestamp(microseconds: small.clock.wallMicroseconds() - 11 * Limits.dayMicroseconds)
        #expect(snapshot.visibility(of: .commandExecution).hides(timestamp: then, arrival: then))
        #expect(snapshot.visibility(of: .sessionChange).hides(timestamp: then, arrival: then) == false)
        #expect(snapshot.visibility(of: .productivityMetric) == .everything)
        #expect(snapshot.lastSequence == 30)
    }

    @Test func aSegmentGoesWhenItsNewestEventHasExpired() throws {
        var small = try SmallStore(Self.options)
        try small.fill([20])
        small.clock.advance(seconds: 5 * Self.day)
        try small.fill([20])
        small.clock.advance(seconds: 5 * Self.day)
        let before = try small.snapshot.segments
        Self.maintain(small)
        let manifest = try small.snapshot.manifest
        #expect(manifest.segments == Array(before.dropFirst()))
        #expect(manifest.absences == [Absence(range: 1...20, eventCount: 18, reason: .expired)])
        #expect(Set(try small.files).isDisjoint(with: before[0].fileNames))
        try small.check(absentCount: 18)
        #expect(small.store.compactionStatus.expiredEventCount == 18)
        small.clock.advance(seconds: 16 * Self.day)
        Self.maintain(small)
        #expect(try small.snapshot.segments.isEmpty)
        #expect(try small.snapshot.manifest.absences == [Absence(range: 1...40, eventCount: 40, reason: .expired)])
        try small.check(absentCount: 40)
    }

    @Test func aSegmentIsWrittenAnewWhenHalfOfItHasExpired() throws {
        var small = try SmallStore(Self.options)
        let start = Timestamp(microseconds: small.clock.wallMicroseconds())
        try small.append(40, at: start)
        try small.append(40, at: start.adding(microseconds: 6 * Limits.dayMicroseconds))
        try small.append(40, at: start.adding(microseconds: 7 * Limits.dayMicroseconds))
        try small.seal()
        let before = try small.snapshot.segments
        #expect(before.count == 2)
        small.clock.advance(seconds: 11 * Self.day)
        Self.maintain(small)
        #expect(try small.snapshot.segments == before)
        small.clock.advance(seconds: 5 * Self.day + 3_600)
        Self.maintain(small)
        let after = try small.snapshot.segments
        #expect(after.map(\.revision) == [1, 0])
        #expect(after.map(\.rowCount) == [36, 12])
        #expect(after[1] == before[1])
        #expect(try small.snapshot.manifest.absences == [Absence(range: 1...120, eventCount: 72, reason: .expired)])
        try small.check(absentCount: 72)
    }

    @Test func aSegmentThatTheDiskCannotReadDoesNotKeepOthersFromExpiring() throws {
        var small = try SmallStore(Self.options)
        let start = Timestamp(microseconds: small.clock.wallMicroseconds())
        for _ in 0..<2 {
            try small.append(40, at: start)
            try small.append(20, at: start.adding(microseconds: 9 * Limits.dayMicroseconds))
            try small.seal()
        }
        small.clock.advance(seconds: 11 * Self.day)
        let missing = try small.snapshot.segments[0]
        let path = Layout.path(SmallStore.folder, missing.path)
        let bytes = try small.disk.readAll(path)
        try small.disk.remove(path)
        Self.maintain(small)
        #expect(try small.snapshot.manifest.absences == [Absence(range: 61...120, eventCount: 36, reason: .expired)])
        #expect(small.store.compactionStatus.failureCount == 1)
        let file = try small.disk.open(path, .create)
        try bytes.withRawSpan { (span) throws(DiskError) in try file.write(span, at: 0) }
        Self.maintain(small)
        #expect(try small.snapshot.manifest.absences.map(\.range) == [1...60, 61...120])
        try small.check(absentCount: 72)
    }

    /// Nothing else would know its sums: it is tried again for a week, and goes without them then.
    @Test func anExpiredSegmentThatTheDiskCannotReadGoesWithItsSumsOrAfterAWeek() throws {
        var small = try SmallStore(Self.options)
        try small.fill([20])
        small.clock.advance(seconds: 11 * Self.day)
        let segment = try small.snapshot.segments[0]
        #expect(segment.family == .commandExecution)
        let path = Layout.path(SmallStore.folder, segment.path)
        let bytes = try small.disk.readAll(path)
        try small.disk.remove(path)
        Self.maintain(small)
        #expect(try small.snapshot.segments.contains(segment))
        #expect(small.store.compactionStatus.failureCount == 1)

        var healed = small
        healed.clock = ManualClock(wallMicroseconds: small.clock.wallMicroseconds())
        try healed.reopen(small.disk.copy())
        let file = try healed.disk.open(path, .create)
        try bytes.withRawSpan { (span) throws(DiskError) in try file.write(span, at: 0) }
        Self.maintain(healed)
        #expect(try healed.snapshot.history.map(\.eventCount) == [18])
        #expect(try !healed.snapshot.segments.contains(segment))

        small.clock.advance(seconds: 7 * Self.day)
        Self.maintain(small)
        #expect(try !small.snapshot.segments.contains(segment))
        #expect(try small.snapshot.history.isEmpty)
        #expect(try small.snapshot.manifest.absences == [Absence(range: 1...20, eventCount: 18, reason: .expired)])
    }

    @Test func importedOldEventsStayForADay() throws {
        var small = try SmallStore(Self.options)
        let old = Timestamp(microseconds: small.clock.wallMicroseconds() - 300 * Limits.dayMicroseconds)
        try small.append(20, at: old)
        try small.seal()
        small.clock.advance(seconds: Self.day - 60)
        Self.maintain(small)
        try small.check()
        #expect(try small.snapshot.visibility(of: .commandExecution).hides(timestamp: old, arrival: old))
        small.clock.advance(seconds: 120)
        Self.maintain(small)
        try small.check(absentCount: 20)
    }

    @Test func mergingLeavesOutWhatHasExpired() throws {
        var options = Self.options
        options.compaction.mergesRanges = true
        var small = try SmallStore(options)
        let start = Timestamp(microseconds: small.clock.wallMicroseconds())
        for _ in 0..<3 {
            try small.append(10, at: start)
            try small.append(30, at: start.adding(microseconds: 9 * Limits.dayMicroseconds))
            try small.seal()
        }
        small.compact()
        small.clock.advance(seconds: 11 * Self.day)
        try small.fill([40])
        small.compact()
        #expect(try small.ranges == [1...160])
        #expect(try small.snapshot.manifest.absences == [Absence(range: 1...160, eventCount: 27, reason: .expired)])
        try small.check(absentCount: 27)
    }

    @Test func aSmallLogIsSealedWhenItHoldsExpiredEvents() throws {
        var options = Self.options
        options.sealRowCountMin = 1_000
        var small = try SmallStore(options)
        try small.append(20)
        small.checkpoint()
        small.clock.advance(seconds: 9 * Self.day)
        try small.append(5)
        Self.maintain(small)
        #expect(small.store.shared.sealableCount == 0)
        small.clock.advance(seconds: 2 * Self.day)
        small.checkpoint()
        Self.maintain(small)
        _ = small.store.machine.stepCheckpointer()
        while small.store.machine.stepSealer() {}
        Self.maintain(small)
        let manifest = try small.snapshot.manifest
        #expect(manifest.sealedThrough == 25)
        try small.check(absentCount: 18)
    }

    @Test func expiryInterruptedAtEveryChangeLosesNothingElse() throws {
        var prepared = try SmallStore(Self.options)
        let start = Timestamp(microseconds: prepared.clock.wallMicroseconds())
        try prepared.fill([20])
        try prepared.append(30, at: start)
        try prepared.append(20, at: start.adding(microseconds: 10 * Limits.dayMicroseconds))
        try prepared.seal()
        prepared.clock.advance(seconds: 11 * Self.day)
        var lossCount = 0
        for change in 1...80 {
            var small = prepared
            try small.reopen(prepared.disk.copy())
            _ = try small.snapshot
            var plan = FaultPlan()
            plan.crashAtChange = change
            small.disk.arm(plan)
            Self.maintain(small)
            guard small.disk.isCrashed else { break }
            lossCount += 1
            for seed in 0..<4 as Range<UInt64> {
                var after = small
                try after.reopen(small.disk.copy().reopen(seed: seed))
                let absent = try after.snapshot.manifest.absences.eventCounts()
                #expect([nil, 18, 45].contains(absent[.expired]), "change \(change)")
                try after.check(absentCount: absent[.expired] ?? 0, "change \(change), seed \(seed)")
                Self.maintain(after)
                try after.check(absentCount: 45, "change \(change), seed \(seed), again")
            }
        }
        #expect(lossCount > 8)
    }

    // MARK: - Settings

    /// A store with its threads, because acts wait for the committing one.
    private static func withThreads(_ body: (SmallStore, OrganizationID) throws -> Void) throws {
        let small = try SmallStore(options)
        small.store.start()
        defer { small.store.shutdown() }
        let organization = try #require(OrganizationID("acme"))
        #expect(try small.store.createOrganization(organization).log == SmallStore.log)
        try body(small, organization)
    }

    @Test func thePolicyChangesAtRunTimeAndIsKept() throws {
        let policy = RetentionPolicy(commands: 1, agents: 2, sessions: 3, productivity: 4)
        try Self.withThreads { small, organization in
            #expect(try small.store.retention(of: organization) == Self.options.retention)
            try small.store.setRetention(policy, of: organization)
            #expect(try small.store.retention(of: organization) == policy)
            let cutOff = try small.snapshot.visibility(of: .productivityMetric).timestampCutoff
            #expect(cutOff.microseconds == small.clock.wallMicroseconds() - 4 * Limits.dayMicroseconds)
            var again = small
            try again.reopen(small.disk.copy())
            #expect(try again.store.retention(of: organization) == policy)
        }
    }

    @Test func aLegalHoldShowsEverything() throws {
        var policy = RetentionPolicy(commands: 1, agents: 1, sessions: 1, productivity: 1)
        policy.isHeld = true
        try Self.withThreads { small, organization in
            try small.store.setRetention(policy, of: organization)
            #expect(try small.snapshot.visibility(of: .commandExecution) == .everything)
        }
    }

    @Test func aPolicyOfAnUnknownOrganizationIsRefused() throws {
        try Self.withThreads { small, _ in
            let unknown = try #require(OrganizationID("nobody"))
            #expect(throws: StoreError.self) { try small.store.setRetention(.standard, of: unknown) }
            #expect(throws: StoreError.self) { try small.store.retention(of: unknown) }
        }
    }

    @Test func nothingExpiresOnceAHoldWasAcknowledged() throws {
        var small = try SmallStore(Self.options)
        let start = Timestamp(microseconds: small.clock.wallMicroseconds())
        try small.append(30, at: start)
        try small.append(20, at: start.adding(microseconds: 10 * Limits.dayMicroseconds))
        try small.seal()
        small.clock.advance(seconds: 11 * Self.day)
        small.store.shared.maintenance.addPatrolled(SmallStore.log)
        while small.store.compactionStatus.isRunning == false {
            _ = small.store.machine.stepCompactor()
            small.clock.advance(seconds: 3)
        }
        var control = ControlState()
        let organization = try #require(OrganizationID("acme"))
        let now = Timestamp(microseconds: small.clock.wallMicroseconds())
        try control.apply(.organizationCreated(organization, log: SmallStore.log, at: now))
        var policy = Self.options.retention
        policy.isHeld = true
        try control.apply(.retentionSet(organization, policy, at: now))
        small.store.shared.adopt(control)
        small.compact()
        try small.check()
        #expect(small.store.compactionStatus.failureCount == 0)
    }

    @Test func anOfflineReaderWithAClockKnowsWhatHasExpired() throws {
        try Self.withThreads { small, organization in
            try small.store.setRetention(RetentionPolicy.standard, of: organization)
            let now = Timestamp(microseconds: small.clock.wallMicroseconds())
            let family = Family.commandExecution
            let reader = try ReadOnlyStore.open(disk: small.disk, clock: small.clock)
            let found = try reader.snapshot(of: SmallStore.log).visibility(of: family)
            #expect(found == RetentionPolicy.standard.visibility(of: family, at: now))
            let timeless = try ReadOnlyStore.open(disk: small.disk)
            #expect(try timeless.snapshot(of: SmallStore.log).visibility(of: family) == .everything)
        }
    }
}
