internal import DaybookFormat
internal import DaybookSystem
import Synchronization

/// Takes finished log lines from any thread and writes them on one of its own, because a terminal or a pipe may block
/// and event loops must not. Bounded: what does not fit is dropped, and counted in a line of its own.
package final class LogSink: Sendable {
    package typealias Output = @Sendable ([UInt8]) -> Void

    static let byteCountMax = 1 << 20

    private struct State {
        var waiting: [UInt8] = []
        var droppedCount = 0
        var isEnding = false
    }

    private let state = Mutex(State())
    private let wakeup = Wakeup()
    private let thread = Mutex<SystemThread?>(nil)
    private let output: Output
    /// The line that tells how many were dropped.
    private let droppedLine: @Sendable (Int) -> [UInt8]

    /// - Parameter output: writes all of it, or loses it: there is nobody to tell. Called by one thread at a time.
    package init(droppedLine: @escaping @Sendable (Int) -> [UInt8], output: @escaping Output) {
        self.droppedLine = droppedLine
        self.output = output
    }

    /// Lines that came before are written now.
    package func start() {
        thread.withLock { thread in
            precondition(thread == nil)
            thread = SystemThread.start(name: "daybook-log") { self.run() }
        }
    }

    /// Takes one line with its line feed.
    package func take(_ line: [UInt8]) {
        let isFirst = state.withLock { state in
            guard state.waiting.count + line.count <= Self.byteCountMax else {
                state.droppedCount += 1
                return false
            }
            state.waiting.append(contentsOf: line)
            return state.waiting.count == line.count
        }
        if isFirst { wakeup.signal() }
    }

    /// Writes what waits and ends the thread. Lines that come later are lost. Blocks.
    package func stop() {
        state.withLock { $0.isEnding = true }
        wakeup.signal()
        thread.withLock { thread in
            thread?.join()
            thread = nil
        }
    }

    private func run() {
        while true {
            let (bytes, droppedCount, isEnding) = state.withLock { state in
                defer {
                    state.waiting = []
                    state.droppedCount = 0
                }
                return (state.waiting, state.droppedCount, state.isEnding)
            }
            if !bytes.isEmpty { output(bytes) }
            if droppedCount > 0 { output(droppedLine(droppedCount)) }
            if !bytes.isEmpty { continue }
            if isEnding { return }
            wakeup.wait()
        }
    }
}
