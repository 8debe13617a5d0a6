internal import NIOCore

/// Stands before the HTTP decoder, which says nothing until a head is whole: sees the first byte of each request, so
/// that the time limit starts with it.
final class ByteWatch: ChannelInboundHandler {
    typealias InboundIn = ByteBuffer
    typealias InboundOut = ByteBuffer

    private let handler: ConnectionHandler

    init(handler: ConnectionHandler) { self.handler = handler }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        if handler.isWaitingForHead { handler.headBytesArrived(Self.unwrapInboundIn(data)) }
        context.fireChannelRead(data)
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
