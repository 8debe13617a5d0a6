import DaybookTestSupport
import NIOCore
import NIOHPACK
import Synchronization

/// A client of HTTP/2 that does what the test says, frame by frame.
final class StreamConnection: Sendable {
    struct Frame: Sendable, Equatable {
        enum Kind {
            static let data: UInt8 = 0
            static let headers: UInt8 = 1
            static let priority: UInt8 = 2
            static let reset: UInt8 = 3
            static let settings: UInt8 = 4
            static let ping: UInt8 = 6
            static let goAway: UInt8 = 7
            static let windowUpdate: UInt8 = 8
            static let continuation: UInt8 = 9
        }

        var kind: UInt8
        var flags: UInt8 = 0
        var stream: UInt32 = 0
        var payload: [UInt8] = []

        /// END_STREAM, and ACK of settings and pings.
        static let last: UInt8 = 1
        static let endHeaders: UInt8 = 4

        var bytes: [UInt8] {
            let count = UInt32(payload.count)
            return [UInt8(count >> 16 & 0xFF), UInt8(count >> 8 & 0xFF), UInt8(count & 0xFF), kind, flags]
                + StreamConnection.bytes(of: stream) + payload
        }
    }

    struct GoAway: Sendable, Equatable {
        var lastStream: UInt32
        var code: UInt32
    }

    /// Until it is whole.
    private struct Partial {
        var reply = Reply(status: 0, fields: [:], body: [])
        var isWhole = false
    }

    private struct State {
        var input: [UInt8] = []
        var encoder = HPACKEncoder(allocator: ByteBufferAllocator())
        var decoder = HPACKDecoder(allocator: ByteBufferAllocator())
        var nextStream: UInt32 = 1
        var replies: [UInt32: Partial] = [:]
        var informational: [Int] = []
        var resets: [UInt32: UInt32] = [:]
        var goAways: [GoAway] = []
    }

    private let transport: any TestTransport
    private let state = Mutex(State())
    /// Whether what was received is acknowledged, so that more may come.
    private let opensWindows: Bool

    /// - Parameter windowByteCount: of each stream, for answers.
    init(_ transport: any TestTransport, windowByteCount: UInt32? = nil) async throws {
        self.transport = transport
        opensWindows = windowByteCount == nil
        let settings = windowByteCount.map { [0, 4] + Self.bytes(of: $0) } ?? []
        try await send(bytes: Array("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n".utf8))
        try await send(Frame(kind: Frame.Kind.settings, payload: settings))
    }

    static func bytes(of number: UInt32) -> [UInt8] {
        [UInt8(number >> 24), UInt8(number >> 16 & 0xFF), UInt8(number >> 8 & 0xFF), UInt8(number & 0xFF)]
    }

    func close() { transport.close() }
    func send(bytes: [UInt8]) async throws { try await onThread { [transport] in try transport.send(bytes) } }
    func send(_ frames: Frame...) async throws { try await send(bytes: frames.flatMap(\.bytes)) }

    var resets: [UInt32: UInt32] { state.withLock(\.resets) }
    var goAways: [GoAway] { state.withLock(\.goAways) }
    var informational: [Int] { state.withLock(\.informational) }

    /// The head of a request as one frame.
    func head(_ fields: [(String, String)], on stream: UInt32, isLast: Bool) throws -> Frame {
        var block = ByteBuffer()
        try state.withLock { try $0.encoder.encode(headers: HPACKHeaders(fields), to: &block) }
        return Frame(
            kind: Frame.Kind.headers, flags: Frame.endHeaders | (isLast ? Frame.last : 0), stream: stream,
            payload: Array(block.readableBytesView))
    }

    func newStream() -> UInt32 {
        state.withLock { state in
            defer { state.nextStream += 2 }
            return state.nextStream
        }
    }

    static func fields(
        _ method: String, _ path: String, key: String?, _ more: [(String, String)] = []
    ) -> [(String, String)] {
        [(":method", method), (":scheme", "https"), (":path", path), (":authority", "localhost")]
            + (key.map { [("authorization", "Bearer \($0)")] } ?? []) + more
    }

    /// Sends a whole request; the number of its stream.
    @discardableResult
    func ask(
        _ method: String, _ path: String, body: String? = nil, key: String?, fields: [(String, String)] = []
    ) async throws -> UInt32 {
        let stream = newStream()
        let type = body == nil ? [] : [("content-type", "application/json")]
        let all = Self.fields(method, path, key: key, type + fields)
        var frames = [try head(all, on: stream, isLast: body == nil)]
        if let body {
            frames.append(Frame(kind: Frame.Kind.data, flags: Frame.last, stream: stream, payload: Array(body.utf8)))
        }
        try await send(bytes: frames.flatMap(\.bytes))
        return stream
    }

