internal import DaybookControl
internal import DaybookFormat
internal import DaybookStore
internal import NIOCore

/// Answers that the connection writes itself.
extension ConnectionHandler {
    /// Answers an error of the connection itself, where no head has said which request it is about.
    func answerWithoutRequest(_ failure: ErrorResponse) {
        request = CurrentRequest()
        request.id = environment.makeRequestID()
        request.record = RequestRecord()
        answer(failure.closing())
    }

    /// Answers the present request with an error, and ends the connection when what follows cannot be relied on.
    func answer(_ failure: ErrorResponse) {
        guard phase != .closed && phase != .lingering else { return }
        if phase == .importing, importStream?.hasStartedAnswer == true { return endImportAnswer(failure) }
        refundBody()
        guard !mustWait(failure) else { return }
        if failure.status == 401 || failure.status == 403 { noteDenial(failure) }
        let now = environment.nanoseconds
        let latency = request.startedNanoseconds == 0 ? 0 : now - request.startedNanoseconds
        let body = failure.body(requestID: request.id.text, latencyNanoseconds: latency)
        if failure.closes || environment.isDraining { request.keepsAlive = false }
        var bytes: [UInt8] = []
        bytes.reserveCapacity(768)
        bytes.append(contentsOf: "HTTP/1.1 \(failure.status) \(failure.reason)\r\n".utf8)
        appendCommonFields(to: &bytes, bodyByteCount: body.count)
        for (name, value) in failure.headerFields { bytes.append(contentsOf: "\(name): \(value)\r\n".utf8) }
        bytes.append(contentsOf: "\r\n".utf8)
        environment.counters.answered(status: failure.status)
        let sent = request.isHead ? [] : body
        request.record?.answered(status: failure.status, byteCount: sent.count, code: failure.code)
        writeAnswer(bytes, sent)
        finishRequest()
    }

    /// Gives back what only the present request held of the budget of bodies, once: a write may end the connection before
    /// it returns, and with it the request that is being answered.
    func refundBody() {
        guard phase == .collecting || phase == .held, let charged = ingest?.chargedByteCount,
            let organization = ingest?.credential?.organization.log
        else { return }
        ingest?.chargedByteCount = 0
        environment.bodies.refund(charged, of: organization)
    }

    private func noteDenial(_ failure: ErrorResponse) {
        environment.noteDenial(
            status: failure.status, authorization: request.authorization,
            credential: ingest?.credential ?? importStream?.rules.credential
        ) { credential in
            RequestOrigin(
                credential: credential, route: RouteTable.name(request.method, request.target),
                requestID: request.id.text, address: clientText)
        }
    }

    /// Type, length, request id, what browsers are told, the standing of a limit and what becomes of the connection.
    func appendCommonFields(to bytes: inout [UInt8], bodyByteCount: Int) {
        bytes.append(contentsOf: "Content-Type: application/json\r\nContent-Length: ".utf8)
        bytes.append(decimal: UInt64(bodyByteCount))
        appendRequestFields(to: &bytes)
    }

    /// What follows the length, or what stands for it, which is without its line end.
    func appendRequestFields(to bytes: inout [UInt8]) {
        bytes.append(contentsOf: "\r\nX-Request-Id: ".utf8)
        request.id.append(to: &bytes)
        if !request.keepsAlive {
            bytes.append(contentsOf: "\r\nConnection: close".utf8)
        } else if request.needsKeepAliveField {
            bytes.append(contentsOf: "\r\nConnection: keep-alive".utf8)
        }
        bytes.append(contentsOf: "\r\n".utf8)
        environment.answerFields.append(to: &bytes, isSecure: isSecure)
        if let origin = request.origin { CrossOrigin.append(origin, to: &bytes) }
        if let rate = request.rate {
            rate.appendHeaderFields(to: &bytes)
        } else if request.isUnlimited {
            bytes.append(contentsOf: RateStanding.unlimitedHeaderBytes)
        }
    }

    // MARK: Time

    private var limits: TimeLimits { environment.options.timeLimits }

    /// Once a tick of the loop.
    func checkTime() {
        guard let context else { return }
        if loop.isOver(limits.stalledWriteMilliseconds, since: unwritableSinceTick) {
            context.close(promise: nil)
            return
        }
        switch phase {
        case .idle:
            if loop.isOver(limits.requestMilliseconds, since: requestStartedTick) {
                answerWithoutRequest(.timeout)
            } else if requestStartedTick == nil, loop.isOver(limits.idleMilliseconds, since: lastProgressTick) {
                context.close(promise: nil)
            }
        case .collecting, .asking:
            if loop.isOver(limits.requestMilliseconds, since: requestStartedTick) { answer(.timeout) }
        case .importing where importStream?.ticket == nil:
            if loop.isOver(limits.requestMilliseconds, since: lastProgressTick) { answer(interrupted(.timeout)) }
        case .routing where !routing.requestHasEnded:
            guard loop.isOver(limits.requestMilliseconds, since: requestStartedTick) else { return }
            if routing.responseHasStarted { context.close(promise: nil) } else { answer(.timeout) }
        case .querying: checkQueryTime()
        case .parsing: checkParseTime()
        case .committing: giveUpCommit(since: ingest?.submittedTick)
        case .importing: giveUpCommit(since: importStream?.submittedTick)
        case .routing where !routing.responseHasStarted:
            // It waits for the disk. Its late answer must not meet another request: the connection ends.
            if loop.isOver(limits.commitMilliseconds, since: routing.requestEndedTick) { answer(.actTimeout.closing()) }
        // What is held goes on within milliseconds.
        case .routing, .held, .closed: break
        case .lingering:
            let isOver =
                lingerStartedTick == nil
                ? loop.isOver(limits.stalledWriteMilliseconds, since: lastAnswerTick)
                : loop.isOver(limits.lingerMilliseconds, since: lingerStartedTick)
            if isOver { context.close(promise: nil) }
        }
    }

    /// From then on the client is told that the outcome is not known.
    private func giveUpCommit(since tick: Int?) {
        guard let credential = ingest?.credential ?? importStream?.rules.credential else { return }
        let limit = environment.processingMilliseconds(of: credential.organization.log, limits.commitMilliseconds)
        guard loop.isOver(limit, since: tick) else { return }
        if let ticket = ingest?.ticket ?? importStream?.ticket { loop.abandon(ticket) }
        ingest?.ticket = nil
        importStream?.ticket = nil
        answer(.commitTimeout.closing())
    }
}
