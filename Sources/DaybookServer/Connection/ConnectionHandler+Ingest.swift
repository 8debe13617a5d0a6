internal import DaybookControl
internal import DaybookEvent
internal import DaybookFormat
internal import DaybookLog
internal import DaybookStore
internal import NIOCore

/// The hot path: head, body, parser, store, answer, all on the connection's event loop.
extension ConnectionHandler {
    func beginIngest(_ route: IngestRoute, _ fields: RequestFields) {
        let now = environment.now
        let credential: Credential?
        let failure: ErrorResponse?
        do throws(ErrorResponse) {
            credential = try self.credential(fields, at: now)
            failure = ingestFailure(route, fields, credential)
        } catch {
            (credential, failure) = (nil, error)
        }
        request.record?.credential = credential
        if let failure, mustCutOff(fields) {
            answer(failure.closing())
            return
        }
        switch route {
        case .importLines:
            guard let credential, failure == nil else { break }
            phase = .importing
            do throws(ErrorResponse) {
                let rules = ImportRules(
                    credential: credential, isRelaxed: isRelaxed(fields.durability, credential),
                    isStrict: fields.wantsStrictHandling, idempotencyKey: fields.idempotencyKey)
                importStream = try ImportStream(rules, packing: fields.contentCoding?.packing, environment)
                importStream?.answersInLines = fields.acceptsNDJSON && !request.needsKeepAliveField
            } catch {
                answer(error.closing())
                return
            }
            if fields.expectsContinue { writeContinue() }
            return
        case .event(let kind):
            phase = .collecting
            ingest = IngestRequest(
                kind: kind, isSingle: route.isSingle, credential: credential,
                isRelaxed: credential.map { isRelaxed(fields.durability, $0) } ?? false,
                idempotencyKey: fields.idempotencyKey, failure: failure)
            ingest?.packing = fields.contentCoding?.packing
            if fields.expectsContinue { writeContinue() }
            return
        }
        phase = .collecting
        ingest = IngestRequest(
            kind: .importLine, isSingle: false, credential: nil, isRelaxed: false, idempotencyKey: nil,
            failure: failure)
    }

    /// What the request says, else what its organization has chosen.
    private func isRelaxed(_ durability: Durability?, _ credential: Credential) -> Bool {
        (durability ?? environment.store.durability(of: credential.organization.log)) == .relaxed
    }

    private func ingestFailure(
        _ route: IngestRoute, _ fields: RequestFields, _ credential: Credential?
    ) -> ErrorResponse? {
        guard let credential else { return .unauthorized }
        guard credential.permits(.sendEvents) else { return .forbidden(.sendEvents) }
        if let refusal = refusal(of: route.isSingle ? .single : .batch, credential) { return refusal }
        if route == .importLines {
            guard fields.isNDJSON || fields.isJSON else {
                return .unsupportedMediaType("The body of an import must be application/x-ndjson.")
            }
        } else {
            guard fields.isJSON else { return .unsupportedMediaType("The body must be application/json in UTF-8.") }
            if case .length(let byteCount) = fields.body, byteCount > Limits.bodyByteCountMax {
                return .payloadTooLarge
            }
        }
        guard fields.contentCoding != nil else {
            return .unsupportedMediaType("Content-Encoding must be gzip, lz4 (frames) or identity.")
        }
        if let key = fields.idempotencyKey {
            let isWellFormed =
                (1...Limits.idempotencyKeyByteCountMax).contains(key.utf8.count)
                && key.utf8.allSatisfy { (0x21...0x7E).contains($0) }
            guard isWellFormed else {
                return ErrorResponse(400, "bad_request", "Idempotency-Key must be 1 to 128 visible ASCII characters.")
            }
        }
        return nil
    }

    /// A refused body is worth reading only when that is cheap and its end is known.
    private func mustCutOff(_ fields: RequestFields) -> Bool {
        switch fields.body {
        case .none: false
        case .length(let byteCount): fields.expectsContinue || byteCount > FrontLimits.discardedByteCountMax
        case .chunked: true
        }
    }

