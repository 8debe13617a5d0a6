internal import DaybookFormat
internal import DaybookSystem

/// Extends the columnar tails that were asked lately, all of them together and now and then, so that the next question
/// finds little to do; and lets go of what nobody asks for any more. Stepped by the checkpoint thread.
final class TailKeeper {
    /// At 20,000 events/s about a thousand events come in between, half a millisecond of work.
    private static let intervalNanoseconds: UInt64 = 50_000_000
    private static let lookIntervalNanoseconds: UInt64 = 1_000_000_000

    private let registry: OrganizationRegistry
    private let shared: SharedState
    private let clock: any Clock
    private var nextStep: UInt64 = 0
    private var nextLook: UInt64 = 0

    init(registry: OrganizationRegistry, shared: SharedState, clock: any Clock) {
        self.registry = registry
        self.shared = shared
        self.clock = clock
    }

    /// Returns how many microseconds the next step may wait; nil when no tail is warm.
    func step() -> UInt64? {
        let tails = registry.caches.tails
        let now = clock.monotonicNanoseconds()
        if now >= nextLook {
            nextLook = now + Self.lookIntervalNanoseconds
            tails.lookAfter(nowNanoseconds: now)
        }
        let warm = tails.warmLogs(nowNanoseconds: now)
        guard !warm.isEmpty else { return nil }
        guard now >= nextStep else { return (nextStep - now) / 1_000 + 1 }
        var isBehind = false
        for log in warm where extend(log, tails) { isBehind = true }
        // At most a tenth of the thread: where more events come in, those who ask do the rest. Half of it while a tail is
        // so far behind that those who ask do not wait for it.
        let taken = clock.monotonicNanoseconds() - now
        let pause = isBehind ? taken : max(Self.intervalNanoseconds, 9 * taken)
        nextStep = now + taken + pause
        return pause / 1_000
    }

    /// By one step. Returns whether the tail is far behind after it.
    private func extend(_ log: LogID, _ tails: TailCache) -> Bool {
        var isBehind = false
        do {
            try registry.withOpen(log) { organization in
                guard let through = tails.through(log), through < organization.durableThrough else { return }
                try tails.keepWarm(log, with: organization.snapshot())
                guard let reached = tails.through(log), reached > through else { return }
                isBehind =
                    organization.durableThrough - min(reached, organization.durableThrough)
                    > TailCache.awaitedEventCount
            }
        } catch {
            // The next question meets it again and answers with it.
            shared.note(error)
        }
        return isBehind
    }
}
