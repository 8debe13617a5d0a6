internal import HummingbirdCore
internal import Logging
internal import NIOCore
internal import NIOHTTP1
internal import NIOHTTPTypes
internal import NIOHTTPTypesHTTP1

/// How an accepted connection is set up: codec, our handler, then the router's side.
///
/// NIO's own pipelining help stays off, the connection handler keeps the order; its error handling stays off too, it
/// would write a 400 before the answers of earlier requests.
struct ConnectionChannel: HTTPChannelHandler {
    typealias Value = NIOAsyncChannel<HTTPRequestPart, HTTPResponsePart>

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
            try pipeline.addHandler(HTTP1ToHTTPServerCodec(secure: false))
            return try NIOAsyncChannel(
                wrappingChannelSynchronously: channel, configuration: .init(isOutboundHalfClosureEnabled: true))
        }
    }

    func handle(value: Value, logger: Logger) async {
        await handleHTTP(asyncChannel: value, logger: logger)
    }
}
