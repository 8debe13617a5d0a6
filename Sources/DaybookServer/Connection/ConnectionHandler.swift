internal import DaybookControl
internal import NIOCore
internal import NIOHTTP1

/// One connection of HTTP/1.1, or one stream of an HTTP/2 connection, which carries one request: takes requests one after
/// the other, serves those that write itself and hands all others to the router behind it. Whatever the peer sends while
/// a request is being answered waits here, and when something waits nothing more is read.
///
/// It stands behind the HTTP codec, sees every request head and every answer, and is therefore the one place for what
/// holds on all routes: the checks of framing and `Host`, refused upgrades, request ids, time limits, drain.
final class ConnectionHandler: ChannelDuplexHandler, Timed {
    typealias InboundIn = HTTPServerRequestPart
    typealias InboundOut = HTTPServerRequestPart
    typealias OutboundIn = HTTPServerResponsePart
    typealias OutboundOut = HTTPServerResponsePart

    enum Phase {
        /// Between requests.
        case idle
        /// The body of an ingest request arrives.
        case collecting
        /// Its organization had its share of this turn of the loop: it goes on in a later one.
        case held
        /// A query thread makes events of its body.
        case parsing
        /// The store has it.
        case committing
        /// An import's body arrives; chunks of it are being committed on the way.
        case importing
        /// A question arrives.
        case asking
        /// A query thread has it.
        case querying
        /// The router answers.
        case routing
        /// The last answer is out; what still arrives is thrown away until the peer closes.
        case lingering
        case closed
    }

    enum Waiting {
        case part(HTTPServerRequestPart)
        case failure(ErrorResponse)
        case inputClosed
    }

    let loop: IngestLoop
    /// Heads that the decoder has given.
    private(set) var headCount = 0
    /// What stands before the decoder.
    weak var watch: ByteWatch?
    var environment: ServerEnvironment { loop.environment }
    var context: ChannelHandlerContext?
    /// Writes past the encoder: answers of ours are bytes already. Streams have none.
    private(set) var encoderContext: ChannelHandlerContext?
    let isStream: Bool
    /// Asks for the router's side, which the connection has already or gets soon; streams ask when they need it.
    var wantsRouter: (() -> Void)?

    var phase = Phase.idle
    var request = CurrentRequest()
    var ingest: IngestRequest?
    var importStream: ImportStream?
    var asked: AskedQuery?
    var query: RunningQuery?
    var parse: RunningParse?
    var routing = RoutingState()
    var held: HeldRequest?
    var hasTurn = false
    private var routerIsAttached = false
    var waiting = CircularBuffer<Waiting>()
    private var readIsHeldBack = false
    private var isTakingWaiting = false
    private(set) var inputIsClosed = false
    /// Of a stream: its one request is here completely.
    private(set) var inputHasEnded = false

    // In ticks of the loop.
    var requestStartedTick: Int?
    var lastProgressTick = 0
    var unwritableSinceTick: Int?
    var lingerStartedTick: Int?
    /// When the last answer was written, or was last seen to go out.
    var lastAnswerTick: Int?
    /// Nothing of the request line's end has been seen: an overlong head is then an overlong target.
    var requestLineIsOpen = false

    /// The credential that this connection showed last: as a rule it shows no other.
    var shownCredential: ShownCredential?

    lazy var peer = Peer(context?.channel.remoteAddress?.ipAddress, environment.options.trustedProxies)
    /// There are as many as allowed without this one.
    let isRefused: Bool

    /// Must be called on the loop.
    init(loop: IngestLoop, isRefused: Bool, isStream: Bool = false) {
        self.loop = loop
        self.isRefused = isRefused
        self.isStream = isStream
    }

    // MARK: Life

    func handlerAdded(context: ChannelHandlerContext) {
        self.context = context
        if !isStream {
            do {
                encoderContext = try context.pipeline.syncOperations.context(handlerType: HTTPResponseEncoder.self)
            } catch {
                preconditionFailure("the encoder stands before this handler")
            }
        }
        lastProgressTick = loop.tick
        loop.opened(self)
        if context.channel.isActive { greet() }
    }

    func channelActive(context: ChannelHandlerContext) {
        greet()
        context.fireChannelActive()
    }

    private func greet() {
        if isRefused, !isStream { answerWithoutRequest(.tooManyConnections) }
    }

