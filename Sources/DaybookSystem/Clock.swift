/// The one door to time. `SystemClock` asks the kernel; tests hold a clock that they move by hand.
package protocol Clock: AnyObject, Sendable {
    /// Microseconds since 1970, UTC. May jump.
    func wallMicroseconds() -> Int64
    /// Nanoseconds since some moment in the past. Never goes back.
    func monotonicNanoseconds() -> UInt64
}

/// The one door to randomness. `SystemEntropy` asks the kernel; tests hold a seeded one.
package protocol Entropy: AnyObject, Sendable {
    func next() -> UInt64
    func bytes(_ count: Int) -> [UInt8]
}
