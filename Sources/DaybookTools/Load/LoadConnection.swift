internal import DaybookFormat
internal import DaybookSystem

/// One connection of the load client and the one request that may be on it. Its buffers are used again and again.
final class LoadConnection {
    let token: Int
    private(set) var socket: StreamSocket
    var outgoing: [UInt8] = []
    var reader = HTTPResponseReader()
    /// When the request on the way was meant to be sent.
    var intendedNanoseconds: UInt64 = 0
    /// Which body it carries, and where it begins in `outgoing`.
    var body = 0
    var bodyStart = 0
    var isBusy = false
    private(set) var isOpen = true
    private var sentByteCount = 0
    private var waitsForRoom = false

    private static let receiveByteCount = 16 << 10

    init(token: Int, socket: StreamSocket) {
        self.token = token
        self.socket = socket
        reader.buffer.reserveCapacity(2 * Self.receiveByteCount)
    }

    enum Failure: Error {
        case lost
    }

    func replaceSocket(_ socket: StreamSocket) {
        self.socket = socket
        reader = HTTPResponseReader()
        waitsForRoom = false
        isOpen = true
    }

    func close() {
        isOpen = false
        socket.close()
    }

    func startSending(_ poller: Poller) throws {
        sentByteCount = 0
        isBusy = true
        try goOnSending(poller)
    }

    /// Hands over as much as fits; asks the poller to say when there is room for the rest.
    func goOnSending(_ poller: Poller) throws {
        while sentByteCount < outgoing.count {
            let start = sentByteCount
            let progress = try outgoing.withRawSpan { bytes in
                try socket.write(bytes.extracting(start..<bytes.byteCount))
            }
            switch progress {
            case .moved(let count): sentByteCount += count
            case .ended: throw Failure.lost
            case .wouldBlock:
                if !waitsForRoom { try poller.modify(socket, token: UInt64(token), [.read, .write]) }
                waitsForRoom = true
                return
            }
        }
        if waitsForRoom { try poller.modify(socket, token: UInt64(token), .read) }
        waitsForRoom = false
    }

    /// Takes what has arrived. Throws when the connection has ended.
    func receive() throws {
        switch try socket.read(Self.receiveByteCount, appendingTo: &reader.buffer) {
        case .moved, .wouldBlock: return
        case .ended: throw Failure.lost
        }
    }
}
