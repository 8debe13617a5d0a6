import DaybookFormat
import DaybookLog
import DaybookTestSupport
import Testing

@testable import DaybookStore

/// Organizations that use many idempotency keys: the carry file has what memory has not.
@Suite(.timeLimit(.minutes(15))) struct KnownRequestsTests {
    private static let log = LogID(16)
    private static let folder = Layout.folder(of: log)
    private static let arrival = Timestamp(microseconds: 1_767_225_600_000_000)
    private static let day = Limits.idempotencyWindowMicroseconds

    /// Spread like those of real keys.
    private static func hash(_ key: Int) -> IdempotencyHash {
        IdempotencyHash(UInt64(key + 1) &* 0x9E37_79B9_7F4A_7C15, UInt64(key), 2, 3)
    }

    private static func entry(_ key: Int, secondsLater: Int64 = 0) -> IdempotencyEntry {
        IdempotencyEntry(
            keyHash: hash(key), bodyHash: hash(key + 1_000_000), firstSequence: UInt64(2 * key + 1), eventCount: 2,
            arrival: arrival.adding(microseconds: secondsLater * 1_000_000), firstEvent: EventID(high: 1, low: 2))
    }

    private static func carry(_ keys: Range<Int>) -> CarryFile {
        CarryFile(
            log: log, sealedThrough: 100_000, requests: keys.map { entry($0, secondsLater: Int64($0)) }, sessions: [])
    }

    private static func disk(_ carry: CarryFile) throws -> SimulatedDisk {
        let disk = SimulatedDisk(seed: 1)
        try disk.createDirectory(Layout.organizations)
        try disk.createDirectory(folder)
        try carry.write(disk: disk, folder: folder)
        return disk
    }

    @Test func everyKeyOfACarryFileIsFoundWhereItStands() throws {
        let carry = Self.carry(0..<10_000)
        let disk = try Self.disk(carry)
        let sealed = SealedRequests(carry)
        #expect(sealed.byteCount == 80_000)
        let before = disk.readByteCount
        for key in stride(from: 0, to: 10_000, by: 7) {
            #expect(
                try sealed.entry(of: Self.hash(key), disk: disk, folder: Self.folder)
                    == Self.entry(key, secondsLater: Int64(key)))
        }
        #expect(disk.readByteCount - before == 1_429 * 100)
        for key in 10_000..<12_000 {
            #expect(try sealed.entry(of: Self.hash(key), disk: disk, folder: Self.folder) == nil)
        }
    }

    @Test func keysThatHaveExpiredAreCountedNoMore() {
        let sealed = SealedRequests(Self.carry(0..<10_000))
        #expect(sealed.count(at: Self.arrival) == 10_000)
        let end = Self.arrival.adding(microseconds: Self.day)
        #expect(sealed.count(at: end.adding(microseconds: 5_000 * 1_000_000)) == 10_000 - 4_096)
        #expect(sealed.count(at: end.adding(microseconds: 10_000 * 1_000_000)) == 0)
    }

    @Test func aFileThatWasReplacedOrDamagedIsNoAnswer() throws {
        let carry = Self.carry(0..<10_000)
        let sealed = SealedRequests(carry)
        let other = try Self.disk(Self.carry(5_000..<15_000))
        #expect(throws: CarryError.self) { try sealed.entry(of: Self.hash(6_000), disk: other, folder: Self.folder) }
        let shorter = try Self.disk(Self.carry(0..<10))
        #expect(throws: CarryError.self) { try sealed.entry(of: Self.hash(6_000), disk: shorter, folder: Self.folder) }
        try other.remove(Layout.path(Self.folder, carry.name))
        #expect(throws: CarryError.self) { try sealed.entry(of: Self.hash(6_000), disk: other, folder: Self.folder) }
    }

    @Test func withAsManyKeysAsAreKeptFurtherOnesAreRefusedUntilSomeExpire() throws {
        let store = try SteppedStore()
        let organization = try store.store.registry.lease(Self.log)
        defer { store.store.registry.release(Self.log) }
        let requests = KnownRequests(organization)
        for key in 0..<10 {
            #expect(requests.hasRoom(at: Self.arrival, countMax: 10))
            try requests.note(Self.entry(key, secondsLater: Int64(key)))
        }
        #expect(!requests.hasRoom(at: Self.arrival, countMax: 10))
        let end = Self.arrival.adding(microseconds: Self.day)
        #expect(!requests.hasRoom(at: end.adding(microseconds: -1_000_000), countMax: 10))
        // Nobody looks again within a minute.
        #expect(!requests.hasRoom(at: end, countMax: 10))
        #expect(requests.hasRoom(at: end.adding(microseconds: 60_000_000), countMax: 10))
        #expect(requests.entries.isEmpty)
        requests.take(Self.carry(0..<10_000))
        #expect(!requests.hasRoom(at: Self.arrival, countMax: 10_000))
        #expect(requests.hasRoom(at: end.adding(microseconds: 5_000_000_000), countMax: 10_000))
    }

    @Test func sealedKeysAreKnownInAnotherLifeAndWhileTheirFileIsReplaced() throws {
        var options = SteppedStore.options
        options.logFileByteCount = 4 << 20
        options.journalFileByteCount = 2 << 20
        let store = try SteppedStore(options)
        for start in stride(from: 0, to: 5_000, by: 250) {
            let outcomes = Self.commit(start..<start + 250, to: store)
            let areCommitted = outcomes.allSatisfy { $0.isCommitted }
            try #require(areCommitted)
            store.checkpoint()
        }
        try Self.seal(store)
        try store.restart()
        let organization = try store.store.registry.lease(Self.log)
        defer { store.store.registry.release(Self.log) }
        let requests = try AppendState(organization, sessionIdleMicroseconds: 1).requests
        #expect(requests.entries.isEmpty)
        #expect(requests.byteCount == 40_000)
        let now = Timestamp(microseconds: store.clock.wallMicroseconds())
        #expect(try requests.entry(of: Self.hash(4_321), at: now)?.firstSequence == 4_322)
        Self.expectDuplicates(store)
        // Another sealing replaces the file under the one that knows the old one.
        try #require(Self.commit(5_000, to: store).isCommitted)
        try Self.seal(store)
        Self.expectDuplicates(store)
        #expect(try requests.entry(of: Self.hash(4_321), at: now)?.firstSequence == 4_322)
        #expect(try requests.entry(of: Self.hash(5_000), at: now)?.firstSequence == 5_001)
        #expect(try requests.entry(of: Self.hash(5_001), at: now) == nil)
        #expect(try store.lastSequence(of: Self.log) == 5_001)
    }

    private static func group(_ key: Int, body: Int? = nil, _ store: SteppedStore) -> GroupBuilder {
        let now = Timestamp(microseconds: store.clock.wallMicroseconds())
        var group = GroupBuilder(log: log, arrival: now, keyHash: hash(key), bodyHash: hash(body ?? key))
        TestEvents.command(UInt64(key + 1), at: now).withRawSpan {
            group.append(.commandExecution, schemaVersion: 1, encoding: $0)
        }
        return group
    }

    private static func commit(_ key: Int, body: Int? = nil, to store: SteppedStore) -> CommitOutcome {
        store.commit(group(key, body: body, store))
    }

    /// Requests of their own, in one commit.
    private static func commit(_ keys: Range<Int>, to store: SteppedStore) -> [CommitOutcome] {
        let sink = CollectingSink()
        for key in keys {
            store.store.submit(Submission(group: group(key, store), sink: sink, ticket: UInt64(key)))
        }
        while store.store.machine.stepCommitter() != .idle {}
        return keys.map { sink.outcome(UInt64($0)) }
    }

    private static func expectDuplicates(_ store: SteppedStore) {
        for key in [0, 1, 2_500, 4_999] {
            guard case .duplicate(UInt64(key + 1), 1, _, _) = commit(key, to: store) else {
                Issue.record("key \(key) is not known")
                continue
            }
            #expect(commit(key, body: 99_999, to: store) == .refused(.idempotencyConflict))
        }
    }

    private static func seal(_ store: SteppedStore) throws {
        store.checkpoint()
        try store.store.registry.with(log) { $0.roll() }
        store.store.shared.addSealable(log)
        while store.store.machine.stepSealer() {}
    }
}
