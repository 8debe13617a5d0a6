import DaybookFormat
import DaybookTestSupport

@testable import DaybookStore

/// Work behind ingest that fails again and again: it ends as a dead letter. No event does: what was acknowledged is
/// served meanwhile, as every other look at the store shows, and is sealed when the letter is replayed.
extension StoreSimulation {
    /// For a while segments, or history files, cannot be written, and what is tried three times meanwhile is given up.
    mutating func failUntilGivenUp() throws {
        disk.failWrites(of: random.oneIn(3) ? ".dba" : ".dbs")
        for log in Self.logs { submit(log, makeRequest(log)) }
        for seconds in [61, 11, 11, 11] as [UInt64] {
            clock.advance(seconds: seconds)
            for _ in 0..<6 {
                _ = store.machine.stepCommitter()
                for _ in 0..<6 { _ = store.machine.stepCheckpointer() }
                for _ in 0..<4 { _ = store.machine.stepSealer() }
                for _ in 0..<4 { _ = store.machine.stepCompactor() }
            }
            try collect()
        }
        disk.failWrites(of: nil)
        guard !disk.isCrashed else { return }
        try noteLetters()
    }

    /// A letter is about what was acknowledged.
    private mutating func noteLetters() throws {
        for letter in store.deadLetters() where letters[letter.id] == nil {
            letterSeen += 1
            letters[letter.id] = letter
            guard let log = log(of: letter), letter.attemptCount == 3 else { throw fail("a letter of nobody") }
            let known = UInt64(models[log]!.stored.count)
            guard letter.sequences == BackgroundWork.everything || letter.sequences.upperBound <= known else {
                throw fail("a dead letter of \(letter.sequences), \(known) were acknowledged")
            }
        }
    }

    private func log(of letter: DeadLetter) -> LogID? {
        Self.organizations.firstIndex(of: letter.organization).map { Self.logs[$0] }
    }

    /// Somebody looks at one letter: its work is tried again, or comes up by itself some time.
    mutating func removeLetter() {
        let known = store.deadLetters()
        guard act == nil, !known.isEmpty else { return }
        remove([known[random.below(known.count)]], isReplayed: random.oneIn(2))
    }

    private mutating func remove(_ removed: [DeadLetter], isReplayed: Bool) {
        let now = Timestamp(microseconds: clock.wallMicroseconds())
        submit(removed.map { .deadLetterRemoved(id: $0.id, isReplayed: isReplayed, at: now) }, nil)
    }

    /// Removals are durable.
    mutating func takeRemovals(_ acts: [ControlEvent]) {
        for case .deadLetterRemoved(let id, let isReplayed, _) in acts {
            guard let letter = letters.removeValue(forKey: id), isReplayed, let log = log(of: letter) else { continue }
            letterReplayedSeen += 1
            store.shared.tryAgain(letter.kind, log)
        }
    }

    /// After a start: letters that the control log had are there, but for one whose removal nobody heard of.
    mutating func adoptLetters(_ acts: [ControlEvent]) throws {
        var removed: Set<UInt64> = []
        for case .deadLetterRemoved(let id, _, _) in acts { removed.insert(id) }
        let found = Dictionary(uniqueKeysWithValues: store.deadLetters().map { ($0.id, $0) })
        for (id, letter) in letters where found[id] != letter && !removed.contains(id) {
            throw fail("a dead letter was forgotten, or is another one")
        }
        letters = found
        letterAfterRestartSeen += found.count
    }

    /// The disk is well again, and every letter is replayed: all work is done, and none comes back.
    mutating func replayLetters() throws {
        try commitAll()
        try noteLetters()
        let dead = store.deadLetters()
        guard !dead.isEmpty else { return }
        guard act == nil else { throw fail("an act was never answered") }
        remove(dead, isReplayed: true)
        try commitAll()
        // After a restart the events of a letter may stand in a file that is not due before its age.
        for seconds in [61, 11, 11] as [UInt64] {
            clock.advance(seconds: seconds)
            checkpoint()
            seal()
            try compact()
            try commitAll()
        }
        guard store.deadLetters().isEmpty, letters.isEmpty else { throw fail("letters came back") }
        for letter in dead where letter.kind == .sealing {
            let snapshot = try store.snapshot(of: log(of: letter)!)
            let sealed = snapshot.manifest.sealedThrough
            // Fewer than are worth a segment stay where they are.
            guard sealed + UInt64(options.sealRowCountMin) > min(snapshot.lastSequence, letter.sequences.upperBound)
            else {
                throw fail("\(letter.sequences) are not sealed after a replay, only \(sealed)")
            }
        }
    }
}
