internal import DaybookFormat
internal import DaybookSystem

/// A connection to the admin socket of a running server.
final class AdminConnection {
    private let socket: StreamSocket

    init(path: String) throws { socket = try StreamSocket.connect(to: .unix(path: path)) }

    deinit { socket.close() }

    /// One line there, one line back, without its line feed.
    func ask(_ request: [UInt8]) throws -> [UInt8] {
        let line = request + [UInt8(ascii: "\n")]
        try line.withRawSpan { bytes in try socket.writeAll(bytes) }
        var answer: [UInt8] = []
        while answer.last != UInt8(ascii: "\n") {
            guard case .moved = try socket.read(64 << 10, appendingTo: &answer) else { break }
        }
        if answer.last == UInt8(ascii: "\n") { answer.removeLast() }
        return answer
    }
}
