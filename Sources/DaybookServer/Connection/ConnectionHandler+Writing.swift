internal import DaybookControl
internal import NIOCore
internal import NIOHTTP1
internal import NIOHTTP2

/// How answers get out, and how a connection or a stream ends behind its last one.
///
/// An answer is put together once, as the bytes of HTTP/1.1. On a stream its head is read back into fields, so that no
/// answer can say one thing here and another there.
extension ConnectionHandler {
    /// Head and body in one write, past the encoder.
    func writeAnswer(_ head: [UInt8], _ body: [UInt8]) {
        guard let encoderContext else {
            writeOnStream(head, body.isEmpty ? [] : [ByteBuffer(bytes: body)])
            return
        }
        var buffer = loop.takeBuffer(byteCount: head.count + body.count)
        buffer.writeBytes(head)
        buffer.writeBytes(body)
        loop.keepBuffer(buffer)
        encoderContext.writeAndFlush(NIOAny(IOData.byteBuffer(buffer)), promise: nil)
    }

    /// The same for a long body, whose parts are not copied.
    /// - Parameter memory: kept until all of it is with the kernel, or lost.
    func writeAnswer(_ head: [UInt8], _ body: [ByteBuffer], holding memory: BudgetShare?) {
        let isOut = memory.flatMap(outPromise)
        guard let encoderContext else {
            writeOnStream(head, body, isOut)
            return
        }
        var buffer = loop.takeBuffer(byteCount: head.count)
        buffer.writeBytes(head)
        loop.keepBuffer(buffer)
        encoderContext.write(NIOAny(IOData.byteBuffer(buffer)), promise: body.isEmpty ? isOut : nil)
        for (index, part) in body.enumerated() {
            encoderContext.write(
                NIOAny(IOData.byteBuffer(part)), promise: index == body.count - 1 ? isOut : nil)
        }
        encoderContext.flush()
    }

    private func outPromise(_ memory: BudgetShare) -> EventLoopPromise<Void>? {
        guard let isOut = context?.eventLoop.makePromise(of: Void.self) else { return nil }
        isOut.futureResult.whenComplete { _ in withExtendedLifetime(memory) {} }
        return isOut
    }

    /// A part of an answer whose length nobody knows.
    /// - Parameter head: of the answer, with its first part; on HTTP/1.1 it says that the body is chunked. Empty with every
    ///   other part.
    func writePart(_ head: [UInt8], _ part: [UInt8], isLast: Bool) {
        guard let encoderContext else {
            writePartOnStream(head, part, isLast: isLast)
            return
        }
        var buffer = loop.takeBuffer(byteCount: head.count + part.count + 32)
        buffer.writeBytes(head)
        buffer.writeString(String(part.count, radix: 16) + "\r\n")
        buffer.writeBytes(part)
        buffer.writeString(isLast ? "\r\n0\r\n\r\n" : "\r\n")
        loop.keepBuffer(buffer)
        encoderContext.writeAndFlush(NIOAny(IOData.byteBuffer(buffer)), promise: nil)
    }

    private func writePartOnStream(_ head: [UInt8], _ part: [UInt8], isLast: Bool) {
        guard let context else { return }
        if !head.isEmpty {
            context.write(Self.wrapOutboundOut(.head(HTTPResponseHead(ownBytes: head))), promise: nil)
        }
        context.write(Self.wrapOutboundOut(.body(.byteBuffer(ByteBuffer(bytes: part)))), promise: nil)
        if isLast { context.write(Self.wrapOutboundOut(.end(nil)), promise: streamEnd(nil)) }
        context.flush()
    }

    /// Whether the body of an answer may be sent in chunks: a stream has frames instead.
    var sendsChunks: Bool { encoderContext != nil }

    func writeContinue() {
        let head = Array("HTTP/1.1 100 Continue\r\n\r\n".utf8)
        guard encoderContext == nil else { return writeAnswer(head, [UInt8]()) }
        context?.writeAndFlush(Self.wrapOutboundOut(.head(HTTPResponseHead(ownBytes: head))), promise: nil)
    }

    private func writeOnStream(_ head: [UInt8], _ body: [ByteBuffer], _ isOut: EventLoopPromise<Void>? = nil) {
        guard let context else {
            isOut?.fail(ChannelError.alreadyClosed)
            return
        }
        context.write(Self.wrapOutboundOut(.head(HTTPResponseHead(ownBytes: head))), promise: nil)
        for part in body where part.readableBytes > 0 {
            context.write(Self.wrapOutboundOut(.body(.byteBuffer(part))), promise: nil)
        }
        context.writeAndFlush(Self.wrapOutboundOut(.end(nil)), promise: streamEnd(isOut))
    }

    /// A promise for the end of a stream's answer. Once that is out, a stream whose request is still arriving is ended:
    /// with no error, which lets the client keep the answer (RFC 9113, section 8.1). Any other has ended by itself.
    func streamEnd(_ promise: EventLoopPromise<Void>?) -> EventLoopPromise<Void>? {
        guard let context else { return promise }
        let isOut = promise ?? context.eventLoop.makePromise(of: Void.self)
        let handler = NIOLoopBound(self, eventLoop: context.eventLoop)
        // Not within the write that it is about.
        let eventLoop = context.eventLoop
        isOut.futureResult.whenSuccess { eventLoop.execute { handler.value.endStream() } }
        return isOut
    }

    private func endStream() {
        guard !inputHasEnded, phase != .closed, let context else { return }
        do {
            let codec = try context.pipeline.syncOperations.context(
                handlerType: HTTP2FramePayloadToHTTP1ServerCodec.self)
            codec.writeAndFlush(NIOAny(HTTP2Frame.FramePayload.rstStream(.noError)), promise: nil)
        } catch {
            context.close(promise: nil)
        }
    }

    /// Once the last answer is with the kernel: ends our side, and reads on until the peer ends its own, so that no reset
    /// overtakes the answer. A stream has ended with its answer, or does when that is out.
    func linger() {
        guard phase != .closed, phase != .lingering, let context else { return }
        phase = .lingering
        waiting.removeAll()
        lastAnswerTick = loop.tick
        defer { releaseRead() }
        guard let encoderContext else { return }
        let handler = NIOLoopBound(self, eventLoop: context.eventLoop)
        let isFlushed = context.eventLoop.makePromise(of: Void.self)
        isFlushed.futureResult.whenComplete { _ in
            let handler = handler.value
            handler.lingerStartedTick = handler.loop.tick
            handler.context?.close(mode: handler.inputIsClosed ? .all : .output, promise: nil)
        }
        encoderContext.writeAndFlush(NIOAny(IOData.byteBuffer(ByteBuffer())), promise: isFlushed)
    }
}

extension HTTPResponseHead {
    /// Reads a head that this server has put together. Precondition: it is one.
    init(ownBytes bytes: [UInt8]) {
        let lines = String(decoding: bytes, as: UTF8.self).split(separator: "\r\n")
        let status = lines.first.flatMap { Int($0.dropFirst("HTTP/1.1 ".count).prefix(3)) }
        guard let status else { preconditionFailure("an answer has a status") }
        var headers = HTTPHeaders()
        headers.reserveCapacity(lines.count)
        for line in lines.dropFirst() {
            guard let colon = line.utf8.firstIndex(of: UInt8(ascii: ":")) else {
                preconditionFailure("a field has a colon")
            }
            headers.add(name: String(line[..<colon]), value: String(line[line.index(colon, offsetBy: 2)...]))
        }
        self.init(version: .http2, status: HTTPResponseStatus(statusCode: status), headers: headers)
    }
}
