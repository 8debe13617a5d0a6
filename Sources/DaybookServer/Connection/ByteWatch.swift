internal import NIOCore

/// Stands before the HTTP decoder. The decoder says nothing until a head is whole: here the first byte of each request
/// is seen, so that the time limit starts with it. Here the plainest requests leave the general way. And here the line
/// is kept whose method the decoder does not know.
final class ByteWatch: ChannelInboundHandler {
    typealias InboundIn = ByteBuffer
    typealias InboundOut = ByteBuffer

    private let handler: ConnectionHandler

    init(handler: ConnectionHandler) {
        self.handler = handler
        handler.watch = self
    }

    /// Whether something went on to the decoder since the last `channelReadComplete`.
    private var hasPassedOn = false
    /// Once bytes went to the decoder it may hold the beginning of a request, so from then on it gets all of them.
    private var isGeneral = false
    /// What the decoder is being given, with the bytes before it as long as the line that they begin is open.
    private var lineBytes = ByteBuffer()
    /// How many heads the decoder had given when `lineBytes` began, and began with a request as far as is known here.
    private var headCountBefore: Int?
    /// The decoder has given up at a method; what comes is the rest of that line.
    private var awaitsLine = false

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        let bytes = Self.unwrapInboundIn(data)
        if awaitsLine {
            lineBytes.writeImmutableBuffer(bytes)
            judgeLine()
            return
        }
        let goesOn = handler.requestLineIsOpen
        if handler.isWaitingForHead {
            if !isGeneral, handler.takePlain(bytes) { return }
            if !goesOn { headCountBefore = handler.requestStartedTick == nil ? handler.headCount : nil }
            handler.headBytesArrived(bytes)
        } else {
            headCountBefore = nil
        }
        if goesOn { lineBytes.writeImmutableBuffer(bytes) } else { lineBytes = bytes }
        isGeneral = true
        hasPassedOn = true
        context.fireChannelRead(data)
        if !handler.requestLineIsOpen, !awaitsLine { lineBytes = ByteBuffer() }
    }

    func channelReadComplete(context: ChannelHandlerContext) {
        guard hasPassedOn else { return }
        hasPassedOn = false
        context.fireChannelReadComplete()
    }

    /// The decoder failed at a method. Answers now, or when the line is whole.
    func judgeLine() {
        let bytes = lineBytes.readableBytesView
        let isFirst = headCountBefore == handler.headCount
        switch isFirst ? RequestLine(startOf: bytes) : RequestLine(somewhereIn: bytes) {
        case .incomplete where lineBytes.readableBytes <= RequestLine.byteCountMax:
            awaitsLine = true
            return
        case .incomplete: handler.fail(.uriTooLong)
        case .target(let target): handler.fail(RouteTable.refusal(ofUnknownMethodAt: target))
        case .malformed: handler.fail(.malformed)
        }
        awaitsLine = false
        lineBytes = ByteBuffer()
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
