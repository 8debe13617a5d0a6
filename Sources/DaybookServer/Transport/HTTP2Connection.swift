internal import DaybookControl
internal import NIOCore
internal import NIOHTTP2

/// What belongs to an HTTP/2 connection and to none of its streams: its idle time, a peer that does not read, and its
/// end. Its streams have a `ConnectionHandler` each, as connections of HTTP/1.1 have.
///
/// Floods of frames, resets and settings are bounded by the HTTP/2 handler before this one.
final class HTTP2Connection: ChannelInboundHandler, Timed {
    typealias InboundIn = HTTP2Frame
    typealias OutboundOut = HTTP2Frame

    private let loop: IngestLoop
    /// Came when there were as many connections as allowed: its first requests are told so, then it ends.
    let isRefused: Bool
    private var context: ChannelHandlerContext?
    private var openStreamCount = 0
    private var lastStreamID = HTTP2StreamID.rootStream
    private var idleSinceTick: Int
    private var unwritableSinceTick: Int?
    /// It ends with the streams that were open when it began to leave. Later ones are refused, and hold nothing back.
    private var isLeaving = false
    private var isEnded = false
    var refusesStreams: Bool { isRefused || isLeaving }

    /// Must be called on the loop.
    init(loop: IngestLoop, isRefused: Bool) {
        self.loop = loop
        self.isRefused = isRefused
        idleSinceTick = loop.tick
    }

    func handlerAdded(context: ChannelHandlerContext) {
        self.context = context
        loop.opened(self)
    }

    func handlerRemoved(context: ChannelHandlerContext) {
        self.context = nil
        loop.closed(self)
    }

    func streamOpened(_ id: HTTP2StreamID) {
        guard !isLeaving else { return }
        openStreamCount += 1
        lastStreamID = max(lastStreamID, id)
    }

    func streamClosed(_ id: HTTP2StreamID) {
        guard id <= lastStreamID else { return }
        openStreamCount -= 1
        idleSinceTick = loop.tick
        if isRefused { leave() } else { endIfDone() }
    }

    func channelWritabilityChanged(context: ChannelHandlerContext) {
        unwritableSinceTick = context.channel.isWritable ? nil : loop.tick
        context.fireChannelWritabilityChanged()
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        // Frames of the connection itself; the HTTP/2 handler has acted on them.
    }

    func userInboundEventTriggered(context: ChannelHandlerContext, event: Any) {
        switch event {
        case ChannelEvent.inputClosed: leave()
        case is ChannelShouldQuiesceEvent:
            loop.environment.startDraining()
            leaveSoon(context)
        default: context.fireUserInboundEventTriggered(event)
        }
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) {
        guard !Self.concernsStream(error) else { return }
        // Its reason, in a GOAWAY, is on its way out.
        let handler = NIOLoopBound(self, eventLoop: context.eventLoop)
        context.eventLoop.execute { handler.value.context?.close(promise: nil) }
    }

    /// Faults of one request. The HTTP/2 handler has reset the stream, and tells the connection as well.
    private static func concernsStream(_ error: any Error) -> Bool {
        switch error {
        case is NIOHTTP2Errors.StreamError, is NIOHTTP2Errors.NoSuchStream, is NIOHTTP2Errors.StreamClosed,
            is NIOHTTP2Errors.InvalidPseudoHeaders, is NIOHTTP2Errors.InvalidPseudoHeaderValue,
            is NIOHTTP2Errors.EmptyPathHeader, is NIOHTTP2Errors.ForbiddenHeaderField,
            is NIOHTTP2Errors.InvalidHTTP2HeaderFieldName, is NIOHTTP2Errors.InvalidHTTP2HeaderFieldValue,
            is NIOHTTP2Errors.UnknownPseudoHeader, is NIOHTTP2Errors.UnsupportedPseudoHeader,
            is NIOHTTP2Errors.DuplicatePseudoHeader, is NIOHTTP2Errors.MissingPseudoHeader,
            is NIOHTTP2Errors.PseudoHeaderAfterRegularHeader, is NIOHTTP2Errors.ContentLengthViolated,
            is NIOHTTP2Errors.ContentLengthHeadersMismatch, is NIOHTTP2Errors.ContentLengthHeaderMalformedValue,
            is NIOHTTP2Errors.ContentLengthHeaderNegative, is NIOHTTP2Errors.TrailersWithoutEndStream:
            true
        default: false
        }
    }

