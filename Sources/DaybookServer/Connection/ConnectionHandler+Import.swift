internal import DaybookControl
internal import DaybookEvent
internal import DaybookFormat
internal import DaybookLog
internal import DaybookStore
internal import NIOCore

/// Imports: the body is taken as it comes, in constant memory, one chunk in the store at a time. While a chunk is being
/// committed nothing is read.
extension ConnectionHandler {
    func importBytes(_ bytes: ByteBuffer) {
        importStream?.receive(bytes)
        advanceImport()
    }

    func importEnded() {
        importStream?.hasEnded = true
        advanceImport()
    }

    private func advanceImport() {
        while phase == .importing, importStream?.isWaiting == false {
            let step: ImportStream.Step?
            do throws(ErrorResponse) {
                let teams = importStream.flatMap { loop.teams(of: $0.rules.credential.organization.log) }
                step = try importStream?.next(at: environment.now, identifiers: loop.identifiers, teams)
            } catch {
                answer(interrupted(error))
                return
            }
            guard let step, take(step) else { return }
        }
    }

    /// False when there is nothing more to do for now.
    private func take(_ step: ImportStream.Step) -> Bool {
        switch step {
        case .group(let group): submit(group)
        case .told:
            tellOfChunk()
            return true
        case .pause: pauseImport()
        case .input: if importStream?.hasEnded == true { answerImport() }
        }
        return false
    }

    /// Lets the loop's other connections have their turn.
    private func pauseImport() {
        guard let eventLoop = context?.eventLoop else { return }
        importStream?.isPaused = true
        let handler = NIOLoopBound(self, eventLoop: eventLoop)
        eventLoop.execute {
            let handler = handler.value
            guard handler.phase == .importing, handler.importStream?.isPaused == true else { return }
            handler.importStream?.isPaused = false
            handler.lastProgressTick = handler.loop.tick
            handler.advanceImport()
            handler.takeWaitingImport()
        }
    }

    private func submit(_ group: GroupBuilder) {
        let byteCount = group.bytes.count
        let organization = group.header.log
        guard environment.bodies.charge(byteCount, of: organization) else {
            answer(interrupted(.overloaded))
            return
        }
        let ticket = loop.register(self, of: organization, chargedByteCount: byteCount)
        importStream?.ticket = ticket
        importStream?.submittedTick = loop.tick
        environment.store.submit(Submission(group: group, sink: loop.sink, ticket: ticket))
    }

    func importCompleted(_ outcome: CommitOutcome) {
        importStream?.ticket = nil
        lastProgressTick = loop.tick
        if case .refused(let refusal) = outcome {
            guard let step = importStream?.refused(refusal) else {
                answer(interrupted(ErrorResponse(refusal)))
                return
            }
            guard take(step) else { return }
        } else {
            importStream?.stored(outcome)
            tellOfChunk()
        }
        advanceImport()
        takeWaitingImport()
    }

    private func takeWaitingImport() {
        if phase == .importing && importStream?.isWaiting == false { takeWaiting() }
    }

    /// Chunks are atomic, the import as a whole is not: the answer says how far it came.
    func interrupted(_ failure: ErrorResponse) -> ErrorResponse {
        var failure = failure.closing()
        if !failure.message.hasSuffix(".") { failure.message += "." }
        failure.message += " \(importStream?.totals.storedEventCount ?? 0) events of this import were stored before."
        return failure
    }
}