    func request(
        _ method: String, _ path: String, body: String? = nil, key: String?, fields: [(String, String)] = []
    ) async throws -> Reply {
        try await reply(on: try await ask(method, path, body: body, key: key, fields: fields))
    }

    /// The answer on a stream. Throws `Ended` when the connection or the stream ends before it is whole.
    func reply(on stream: UInt32) async throws -> Reply {
        while true {
            if let partial = state.withLock({ $0.replies[stream] }), partial.isWhole { return partial.reply }
            guard resets[stream] == nil, try await frame() != nil else { throw TestConnection.Ended() }
        }
    }

    /// Reads until the server ends the connection.
    func readToEnd() async throws {
        while try await frame() != nil {}
    }

    /// Reads until something is so.
    func read(until condition: () -> Bool) async throws {
        while !condition() {
            guard try await frame() != nil else { throw TestConnection.Ended() }
        }
    }

    /// The next frame, after it was acted on; nil at the end.
    func frame() async throws -> Frame? {
        let frame = await onThread { [self] in nextFrame() }
        guard let frame else { return nil }
        let isAnswer = frame.flags & Frame.last != 0
        switch frame.kind {
        case Frame.Kind.settings where !isAnswer:
            try await answer(Frame(kind: Frame.Kind.settings, flags: Frame.last))
        case Frame.Kind.ping where !isAnswer:
            try await answer(Frame(kind: Frame.Kind.ping, flags: Frame.last, payload: frame.payload))
        case Frame.Kind.data where opensWindows && !frame.payload.isEmpty:
            let increment = Self.bytes(of: UInt32(frame.payload.count))
            try await answer(Frame(kind: Frame.Kind.windowUpdate, payload: increment))
            if !isAnswer {
                try await answer(Frame(kind: Frame.Kind.windowUpdate, stream: frame.stream, payload: increment))
            }
        default: break
        }
        try state.withLock { try Self.take(frame, into: &$0) }
        return frame
    }

    /// A connection that is about to end takes no answers.
    private func answer(_ frame: Frame) async throws {
        do {
            try await send(frame)
        } catch is ChannelError {
            return
        }
    }

    private static func take(_ frame: Frame, into state: inout State) throws {
        func number(at start: Int) -> UInt32 {
            frame.payload[start..<start + 4].reduce(0) { $0 << 8 | UInt32($1) }
        }
        switch frame.kind {
        case Frame.Kind.headers:
            var block = ByteBuffer(bytes: frame.payload)
            let headers = try state.decoder.decodeHeaders(from: &block)
            let status = headers.first(name: ":status").flatMap { Int($0) } ?? 0
            guard status >= 200 else {
                state.informational.append(status)
                return
            }
            var partial = Partial()
            partial.reply.status = status
            for (name, value, _) in headers { partial.reply.fields[name] = value }
            partial.isWhole = frame.flags & Frame.last != 0
            state.replies[frame.stream] = partial
        case Frame.Kind.data:
            state.replies[frame.stream]?.reply.body += frame.payload
            if frame.flags & Frame.last != 0 { state.replies[frame.stream]?.isWhole = true }
        case Frame.Kind.reset: state.resets[frame.stream] = number(at: 0)
        case Frame.Kind.goAway: state.goAways.append(GoAway(lastStream: number(at: 0), code: number(at: 4)))
        default: break
        }
    }

    private func nextFrame() -> Frame? {
        while true {
            let frame: Frame? = state.withLock { state in
                let input = state.input
                guard input.count >= 9 else { return nil }
                let count = Int(input[0]) << 16 | Int(input[1]) << 8 | Int(input[2])
                guard input.count >= 9 + count else { return nil }
                state.input.removeFirst(9 + count)
                let stream = input[5..<9].reduce(0) { $0 << 8 | UInt32($1) } & 0x7FFF_FFFF
                return Frame(kind: input[3], flags: input[4], stream: stream, payload: Array(input[9..<9 + count]))
            }
            if let frame { return frame }
            var bytes: [UInt8] = []
            // A connection that was reset has ended, too.
            guard (try? transport.receive(appendingTo: &bytes)) == true else { return nil }
            state.withLock { $0.input += bytes }
        }
    }
}
