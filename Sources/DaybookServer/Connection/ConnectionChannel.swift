internal import HummingbirdCore
internal import Logging
internal import NIOCore
internal import NIOHTTP1
internal import NIOHTTPTypes
internal import NIOHTTPTypesHTTP1
import Synchronization

/// How an accepted connection is set up: codec, our handler, then, once a task of the router has it, the router's side.
///
/// NIO's own pipelining help stays off, the connection handler keeps the order; its error handling stays off too, it
/// would write a 400 before the answers of earlier requests.
struct ConnectionChannel: HTTPChannelHandler {
    typealias Value = AcceptedConnection

    let loops: [ObjectIdentifier: NIOLoopBound<IngestLoop>]
    let responder: Responder

    func setup(channel: any Channel, logger: Logger) -> EventLoopFuture<Value> {
        channel.eventLoop.makeCompletedFuture {
            guard let loop = loops[ObjectIdentifier(channel.eventLoop)]?.value else {
                preconditionFailure("a connection on an event loop that is not the server's")
            }
            var limits = NIOHTTPDecoderLimitConfiguration()
            limits.maxHeaderFieldSize = FrontLimits.headerFieldByteCountMax
            limits.maxHeaderListSize = FrontLimits.headerListByteCountMax
            limits.maxHeaderFieldCount = FrontLimits.headerFieldCountMax
            let pipeline = channel.pipeline.syncOperations
            let handler = ConnectionHandler(loop: loop)
            try pipeline.addHandler(ByteWatch(handler: handler))
            try pipeline.configureHTTPServerPipeline(
                withPipeliningAssistance: false, withErrorHandling: false, withOutboundHeaderValidation: false,
                withEncoderConfiguration: .init(), withDecoderLimitConfiguration: limits)
            try pipeline.addHandler(handler)
            return AcceptedConnection(
                channel: channel, handler: NIOLoopBound(handler, eventLoop: channel.eventLoop))
        }
    }

    func handle(value: Value, logger: Logger) async {
        do {
            await handleHTTP(asyncChannel: try await value.attachRouter(), logger: logger)
        } catch {
            logger.trace("The connection ended before the router had it.", metadata: ["error": "\(error)"])
        }
    }
}

/// A connection on its way from the accepting channel to the router's task.
///
/// A server that is being stopped drops what it has accepted and not yet given to a task, and an asynchronous channel
/// must not be dropped unused: it traps. So the channel gets one only when its task is there, and a dropped connection
/// is closed.
final class AcceptedConnection: ServerChildChannelValue {
    let channel: any Channel
    private let handler: NIOLoopBound<ConnectionHandler>
    private let isAttached = Atomic<Bool>(false)

    init(channel: any Channel, handler: NIOLoopBound<ConnectionHandler>) {
        self.channel = channel
        self.handler = handler
    }

    deinit {
        if !isAttached.load(ordering: .acquiring) { channel.close(promise: nil) }
    }

    /// Puts the router's side behind the connection's handler. Throws when the connection has ended already.
    func attachRouter() async throws -> NIOAsyncChannel<HTTPRequestPart, HTTPResponsePart> {
        isAttached.store(true, ordering: .releasing)
        let channel = channel
        let handler = handler
        return try await channel.eventLoop.submit {
            guard channel.isActive else { throw ChannelError.alreadyClosed }
            try channel.pipeline.syncOperations.addHandler(HTTP1ToHTTPServerCodec(secure: false))
            let asyncChannel = try NIOAsyncChannel<HTTPRequestPart, HTTPResponsePart>(
                wrappingChannelSynchronously: channel, configuration: .init(isOutboundHalfClosureEnabled: true))
            handler.value.routerAttached()
            return asyncChannel
        }.get()
    }
}
