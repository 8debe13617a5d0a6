internal import DaybookFormat
internal import DaybookLog
internal import DaybookSystem
internal import Synchronization

/// Writes dead letters to the control log, several together, without blocking the thread that steps it. What was not
/// written when the process ends is found out anew by the next one.
final class DeadLetterRecorder {
    private let shared: SharedState
    private let queue: CommitQueue
    private let control: ControlBook
    private let clock: any Clock
    private var recording: RecordingSink?
    /// Monotonic: after a refusal.
    private var pausedUntil: UInt64 = 0

    private static let letterCountMax = 100
    private static let pauseNanoseconds: UInt64 = 1_000_000_000

    init(shared: SharedState, queue: CommitQueue, control: ControlBook, clock: any Clock) {
        self.shared = shared
        self.queue = queue
        self.control = control
        self.clock = clock
    }

    /// Whether acts are with the committing thread: whoever steps this has to wake it.
    var isRecording: Bool { recording != nil }

    /// True when it did something.
    func step() -> Bool {
        guard let recording else { return begin() }
        guard let outcome = recording.outcome else { return false }
        self.recording = nil
        if case .committed(let firstSequence, _) = outcome {
            control.take(recording.acts, from: firstSequence)
        } else {
            pausedUntil = clock.monotonicNanoseconds() + Self.pauseNanoseconds
        }
        return true
    }

    private func begin() -> Bool {
        guard clock.monotonicNanoseconds() >= pausedUntil else { return false }
        let letters = shared.retries.unrecorded(Self.letterCountMax)
        guard !letters.isEmpty else { return false }
        let now = Timestamp(microseconds: clock.wallMicroseconds())
        let sink = RecordingSink(letters.map { .deadLettered($0) })
        guard queue.add(Submission(group: ControlEvent.group(of: sink.acts, at: now), sink: sink, ticket: 0)) else {
            return false
        }
        recording = sink
        return true
    }
}

/// Waits for acts of the sealing thread without blocking it.
final class RecordingSink: AcknowledgementSink {
    let acts: [ControlEvent]
    private let state = Mutex<CommitOutcome?>(nil)

    init(_ acts: [ControlEvent]) { self.acts = acts }

    var outcome: CommitOutcome? { state.withLock { $0 } }

    func acknowledge(_ outcomes: [Acknowledged]) { state.withLock { $0 = outcomes.first?.outcome } }
}
