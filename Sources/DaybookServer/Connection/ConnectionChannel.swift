internal import HummingbirdCore
internal import Logging
internal import NIOCore
internal import NIOHTTP1
internal import NIOHTTP2
internal import NIOSSL

/// How an accepted connection is set up: TLS where that is on, then the codec of HTTP/1.1 or HTTP/2, our handler, and,
/// once a task of the router has it, the router's side. Each stream of HTTP/2 is a channel with handlers of its own.
///
/// NIO's own pipelining help stays off, the connection handler keeps the order; its error handling stays off too, it
/// would write a 400 before the answers of earlier requests.
struct ConnectionChannel: HTTPChannelHandler {
    typealias Value = AcceptedConnection

    let loops: [ObjectIdentifier: NIOLoopBound<IngestLoop>]
    let security: TransportSecurity?
    let responder: Responder

    func setup(channel: any Channel, logger: Logger) -> EventLoopFuture<Value> {
        guard let loop = loops[ObjectIdentifier(channel.eventLoop)]?.value else {
            preconditionFailure("a connection on an event loop that is not the server's")
        }
        let environment = loop.environment
        let admission = environment.connectionOpened()
        channel.closeFuture.whenComplete { _ in environment.connectionClosed() }
        let connection = AcceptedConnection(channel)
        do {
            try addHandlers(to: channel.pipeline.syncOperations, of: connection, loop, admission)
        } catch {
            // A failure here would end the listener.
            logger.debug("A connection could not be set up.", metadata: ["error": "\(error)"])
            channel.close(promise: nil)
        }
        return channel.eventLoop.makeSucceededFuture(connection)
    }

    private func addHandlers(
        to pipeline: ChannelPipeline.SynchronousOperations, of connection: AcceptedConnection, _ loop: IngestLoop,
        _ admission: ServerEnvironment.Admission
    ) throws {
        guard admission != .dropped else { return try pipeline.addHandler(DroppingHandler()) }
        let isRefused = admission == .refused
        guard let security else { return try Self.addHTTP1(to: pipeline, of: connection, loop, isRefused: isRefused) }
        var configuration = NIOSSLHandler.Configuration()
        configuration.maximumPreservedOutboundBufferCapacity = 64 << 10
        try pipeline.addHandler(NIOSSLServerHandler(context: security.context, configuration: configuration))
        try pipeline.addHandler(
            HandshakeHandler(loop: loop) { pipeline, negotiated in
                if negotiated == "h2" {
                    try Self.addHTTP2(to: pipeline, of: connection, loop, isRefused: isRefused)
                } else {
                    try Self.addHTTP1(to: pipeline, of: connection, loop, isRefused: isRefused)
                }
            })
    }

    private static func addHTTP1(
        to pipeline: ChannelPipeline.SynchronousOperations, of connection: AcceptedConnection, _ loop: IngestLoop,
        isRefused: Bool
    ) throws {
        var limits = NIOHTTPDecoderLimitConfiguration()
        limits.maxHeaderFieldSize = FrontLimits.headerFieldByteCountMax
        limits.maxHeaderListSize = FrontLimits.headerListByteCountMax
        limits.maxHeaderFieldCount = FrontLimits.headerFieldCountMax
        let handler = ConnectionHandler(loop: loop, isRefused: isRefused)
        try pipeline.addHandler(ByteWatch(handler: handler))
        try pipeline.configureHTTPServerPipeline(
            withPipeliningAssistance: false, withErrorHandling: false, withOutboundHeaderValidation: false,
            withEncoderConfiguration: .init(), withDecoderLimitConfiguration: limits)
        try pipeline.addHandler(handler)
        connection.wantsRouter(connection.channel, handler)
    }

    private static func addHTTP2(
        to pipeline: ChannelPipeline.SynchronousOperations, of connection: AcceptedConnection, _ loop: IngestLoop,
        isRefused: Bool
    ) throws {
        let eventLoop = connection.channel.eventLoop
        let guardian = HTTP2Connection(loop: loop, isRefused: isRefused)
        let bound = NIOLoopBound((loop, guardian), eventLoop: eventLoop)
        let http2 = NIOHTTP2Handler(
            mode: .server, eventLoop: eventLoop, connectionConfiguration: .ofFront, streamConfiguration: .ofFront,
            streamDelegate: HTTP2StreamCount(connection: NIOLoopBound(guardian, eventLoop: eventLoop))
        ) { stream in
            stream.eventLoop.makeCompletedFuture {
                let (loop, guardian) = bound.value
                let environment = loop.environment
                let isOver = !environment.streamOpened()
                stream.closeFuture.whenComplete { _ in environment.streamClosed() }
                let handler = ConnectionHandler(
                    loop: loop, isRefused: isOver || guardian.refusesStreams, isStream: true)
                handler.wantsRouter = { [weak handler] in
                    if let handler { connection.wantsRouter(stream, handler) }
                }
                let pipeline = stream.pipeline.syncOperations
                try pipeline.addHandler(HTTP2FramePayloadToHTTP1ServerCodec())
                try pipeline.addHandler(handler)
            }
        }
        try pipeline.addHandler(http2)
        try pipeline.addHandler(guardian)
    }

    func handle(value: Value, logger: Logger) async {
        await withDiscardingTaskGroup { group in
            for await exchange in value.exchanges() {
                group.addTask {
                    do {
                        await handleHTTP(asyncChannel: try await exchange.attachRouter(), logger: logger)
                    } catch {
                        logger.trace(
                            "The connection ended before the router had it.", metadata: ["error": "\(error)"])
                    }
                }
            }
        }
    }
}
