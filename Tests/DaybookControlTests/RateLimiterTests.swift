import DaybookFormat
import DaybookStore
import Testing

@testable import DaybookControl

@Suite struct RateLimiterTests {
    private let acme = LogID(16)
    private let umbrella = LogID(32)
    private let now: UInt64 = 1_000_000_000_000

    private func admittedCount(
        _ limiter: RateLimiter, _ kind: RequestKind, _ organization: LogID, _ policy: RateLimitPolicy, tries: Int
    ) -> Int {
        (0..<tries).count { _ in limiter.admit(kind, of: organization, policy, at: now)?.isAdmitted == true }
    }

    @Test(arguments: [(RateLimitPolicy.Tier.free, 100), (.professional, 1_000), (.enterprise, 5_000)])
    func eachTierAdmitsItsNumberAndTenTimesAsManyBatches(tier: RateLimitPolicy.Tier, count: Int) {
        let limiter = RateLimiter()
        let policy = RateLimitPolicy(tier)
        #expect(admittedCount(limiter, .single, acme, policy, tries: count + 50) == count)
        #expect(admittedCount(limiter, .batch, acme, policy, tries: 10 * count + 50) == 10 * count)
        #expect(admittedCount(limiter, .query, acme, policy, tries: count + 50) == count)
        #expect(admittedCount(limiter, .single, umbrella, policy, tries: 1) == 1)
        #expect(limiter.organizationCount == 2)
    }

    @Test func anOrganizationWithoutALimitIsNotCounted() {
        let limiter = RateLimiter()
        #expect(limiter.admit(.single, of: acme, .standard, at: now) == nil)
        #expect(limiter.organizationCount == 0)
    }

    @Test func anOwnLimitAndItsBurstHold() {
        let limiter = RateLimiter()
        let policy = RateLimitPolicy(.own, ownRequestsPerMinute: 7, burst: 3)
        #expect(admittedCount(limiter, .single, acme, policy, tries: 50) == 10)
        #expect(admittedCount(limiter, .batch, acme, policy, tries: 150) == 100)
    }

    @Test func anotherPolicyPardonsAndKeepsTheCount() {
        let limiter = RateLimiter()
        let small = RateLimitPolicy(.own, ownRequestsPerMinute: 10)
        #expect(admittedCount(limiter, .single, acme, small, tries: 11) == 10)
        let later = now + 1_000_000_000
        #expect(limiter.admit(.single, of: acme, small, at: later)?.limit == 8)
        let larger = RateLimitPolicy(.own, ownRequestsPerMinute: 12)
        #expect(limiter.admit(.single, of: acme, larger, at: later)?.remaining == 1)
    }

    @Test func threadsTogetherGetNoMoreThanTheLimit() async {
        let limiter = RateLimiter()
        let count = await withTaskGroup(of: Int.self) { group in
            for _ in 0..<8 {
                group.addTask { admittedCount(limiter, .single, acme, RateLimitPolicy(.professional), tries: 400) }
            }
            return await group.reduce(0, +)
        }
        #expect(count == 1_000)
    }

    @Test func anOrganizationTakesLessThanAKibibyte() {
        // Beside it stand the object's head and lock, the allocator's head, and its place in the table.
        #expect(MemoryLayout<RateLimiter.Budgets>.size + 16 + 8 + 16 + 32 <= 1_024)
    }

    @Test func soManyBatchesGetInAtATime() {
        let gate = BatchGate()
        #expect((0..<7).map { _ in gate.enter(acme, countMax: 5) } == [true, true, true, true, true, false, false])
        #expect(gate.enter(umbrella, countMax: 1))
        gate.leave(acme)
        #expect(gate.enter(acme, countMax: 5))
        #expect(!gate.enter(acme, countMax: 5))
    }
}

@Suite struct AddressLimiterTests {
    private let second: UInt64 = 1_000_000_000
    private let start: UInt64 = 500_000_000_000

    private func address(_ number: Int) throws -> ClientAddress {
        try #require(ClientAddress("10.0.\(number / 256).\(number % 256)"))
    }

    @Test func eachAddressHasItsOwnAccount() throws {
        let limiter = AddressLimiter(RateLimit(requestsPerMinute: 2))
        for number in 0..<300 {
            let told = try (0..<3).map { _ in limiter.admit(try address(number), at: start).isAdmitted }
            #expect(told == [true, true, false])
        }
        #expect(limiter.addressCount == 300)
    }

