package import DaybookFormat

/// A group on its way through one commit.
package struct CommittedGroup: Sendable {
    package var log: LogID
    package var firstSequence: UInt64
    package var eventCount: Int
    package var arrival: Timestamp
    /// The whole group record.
    package var bytes: [UInt8]

    package init(log: LogID, firstSequence: UInt64, eventCount: Int, arrival: Timestamp, bytes: [UInt8]) {
        self.log = log
        self.firstSequence = firstSequence
        self.eventCount = eventCount
        self.arrival = arrival
        self.bytes = bytes
    }

    package var lastSequence: UInt64 { firstSequence + UInt64(eventCount) - 1 }
}

/// What the committer asks of the store. All calls come from the committing thread.
package protocol CommitParticipant: AnyObject {
    /// Decides what only the serialized append may decide: sequence, idempotency, session rules.
    func prepare(_ submission: inout Submission) -> Preparation
    /// The groups are durable, in this order: make them visible. Comes before any acknowledgement.
    func publish(_ groups: [CommittedGroup], durablePosition: UInt64)
    /// The groups were prepared but refused: forget what `prepare` noted of them.
    func abandon(_ groups: [CommittedGroup])
}

package enum Preparation: Sendable {
    /// The group is sealed with its sequences and goes to the journal.
    case write
    /// Nothing to write. The answer relies on what was prepared before it, so it waits for this commit.
    case answer(CommitOutcome)
}

/// Collects, writes, synchronizes, publishes, answers: one commit a step. A synchronous state machine: a thread drives
/// it in the server, a seeded schedule in the simulation.
package final class Committer {
    package enum Step: Equatable, Sendable {
        case idle
        case committed
        /// The journal has no clean file: a checkpoint must make room first.
        case blocked
    }

    private let queue: CommitQueue
    private let journal: Journal
    private unowned let participant: any CommitParticipant
    private let commitByteCountTarget: Int

    private var arrived: [Submission] = []
    private var backlog = FairBacklog()
    private var current: [Submission] = []
    private var needsWatermark = false

    /// Payloads from this size on are handed to the kernel where they lie; smaller ones are copied together.
    private static let gatherByteCount = 16 << 10

    package init(
        queue: CommitQueue, journal: Journal, participant: any CommitParticipant,
        commitByteCountTarget: Int = Limits.commitByteCountTarget
    ) {
        self.queue = queue
        self.journal = journal
        self.participant = participant
        self.commitByteCountTarget = commitByteCountTarget
    }

    package var isPoisoned: Bool { journal.isPoisoned }
    package var hasWork: Bool { !backlog.isEmpty || !current.isEmpty || !queue.isEmpty }

    package func step() -> Step {
        queue.takeAll(swappingIn: &arrived)
        for submission in arrived { backlog.add(submission) }
        arrived.removeAll(keepingCapacity: true)
        if current.isEmpty { backlog.take(upTo: commitByteCountTarget, into: &current) }
        guard !current.isEmpty else { return .idle }
        let byteCount = current.reduce(0) { $0 + JournalFrame.byteCount(payloadByteCount: $1.group.bytes.count) }
        do {
            if try journal.reserve(byteCount) == .full { return .blocked }
        } catch {
            refuseAll(.storageUnavailable)
            return .committed
        }
        commitCurrent()
        return .committed
    }

    /// Refuses everything that waits: the journal stayed full too long, or the store ends.
    package func refuseAll(_ refusal: CommitRefusal) {
        queue.takeAll(swappingIn: &arrived)
        var outcomes = OutcomeLists()
        for submission in current { outcomes.add(submission, .refused(refusal)) }
        for submission in backlog.drain() { outcomes.add(submission, .refused(refusal)) }
        for submission in arrived { outcomes.add(submission, .refused(refusal)) }
        arrived.removeAll(keepingCapacity: true)
        current.removeAll(keepingCapacity: true)
        outcomes.deliver()
    }

    private func commitCurrent() {
        var commit = CommitBuilder(position: journal.position, durable: journal.durablePosition, nonce: journal.nonce)
        var groups: [CommittedGroup] = []
        groups.reserveCapacity(current.count)
        var decided: [Preparation] = []
        decided.reserveCapacity(current.count)
        for index in current.indices {
            let preparation = participant.prepare(&current[index])
            decided.append(preparation)
            guard case .write = preparation else { continue }
            let header = current[index].group.header
            commit.append(header.log, payload: current[index].group.bytes, gatherFrom: Self.gatherByteCount)
            groups.append(
                CommittedGroup(
                    log: header.log, firstSequence: header.firstSequence, eventCount: header.eventCount,
                    arrival: header.arrival, bytes: current[index].group.bytes))
        }
        var refusal: CommitRefusal?
        if !groups.isEmpty {
            answerRelaxed(decided)
            refusal = write(&commit, groups)
        }
        answer(decided, refusal)
    }

    /// Nil when the groups are durable and published.
    private func write(_ commit: inout CommitBuilder, _ groups: [CommittedGroup]) -> CommitRefusal? {
        do throws(LogError) {
            try journal.commit(commit.finish(), byteCount: commit.byteCount)
        } catch {
            participant.abandon(groups)
            return journal.isPoisoned ? .durabilityUnknown : .storageUnavailable
        }
        participant.publish(groups, durablePosition: journal.durablePosition)
        needsWatermark = true
        return nil
    }

    /// Who asked not to wait for the sync is told that the request was taken, nothing more.
    private func answerRelaxed(_ decided: [Preparation]) {
        var outcomes = OutcomeLists()
        for (submission, preparation) in zip(current, decided) {
            guard case .write = preparation, submission.group.header.flags.contains(.relaxed) else { continue }
            outcomes.add(submission, .relaxed)
        }
        outcomes.deliver()
    }

    private func answer(_ decided: [Preparation], _ refusal: CommitRefusal?) {
        var outcomes = OutcomeLists()
        for (submission, preparation) in zip(current, decided) {
            let header = submission.group.header
            switch preparation {
            case .write:
                guard !header.flags.contains(.relaxed) else { continue }
                if let refusal {
                    outcomes.add(submission, .refused(refusal))
                } else {
                    outcomes.add(
                        submission, .committed(firstSequence: header.firstSequence, lastSequence: header.lastSequence))
                }
            case .answer(let outcome):
                if let refusal {
                    outcomes.add(submission, .refused(refusal))
                } else {
                    outcomes.add(submission, outcome)
                }
            }
        }
        current.removeAll(keepingCapacity: true)
        outcomes.deliver()
    }

    /// Leaves the active journal file for another one while nothing is to be committed, if that is wanted and there is a
    /// clean one. True when it was left.
    package func leaveJournalFile() -> Bool {
        guard journal.canLeaveFile else { return false }
        needsWatermark = true
        return writeWatermark()
    }

    /// Everything before it is on stable storage.
    package var durablePosition: UInt64 { journal.durablePosition }

    /// Writes and synchronizes a frame that says how far all before it is durable, once after the last commit: then
    /// damage to that commit is known for what it is. True when one was written.
    package func writeWatermark() -> Bool {
        guard needsWatermark, current.isEmpty, !journal.isPoisoned else { return false }
        needsWatermark = false
        var commit = CommitBuilder(position: journal.position, durable: journal.durablePosition, nonce: 0)
        do {
            guard try journal.reserve(JournalFrame.byteCount(payloadByteCount: 0)) == .ready else { return false }
            commit.nonce = journal.nonce
            commit.appendWatermark()
            try journal.commit(commit.finish(), byteCount: commit.byteCount)
        } catch {
            return false
        }
        return true
    }
}

