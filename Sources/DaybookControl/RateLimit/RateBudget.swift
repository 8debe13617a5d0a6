internal import DaybookFormat

/// How often something may happen.
package struct RateLimit: Sendable, Equatable {
    /// In any 60 seconds; at least 1.
    package var requestsPerMinute: UInt32
    /// So many more, now and then: what was used of it comes back within a minute of staying below the limit.
    package var burst: UInt32
    /// Whether those who go on although they were told to wait get less.
    package var isAdaptive: Bool

    /// Precondition: at least one request a minute.
    package init(requestsPerMinute: UInt32, burst: UInt32 = 0, isAdaptive: Bool = true) {
        precondition(requestsPerMinute > 0)
        self.requestsPerMinute = requestsPerMinute
        self.burst = burst
        self.isAdaptive = isAdaptive
    }
}

/// Whether a request is admitted, and what its sender is told.
package struct RateDecision: Sendable, Equatable {
    package var isAdmitted: Bool
    /// Requests in 60 seconds, after any reduction; without the burst, which is not to be planned with.
    package var limit: UInt32
    package var remaining: UInt32
    /// Until the whole limit is there again when nothing more is sent.
    package var resetNanoseconds: UInt64
    /// Until a request may be admitted; 0 when this one is.
    package var retryNanoseconds: UInt64

    /// Whole seconds, rounded up.
    package var retrySeconds: UInt64 { Self.seconds(retryNanoseconds) }
    package var resetSeconds: UInt64 { Self.seconds(resetNanoseconds) }

    private static func seconds(_ nanoseconds: UInt64) -> UInt64 {
        let second = SlidingWindow.nanosecondsPerSecond
        return nanoseconds / second + (nanoseconds % second == 0 ? 0 : 1)
    }
}