    @Test func whoIsNewShareOneAccountWhileTheTableIsFull() throws {
        let limiter = AddressLimiter(RateLimit(requestsPerMinute: 2), addressCountMax: 4, shardCount: 1)
        for number in 0..<4 { #expect(limiter.admit(try address(number), at: start).isAdmitted) }
        let told = try (4..<20).map { limiter.admit(try address($0), at: start).isAdmitted }
        #expect(told.prefix(2).allSatisfy { $0 } && told.dropFirst(2).allSatisfy { !$0 })
        #expect(limiter.admit(try address(0), at: start).isAdmitted)
        #expect(limiter.addressCount == 4)
    }

    @Test func silentAddressesMakeRoom() throws {
        let limiter = AddressLimiter(RateLimit(requestsPerMinute: 1), addressCountMax: 4, shardCount: 1)
        for number in 0..<4 { #expect(limiter.admit(try address(number), at: start).isAdmitted) }
        let later = start + 61 * second
        #expect(limiter.admit(try address(0), at: later).isAdmitted)
        for number in 4..<7 { #expect(limiter.admit(try address(number), at: later).isAdmitted) }
        #expect(!limiter.admit(try address(0), at: later).isAdmitted)
        #expect(!limiter.admit(try address(6), at: later).isAdmitted)
        #expect(limiter.addressCount == 4)
    }

    @Test func anAddressThatHasToWaitIsNotForgotten() throws {
        let limiter = AddressLimiter(RateLimit(requestsPerMinute: 1), addressCountMax: 1, shardCount: 1)
        let guesser = try address(1)
        #expect(limiter.admit(guesser, at: start).isAdmitted)
        #expect(!limiter.admit(guesser, at: start).isAdmitted)
        // A violation: it came again although it was told to wait.
        #expect(!limiter.admit(guesser, at: start + 2 * second).isAdmitted)
        let later = start + 62 * second
        #expect(limiter.admit(try address(2), at: later).isAdmitted)
        #expect(!limiter.admit(try address(3), at: later).isAdmitted)
        #expect(limiter.addressCount == 1)
    }

    @Test func whatTurnsOutRightIsGivenBack() throws {
        let limiter = AddressLimiter(RateLimit(requestsPerMinute: 1), addressCountMax: 1, shardCount: 1)
        for number in [1, 1, 1, 2, 2, 2] {
            #expect(limiter.admit(try address(number), at: start).isAdmitted)
            limiter.takeBack(try address(number), from: start)
        }
    }
}

@Suite struct ClientAddressTests {
    @Test(arguments: [
        ("10.1.2.3", "::ffff:10.1.2.3"), ("::ffff:a01:203", "10.1.2.3"), ("2001:db8:1:2::1", "2001:DB8:1:2:ffff::"),
        ("2001:db8::", "2001:0db8:0:0:1:2:3:4"), ("::", "::1"), ("2001:db8:1:2:3:4:5:6", "2001:db8:1:2:3:4:5.6.7.8"),
    ])
    func theseAreOneClient(one: String, other: String) throws {
        #expect(try #require(ClientAddress(one)) == #require(ClientAddress(other)))
    }

    @Test(arguments: [("10.1.2.3", "10.1.2.4"), ("2001:db8:1:2::", "2001:db8:1:3::"), ("0.0.0.0", "::")])
    func theseAreTwoClients(one: String, other: String) throws {
        #expect(try #require(ClientAddress(one)) != #require(ClientAddress(other)))
    }

    @Test(arguments: [
        "", ":", ":::", "1", "1.2.3", "1.2.3.4.5", "1.2.3.256", "1.2.3.-4", "1.2.3.+4", "a.b.c.d", "1::2::3", "12345::",
        "1:2:3:4:5:6:7", "1:2:3:4:5:6:7:8:9", "1:2:3:4:5:6:7:8::", "::1%eth0", "1:2:3:4:5:6:7:", "::+1", "1.2.3.4::",
        "example.org", "1..2.3",
    ])
    func thisIsNoAddress(text: String) {
        #expect(ClientAddress(text) == nil)
    }
}
