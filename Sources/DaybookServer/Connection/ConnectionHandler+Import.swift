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
        guard phase == .importing, importStream?.isWaiting == false else { return }
        let step: ImportStream.Step?
        do throws(ErrorResponse) {
            let teams = importStream.flatMap { loop.teams(of: $0.credential.organization.log) }
            step = try importStream?.next(at: environment.now, identifiers: loop.identifiers, teams)
        } catch {
            answer(interrupted(error))
            return
        }
        switch step {
        case .group(let group): submit(group)
        case .pause: pauseImport()
        case .input: if importStream?.hasEnded == true { answerImport() }
        case nil: break
        }
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
        guard environment.charge(byteCount) else {
            answer(interrupted(.overloaded))
            return
        }
        let ticket = loop.register(self, chargedByteCount: byteCount)
        importStream?.ticket = ticket
        importStream?.submittedTick = loop.tick
        environment.store.submit(Submission(group: group, sink: loop.sink, ticket: ticket))
    }

    func importCompleted(_ outcome: CommitOutcome) {
        importStream?.ticket = nil
        lastProgressTick = loop.tick
        if case .refused(let refusal) = outcome {
            answer(interrupted(ErrorResponse(refusal)))
            return
        }
        importStream?.stored(outcome)
        advanceImport()
        takeWaitingImport()
    }

    private func takeWaitingImport() {
        if phase == .importing && importStream?.isWaiting == false { takeWaiting() }
    }

    /// Chunks are atomic, the import as a whole is not: the answer says how far it came.
    func interrupted(_ failure: ErrorResponse) -> ErrorResponse {
        var failure = failure.closing()
        failure.message += " \(importStream?.storedCount ?? 0) events of this import were stored before."
        return failure
    }

    private func answerImport() {
        guard let stream = importStream else { return }
        let latency = environment.nanoseconds &- request.startedNanoseconds
        if environment.isDraining { request.keepsAlive = false }
        var body: [UInt8] = []
        body.append(contentsOf: #"{"success":true,"data":{"lines":"#.utf8)
        body.append(decimal: stream.lineCount)
        body.append(contentsOf: #","stored":"#.utf8)
        body.append(decimal: stream.storedCount)
        body.append(contentsOf: #","rejected":"#.utf8)
        body.append(decimal: stream.rejectedCount)
        body.append(UInt8(ascii: ","))
        appendCounts(stream.counts, to: &body)
        if let first = stream.firstSequence {
            body.append(contentsOf: #","first_sequence":"#.utf8)
            body.append(decimal: first)
            body.append(contentsOf: #","last_sequence":"#.utf8)
            body.append(decimal: stream.lastSequence)
        }
        body.append(contentsOf: #","errors":["#.utf8)
        for (position, rejection) in stream.rejections.enumerated() {
            if position > 0 { body.append(UInt8(ascii: ",")) }
            body.append(contentsOf: #"{"line":"#.utf8)
            body.append(decimal: rejection.line)
            body.append(contentsOf: #","field":"#.utf8)
            JSONText.append(rejection.failure.field, to: &body)
            body.append(contentsOf: #","message":"#.utf8)
            JSONText.append(rejection.failure.message, to: &body)
            body.append(UInt8(ascii: "}"))
        }
        body.append(contentsOf: #"],"processing_time_ms":"#.utf8)
        body.append(millisecondsOf: latency)
        body.append(contentsOf: stream.isRelaxed ? #","durability":"relaxed""#.utf8 : #","durability":"durable""#.utf8)
        AnswerPattern.append(request.rate, at: environment.now, to: &body)
        appendBatchPerformance(eventCount: Int(stream.storedCount), latency, to: &body)
        environment.counters.stored(eventCount: stream.storedCount, nanoseconds: latency)
        writeStored(body, isSingle: false, isDurable: !stream.isRelaxed)
        finishRequest()
    }
}
