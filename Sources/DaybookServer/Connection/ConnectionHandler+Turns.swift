internal import DaybookFormat
internal import DaybookLog
internal import NIOCore

/// What waits for a later turn of its event loop.
enum HeldWork {
    case request(ConnectionHandler)
    case outcome(ConnectionHandler, CommitOutcome)
}

/// How far a request had come when it was held.
enum HeldRequest {
    /// Whole and plain; its body is charged.
    case plain(PlainRequest, ByteBuffer)
    /// Its body is in.
    case collected
    /// A question is in.
    case asked
    /// It is beyond a limit, and so are many.
    case refused(ErrorResponse)
}

extension ConnectionHandler {
    /// Whether the request may go on now. If not, it is held as it is, and `goOn` calls the same function again.
    func mayGoOn(
        _ organization: LogID, _ work: TurnShare<HeldWork>.Work, _ request: HeldRequest, at now: UInt64? = nil
    ) -> Bool {
        if hasTurn {
            // Its turn is one request: what waits behind it on the connection asks anew.
            hasTurn = false
            return true
        }
        guard !loop.admits(organization, work, at: now ?? environment.nanoseconds) else { return true }
        held = request
        phase = .held
        loop.hold(.request(self), of: organization, work)
        return false
    }

    /// Its turn has come.
    func goOn() {
        // The connection may have ended meanwhile.
        guard phase == .held, let request = held else { return }
        held = nil
        switch request {
        case .plain(let plain, let bytes): servePlain(plain, bytes)
        case .collected:
            hasTurn = true
            phase = .collecting
            submitCollected()
        case .asked:
            hasTurn = true
            phase = .asking
            submitAsked()
        case .refused(let failure): answer(failure)
        }
    }

    /// Whether the refusal is held for a while, because its organization has had many and others share the loop.
    func mustWait(_ failure: ErrorResponse) -> Bool {
        guard let organization = request.refusedOrganization, let eventLoop = context?.eventLoop else { return false }
        request.refusedOrganization = nil
        let now = environment.nanoseconds
        guard failure.status == 429, !environment.isDraining, loop.turns.isShared(by: organization, at: now) else {
            return false
        }
        let delay = loop.refusals.delayNanoseconds(of: organization, at: now)
        guard delay > 0 else { return false }
        // It is no batch under way while it waits for nothing but its answer.
        leaveBatch()
        // Nor is it slow: the wait is meant.
        request.record?.wholeNanoseconds = 0
        held = .refused(failure)
        phase = .held
        environment.counters.refusalDelayed()
        let handler = NIOLoopBound(self, eventLoop: eventLoop)
        eventLoop.scheduleTask(in: .nanoseconds(Int64(delay))) { handler.value.goOn() }
        return true
    }
}

extension IngestLoop {
    /// Tells a connection what became of its commit, now or in a later turn.
    func complete(_ outcome: CommitOutcome, _ connection: ConnectionHandler, _ organization: LogID, at now: UInt64) {
        let work: TurnShare<HeldWork>.Work = connection.phase == .importing ? .chunk : .outcome
        if admits(organization, work, at: now) {
            connection.complete(outcome)
        } else {
            hold(.outcome(connection, outcome), of: organization, work)
        }
    }

    /// Whether this may be done now; if not, it is to be held.
    func admits(_ organization: LogID, _ work: TurnShare<HeldWork>.Work, at now: UInt64) -> Bool {
        turns.admits(organization, work, at: now)
    }

    func hold(_ item: HeldWork, of organization: LogID, _ work: TurnShare<HeldWork>.Work) {
        turns.hold(item, of: organization, work)
        environment.counters.held()
        bell.ring()
    }

    func takeTurn() {
        for item in turns.nextTurn(at: environment.nanoseconds) {
            switch item {
            case .request(let connection): connection.goOn()
            case .outcome(let connection, let outcome): connection.complete(outcome)
            }
        }
        if turns.isHolding { bell.ring() }
    }
}
