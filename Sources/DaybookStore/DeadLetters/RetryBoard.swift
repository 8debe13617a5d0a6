internal import DaybookFormat
internal import DaybookLog
internal import DaybookSegment
internal import DaybookSystem
internal import Synchronization

/// Something that is done behind ingest, again and again, and may fail.
struct BackgroundWork: Sendable, Equatable {
    /// Of work on a log of which no range is known.
    static let everything: ClosedRange<UInt64> = 1...(.max)

    var kind: DeadLetter.Kind
    var log: LogID
    var sequences: ClosedRange<UInt64>
    /// The file that it is about; empty where the sequences say all.
    var subject = ""

    /// Whether another attempt at the one is one at the other. Finding out what is to be done is a work of its own.
    func isSame(as other: BackgroundWork) -> Bool {
        (sequences == Self.everything) == (other.sequences == Self.everything) && sequences.overlaps(other.sequences)
    }
}

/// What failed behind ingest, when it is tried again, and what is not tried any more: after three attempts it is a dead
/// letter. Works of a kind on one log whose ranges overlap are the same one.
///
/// What the disk has no room for, and what a failed synchronization ended, is not the work's fault: it is put off and
/// not counted. The sealing thread fails and succeeds, the checkpoint thread asks what is due, any thread looks.
final class RetryBoard: Sendable {
    static let attemptCountMax: UInt32 = 3
    /// Before the second attempt; twice as long before the third.
    static let retryNanoseconds: UInt64 = 5_000_000_000
    /// Before work is tried again that was put off.
    static let postponedNanoseconds: UInt64 = 10_000_000_000

    private struct Key: Hashable {
        var kind: DeadLetter.Kind
        var log: LogID

        init(kind: DeadLetter.Kind, log: LogID) {
            self.kind = kind
            self.log = log
        }

        init(_ work: BackgroundWork) { self.init(kind: work.kind, log: work.log) }
    }

    private struct Failure {
        var work: BackgroundWork
        var attemptCount: UInt32 = 0
        var firstAttemptAt: Timestamp
        /// Monotonic; nil once it was handed out, or is dead.
        var dueNanoseconds: UInt64?
        /// Nil while it is alive.
        var letter: DeadLetter?
        /// The control log has the letter.
        var isRecorded = false
    }

    private struct State {
        var failures: [Key: [Failure]] = [:]
        /// Of the control log.
        var letters: [DeadLetter] = []
        var total: UInt64 = 0
        var droppedCount: UInt64 = 0
        var organizations: [LogID: OrganizationID] = [:]
        /// Of the control log that `organizations` was taken from: how far it counts, and how many it has lost.
        var nextLog: LogID?
        var deletionCount = 0
        var failedAttemptCount: UInt64 = 0
    }

    private let state = Mutex(State())
    /// Nothing has failed, as a rule: nobody takes the lock to find that out.
    private let failureCount = Atomic<Int>(0)
    private var isEmpty: Bool { failureCount.load(ordering: .acquiring) == 0 }

    // MARK: - What failed

    /// Counts an attempt that failed, or puts the work off.
    func failed(_ work: BackgroundWork, _ error: any Error, at now: Timestamp, _ nanoseconds: UInt64) {
        change { state in
            var failures = state.failures[Key(work)] ?? []
            let index =
                failures.firstIndex { $0.letter == nil && $0.work.isSame(as: work) }
                ?? {
                    failures.append(Failure(work: work, firstAttemptAt: now))
                    return failures.count - 1
                }()
            Self.count(&failures[index], work, error, at: now, nanoseconds, &state)
            state.failures[Key(work)] = failures
        }
    }

    private static func count(
        _ failure: inout Failure, _ work: BackgroundWork, _ error: any Error, at now: Timestamp,
        _ nanoseconds: UInt64, _ state: inout State
    ) {
        failure.work.sequences = failure.work.sequences.merged(with: work.sequences)
        failure.work.subject = work.subject
        guard isItsOwnFault(error) else {
            failure.dueNanoseconds = nanoseconds + postponedNanoseconds
            return
        }
        state.failedAttemptCount += 1
        failure.attemptCount += 1
        // Nobody could look at the letter of an organization that the control log does not know.
        guard failure.attemptCount >= attemptCountMax, let organization = state.organizations[work.log] else {
            let doublings = UInt64(min(failure.attemptCount, attemptCountMax)) - 1
            failure.dueNanoseconds = nanoseconds + retryNanoseconds << doublings
            return
        }
        failure.dueNanoseconds = nil
        failure.letter = DeadLetter(
            organization: organization, kind: work.kind, sequences: failure.work.sequences, subject: work.subject,
            attemptCount: failure.attemptCount, firstAttemptAt: failure.firstAttemptAt, lastAttemptAt: now,
            error: "\(error)")
    }

    /// Whether trying again would not help by itself.
    private static func isItsOwnFault(_ error: any Error) -> Bool {
        guard let error = diskError(in: error) else { return true }
        return error.kind != .noSpace && error.kind != .tooManyFiles && !error.isFailedSynchronization
    }

    /// It was done: what failed of it before is forgotten.
    func succeeded(_ work: BackgroundWork) {
        guard !isEmpty else { return }
        change { state in
            state.failures[Key(work)]?.removeAll { $0.letter == nil && $0.work.isSame(as: work) }
            if state.failures[Key(work)]?.isEmpty == true { state.failures[Key(work)] = nil }
        }
    }

