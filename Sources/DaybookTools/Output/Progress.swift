package import DaybookSystem

/// Says on standard error how far a long verb is, when a person watches: a terminal, and output that goes elsewhere.
/// In pipes and logs it is silent.
package final class Progress {
    private let isShown: Bool
    private let clock: any Clock
    private var lastNanoseconds: UInt64 = 0
    private var isOnLine = false
    private static let intervalNanoseconds: UInt64 = 200_000_000

    package init(clock: any Clock, isShown: Bool = Progress.isWatched) {
        self.clock = clock
        self.isShown = isShown
    }

    /// True when standard error is a terminal and standard output is not the same one.
    package static var isWatched: Bool { StandardStreams.isTerminal(.error) && !StandardStreams.isTerminal(.output) }

    /// At most five times a second. `text` is only made when it is shown.
    package func report(_ text: @autoclosure () -> String) {
        guard isShown else { return }
        let now = clock.monotonicNanoseconds()
        guard now - lastNanoseconds >= Self.intervalNanoseconds else { return }
        lastNanoseconds = now
        show(text())
    }

    /// Removes the line. A progress that cannot be shown is no reason to fail.
    package func finish() {
        guard isOnLine else { return }
        show("")
    }

    private func show(_ text: String) {
        isOnLine = true
        do {
            try StandardStreams.write("\r\u{1B}[K" + text, to: .error)
        } catch {
            isOnLine = false
        }
    }
}