    func collect(_ bytes: ByteBuffer) {
        let byteCount = bytes.readableBytes
        ingest?.bodyByteCount += byteCount
        guard ingest?.failure == nil else { return }
        guard let total = ingest?.bodyByteCount, total <= Limits.bodyByteCountMax else {
            answer(.payloadTooLarge.closing())
            return
        }
        guard let credential = ingest?.credential, environment.bodies.charge(byteCount, of: credential.organization.log)
        else {
            answer(.overloaded.closing())
            return
        }
        ingest?.chargedByteCount += byteCount
        if ingest?.body == nil {
            ingest?.body = bytes
        } else {
            ingest?.body?.writeImmutableBuffer(bytes)
        }
    }

    func submitCollected() {
        guard var current = ingest else { return }
        let now = environment.nanoseconds
        let isForPool = isForPool(current, at: now)
        if let organization = current.credential?.organization.log {
            let work = TurnShare<HeldWork>.Work.request(byteCount: isForPool ? 0 : current.chargedByteCount)
            guard mayGoOn(organization, work, .collected, at: now) else { return }
        }
        if let failure = current.failure {
            answer(failure)
            return
        }
        let body = current.body ?? ByteBuffer()
        current.body = nil
        ingest?.body = nil
        if isForPool, let credential = current.credential { return parseOnPool(current, body, credential) }
        guard let packing = current.packing else { return submit(current, body.readableBytesSpan) }
        do throws(ErrorResponse) {
            let unpacked = try PackedBody.unpack(body, packing, byteCountMax: Limits.bodyByteCountMax) { byteCount in
                guard let credential = current.credential,
                    environment.bodies.charge(byteCount, of: credential.organization.log)
                else { return false }
                current.chargedByteCount += byteCount
                ingest?.chargedByteCount += byteCount
                return true
            }
            unpacked.withRawSpan { submit(current, $0) }
        } catch {
            answer(error)
        }
    }

    /// A request that is whole and plain, straight from its bytes. False when it has to take the general way.
    func takePlain(_ bytes: ByteBuffer) -> Bool {
        guard requestStartedTick == nil, !environment.isDraining, !peer.isTrusted else { return false }
        let span = bytes.readableBytesUInt8Span
        guard let plain = PlainRequest(span) else { return false }
        guard let credential = plainCredential(span, plain.authorization, at: environment.now),
            credential.permits(.sendEvents), context?.channel.isWritable == true,
            environment.bodies.charge(plain.body.count, of: credential.organization.log)
        else { return false }
        let nanoseconds = environment.nanoseconds
        lastProgressTick = loop.tick
        requestStartedTick = loop.tick
        request = CurrentRequest()
        request.startedNanoseconds = nanoseconds
        ingest = IngestRequest(
            kind: plain.kind, isSingle: plain.isSingle, credential: credential,
            isRelaxed: isRelaxed(nil, credential), idempotencyKey: nil, failure: nil)
        ingest?.chargedByteCount = plain.body.count
        let work = TurnShare<HeldWork>.Work.request(byteCount: plain.body.count)
        if mayGoOn(credential.organization.log, work, .plain(plain, bytes), at: nanoseconds) {
            serve(plain, bytes, credential)
        }
        return true
    }

    /// One that was held. Its key may have been revoked meanwhile.
    func servePlain(_ plain: PlainRequest, _ bytes: ByteBuffer) {
        serve(
            plain, bytes, plainCredential(bytes.readableBytesUInt8Span, plain.authorization, at: environment.now))
    }

    private func serve(_ plain: PlainRequest, _ bytes: ByteBuffer, _ credential: Credential?) {
        phase = .collecting
        request.id = environment.makeRequestID()
        var record = RequestRecord()
        record.credential = credential
        record.wholeNanoseconds = request.startedNanoseconds
        if let trace = plain.trace {
            record.trace = TraceID(traceparent: trace.map { bytes.readableBytesUInt8Span[$0] })
        }
        request.record = record
        request.method = "POST"
        request.target = plain.path
        guard let credential, let current = ingest else {
            request.authorization = String(
                decoding: plain.authorization.map { bytes.readableBytesUInt8Span[$0] }, as: UTF8.self)
            answer(.unauthorized)
            return
        }
        if let refusal = refusalOfAddress() ?? refusal(of: plain.isSingle ? .single : .batch, credential) {
            answer(refusal)
            return
        }
        submit(current, bytes.readableBytesSpan.extracting(plain.body))
    }

