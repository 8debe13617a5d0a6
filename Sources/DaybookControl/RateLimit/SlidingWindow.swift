/// How much happened in the last 60 seconds, to the second: 61 counters of one second each, so that the 60 seconds before
/// any moment lie within them. What they count is never less than the truth, and holds at most what is 61 seconds old.
///
/// Time is given in nanoseconds of the monotonic clock. A moment before the last one that was told counts as that one:
/// two threads may read the clock and arrive in the other order.
package struct SlidingWindow: Sendable {
    package static let slotCount = 61
    static let nanosecondsPerSecond: UInt64 = 1_000_000_000

    private var slots = InlineArray<61, UInt32>(repeating: 0)
    /// The second that the newest slot counts.
    private var newest: UInt32 = 0
    package private(set) var count: UInt32 = 0

    package init() {}

    /// What a file remembers, `elapsedSeconds` after it was written. Both times were cut to whole seconds, so everything
    /// counts as one second younger: rather a second too long than one too short.
    init(_ remembered: [RateAccount.Slot], elapsedSeconds: UInt64, at now: UInt64) {
        newest = Self.second(of: now)
        for slot in remembered {
            let age = UInt64(slot.age) + elapsedSeconds
            guard age <= UInt64(Self.slotCount) else { continue }
            slots[Self.index(newest - min(newest, UInt32(max(age, 1) - 1)))] += slot.count
            count += slot.count
        }
    }

    /// What is counted, youngest first. Precondition: the window was advanced to now.
    var remembered: [RateAccount.Slot] {
        (0..<UInt8(Self.slotCount)).compactMap { age in
            guard UInt32(age) <= newest else { return nil }
            let count = slots[Self.index(newest - UInt32(age))]
            return count > 0 ? RateAccount.Slot(age: age, count: count) : nil
        }
    }

    /// The second of a moment; about 136 years are told apart.
    static func second(of nanoseconds: UInt64) -> UInt32 {
        UInt32(truncatingIfNeeded: nanoseconds / nanosecondsPerSecond)
    }

    /// Lets go of what is too old.
    /// - Returns: how many seconds have ended since with a count below `bound`; at most 61. Complexity: O(seconds), at
    ///   most 61.
    @discardableResult
    mutating func advance(to nanoseconds: UInt64, below bound: UInt32 = .max) -> UInt32 {
        let second = Self.second(of: nanoseconds)
        guard second > newest else { return 0 }
        let slotCount = UInt32(Self.slotCount)
        var calmCount: UInt32 = 0
        for _ in 0..<min(second - newest, slotCount) {
            if count < bound { calmCount += 1 }
            newest += 1
            let index = Self.index(newest)
            count -= slots[index]
            slots[index] = 0
        }
        // After 61 seconds every slot is empty, so that any of them may be the newest.
        calmCount = min(slotCount, calmCount + min(slotCount, second - newest))
        newest = second
        return calmCount
    }

    /// One more, now. Precondition: the window was advanced to now.
    mutating func add() {
        slots[Self.index(newest)] += 1
        count += 1
    }

    /// One less of those that were added at this moment; nothing when they have left.
    mutating func takeBack(from nanoseconds: UInt64) {
        let second = Self.second(of: nanoseconds)
        guard second <= newest, newest - second < UInt32(Self.slotCount) else { return }
        let index = Self.index(second)
        guard slots[index] > 0 else { return }
        slots[index] -= 1
        count -= 1
    }

    /// How long until the count is below `bound` when nothing is added; 0 when it is. Complexity: O(61).
    func nanoseconds(untilBelow bound: UInt32, from now: UInt64) -> UInt64 {
        var rest = count
        guard rest >= bound else { return 0 }
        // The oldest slot stands behind the newest. One that is older than time itself is empty.
        var index = Self.index(newest &+ 1)
        for age in (0..<UInt32(Self.slotCount)).reversed() {
            rest -= slots[index]
            if rest < bound { return Self.nanoseconds(untilGone: newest - age, from: now) }
            index = index == Self.slotCount - 1 ? 0 : index + 1
        }
        return 0
    }

    /// How long until nothing is counted any more when nothing is added. Complexity: O(61), O(1) right after `add`.
    func nanosecondsUntilEmpty(from now: UInt64) -> UInt64 {
        var index = Self.index(newest)
        for age in 0..<UInt32(Self.slotCount) {
            if slots[index] > 0 { return Self.nanoseconds(untilGone: newest - age, from: now) }
            index = index == 0 ? Self.slotCount - 1 : index - 1
        }
        return 0
    }

    private static func index(_ second: UInt32) -> Int { Int(second % UInt32(slotCount)) }

    private static func nanoseconds(untilGone second: UInt32, from now: UInt64) -> UInt64 {
        let end = (UInt64(second) + UInt64(slotCount)) * nanosecondsPerSecond
        return end > now ? end - now : 0
    }
}
