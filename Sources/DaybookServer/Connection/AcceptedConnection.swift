internal import HummingbirdCore
internal import NIOCore
internal import NIOHTTPTypes
internal import NIOHTTPTypesHTTP1
import Synchronization

/// A connection on its way from the accepting channel to the router's task.
///
/// A server that is being stopped drops what it has accepted and not yet given to a task: such a connection is closed.
final class AcceptedConnection: ServerChildChannelValue {
    /// A channel whose requests the router has to answer: the connection itself, or a stream of it.
    struct Exchange: Sendable {
        let channel: any Channel
        let handler: NIOLoopBound<ConnectionHandler>

        /// Puts the router's side behind the handler. Only here, because an asynchronous channel must not be dropped
        /// unused: it traps. Throws when the channel has ended already.
        func attachRouter() async throws -> NIOAsyncChannel<HTTPRequestPart, HTTPResponsePart> {
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

    let channel: any Channel
    private let stream: AsyncStream<Exchange>
    private let continuation: AsyncStream<Exchange>.Continuation
    private let isTaken = Atomic<Bool>(false)

    init(_ channel: any Channel) {
        self.channel = channel
        (stream, continuation) = AsyncStream.makeStream()
        channel.closeFuture.whenComplete { [continuation] _ in continuation.finish() }
    }

    deinit {
        if !isTaken.load(ordering: .acquiring) { channel.close(promise: nil) }
    }

    /// Asks the router's task for its side of a channel: once for each channel, on its loop. As many may be waiting as a
    /// connection may have streams.
    func wantsRouter(_ channel: any Channel, _ handler: ConnectionHandler) {
        continuation.yield(Exchange(channel: channel, handler: NIOLoopBound(handler, eventLoop: channel.eventLoop)))
    }

    /// What the router has to answer, until the connection ends. Whoever asks has the connection.
    func exchanges() -> AsyncStream<Exchange> {
        isTaken.store(true, ordering: .releasing)
        return stream
    }
}
