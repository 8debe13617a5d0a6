import DaybookFormat
import DaybookStore
import DaybookTestSupport
import Testing

@testable import DaybookControl

/// What one life of the process tells the next about requests.
@Suite struct LimitsFileTests {
    private static let page = "docs/format/limits.md"
    private static let second: UInt64 = 1_000_000_000
    private let acme = LogID(16)
    private let wall = Timestamp(microseconds: 1_767_225_600_000_000)

    private static func read(_ bytes: [UInt8]) throws(FormatError) -> LimitsFile {
        try bytes.withRawSpan { (span) throws(FormatError) in try LimitsFile(reading: span) }
    }

    @Test func theExampleOnThePageIsReadAndWritten() throws {
        let vector = try HexVectors.load(page: Self.page, name: "limits-file")
        let file = try Self.read(vector.bytes)
        #expect(file.encoded() == vector.bytes)
        let fields = try vector.fields()
        #expect(fields["written_at"]?.unsigned == UInt64(file.writtenAt.microseconds))
        #expect(file.accounts.count == 2)
        for (position, account) in file.accounts.enumerated() {
            let told = fields["accounts"]?[position]
            #expect(told?["log"]?.unsigned == account.organization.rawValue)
            #expect(told?["kind"]?.unsigned == UInt64(account.kind.rawValue))
            #expect(told?["violations"]?.unsigned == UInt64(account.violationCount))
            #expect(told?["back_off_ms"]?.unsigned == UInt64(account.backOffMilliseconds))
            #expect(told?["forgiveness_ms"]?.unsigned == UInt64(account.forgivenessMilliseconds))
            for (place, slot) in account.slots.enumerated() {
                #expect(told?["slots"]?[place]?["age"]?.unsigned == UInt64(slot.age))
                #expect(told?["slots"]?[place]?["count"]?.unsigned == UInt64(slot.count))
            }
            #expect(told?["slots"]?[account.slots.count] == nil)
        }
    }

    @Test func everyChangedByteAndEveryShorterFileIsRefused() throws {
        let bytes = try HexVectors.load(page: Self.page, name: "limits-file").bytes
        for place in bytes.indices {
            var changed = bytes
            changed[place] ^= 1
            #expect(throws: FormatError.self) { try Self.read(changed) }
            #expect(throws: FormatError.self) { try Self.read(Array(bytes.prefix(place))) }
        }
    }

    /// Offsets on the page, with a checksum that fits.
    @Test(
        arguments: [
            ("more accounts than bytes", 16, 3), ("fewer accounts than bytes", 16, 1), ("reserved word", 20, 1),
            ("log of the store itself", 24, 15), ("unknown kind", 32, 3), ("more slots than bytes", 34, 9),
            ("age beyond the window", 44, 61), ("slot of nothing", 45, 0), ("ages out of order", 49, 0),
            ("too many in a second", 48, 64), ("too many violations", 63, 10), ("back-off too long", 69, 1),
            ("forgiveness too late", 72, 9),
        ] as [(String, Int, UInt8)])
    func aWrongFieldIsRefused(name: String, offset: Int, byte: UInt8) throws {
        var bytes = try HexVectors.load(page: Self.page, name: "limits-file").bytes
        bytes[offset] = byte
        var body = Array(bytes.dropLast(4))
        body.appendChecksum()
        #expect(throws: FormatError.self) { try Self.read(body) }
    }