    func handlerRemoved(context: ChannelHandlerContext) {
        abandonRequest()
        phase = .closed
        waiting.removeAll()
        self.context = nil
        encoderContext = nil
        wantsRouter = nil
        loop.closed(self)
    }

    func channelInactive(context: ChannelHandlerContext) {
        abandonRequest()
        phase = .closed
        waiting.removeAll()
        context.fireChannelInactive()
    }

    /// The outcome of a commit in flight will find nobody; what only this request held is given back.
    private func abandonRequest() {
        if let ticket = ingest?.ticket { loop.abandon(ticket) }
        if let ticket = importStream?.ticket { loop.abandon(ticket) }
        refundBody()
        giveUpQuery()
        giveUpParse()
        endRecord()
        leaveBatch()
        ingest = nil
        importStream = nil
        asked = nil
        held = nil
    }

    // MARK: Inbound

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        lastProgressTick = loop.tick
        let part = Self.unwrapInboundIn(data)
        if case .head = part { headCount += 1 }
        if isStream, case .end = part { inputHasEnded = true }
        if waiting.isEmpty && accepts(part) {
            take(part)
        } else if phase != .lingering && phase != .closed {
            waiting.append(.part(part))
        }
    }

    /// Whether this part is the current request's business now, not the next one's or a later moment's.
    private func accepts(_ part: HTTPServerRequestPart) -> Bool {
        switch phase {
        case .idle: context?.channel.isWritable ?? false
        case .collecting, .asking: true
        case .importing: importStream?.isWaiting == false
        case .routing: !routing.requestHasEnded
        case .held, .parsing, .committing, .querying, .lingering, .closed: false
        }
    }

    private func take(_ part: HTTPServerRequestPart) {
        if case .end = part, phase != .importing {
            let now = environment.nanoseconds
            request.record?.wholeNanoseconds = now
        }
        switch (phase, part) {
        case (.idle, .head(let head)): begin(head)
        case (.collecting, .body(let bytes)): collect(bytes)
        case (.collecting, .end): submitCollected()
        case (.importing, .body(let bytes)): importBytes(bytes)
        case (.importing, .end): importEnded()
        case (.asking, .body(let bytes)): discard(bytes)
        case (.asking, .end): submitAsked()
        case (.routing, .body): passOn(part)
        case (.routing, .end):
            routing.requestHasEnded = true
            routing.requestEndedTick = loop.tick
            passOn(part)
            if routing.responseHasEnded { finishRequest() }
        default: break
        }
    }

    private func passOn(_ part: HTTPServerRequestPart) {
        if case .body(let bytes) = part {
            routing.bodyByteCount += bytes.readableBytes
            guard routing.bodyByteCount <= FrontLimits.discardedByteCountMax else {
                if routing.responseHasStarted {
                    context?.close(promise: nil)
                } else {
                    answer(.payloadTooLarge.closing())
                }
                return
            }
        }
        giveToRouter(part)
    }

    func giveToRouter(_ part: HTTPServerRequestPart) {
        if routerIsAttached {
            context?.fireChannelRead(Self.wrapInboundOut(part))
        } else {
            routing.held.append(part)
            wantsRouter?()
            wantsRouter = nil
        }
    }

    /// The router's side stands behind this handler now.
    func routerAttached() {
        routerIsAttached = true
        guard phase == .routing, let context else { return }
        for part in routing.held { context.fireChannelRead(Self.wrapInboundOut(part)) }
        routing.held = []
        context.fireChannelReadComplete()
    }

    /// Takes what has waited, as far as it goes.
    func takeWaiting() {
        guard !isTakingWaiting else { return }
        isTakingWaiting = true
        defer { isTakingWaiting = false }
        loop: while let first = waiting.first {
            switch first {
            case .part(let part):
                guard accepts(part) else { break loop }
                waiting.removeFirst()
                take(part)
            case .failure(let failure):
                guard isTakingInput else { break loop }
                waiting.removeFirst()
                if phase == .idle { answerWithoutRequest(failure) } else { fail(failure) }
            case .inputClosed:
                guard isTakingInput else { break loop }
                waiting.removeFirst()
                meetEndOfInput()
            }
        }
        // The router's side takes what it was given when a read is complete, and there was none just now.
        if phase == .routing { context?.fireChannelReadComplete() }
        releaseRead()
    }

    func read(context: ChannelHandlerContext) {
        // What comes behind the last answer is read to be thrown away, whether or not the peer reads the answer.
        if phase == .lingering || waiting.isEmpty && context.channel.isWritable {
            context.read()
        } else {
            readIsHeldBack = true
        }
    }

    func releaseRead() {
        guard readIsHeldBack, waiting.isEmpty, let context, phase == .lingering || context.channel.isWritable else {
            return
        }
        readIsHeldBack = false
        context.read()
    }

    func channelWritabilityChanged(context: ChannelHandlerContext) {
        if context.channel.isWritable {
            unwritableSinceTick = nil
            if lastAnswerTick != nil { lastAnswerTick = loop.tick }
            takeWaiting()
        } else {
            unwritableSinceTick = loop.tick
        }
        context.fireChannelWritabilityChanged()
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) {
        switch error {
        case HTTPParserError.invalidMethod: watch?.judgeLine()
        case let error as HTTPParserError: fail(protocolFailure(error))
        // What comes behind an error is thrown away: the answers before it, and the one to it, must still go out.
        case ByteToMessageDecoderError.dataReceivedInErrorState: break
        default: context.close(promise: nil)
        }
    }

    /// The stream of requests ends with an error, which is answered in its turn.
    func fail(_ failure: ErrorResponse) {
        switch phase {
        case .idle where waiting.isEmpty: answerWithoutRequest(failure)
        case .collecting, .asking: answer(failure)
        case .importing where isTakingInput: answer(interrupted(failure))
        case .routing where !routing.requestHasEnded && routing.responseHasStarted: context?.close(promise: nil)
        case .routing where !routing.requestHasEnded: answer(failure)
        case .idle, .held, .parsing, .committing, .importing, .querying, .routing: waiting.append(.failure(failure))
        case .lingering, .closed: break
        }
    }

    private func protocolFailure(_ error: HTTPParserError) -> ErrorResponse {
        switch error {
        case .headerOverflow: return requestLineIsOpen ? .uriTooLong : .headersTooLarge
        case .invalidVersion:
            return ErrorResponse(505, "http_version_not_supported", "Only HTTP/1.0 and HTTP/1.1 are spoken here.")
                .closing()
        case .closedConnection, .invalidEOFState: return .badRequest("The request broke off.")
        default: return .malformed
        }
    }

    func userInboundEventTriggered(context: ChannelHandlerContext, event: Any) {
        switch event {
        case ChannelEvent.inputClosed:
            inputIsClosed = true
            inputEnded()
        case is ChannelShouldQuiesceEvent:
            environment.startDraining()
            if !isStream { closeWhenIdle() }
        default:
            context.fireUserInboundEventTriggered(event)
        }
    }

    /// A request may be on its way while the server is told to stop: idle connections are served a moment longer.
    private func closeWhenIdle() {
        guard let context else { return }
        let handler = NIOLoopBound(self, eventLoop: context.eventLoop)
        context.eventLoop.scheduleTask(in: .milliseconds(FrontLimits.drainGraceMilliseconds)) {
            let handler = handler.value
            if handler.phase == .idle && handler.requestStartedTick == nil { handler.context?.close(promise: nil) }
        }
    }

    // MARK: Outbound

    /// The request has its answer: the next one, or the end of the connection.
    func finishRequest() {
        endRecord()
        leaveBatch()
        ingest = nil
        importStream = nil
        query = nil
        // The peer was gone before the answer.
        guard phase != .closed else { return }
        requestStartedTick = nil
        lastProgressTick = loop.tick
        if request.keepsAlive {
            phase = .idle
            if environment.isDraining { closeWhenIdle() }
            if !waiting.isEmpty { takeWaiting() }
        } else {
            linger()
        }
    }

    /// The router's side ends its output when it is done with the connection. That may be long before the peer has read
    /// the last answer, so when the output really ends is decided here.
    func close(context: ChannelHandlerContext, mode: CloseMode, promise: EventLoopPromise<Void>?) {
        if isStream, phase == .lingering {
            promise?.succeed()
            return
        }
        guard mode == .output else {
            context.close(mode: mode, promise: promise)
            return
        }
        if phase == .routing && !routing.responseHasEnded {
            context.close(mode: .all, promise: promise)
        } else {
            promise?.succeed()
        }
    }
}