    private func plainCredential(_ bytes: Span<UInt8>, _ range: Range<Int>, at now: Timestamp) -> Credential? {
        let generation = environment.registry.generation
        if let shownCredential, shownCredential.generation == generation, bytes.matches(range, shownCredential.value) {
            return shownCredential.credential.admits(at: now) ? shownCredential.credential : nil
        }
        let value = range.map { bytes[$0] }
        let text = String(decoding: value, as: UTF8.self)
        // A token's signature is looked at on the general way, once.
        guard value.count <= ShownCredential.byteCountMax, !TokenText.isToken(value) || loop.knows(authorization: text)
        else { return nil }
        // A wrong one is counted on the general way, which says what is wrong.
        guard let credential = try? self.credential(authorization: text, at: now, countsWrong: false) else {
            return nil
        }
        shownCredential = ShownCredential(value: value, credential: credential, generation: generation)
        return credential
    }

    private func submit(_ request: IngestRequest, _ span: RawSpan) {
        var current = request
        guard let credential = current.credential else { return }
        current.arrival = environment.now
        accept(current.parse(span, parserContext(current, credential), log: credential.organization.log), current)
    }

    func parserContext(_ request: IngestRequest, _ credential: Credential) -> EventParser.Context {
        EventParser.Context(
            arrival: request.arrival, organization: credential.organization.id, defaultUser: credential.defaultUser,
            mayNameAnyUser: credential.permits(.sendEventsOfAnyUser), randomness: loop.identifiers,
            batchEventCountMax: request.isSingle ? 1 : environment.batchEventCountMax(of: credential.organization.log),
            teams: loop.teams(of: credential.organization.log))
    }

    func accept(_ parsed: consuming ParsedBody, _ request: IngestRequest) {
        switch parsed.result {
        case .rejected(let errors, let code):
            answer(ErrorResponse(rejected: errors, code: code))
        case .accepted(let summary):
            var current = request
            var group = parsed.group
            current.summary = summary
            current.eventCount = group.eventCount
            if current.isRelaxed { group.markRelaxed() }
            let log = group.header.log
            let ticket = loop.register(self, of: log, chargedByteCount: current.chargedByteCount)
            current.chargedByteCount = 0
            current.ticket = ticket
            current.submittedTick = loop.tick
            ingest = current
            phase = .committing
            environment.store.submit(Submission(group: group, sink: loop.sink, ticket: ticket))
        }
    }

    /// What became of the commit in flight: of the whole request, or of one chunk of an import.
    func complete(_ outcome: CommitOutcome) {
        if phase == .importing {
            importCompleted(outcome)
            return
        }
        guard phase == .committing, let current = ingest else { return }
        ingest?.ticket = nil
        if case .refused(let refusal) = outcome {
            answer(ErrorResponse(refusal, isBatch: current.kind == .batch))
            return
        }
        answerStored(outcome)
    }
}

/// A verified `Authorization` value, as its bytes.
struct ShownCredential {
    /// Of one that a connection keeps. Longer ones take the general way each time.
    static let byteCountMax = 2 << 10

    let value: [UInt8]
    let credential: Credential
    /// Of the registry, read before the credential was verified.
    let generation: UInt64
}

extension ErrorResponse {
    /// What the parser found wrong with a body.
    init(rejected errors: [FieldError], code: EventParser.RejectionCode) {
        switch code {
        case .invalidJSON:
            self = ErrorResponse(400, "invalid_json", "The body is not well-formed JSON.")
        case .validationFailed:
            self = ErrorResponse(400, "validation_failed", "Validation failed")
        case .forbidden:
            self = ErrorResponse(403, "forbidden", "This credential may not send these events.")
        case .payloadTooLarge:
            self = ErrorResponse(413, "payload_too_large", "The batch holds too much.")
        }
        failures = errors.map { FieldFailure(field: $0.field, message: $0.message) }
    }
}
