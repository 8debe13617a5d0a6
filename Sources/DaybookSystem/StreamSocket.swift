internal import Glibc

/// A connected stream socket, for clients of our own: the load driver and the administrative verbs. A call allocates
/// nothing as long as the caller's buffer has room.
///
/// One thread reads and one thread writes at a time; `close()` must come after the last call.
package final class StreamSocket: Sendable {
    package enum Progress: Sendable, Equatable {
        /// At least one byte.
        case moved(Int)
        /// A non-blocking socket cannot go on now.
        case wouldBlock
        /// The other side has ended the stream. Only from `read`.
        case ended
    }

    private let descriptor: Descriptor
    private let name: String

    init(descriptor: consuming Descriptor, name: String) {
        self.descriptor = descriptor
        self.name = name
    }

    /// Waits for the connection, also for one that does not block afterwards. TCP sends at once (`TCP_NODELAY`).
    package static func connect(
        to address: SocketAddress, isBlocking: Bool = true
    ) throws(DiskError) -> StreamSocket {
        let name = address.text
        let descriptor = try makeSocket(address)
        try unsafe address.withSystemAddress { pointer, length throws(DiskError) in
            _ = try SystemCall.run("connect", name) {
                let result = unsafe Glibc.connect(descriptor.number, pointer, length)
                // Interrupted, a connection goes on by itself; asking again says that it is there.
                return result == -1 && errno == EISCONN ? 0 : result
            }
        }
        try configure(descriptor.number, address, isBlocking: isBlocking)
        return StreamSocket(descriptor: descriptor, name: name)
    }

    static func makeSocket(_ address: SocketAddress) throws(DiskError) -> Descriptor {
        let kind = Int32(SOCK_STREAM.rawValue) | Int32(SOCK_CLOEXEC.rawValue)
        return Descriptor(owning: try SystemCall.run("socket", address.text) { socket(address.family, kind, 0) })
    }

    static func configure(_ number: Int32, _ address: SocketAddress, isBlocking: Bool) throws(DiskError) {
        if address.family != AF_UNIX {
            try setOption(number, Int32(IPPROTO_TCP), TCP_NODELAY, address.text)
        }
        if !isBlocking {
            let flags = try SystemCall.run("fcntl", address.text) { fcntl(number, F_GETFL) }
            _ = try SystemCall.run("fcntl", address.text) { fcntl(number, F_SETFL, flags | O_NONBLOCK) }
        }
    }

    static func setOption(_ number: Int32, _ level: Int32, _ option: Int32, _ name: String) throws(DiskError) {
        var on: Int32 = 1
        let length = socklen_t(MemoryLayout<Int32>.size)
        _ = try SystemCall.run("setsockopt", name) { unsafe setsockopt(number, level, option, &on, length) }
    }

    /// For a `Poller`.
    package var number: Int32 { descriptor.number }

    /// Appends what has arrived, at most `byteCount`, to `bytes`.
    package func read(_ byteCount: Int, appendingTo bytes: inout [UInt8]) throws(DiskError) -> Progress {
        precondition(byteCount > 0)
        var progress = Progress.ended
        try bytes.append(addingCapacity: byteCount) { span throws(DiskError) in
            try unsafe span.withUnsafeMutableBufferPointer { buffer, initializedCount throws(DiskError) in
                progress = try moved("recv") {
                    unsafe recv(descriptor.number, buffer.baseAddress!, byteCount, 0)
                }
                if case .moved(let count) = progress { initializedCount = count }
            }
        }
        return progress
    }

    /// Hands over a prefix of `bytes`, which must not be empty. A reader that has gone is an error, not a signal.
    package func write(_ bytes: RawSpan) throws(DiskError) -> Progress {
        precondition(bytes.byteCount > 0)
        return try unsafe bytes.withUnsafeBytes { source throws(DiskError) in
            try moved("send") {
                unsafe send(descriptor.number, source.baseAddress!, source.count, Int32(MSG_NOSIGNAL))
            }
        }
    }

    /// All of `bytes`, on a blocking socket.
    package func writeAll(_ bytes: RawSpan) throws(DiskError) {
        var done = 0
        while done < bytes.byteCount {
            guard case .moved(let count) = try write(bytes.extracting(done..<bytes.byteCount)) else {
                preconditionFailure("writeAll on a non-blocking socket")
            }
            done += count
        }
    }

    /// Says that nothing more will be written; reading goes on.
    package func endWriting() throws(DiskError) {
        _ = try SystemCall.run("shutdown", name) { shutdown(descriptor.number, Int32(SHUT_WR)) }
    }

    package func close() { descriptor.close() }

    private func moved(_ operation: StaticString, _ call: () -> Int) throws(DiskError) -> Progress {
        while true {
            let count = call()
            if count > 0 { return .moved(count) }
            if count == 0 { return .ended }
            let code = errno
            if code == EAGAIN { return .wouldBlock }
            if code != EINTR { throw DiskError(code: code, operation: operation, path: name) }
        }
    }
}
