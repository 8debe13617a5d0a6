internal import DaybookControl
internal import Logging
internal import NIOCore
internal import NIOTLS

/// Something that is looked at once a tick of its loop.
protocol Timed: AnyObject {
    func checkTime()
}

/// Stands behind TLS until both sides have agreed: bounds how long that may take, and makes room for whoever speaks the
/// protocol that was agreed on.
final class HandshakeHandler: ChannelInboundHandler, RemovableChannelHandler, Timed {
    typealias InboundIn = ByteBuffer

    private let loop: IngestLoop
    private let startedTick: Int
    /// Puts the handlers of the protocol behind this one.
    private let proceed: (ChannelPipeline.SynchronousOperations, String?) throws -> Void
    private var context: ChannelHandlerContext?

    /// Must be called on the loop.
    init(loop: IngestLoop, proceed: @escaping (ChannelPipeline.SynchronousOperations, String?) throws -> Void) {
        self.loop = loop
        self.proceed = proceed
        startedTick = loop.tick
    }

    func handlerAdded(context: ChannelHandlerContext) {
        self.context = context
        loop.opened(self)
    }

    func handlerRemoved(context: ChannelHandlerContext) {
        self.context = nil
        loop.closed(self)
    }

    func userInboundEventTriggered(context: ChannelHandlerContext, event: Any) {
        switch event {
        case TLSUserEvent.handshakeCompleted(let negotiated):
            do {
                try proceed(context.pipeline.syncOperations, negotiated)
                context.pipeline.syncOperations.removeHandler(self, promise: nil)
            } catch {
                context.close(promise: nil)
            }
        // Nothing was asked yet, so nothing is owed.
        case is ChannelShouldQuiesceEvent, ChannelEvent.inputClosed: context.close(promise: nil)
        default: context.fireUserInboundEventTriggered(event)
        }
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) {
        fail(context, "\(error)")
    }

    func checkTime() {
        guard let context else { return }
        let limit = loop.environment.options.timeLimits.handshakeMilliseconds
        if loop.isOver(limit, since: startedTick) { fail(context, "It took too long.") }
    }

    private var hasFailed = false

    private func fail(_ context: ChannelHandlerContext, _ reason: String) {
        if !hasFailed {
            hasFailed = true
            loop.environment.counters.handshakeFailed()
            loop.environment.logger.debug("A TLS handshake failed.", metadata: ["reason": "\(reason)"])
        }
        context.close(promise: nil)
    }
}

/// Closes a connection that came when there is no room even for telling it so.
final class DroppingHandler: ChannelInboundHandler {
    typealias InboundIn = ByteBuffer

    func handlerAdded(context: ChannelHandlerContext) {
        if context.channel.isActive { context.close(promise: nil) }
    }

    func channelActive(context: ChannelHandlerContext) { context.close(promise: nil) }
}
