internal import DaybookSystem
internal import NIOCore
internal import NIOPosix

/// Rung by an event loop, heard by the same loop after it has looked at its sockets: neither a task, which runs
/// before that, nor a timer, with which the thread goes to sleep although there is work. A byte in a pipe, so the kernel
/// is called twice. Touched by its loop only. It keeps itself and whoever hears it until the loop ends.
final class LoopBell {
    private var pipe: (any Channel)?
    private var isRung = false
    private let stroke = ByteBuffer(bytes: [0])

    /// Must be called on the loop, once.
    /// - Parameter hear: called on the loop, once for all rings since the last time.
    func hang(in eventLoop: any EventLoop, _ hear: @escaping () -> Void) -> EventLoopFuture<Void> {
        let ends: (read: Int32, write: Int32)
        do { ends = try Pipe(for: "event loop").release() } catch { return eventLoop.makeFailedFuture(error) }
        let ear = NIOLoopBound(Ear { self.heard(hear) }, eventLoop: eventLoop)
        let bell = NIOLoopBound(self, eventLoop: eventLoop)
        return NIOPipeBootstrap(group: eventLoop)
            .channelInitializer { channel in
                channel.eventLoop.makeCompletedFuture { try channel.pipeline.syncOperations.addHandler(ear.value) }
            }
            .takingOwnershipOfDescriptors(input: ends.read, output: ends.write)
            .map { bell.value.pipe = $0 }
    }

    /// While it is rung already, this changes nothing.
    func ring() {
        guard !isRung, let pipe else { return }
        isRung = true
        pipe.writeAndFlush(stroke, promise: nil)
    }

    private func heard(_ hear: () -> Void) {
        isRung = false
        hear()
    }

    private final class Ear: ChannelInboundHandler {
        typealias InboundIn = ByteBuffer
        private let heard: () -> Void

        init(_ heard: @escaping () -> Void) { self.heard = heard }

        func channelRead(context: ChannelHandlerContext, data: NIOAny) { heard() }
    }
}