    @Test(arguments: 0..<60 as Range<UInt64>)
    func noMinuteHoldsMoreThanTheLimitAcrossARestart(seed: UInt64) throws {
        var random = SeededRandom(seed: seed)
        let policy = RateLimitPolicy(
            .own, ownRequestsPerMinute: UInt32([1, 3, 10, 25][random.below(4)]), isAdaptive: false)
        let limit = Int(policy.ownRequestsPerMinute)
        var limiter = RateLimiter()
        // The true time, and what has to be added to it for the monotonic clock of each life.
        var now = 40_000 * Self.second + UInt64(random.below(1_000_000_000))
        var offset: UInt64 = 0
        var admitted: [UInt64] = []
        let restartAt = 40 + random.below(80)
        for number in 0..<200 {
            if number == restartAt {
                let file = limiter.remembered(at: now + offset, wall.adding(microseconds: Int64(now / 1_000)))
                now += UInt64(random.below(20_000)) * 1_000_000 + UInt64(random.below(1_000_000))
                offset = UInt64(random.below(100_000)) * 987_654_321
                limiter = RateLimiter()
                limiter.restore(
                    try Self.read(file.encoded()), at: now + offset, wall.adding(microseconds: Int64(now / 1_000)))
            }
            now += UInt64(random.below(3) == 0 ? random.below(2_000) : random.below(20)) * 1_000_000
            let decision = try #require(limiter.admit(.batch, of: acme, policy, at: now + offset))
            let tenfold = 10 * limit
            if decision.isAdmitted { admitted.append(now) }
            for _ in 0..<9 where limiter.admit(.batch, of: acme, policy, at: now + offset)?.isAdmitted == true {
                admitted.append(now)
            }
            #expect(admitted.count { $0 + 60 * Self.second >= now } <= tenfold)
            if !decision.isAdmitted { #expect(admitted.count { $0 + 64 * Self.second > now } >= tenfold) }
        }
    }

    @Test func violationsGoOnWhereTheyWere() throws {
        let policy = RateLimitPolicy(.own, ownRequestsPerMinute: 10)
        let start = 77_000 * Self.second
        let limiter = RateLimiter()
        for _ in 0..<11 { _ = limiter.admit(.query, of: acme, policy, at: start) }
        #expect(limiter.admit(.query, of: acme, policy, at: start + Self.second)?.limit == 8)
        let violated = start + 3 * Self.second
        #expect(limiter.admit(.query, of: acme, policy, at: violated)?.limit == 6)
        let file = limiter.remembered(at: violated, wall)

        func restored(secondsLater seconds: UInt64) -> RateDecision? {
            let next = RateLimiter()
            let later = wall.adding(microseconds: Int64(seconds) * 1_000_000)
            next.restore(file, at: 5_000 * Self.second, later)
            return next.admit(.query, of: acme, policy, at: 5_000 * Self.second)
        }
        #expect(restored(secondsLater: 1)?.limit == 6)
        #expect(restored(secondsLater: 1)?.retryNanoseconds ?? 0 >= 3 * Self.second)
        #expect(restored(secondsLater: 63)?.limit == 6)
        #expect(restored(secondsLater: 64)?.limit == 8)
        #expect(restored(secondsLater: 123)?.limit == 8)
        #expect(restored(secondsLater: 124)?.limit == 10)
        #expect(restored(secondsLater: 10_000_000)?.limit == 10)
    }

    @Test func aWallClockThatWentBackCountsAsStandingStill() throws {
        let policy = RateLimitPolicy(.own, ownRequestsPerMinute: 2)
        let limiter = RateLimiter()
        for _ in 0..<2 { _ = limiter.admit(.single, of: acme, policy, at: 90 * Self.second) }
        let file = limiter.remembered(at: 90 * Self.second, wall)
        let next = RateLimiter()
        next.restore(file, at: 7 * Self.second, wall.adding(microseconds: -3_600_000_000))
        #expect(next.admit(.single, of: acme, policy, at: 7 * Self.second)?.isAdmitted == false)
        #expect(next.admit(.single, of: acme, policy, at: 68 * Self.second)?.isAdmitted == true)
    }

    @Test(arguments: [Int64.min, .max])
    func aTimeBeyondAllReasonIsNoReasonToEnd(writtenAt: Int64) {
        let slot = RateAccount.Slot(age: 60, count: 1)
        let account = RateAccount(
            organization: acme, kind: .single, violationCount: 9, backOffMilliseconds: 300_000,
            forgivenessMilliseconds: 360_000, slots: [slot])
        let file = LimitsFile(writtenAt: Timestamp(microseconds: writtenAt), accounts: [account])
        let limiter = RateLimiter()
        limiter.restore(file, at: 0, wall)
        #expect(limiter.admit(.single, of: acme, RateLimitPolicy(.free), at: 0) != nil)
    }

    @Test func silentOrganizationsAreNotRemembered() {
        let policy = RateLimitPolicy(.own, ownRequestsPerMinute: 2)
        let limiter = RateLimiter()
        _ = limiter.admit(.single, of: acme, policy, at: 100 * Self.second)
        #expect(limiter.remembered(at: 160 * Self.second, wall).accounts.count == 1)
        #expect(limiter.remembered(at: 161 * Self.second, wall).accounts.isEmpty)
    }
}
