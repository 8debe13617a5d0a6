internal import DaybookControl
internal import DaybookFormat
internal import NIOCore
internal import NIOHTTP1

/// The head of a request: what holds on every route, then who serves it.
extension ConnectionHandler {
    func begin(_ head: HTTPRequestHead) {
        let fields = RequestFields(head)
        if requestStartedTick == nil { requestStartedTick = loop.tick }
        requestLineIsOpen = false
        request = CurrentRequest()
        request.startedNanoseconds = environment.nanoseconds
        request.id = fields.requestID.map(RequestID.init(given:)) ?? environment.makeRequestID()
        request.keepsAlive = !isStream && head.isKeepAlive && !fields.wantsUpgrade
        request.needsKeepAliveField = !isStream && head.version.minor == 0
        request.isHead = head.method == .HEAD
        request.method = head.method.rawValue
        request.target = head.uri
        request.authorization = fields.authorizationCount == 1 ? fields.authorization : nil
        readOrigin(fields)
        if environment.isDraining { request.keepsAlive = false }
        let target = RouteTable.originForm(head.uri)
        var record = RequestRecord()
        record.trace = fields.trace
        request.record = record
        if let failure = isRefused ? refusalOfConnection : headFailure(head, fields) {
            answer(failure)
            return
        }
        if let refusal = refusalOfAddress() {
            answer(refusal)
            return
        }
        let isPut = head.method == .PUT
        if isPut || head.method == .POST, let route = IngestRoute(isPut: isPut, uri: target) {
            beginIngest(route, fields)
        } else if head.method == .GET || head.method == .HEAD, let route = QueryRoute(uri: target) {
            beginQuery(route, target, fields)
        } else {
            var head = head
            head.uri = target
            beginRouting(head, fields)
        }
    }

    private func headFailure(_ head: HTTPRequestHead, _ fields: RequestFields) -> ErrorResponse? {
        guard isStream || head.version.major == 1 && head.version.minor <= 1 else {
            return ErrorResponse(505, "http_version_not_supported", "Only HTTP/1.0 and HTTP/1.1 are spoken here.")
                .closing()
        }
        if isStream, let failure = streamHeadFailure(head) { return failure }
        if let framingFailure = fields.framingFailure { return .badRequest(framingFailure) }
        if fields.body == .chunked && head.version.minor == 0 && !isStream {
            return .badRequest("HTTP/1.0 knows no transfer coding.")
        }
        guard fields.hostCount == 1 || fields.hostCount == 0 && head.version.minor == 0 && !isStream else {
            return .badRequest("A request has exactly one Host field.")
        }
        guard fields.hostIsValid else { return .badRequest("The Host field is not a host.") }
        guard head.uri.utf8.count <= FrontLimits.uriByteCountMax else { return .uriTooLong }
        if head.method == .TRACE || head.method == .CONNECT {
            return RouteTable.refusal(ofForbiddenMethodAt: head.uri)
        }
        let target = RouteTable.originForm(head.uri)
        guard target.hasPrefix("/") || target == "*" else {
            return .badRequest("The request target is no path of this server.")
        }
        if fields.hasUnknownExpectation {
            return ErrorResponse(417, "expectation_failed", "Only the expectation 100-continue is understood.")
                .closing()
        }
        return nil
    }

    private var refusalOfConnection: ErrorResponse {
        environment.isDraining ? .shuttingDown.closing() : .tooManyConnections
    }

    /// What the decoder of HTTP/1.1 looks after itself.
    private func streamHeadFailure(_ head: HTTPRequestHead) -> ErrorResponse? {
        guard head.headers.count <= FrontLimits.headerFieldCountMax else { return .headersTooLarge }
        for (name, value) in head.headers
        where name.utf8.count + value.utf8.count > FrontLimits.headerFieldByteCountMax {
            return .headersTooLarge
        }
        guard head.uri.hasPrefix("/") || head.uri == "*" else { return .badRequest("The path must begin with /.") }
        return nil
    }

    // MARK: The router

    private func beginRouting(_ head: HTTPRequestHead, _ fields: RequestFields) {
        if case .length(let byteCount) = fields.body, byteCount > Limits.bodyByteCountMax {
            answer(.payloadTooLarge.closing())
            return
        }
        if let refusal = refusalOfRouting(head.uri, fields) {
            answer(fields.body == .none ? refusal : refusal.closing())
            return
        }
        phase = .routing
        routing = RoutingState()
        var head = head
        // A refused upgrade is answered as plain HTTP. The decoder reads nothing behind such a request, and clients
        // such as Java's would wait on it for ever, so the connection ends with the answer.
        head.headers.remove(name: "Upgrade")
        head.headers.remove(name: "Expect")
        if !request.keepsAlive { head.headers.replaceOrAdd(name: "Connection", value: "close") }
        head.headers.replaceOrAdd(name: "X-Request-Id", value: request.id.text)
        head.headers.remove(name: RateStanding.innerField)
        if let rate = request.rate { head.headers.add(name: RateStanding.innerField, value: rate.innerValue) }
        head.headers.replaceOrAdd(name: Peer.innerField, value: clientText)
        if fields.expectsContinue { writeContinue() }
        giveToRouter(.head(head))
    }

    /// Whether the credential is good is the route's business. Those of organizations count as questions.
    private func refusalOfRouting(_ target: String, _ fields: RequestFields) -> ErrorResponse? {
        do throws(ErrorResponse) {
            guard let credential = try credential(fields, at: environment.now) else { return nil }
            request.record?.credential = credential
            return target.hasPrefix("/api/") ? refusal(of: .query, credential) : nil
        } catch {
            return error
        }
    }

    func write(context: ChannelHandlerContext, data: NIOAny, promise: EventLoopPromise<Void>?) {
        guard phase == .routing else {
            // The request was answered otherwise: the router's answer comes too late.
            promise?.fail(ChannelError.ioOnClosedChannel)
            return
        }
        switch Self.unwrapOutboundIn(data) {
        case .head(var head):
            routing.responseHasStarted = true
            environment.counters.answered(status: Int(head.status.code))
            request.record?.answered(status: Int(head.status.code))
            if environment.isDraining { request.keepsAlive = false }
            head.headers.replaceOrAdd(name: "X-Request-Id", value: request.id.text)
            let unlimited = request.isUnlimited ? RateStanding.unlimitedHeaderFields : []
            for (name, value) in request.rate?.headerFields ?? unlimited {
                head.headers.replaceOrAdd(name: name, value: value)
            }
            environment.answerFields.add(to: &head.headers, isSecure: isSecure)
            if let origin = request.origin {
                CrossOrigin.add(origin, to: &head.headers, isPreflight: request.isPreflight)
            }
            if !request.keepsAlive {
                head.headers.replaceOrAdd(name: "Connection", value: "close")
            } else if request.needsKeepAliveField {
                head.headers.replaceOrAdd(name: "Connection", value: "keep-alive")
            }
            context.write(Self.wrapOutboundOut(.head(head)), promise: promise)
        case .body where request.isHead:
            promise?.succeed()
        case .body(let bytes):
            lastProgressTick = loop.tick
            request.record?.sent(bytes.readableBytes)
            context.write(Self.wrapOutboundOut(.body(bytes)), promise: promise)
        case .end:
            context.writeAndFlush(Self.wrapOutboundOut(.end(nil)), promise: isStream ? streamEnd(promise) : promise)
            routing.responseHasEnded = true
            if routing.requestHasEnded { finishRequest() }
        }
    }
}
