internal import CKernel
internal import Glibc

/// Waits for connections, for tools and tests; the server has its event loops.
package final class StreamListener: Sendable {
    private let descriptor: Descriptor
    private let address: SocketAddress

    /// Port 0 takes a free one. A Unix path must not exist yet.
    package init(_ address: SocketAddress) throws(DiskError) {
        self.address = address
        let descriptor = try StreamSocket.makeSocket(address)
        if address.family != AF_UNIX {
            try StreamSocket.setOption(descriptor.number, SOL_SOCKET, SO_REUSEADDR, address.text)
        }
        try unsafe address.withSystemAddress { pointer, length throws(DiskError) in
            _ = try SystemCall.run("bind", address.text) { unsafe bind(descriptor.number, pointer, length) }
        }
        _ = try SystemCall.run("listen", address.text) { listen(descriptor.number, 128) }
        self.descriptor = descriptor
    }

    /// The port that was taken; 0 for a Unix path.
    package func port() throws(DiskError) -> UInt16 {
        guard address.family != AF_UNIX else { return 0 }
        var storage = sockaddr_in6()
        var length = socklen_t(MemoryLayout<sockaddr_in6>.size)
        _ = try SystemCall.run("getsockname", address.text) {
            unsafe withUnsafeMutablePointer(to: &storage) { pointer in
                let name = unsafe UnsafeMutableRawPointer(pointer).assumingMemoryBound(to: sockaddr.self)
                return unsafe getsockname(descriptor.number, name, &length)
            }
        }
        // The port stands at the same place in the addresses of both families.
        return UInt16(bigEndian: storage.sin6_port)
    }

    /// Waits for the next connection.
    package func accept(isBlocking: Bool = true) throws(DiskError) -> StreamSocket {
        let number = try SystemCall.run("accept", address.text) {
            daybook_accept(descriptor.number)
        }
        let connection = Descriptor(owning: number)
        try StreamSocket.configure(connection.number, address, isBlocking: isBlocking)
        return StreamSocket(descriptor: connection, name: address.text)
    }

    package func close() { descriptor.close() }
}