/// Lays frames one behind the other, copying small payloads together.
struct CommitBuilder {
    private(set) var position: UInt64
    private let durable: UInt64
    var nonce: UInt64
    private var parts: [[UInt8]] = []
    private var open: [UInt8] = []
    private(set) var byteCount = 0

    init(position: UInt64, durable: UInt64, nonce: UInt64) {
        self.position = position
        self.durable = durable
        self.nonce = nonce
    }

    mutating func append(_ log: LogID, payload: [UInt8], gatherFrom gatherByteCount: Int) {
        let frame = JournalFrame(
            kind: .group, payloadByteCount: payload.count, payloadChecksum: GroupHeader.checksum(of: payload),
            position: position, log: log, durablePosition: durable)
        frame.append(to: &open, nonce: nonce)
        if payload.count >= gatherByteCount {
            parts.append(open)
            parts.append(payload)
            open = []
        } else {
            open.append(contentsOf: payload)
        }
        end(frame)
    }

    mutating func appendWatermark() {
        let frame = JournalFrame(
            kind: .watermark, payloadByteCount: 0, payloadChecksum: 0, position: position, log: LogID(0),
            durablePosition: durable)
        frame.append(to: &open, nonce: nonce)
        end(frame)
    }

    private mutating func end(_ frame: JournalFrame) {
        frame.appendEnd(to: &open)
        position += UInt64(frame.byteCount)
        byteCount += frame.byteCount
    }

    mutating func finish() -> [[UInt8]] {
        if !open.isEmpty { parts.append(open) }
        open = []
        return parts
    }
}

/// Outcomes by sink, so that each event loop is woken once a commit.
private struct OutcomeLists {
    private var sinks: [any AcknowledgementSink] = []
    private var lists: [[Acknowledged]] = []

    mutating func add(_ submission: Submission, _ outcome: CommitOutcome) {
        let acknowledged = Acknowledged(ticket: submission.ticket, outcome: outcome)
        for index in sinks.indices where sinks[index] === submission.sink {
            lists[index].append(acknowledged)
            return
        }
        sinks.append(submission.sink)
        lists.append([acknowledged])
    }

    func deliver() {
        for (sink, list) in zip(sinks, lists) { sink.acknowledge(list) }
    }
}
