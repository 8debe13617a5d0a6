internal import DaybookControl
internal import DaybookFormat
internal import DaybookQuery
internal import DaybookStore
internal import NIOCore

/// A question while its request arrives.
struct AskedQuery {
    let route: QueryRoute
    let target: String
    let authorization: String?
    /// Of a body that nobody reads.
    var bodyByteCount = 0
}

/// A question that a query thread has.
struct RunningQuery {
    /// Tells the scan to end; tells one answer from another.
    let cancellation: Cancellation
    let submittedTick: Int
    let organization: LogID
    /// Its place among those that wait; nil when it found none.
    var place: QueryPool.Ticket?
    /// When the peer ended its side, which most do only by leaving.
    var inputClosedTick: Int?
}

/// Questions: read on the event loop, answered on a query thread, written on the event loop. No other thread has a part
/// in it: each change of threads costs as much as a small scan.
extension ConnectionHandler {
    func beginQuery(_ route: QueryRoute, _ target: String, _ fields: RequestFields) {
        if case .length(let byteCount) = fields.body, byteCount > FrontLimits.discardedByteCountMax {
            answer(.payloadTooLarge.closing())
            return
        }
        phase = .asking
        asked = AskedQuery(
            route: route, target: target,
            authorization: fields.authorizationCount == 1 ? fields.authorization : nil)
        if fields.expectsContinue { writeContinue() }
    }

    /// A body means nothing here.
    func discard(_ bytes: ByteBuffer) {
        asked?.bodyByteCount += bytes.readableBytes
        if let asked, asked.bodyByteCount > FrontLimits.discardedByteCountMax { answer(.payloadTooLarge.closing()) }
    }

    func submitAsked() {
        guard let asked, let eventLoop = context?.eventLoop else { return }
        let request: QueryRequest
        do throws(ErrorResponse) {
            let credential = try self.credential(asked)
            guard mayGoOn(credential.organization.log, .question, .asked) else { return }
            self.asked = nil
            request = try self.request(asked, credential)
        } catch {
            self.asked = nil
            answer(error)
            return
        }
        environment.counters.queried()
        let cancellation = Cancellation()
        query = RunningQuery(
            cancellation: cancellation, submittedTick: loop.tick, organization: request.organization)
        phase = .querying
        let handler = NIOLoopBound(self, eventLoop: eventLoop)
        let reply: @Sendable (Result<QueryAnswer, ErrorResponse>) -> Void = { answer in
            eventLoop.execute { handler.value.complete(answer, of: cancellation) }
        }
        query?.place = loop.pool.submit(of: .questions(of: request.organization)) {
            reply(.failure(.overloaded))
        } _: {
            // Nobody waits for it any more.
            guard !cancellation.isCancelled else { return }
            reply(request.answer(cancellation))
        }
    }

    private func credential(_ asked: AskedQuery) throws(ErrorResponse) -> Credential {
        let now = environment.now
        guard let value = asked.authorization, let credential = try credential(authorization: value, at: now) else {
            throw .unauthorized
        }
        request.record?.credential = credential
        return credential
    }

    private func request(_ asked: AskedQuery, _ credential: Credential) throws(ErrorResponse) -> QueryRequest {
        guard asked.route.isOpen(to: credential) else { throw .forbidden(asked.route.permission) }
        if let refusal = refusal(of: .query, credential) { throw refusal }
        var options = loop.queryOptions
        let organization = credential.organization.log
        options.executor = loop.pool.executor(for: organization)
        options.memory = OrganizationQueryMemory(budget: environment.questions, organization: organization)
        return try QueryRequest(
            asked.route, target: asked.target, credential: credential, environment: environment, options: options,
            rate: self.request.rate)
    }

    private func complete(_ answer: Result<QueryAnswer, ErrorResponse>, of cancellation: Cancellation) {
        guard phase == .querying, query?.cancellation === cancellation else { return }
        query = nil
        switch answer {
        case .failure(let failure): self.answer(failure)
        case .success(let answer): answerFound(answer)
        }
    }

    private func answerFound(_ answer: QueryAnswer) {
        if environment.isDraining { request.keepsAlive = false }
        loop.headScratch.removeAll(keepingCapacity: true)
        loop.headScratch.append(contentsOf: AnswerPattern.ok)
        let byteCount = answer.byteCount
        appendCommonFields(to: &loop.headScratch, bodyByteCount: byteCount)
        loop.headScratch.append(contentsOf: "\r\n".utf8)
        environment.counters.answered(status: 200)
        let isHead = request.isHead
        request.record?.answered(status: 200, byteCount: isHead ? 0 : byteCount)
        writeAnswer(loop.headScratch, isHead ? [] : answer.parts, holding: answer.memory)
        finishRequest()
    }

    /// The scan ends soon, and what it found is thrown away.
    func giveUpQuery() {
        guard let query else { return }
        query.cancellation.cancel()
        if let place = query.place { loop.pool.takeBack(place) }
        self.query = nil
        environment.counters.queryGivenUp()
    }

    /// Once a tick of the loop, while a question is with the query threads.
    func checkQueryTime() {
        guard let query else { return }
        let limit = environment.processingMilliseconds(
            of: query.organization, environment.options.timeLimits.queryMilliseconds)
        if loop.isOver(limit, since: query.submittedTick) {
            giveUpQuery()
            answer(.queryTimeout)
        } else if loop.isOver(environment.options.timeLimits.leftQueryMilliseconds, since: query.inputClosedTick) {
            giveUpQuery()
            context?.close(promise: nil)
        }
    }
}
