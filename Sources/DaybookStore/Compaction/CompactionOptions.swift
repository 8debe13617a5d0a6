/// How compaction and retention go about their work. Part of `StoreOptions`.
package struct CompactionOptions: Sendable {
    /// Whether ranges, and history files, are merged. Retention works in any case.
    package var mergesRanges = true
    /// Ranges that are merged at once; of history files no fewer, either.
    package var fanInMin = 4
    package var fanInMax = 16
    /// The largest range that merging makes: eight full row groups. Memory for its index and rollup grows with it.
    package var rowCountMax = 524_288
    package var byteCountMax: UInt64 = 64 << 20
    /// The largest history file that merging makes. In memory it takes some twenty times as much.
    package var historyByteCountMax: UInt64 = 256 << 10
    /// Bytes of segments read and written per second.
    package var bytesPerSecond: UInt64 = 32 << 20
    /// Percent of one core while nobody writes, and while this many events a second arrive.
    package var idlePercent = 60
    package var busyPercent = 10
    package var busyEventsPerSecond: UInt64 = 5_000
    /// Every organization is looked at once in this time, although nothing happened to it.
    package var patrolMicroseconds: Int64 = 6 * 3_600 * 1_000_000
    /// The same for the first time after a start.
    package var firstPatrolMicroseconds: Int64 = 600 * 1_000_000

    package init() {}

    var planLimits: CompactionLimits {
        CompactionLimits(fanIn: fanInMin...fanInMax, outputRowCountMax: rowCountMax, outputByteCountMax: byteCountMax)
    }

    var pacerLimits: CompactionPacer.Limits {
        CompactionPacer.Limits(
            bytesPerSecond: bytesPerSecond, idlePercent: idlePercent, busyPercent: busyPercent,
            busyEventsPerSecond: busyEventsPerSecond)
    }

    func check() {
        precondition(fanInMin >= 2 && fanInMin <= fanInMax)
        precondition(rowCountMax >= 1 && byteCountMax >= 1 && historyByteCountMax >= 1 && bytesPerSecond >= 1)
        precondition(busyPercent >= 1 && busyPercent <= idlePercent && idlePercent <= 100)
        precondition(patrolMicroseconds >= 1 && firstPatrolMicroseconds >= 1)
    }
}
