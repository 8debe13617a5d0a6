internal import NIOCore

/// Stands before the HTTP decoder. The decoder says nothing until a head is whole: here the first byte of each request
/// is seen, so that the time limit starts with it. And here the plainest requests leave the general way.
final class ByteWatch: ChannelInboundHandler {
    typealias InboundIn = ByteBuffer
    typealias InboundOut = ByteBuffer

    private let handler: ConnectionHandler

    init(handler: ConnectionHandler) { self.handler = handler }

    /// Whether something went on to the decoder since the last `channelReadComplete`.
    private var hasPassedOn = false

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        if handler.isWaitingForHead {
            let bytes = Self.unwrapInboundIn(data)
            if handler.takePlain(bytes) { return }
            handler.headBytesArrived(bytes)
        }
        hasPassedOn = true
        context.fireChannelRead(data)
    }

    func channelReadComplete(context: ChannelHandlerContext) {
        guard hasPassedOn else { return }
        hasPassedOn = false
        context.fireChannelReadComplete()
    }
}

extension ConnectionHandler {
    var isWaitingForHead: Bool { phase == .idle && waiting.isEmpty }

    func headBytesArrived(_ bytes: ByteBuffer) {
        if requestStartedTick == nil {
            requestStartedTick = loop.tick
            requestLineIsOpen = true
        }
        if requestLineIsOpen { requestLineIsOpen = !bytes.readableBytesView.contains(UInt8(ascii: "\n")) }
    }
}
