internal import DaybookSystem

/// Looks at the server's process once a second while the load runs.
struct ServerSampler {
    private let processID: Int32
    private let clock: any Clock
    private let startMicroseconds: UInt64
    private var nextNanoseconds: UInt64
    private var usage = ServerUsage()

    private static let intervalNanoseconds: UInt64 = 1_000_000_000
    /// The server counts as idle when it used less than this of one processor for a second, twice in a row.
    private static let idleMicrosecondsPerSecond: UInt64 = 20_000
    private static let idleWaitSecondsMax = 600

    init(processID: Int, clock: any Clock) throws {
        guard let number = Int32(exactly: processID) else {
            throw ToolError("--server-pid \(processID) is no process id.", cure: "Take it from: pgrep -x daybook")
        }
        self.processID = number
        self.clock = clock
        do {
            startMicroseconds = try ProcessStatistics.of(processID: number).processorMicroseconds
        } catch {
            throw ToolError(
                "The process --server-pid \(processID) cannot be looked at: \(error).",
                cure: "Take the number from: pgrep -x daybook")
        }
        nextNanoseconds = clock.monotonicNanoseconds()
    }

    /// A process that has gone keeps its last figures: the crash checks kill it on purpose.
    mutating func sampleIfDue(now: UInt64) {
        guard now >= nextNanoseconds else { return }
        nextNanoseconds = now + Self.intervalNanoseconds
        _ = sample()
    }

    @discardableResult
    private mutating func sample() -> UInt64? {
        do {
            let statistics = try ProcessStatistics.of(processID: processID)
            usage.anonymousMemoryByteCountMax = max(
                usage.anonymousMemoryByteCountMax, statistics.anonymousByteCount)
            return statistics.processorMicroseconds - startMicroseconds
        } catch {
            return nil
        }
    }

    mutating func finish(startNanoseconds: UInt64, waitsUntilIdle: Bool) throws -> ServerUsage {
        guard let used = sample() else { return usage }
        usage.cpuNanoseconds = used * 1_000
        if waitsUntilIdle { waitUntilIdle(from: used, startNanoseconds: startNanoseconds) }
        return usage
    }

    private mutating func waitUntilIdle(from used: UInt64, startNanoseconds: UInt64) {
        let pause = Wakeup()
        var last = used
        var idleSeconds = 0
        for _ in 0..<Self.idleWaitSecondsMax {
            pause.wait(microseconds: 1_000_000)
            guard let now = sample() else { return }
            idleSeconds = now - last < Self.idleMicrosecondsPerSecond ? idleSeconds + 1 : 0
            if idleSeconds == 0 {
                usage.settledAfterNanoseconds = clock.monotonicNanoseconds() - startNanoseconds
                usage.settledCPUNanoseconds = now * 1_000
            }
            last = now
            if idleSeconds == 2 { break }
        }
        // Nothing was left when the load ended.
        usage.settledCPUNanoseconds = usage.settledCPUNanoseconds ?? used * 1_000
        usage.settledAfterNanoseconds =
            usage.settledAfterNanoseconds ?? clock.monotonicNanoseconds() - startNanoseconds - 2_000_000_000
    }
}