    func checkTime() {
        let limits = loop.environment.options.timeLimits
        if loop.isOver(limits.stalledWriteMilliseconds, since: unwritableSinceTick) {
            context?.close(promise: nil)
        } else if openStreamCount == 0, loop.isOver(limits.idleMilliseconds, since: idleSinceTick) {
            leave()
        }
    }

    /// Asks the client to open no further streams, and serves those that are on their way for a moment longer, as RFC 9113
    /// has it in section 6.8. The HTTP/2 handler must not see the question: it would take streams that are on their way
    /// for a breach of the protocol.
    private func leaveSoon(_ context: ChannelHandlerContext) {
        do {
            let http2 = try context.pipeline.syncOperations.context(handlerType: NIOHTTP2Handler.self)
            http2.writeAndFlush(NIOAny(IOData.byteBuffer(ByteBuffer(bytes: Self.lastCall))), promise: nil)
        } catch {
            preconditionFailure("the HTTP/2 handler stands before this one")
        }
        let handler = NIOLoopBound(self, eventLoop: context.eventLoop)
        context.eventLoop.scheduleTask(in: .milliseconds(FrontLimits.drainGraceMilliseconds)) { handler.value.leave() }
    }

    /// GOAWAY with the largest stream there can be, and no error.
    private static let lastCall: [UInt8] = [0, 0, 8, 7, 0, 0, 0, 0, 0, 0x7F, 0xFF, 0xFF, 0xFF, 0, 0, 0, 0]

    private func leave() {
        isLeaving = true
        endIfDone()
    }

    /// Tells the client which streams were served, and ends the connection. A little later than the last stream, because
    /// the last frames of a stream are behind the news of its end.
    private func endIfDone() {
        guard isLeaving, openStreamCount == 0, !isEnded, let context else { return }
        isEnded = true
        let handler = NIOLoopBound(self, eventLoop: context.eventLoop)
        context.eventLoop.execute {
            let handler = handler.value
            guard let context = handler.context else { return }
            let frame = HTTP2Frame(
                streamID: .rootStream,
                payload: .goAway(lastStreamID: handler.lastStreamID, errorCode: .noError, opaqueData: nil))
            context.writeAndFlush(Self.wrapOutboundOut(frame), promise: nil)
            context.close(promise: nil)
        }
    }
}

/// Counts the streams of a connection in and out. Called on its loop.
struct HTTP2StreamCount: NIOHTTP2StreamDelegate {
    let connection: NIOLoopBound<HTTP2Connection>

    func streamCreated(_ id: HTTP2StreamID, channel: any Channel) { connection.value.streamOpened(id) }
    func streamClosed(_ id: HTTP2StreamID, channel: any Channel) { connection.value.streamClosed(id) }
}

extension NIOHTTP2Handler.ConnectionConfiguration {
    /// Bounds of one connection.
    static var ofFront: Self {
        var configuration = Self()
        configuration.initialSettings = [
            HTTP2Setting(parameter: .maxConcurrentStreams, value: FrontLimits.streamCountMax),
            HTTP2Setting(parameter: .maxHeaderListSize, value: FrontLimits.headerListByteCountMax),
        ]
        // More than may be open, so that what a client sends before it learns of a reset is recognized.
        configuration.maximumRecentlyResetStreams = 2 * FrontLimits.streamCountMax
        configuration.maximumBufferedControlFrames = FrontLimits.bufferedControlFrameCountMax
        configuration.controlFrameRateLimit.maximumCount = FrontLimits.controlFrameCountMax
        configuration.controlFrameRateLimit.windowLength = .seconds(30)
        return configuration
    }
}

extension NIOHTTP2Handler.StreamConfiguration {
    static var ofFront: Self {
        var configuration = Self()
        configuration.streamResetFrameRateLimit.maximumCount = FrontLimits.resetCountMax
        configuration.streamResetFrameRateLimit.windowLength = .seconds(30)
        configuration.streamErrorRateLimit.maximumCount = FrontLimits.resetCountMax
        configuration.streamErrorRateLimit.windowLength = .seconds(30)
        // As HTTP/1.1 connections have it.
        configuration.outboundBufferSizeHighWatermark = 64 << 10
        configuration.outboundBufferSizeLowWatermark = 32 << 10
        return configuration
    }
}
