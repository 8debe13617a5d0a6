import DaybookFormat
import DaybookLog
import DaybookStore
import DaybookSystem
import DaybookTestSupport

/// Users who are forgotten in the middle of everything. The ledger is a log like the others: its acts may be lost with the
/// power as long as nobody was told of them, and whoever is in it stays invisible in every later life.
extension StoreSimulation {
    mutating func createOrganizations() throws {
        let now = Timestamp(microseconds: clock.wallMicroseconds())
        let acts = zip(Self.organizations, Self.logs).map { ControlEvent.organizationCreated($0, log: $1, at: now) }
        submit(acts, nil)
        try commitAll()
        guard act == nil else { throw fail("the organizations were not made") }
    }

    mutating func submit(_ acts: [ControlEvent], _ erasure: Erasure?) {
        let now = Timestamp(microseconds: clock.wallMicroseconds())
        act = (nextTicket, acts, erasure)
        store.submit(Submission(group: ControlEvent.group(of: acts, at: now), sink: sink, ticket: nextTicket))
        nextTicket += 1
    }

    /// One erasure at a time is being begun, any number is under way.
    mutating func beginErasure() {
        guard act == nil else { return }
        let index = random.below(Self.logs.count)
        let user = makeUser()
        // A failing disk may refuse it: the weather.
        guard
            let (record, acts) = try? store.erasureActs(of: user, in: Self.organizations[index], entropy: entropy),
            !acts.isEmpty
        else { return }
        submit(acts, Erasure(record: record, log: Self.logs[index], user: user))
    }

    mutating func collectAct(_ outcome: CommitOutcome) throws {
        guard let act else { throw fail("an answer to no act") }
        switch outcome {
        case .committed(let firstSequence, _):
            store.take(act.acts, from: firstSequence)
            if let erasure = act.erasure { erasures[erasure.record.id] = erasure }
            self.act = nil
            takeRemovals(act.acts)
        case .refused(.storageUnavailable): self.act = nil
        // Whether it is in the ledger is known after the next start.
        case .refused(.durabilityUnknown): break
        default: throw fail("unexpected outcome of an act: \(outcome)")
        }
    }

    /// What is known of the running store's erasures goes into the models.
    mutating func noteErasures() {
        for id in erasures.keys where store.erasureStatus(id)?.isDone == true { erasures[id]?.isDone = true }
        for log in Self.logs {
            models[log]!.erased = []
            models[log]!.gone = []
        }
        for erasure in erasures.values {
            let entry = (erasure.user, erasure.record.through)
            if erasure.isDone {
                models[erasure.log]!.gone.append(entry)
            } else {
                models[erasure.log]!.erased.append(entry)
            }
        }
    }

    /// After a start: every acknowledged erasure is in the ledger; the one whose outcome nobody knew is there or not.
    mutating func adoptLedger() throws {
        try adoptLetters(act?.acts ?? [])
        let waiting = act?.erasure
        act = nil
        for (index, organization) in Self.organizations.enumerated() {
            for record in store.erasures(of: organization) {
                if erasures[record.id] == nil {
                    guard let waiting, waiting.record.id == record.id else {
                        throw fail("an erasure that nobody began")
                    }
                    erasures[record.id] = waiting
                }
                guard erasures[record.id]?.log == Self.logs[index] else { throw fail("an erasure of another log") }
                if record.done == nil {
                    // The store said that it was done before the ledger was durable.
                    if erasures[record.id]?.isDone == true { throw fail("an erasure is no longer done") }
                    interruptedErasureCount += 1
                }
            }
        }
        for id in erasures.keys where store.erasureStatus(id) == nil { throw fail("an erasure was forgotten") }
    }

    /// What an offline reader's ledger says goes into the model of one log.
    func note(_ acts: [ControlEvent], in model: inout LogModel, _ log: LogID) {
        model.erased = []
        model.gone = []
        var done: Set<UInt64> = []
        for act in acts { if case .erasureDone(let id, _, _) = act { done.insert(id) } }
        for act in acts {
            guard case .erasureBegun(let record) = act,
                let erasure = erasures[record.id] ?? self.act?.erasure.flatMap({ $0.record == record ? $0 : nil }),
                erasure.log == log
            else { continue }
            let entry = (erasure.user, record.through)
            if done.contains(record.id) { model.gone.append(entry) } else { model.erased.append(entry) }
        }
    }

    /// Everything that was begun comes to its end.
    mutating func finishErasures() throws {
        for _ in 0..<400 {
            guard erasures.keys.contains(where: { store.erasureStatus($0)?.isDone != true }) else { return }
            try commitAll()
            checkpoint()
            seal()
            try compact()
            clock.advance(seconds: 1)
        }
        throw fail("erasures do not come to an end")
    }
}
