internal import DaybookControl
private import FoundationEssentials
internal import NIOCore
internal import NIOPosix

/// The door for administrative verbs while the server runs: a Unix socket in the data directory, mode 0600, inside a
/// directory of mode 0700. One JSON object a line each way, as `Administration` describes them. Whoever may open the
/// data directory may administer it.
struct AdminSocket {
    static let requestByteCountMax = 64 << 10

    let administration: Administration
    let pool: QueryPool

    /// Replaces a socket that a killed process left behind: the lock on the data directory proves that nobody serves it.
    func bind(path: String, group: any EventLoopGroup) async throws -> any Channel {
        let channel = try await ServerBootstrap(group: group)
            .childChannelInitializer { channel in
                channel.eventLoop.makeCompletedFuture {
                    try channel.pipeline.syncOperations.addHandler(
                        AdminHandler(administration: administration, pool: pool))
                }
            }
            .bind(unixDomainSocketPath: path, cleanupExistingSocketFile: true).get()
        try FileManager.default.setAttributes([.posixPermissions: 0o600], ofItemAtPath: path)
        return channel
    }

    /// Closes the socket and removes its name.
    static func close(_ channel: any Channel, path: String) async throws {
        try await channel.close().get()
        if FileManager.default.fileExists(atPath: path) { try FileManager.default.removeItem(atPath: path) }
    }
}

/// One administrative connection: lines in, lines out, one at a time.
private final class AdminHandler: ChannelInboundHandler {
    typealias InboundIn = ByteBuffer
    typealias OutboundOut = ByteBuffer

    private let administration: Administration
    private let pool: QueryPool
    private var input = ByteBuffer()
    private var isBusy = false

    init(administration: Administration, pool: QueryPool) {
        self.administration = administration
        self.pool = pool
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        input.writeImmutableBuffer(Self.unwrapInboundIn(data))
        takeLine(context)
    }

    private func takeLine(_ context: ChannelHandlerContext) {
        guard !isBusy else { return }
        guard let end = input.readableBytesView.firstIndex(of: UInt8(ascii: "\n")) else {
            if input.readableBytes > AdminSocket.requestByteCountMax { context.close(promise: nil) }
            return
        }
        guard let line = input.readBytes(length: end - input.readerIndex) else { return }
        input.moveReaderIndex(forwardBy: 1)
        isBusy = true
        let eventLoop = context.eventLoop
        let bound = NIOLoopBound((self, context), eventLoop: eventLoop)
        pool.submit(of: .server) {
            eventLoop.execute { bound.value.1.close(promise: nil) }
        } _: { [administration] in
            let answer = administration.perform(line)
            eventLoop.execute {
                let (handler, context) = bound.value
                handler.reply(answer, context)
            }
        }
    }

    private func reply(_ answer: [UInt8], _ context: ChannelHandlerContext) {
        isBusy = false
        guard context.channel.isActive else { return }
        var buffer = context.channel.allocator.buffer(bytes: answer)
        buffer.writeInteger(UInt8(ascii: "\n"))
        context.writeAndFlush(Self.wrapOutboundOut(buffer), promise: nil)
        takeLine(context)
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) { context.close(promise: nil) }
}
