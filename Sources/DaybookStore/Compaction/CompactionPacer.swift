internal import DaybookFormat
internal import DaybookSystem

/// Decides when compaction may work: never more than so many bytes a second, and never more than a share of one core,
/// which shrinks while ingest is busy. Has a clock and no thread: whoever steps the compactor waits.
struct CompactionPacer {
    struct Limits: Sendable {
        /// Bytes read and written per second.
        var bytesPerSecond: UInt64
        /// Percent of one core while nobody writes.
        var idlePercent: Int
        /// Percent of one core while `busyEventsPerSecond` or more arrive.
        var busyPercent: Int
        var busyEventsPerSecond: UInt64
    }

    private let clock: any Clock
    private let limits: Limits
    /// No work before this moment.
    private var restsUntil: UInt64 = 0
    private var eventsPerSecond: UInt64 = 0
    private var lastEventCount: UInt64?
    private var lastLook: UInt64 = 0

    private static let lookNanoseconds: UInt64 = 250_000_000
    /// Whatever a piece of work cost, the next look comes this soon: ingest may have become quiet.
    private static let restNanosecondsMax: UInt64 = 2_000_000_000

    init(clock: any Clock, limits: Limits) {
        self.clock = clock
        self.limits = limits
    }

    /// How long to rest before the next piece of work; 0 when it may begin.
    mutating func restNanoseconds() -> UInt64 {
        let now = clock.monotonicNanoseconds()
        return restsUntil > now ? restsUntil - now : 0
    }

    /// Watches ingest. Called before each piece of work with the number of events committed so far.
    mutating func look(committedEventCount: UInt64) {
        let now = clock.monotonicNanoseconds()
        guard let before = lastEventCount else {
            (lastEventCount, lastLook) = (committedEventCount, now)
            return
        }
        let elapsed = now - lastLook
        guard elapsed >= Self.lookNanoseconds else { return }
        let rate = (committedEventCount &- before).multipliedReportingOverflow(by: 1_000_000_000).partialValue / elapsed
        // Half of what was and half of what is: one quiet look between two bursts is no quiet time.
        eventsPerSecond = eventsPerSecond / 2 + rate / 2
        (lastEventCount, lastLook) = (committedEventCount, now)
    }

    /// Percent of one core that compaction may have now.
    var percent: Int {
        guard limits.busyEventsPerSecond > 0 else { return limits.idlePercent }
        let load = min(eventsPerSecond, limits.busyEventsPerSecond)
        let span = limits.idlePercent - limits.busyPercent
        return limits.idlePercent - span * Int(load) / Int(limits.busyEventsPerSecond)
    }

    /// A piece of work is done: the rest that it has to be followed by begins.
    mutating func charge(byteCount: UInt64, startedAt start: UInt64) {
        let now = clock.monotonicNanoseconds()
        let busy = now - start
        let share = UInt64(max(1, min(100, percent)))
        let (idle, _) = busy.multipliedReportingOverflow(by: 100 - share)
        let forShare = idle / share
        let (scaled, overflow) = byteCount.multipliedReportingOverflow(by: 1_000_000_000)
        let whole = overflow ? UInt64.max : scaled / max(1, limits.bytesPerSecond)
        let forBytes = whole > busy ? whole - busy : 0
        restsUntil = now + min(max(forShare, forBytes), Self.restNanosecondsMax)
    }

    /// Somebody needs the disk and the core more: no work for now.
    mutating func rest(nanoseconds: UInt64) { restsUntil = clock.monotonicNanoseconds() + nanoseconds }
}
