/// Bytes per second over the last minute, in six slots of ten seconds.
struct ByteRate {
    private static let slotNanoseconds: UInt64 = 10_000_000_000
    private static let slotCount: UInt64 = 6

    private var slots = [UInt64](repeating: 0, count: Int(Self.slotCount))
    private var lastSlot: UInt64 = 0

    mutating func add(_ byteCount: UInt64, at nanoseconds: UInt64) {
        forget(before: nanoseconds)
        slots[Int(lastSlot % Self.slotCount)] += byteCount
    }

    mutating func perSecond(at nanoseconds: UInt64) -> UInt64 {
        forget(before: nanoseconds)
        return slots.reduce(0, +) / (Self.slotCount * Self.slotNanoseconds / 1_000_000_000)
    }

    private mutating func forget(before nanoseconds: UInt64) {
        let slot = nanoseconds / Self.slotNanoseconds
        guard slot > lastSlot else { return }
        for passed in 1...min(slot - lastSlot, Self.slotCount) {
            slots[Int((lastSlot + passed) % Self.slotCount)] = 0
        }
        lastSlot = slot
    }
}
