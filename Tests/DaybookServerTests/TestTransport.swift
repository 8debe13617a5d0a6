import DaybookSystem
import Foundation
import NIOCore
import NIOPosix
import NIOSSL

/// What a test connection runs over. All calls block.
protocol TestTransport: Sendable {
    func send(_ bytes: [UInt8]) throws
    /// False when the server has ended the stream.
    func receive(appendingTo bytes: inout [UInt8]) throws -> Bool
    func endWriting() throws
    func close()
}

/// TCP.
struct PlainTransport: TestTransport {
    let socket: StreamSocket

    func send(_ bytes: [UInt8]) throws { try bytes.withRawSpan { try socket.writeAll($0) } }

    func receive(appendingTo bytes: inout [UInt8]) throws -> Bool {
        guard case .moved = try socket.read(64 << 10, appendingTo: &bytes) else { return false }
        return true
    }

    func endWriting() throws { try socket.endWriting() }
    func close() { socket.close() }
}

/// TLS, with a client that trusts one authority.
final class SecureTransport: TestTransport {
    private let channel: any Channel
    private let inbox: Inbox

    private init(_ channel: any Channel, _ inbox: Inbox) {
        self.channel = channel
        self.inbox = inbox
    }

    static func connect(
        port: UInt16, authority: String, protocols: [String] = [], identity: TestCertificates.Identity? = nil,
        maximumVersion: TLSVersion? = nil
    ) throws -> SecureTransport {
        var configuration = TLSConfiguration.makeClientConfiguration()
        configuration.trustRoots = .file(authority)
        configuration.applicationProtocols = protocols
        configuration.maximumTLSVersion = maximumVersion
        configuration.shutdownTimeout = .milliseconds(100)
        if let identity {
            configuration.certificateChain = try NIOSSLCertificate.fromPEMFile(identity.certificatePath).map {
                .certificate($0)
            }
            configuration.privateKey = .privateKey(try NIOSSLPrivateKey(file: identity.keyPath, format: .pem))
        }
        let context = try NIOSSLContext(configuration: configuration)
        let inbox = Inbox()
        let channel = try ClientBootstrap(group: MultiThreadedEventLoopGroup.singleton)
            .channelInitializer { channel in
                channel.eventLoop.makeCompletedFuture {
                    let tls = try NIOSSLClientHandler(context: context, serverHostname: "localhost")
                    try channel.pipeline.syncOperations.addHandler(tls)
                    try channel.pipeline.syncOperations.addHandler(InboxHandler(inbox))
                }
            }
            .connect(host: "127.0.0.1", port: Int(port)).wait()
        return SecureTransport(channel, inbox)
    }

    func send(_ bytes: [UInt8]) throws { try channel.writeAndFlush(ByteBuffer(bytes: bytes)).wait() }
    func receive(appendingTo bytes: inout [UInt8]) throws -> Bool { inbox.take(appendingTo: &bytes) }
    func endWriting() throws { try channel.close(mode: .output).wait() }
    func close() { channel.close(promise: nil) }
}

/// Bytes on their way from an event loop to a thread that waits for them.
private final class Inbox: @unchecked Sendable {
    private let condition = NSCondition()
    private var bytes: [UInt8] = []
    private var hasEnded = false

    func put(_ buffer: ByteBuffer) {
        condition.lock()
        bytes += Array(buffer.readableBytesView)
        condition.broadcast()
        condition.unlock()
    }

    func end() {
        condition.lock()
        hasEnded = true
        condition.broadcast()
        condition.unlock()
    }

    func take(appendingTo target: inout [UInt8]) -> Bool {
        condition.lock()
        defer { condition.unlock() }
        while bytes.isEmpty && !hasEnded { condition.wait() }
        target += bytes
        defer { bytes = [] }
        return !bytes.isEmpty
    }
}

private final class InboxHandler: ChannelInboundHandler {
    typealias InboundIn = ByteBuffer
    private let inbox: Inbox

    init(_ inbox: Inbox) { self.inbox = inbox }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) { inbox.put(Self.unwrapInboundIn(data)) }
    func channelInactive(context: ChannelHandlerContext) { inbox.end() }
    func handlerRemoved(context: ChannelHandlerContext) { inbox.end() }
    func errorCaught(context: ChannelHandlerContext, error: any Error) { context.close(promise: nil) }
}