/// One sender's requests of one kind: an exact sliding window, and a memory of how the sender took its refusals.
///
/// Whoever reaches the limit is told when to come again, and those who wait always have the whole limit. A request that
/// comes before that is a violation, unless it comes within a second of the first refusal, when it was under way. Each
/// violation takes a fifth of the limit, down to a tenth of it, and everything is refused for 2^n seconds after the n-th
/// one, at most 300; what is refused meanwhile is no further violation. Each minute without a violation after that takes
/// one off.
package struct RateBudget: Sendable {
    static let backOffSecondsMax: UInt64 = 300
    /// 2^9 seconds are beyond the longest back-off, and the limit is at its floor after five.
    static let violationCountMax: UInt8 = 9
    static let backOffMillisecondsMax = UInt32(backOffSecondsMax) * 1_000
    static let forgivenessMillisecondsMax = backOffMillisecondsMax + 60_000
    private static let millisecond: UInt64 = 1_000_000
    private static let second = SlidingWindow.nanosecondsPerSecond
    private static let decayNanoseconds = 60 * second
    /// The burst is counted in sixtieths of a request: of all that is missing one comes back each second.
    private static let burstUnit: UInt64 = 60

    private var window = SlidingWindow()
    private var burstCredit: UInt64 = 0
    package private(set) var violationCount: UInt8 = 0
    private var isBackingOff = false
    /// Refusals before this moment are no violations.
    private var quietUntil: UInt64 = 0
    /// When the sender was told to come again.
    private var toldUntil: UInt64 = 0
    /// When the next violation is forgiven.
    private var decayAt: UInt64 = 0

    package init() {}

    /// Counts a request, or refuses it.
    /// - Parameter now: nanoseconds of the monotonic clock.
    /// Complexity: O(1) in a busy second; else O(61).
    package mutating func admit(at now: UInt64, _ limit: RateLimit) -> RateDecision {
        forgive(at: now)
        let calmCount = window.advance(to: now, below: limit.requestsPerMinute)
        burstCredit = min(burstCredit + UInt64(calmCount) * UInt64(limit.burst), UInt64(limit.burst) * Self.burstUnit)
        let allowed = allowance(of: limit)
        if isBackingOff, now < quietUntil { return refusal(at: now, allowed) }
        if window.count < allowed { return admission(at: now, allowed) }
        if violationCount == 0, burstCredit >= Self.burstUnit {
            burstCredit -= Self.burstUnit
            return admission(at: now, allowed)
        }
        if limit.isAdaptive { note(at: now, limit) }
        return refusal(at: now, allowance(of: limit))
    }

    /// Undoes an admission of this moment: it turned out not to count.
    package mutating func takeBack(from moment: UInt64) { window.takeBack(from: moment) }

    /// Forgives every violation; what was counted goes on counting.
    mutating func pardon() {
        violationCount = 0
        isBackingOff = false
        quietUntil = 0
        toldUntil = 0
    }

    /// Whether forgetting all this would change no later decision.
    mutating func isForgettable(at now: UInt64) -> Bool {
        forgive(at: now)
        window.advance(to: now)
        return window.count == 0 && violationCount == 0 && now >= toldUntil
    }

    private mutating func admission(at now: UInt64, _ allowed: UInt32) -> RateDecision {
        window.add()
        return RateDecision(
            isAdmitted: true, limit: allowed, remaining: allowed > window.count ? allowed - window.count : 0,
            resetNanoseconds: window.nanosecondsUntilEmpty(from: now), retryNanoseconds: 0)
    }

    private func refusal(at now: UInt64, _ allowed: UInt32) -> RateDecision {
        let retry = max(retryNanoseconds(at: now, allowed), 1)
        return RateDecision(
            isAdmitted: false, limit: allowed, remaining: 0,
            resetNanoseconds: max(retry, window.nanosecondsUntilEmpty(from: now)), retryNanoseconds: retry)
    }

    private func retryNanoseconds(at now: UInt64, _ allowed: UInt32) -> UInt64 {
        let untilQuiet = isBackingOff && quietUntil > now ? quietUntil - now : 0
        return max(window.nanoseconds(untilBelow: allowed, from: now), untilQuiet)
    }

    // MARK: From one life of the process to the next

    /// The account as a file remembers it; nil when there is nothing to remember.
    mutating func remembered(
        at now: UInt64, as kind: RequestKind, of organization: LogID
    ) -> RateAccount? {
        forgive(at: now)
        window.advance(to: now)
        guard window.count > 0 || violationCount > 0 else { return nil }
        let backOff = isBackingOff && quietUntil > now ? (quietUntil - now) / Self.millisecond : 0
        let forgiveness = violationCount > 0 ? (decayAt - now) / Self.millisecond : 0
        return RateAccount(
            organization: organization, kind: kind, violationCount: violationCount,
            backOffMilliseconds: UInt32(backOff), forgivenessMilliseconds: UInt32(forgiveness),
            slots: window.remembered)
    }

    /// The account of a file that was written so long ago. The burst has to be earned anew.
    init(_ account: RateAccount, elapsedNanoseconds: UInt64, at now: UInt64) {
        window = SlidingWindow(account.slots, elapsedSeconds: elapsedNanoseconds / Self.second, at: now)
        violationCount = account.violationCount
        let backOff = UInt64(account.backOffMilliseconds) * Self.millisecond
        isBackingOff = backOff > elapsedNanoseconds
        quietUntil = isBackingOff ? now + backOff - elapsedNanoseconds : 0
        toldUntil = quietUntil
        let forgiveness = UInt64(account.forgivenessMilliseconds) * Self.millisecond
        if forgiveness >= elapsedNanoseconds {
            decayAt = now + forgiveness - elapsedNanoseconds
        } else {
            forgive(since: elapsedNanoseconds - forgiveness)
            decayAt = now + Self.decayNanoseconds - (elapsedNanoseconds - forgiveness) % Self.decayNanoseconds
        }
    }

    // MARK: Violations

    /// A fifth less for each violation, at least a tenth and never nothing.
    private func allowance(of limit: RateLimit) -> UInt32 {
        guard limit.isAdaptive, violationCount > 0 else { return limit.requestsPerMinute }
        let tenths = UInt64(10 - min(9, 2 * Int(violationCount)))
        return max(1, UInt32(UInt64(limit.requestsPerMinute) * tenths / 10))
    }

    private mutating func note(at now: UInt64, _ limit: RateLimit) {
        if now >= toldUntil {
            isBackingOff = false
            quietUntil = now + Self.second
        } else if now >= quietUntil {
            violationCount = min(violationCount + 1, Self.violationCountMax)
            isBackingOff = true
            quietUntil = now + min(Self.backOffSecondsMax, 1 << UInt64(violationCount)) * Self.second
            decayAt = quietUntil + Self.decayNanoseconds
        }
        toldUntil = now + retryNanoseconds(at: now, allowance(of: limit))
    }

    private mutating func forgive(at now: UInt64) {
        guard violationCount > 0, now >= decayAt else { return }
        let overdue = now - decayAt
        forgive(since: overdue)
        decayAt = now + Self.decayNanoseconds - overdue % Self.decayNanoseconds
    }

    /// One violation at once, and one more for each whole minute since.
    private mutating func forgive(since overdueNanoseconds: UInt64) {
        let count = overdueNanoseconds / Self.decayNanoseconds + 1
        violationCount = count >= violationCount ? 0 : violationCount - UInt8(count)
    }
}