    // MARK: - What may be tried

    /// The ranges of a log that are to be left alone for now.
    /// - Parameter isPatrol: whether work that only waits for its next attempt may be tried all the same.
    func held(_ kind: DeadLetter.Kind, _ log: LogID, at nanoseconds: UInt64, isPatrol: Bool = false)
        -> [ClosedRange<UInt64>]
    {
        guard !isEmpty else { return [] }
        return state.withLock { state in
            (state.failures[Key(kind: kind, log: log)] ?? []).filter { failure in
                failure.letter != nil || !isPatrol && failure.dueNanoseconds ?? 0 > nanoseconds
            }.map(\.work.sequences)
        }
    }

    /// The dead letter that holds work of a log.
    func letter(_ kind: DeadLetter.Kind, _ log: LogID) -> DeadLetter? {
        guard !isEmpty else { return nil }
        return state.withLock { $0.failures[Key(kind: kind, log: log)]?.lazy.compactMap(\.letter).first }
    }

    /// Work that has waited long enough, each once.
    func takeDue(at nanoseconds: UInt64) -> [BackgroundWork] {
        guard !isEmpty else { return [] }
        return state.withLock { state in
            var due: [BackgroundWork] = []
            for (key, known) in state.failures {
                var failures = known
                for index in failures.indices {
                    guard let moment = failures[index].dueNanoseconds, moment <= nanoseconds else { continue }
                    failures[index].dueNanoseconds = nil
                    due.append(failures[index].work)
                }
                state.failures[key] = failures
            }
            // The order must not depend on hashing, or a seed would not tell the same story.
            return due.sorted { ($0.log, $0.kind.rawValue) < ($1.log, $1.kind.rawValue) }
        }
    }

    // MARK: - Letters

    /// Takes over what the control log says now. What has no letter any more may be tried again.
    func adopt(_ control: ControlState) {
        change { state in
            if state.nextLog != control.nextLog || state.deletionCount != control.deletions.count {
                state.organizations = control.organizationsByLog
                state.nextLog = control.nextLog
                state.deletionCount = control.deletions.count
                state.failures = state.failures.filter { control.deletions[$0.key.log] == nil }
            }
            state.total = control.deadLetterTotal
            state.droppedCount = control.droppedDeadLetterCount
            guard state.letters != control.deadLetters else { return }
            state.letters = control.deadLetters
            let present = Set(control.deadLetters.map(\.id))
            for (key, failures) in state.failures {
                let left = failures.filter { !$0.isRecorded || present.contains($0.letter?.id ?? 0) }
                state.failures[key] = left.isEmpty ? nil : left
            }
            for letter in control.deadLetters {
                guard let log = control.organizations[letter.organization]?.log else { continue }
                Self.note(letter, of: log, &state)
            }
        }
    }

    private static func note(_ letter: DeadLetter, of log: LogID, _ state: inout State) {
        let key = Key(kind: letter.kind, log: log)
        let work = BackgroundWork(kind: letter.kind, log: log, sequences: letter.sequences, subject: letter.subject)
        if let index = state.failures[key]?.firstIndex(where: { $0.letter?.id == letter.id }) {
            state.failures[key]?[index].isRecorded = true
        } else {
            state.failures[key, default: []].append(
                Failure(
                    work: work, attemptCount: letter.attemptCount, firstAttemptAt: letter.firstAttemptAt,
                    dueNanoseconds: nil, letter: letter, isRecorded: true))
        }
    }

    /// Letters that the control log does not have yet, at most so many.
    func unrecorded(_ countMax: Int) -> [DeadLetter] {
        guard !isEmpty else { return [] }
        return state.withLock { state in
            let waiting = state.failures.values.joined().filter { !$0.isRecorded }.compactMap(\.letter)
            return Array(waiting.sorted { ($0.lastAttemptAt, $0.id) < ($1.lastAttemptAt, $1.id) }.prefix(countMax))
        }
    }

    /// Whether there are such letters.
    var hasUnrecorded: Bool { !unrecorded(1).isEmpty }

    var status: DeadLetterStatus {
        state.withLock { state in
            DeadLetterStatus(
                count: state.letters.count, total: state.total, droppedCount: state.droppedCount,
                failedAttemptCount: state.failedAttemptCount)
        }
    }

    private func change(_ body: (inout State) -> Void) {
        state.withLock { state in
            body(&state)
            failureCount.store(state.failures.count, ordering: .releasing)
        }
    }
}

/// Figures for health and metrics.
package struct DeadLetterStatus: Sendable, Equatable {
    package var count: Int
    /// That there ever were, and those of them that were dropped because there were too many.
    package var total: UInt64
    package var droppedCount: UInt64
    /// Of background work, since the start.
    package var failedAttemptCount: UInt64
}

extension ClosedRange<UInt64> {
    /// The smallest range that has both.
    fileprivate func merged(with other: ClosedRange<UInt64>) -> ClosedRange<UInt64> {
        Swift.min(lowerBound, other.lowerBound)...Swift.max(upperBound, other.upperBound)
    }
}

/// The disk's part in an error of the floors below; nil when it has none.
func diskError(in error: any Error) -> DiskError? {
    switch error {
    case let error as DiskError: error
    case LogError.disk(let error), SegmentError.disk(let error), ManifestError.disk(let error),
        CarryError.disk(let error), StoreError.disk(let error):
        error
    default: nil
    }
}
