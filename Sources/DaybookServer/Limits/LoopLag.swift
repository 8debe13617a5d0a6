/// How far an event loop is behind: how much later than it should a task runs that was to run after an interval. What
/// waits in the sockets of its connections has waited as long.
struct LoopLag {
    private let intervalNanoseconds: UInt64
    /// 0 is never too late.
    private let limitNanoseconds: UInt64
    private var begunNanoseconds: UInt64 = 0
    private(set) var isOverloaded = false

    init(intervalMilliseconds: Int, limitMilliseconds: Int) {
        intervalNanoseconds = UInt64(intervalMilliseconds) * 1_000_000
        limitNanoseconds = UInt64(limitMilliseconds) * 1_000_000
    }

    /// An interval begins, at a time of the monotonic clock.
    mutating func begin(at nanoseconds: UInt64) { begunNanoseconds = nanoseconds }

    /// The task that ends the interval runs. Holds until the next one does.
    mutating func ticked(at nanoseconds: UInt64) {
        let elapsed = nanoseconds &- begunNanoseconds
        let lateness = elapsed > intervalNanoseconds ? elapsed - intervalNanoseconds : 0
        isOverloaded = limitNanoseconds > 0 && lateness >= limitNanoseconds
    }
}
