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
    /// Once bytes went to the decoder it may hold the beginning of a request, so from then on it gets all of them.
    private var isGeneral = false

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        if handler.isWaitingForHead {
            let bytes = Self.unwrapInboundIn(data)
            if !isGeneral, handler.takePlain(bytes) { return }
            handler.headBytesArrived(bytes)
        }
        isGeneral = true
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
