internal import Glibc

/// Where a stream socket connects to or listens. Numbers only: names are the resolver's affair, and it blocks.
package enum SocketAddress: Sendable, Equatable {
    case ipv4(host: String, port: UInt16)
    case ipv6(host: String, port: UInt16)
    /// A Unix domain socket; the path has at most 107 bytes.
    case unix(path: String)

    /// Reads `127.0.0.1:8080` and `[::1]:8080`. Nil for anything else.
    package init?(hostAndPort text: String) {
        guard let colon = text.lastIndex(of: ":"), let port = UInt16(text[text.index(after: colon)...]) else {
            return nil
        }
        var host = text[..<colon]
        if host.first == "[", host.last == "]" {
            host = host.dropFirst().dropLast()
            self = .ipv6(host: String(host), port: port)
        } else {
            self = .ipv4(host: String(host), port: port)
        }
        guard isValid else { return nil }
    }

    private var isValid: Bool {
        do throws(DiskError) {
            try unsafe withSystemAddress { _, _ in }
            return true
        } catch {
            return false
        }
    }

    var family: Int32 {
        switch self {
        case .ipv4: AF_INET
        case .ipv6: AF_INET6
        case .unix: AF_UNIX
        }
    }

    var text: String {
        switch self {
        case .ipv4(let host, let port): "\(host):\(port)"
        case .ipv6(let host, let port): "[\(host)]:\(port)"
        case .unix(let path): path
        }
    }

    /// The address as the kernel takes it. Throws kind `other` (`EINVAL`) when the host is no number of its family,
    /// or the path is too long.
    func withSystemAddress<R>(
        _ body: (UnsafePointer<sockaddr>, socklen_t) throws(DiskError) -> R
    ) throws(DiskError) -> R {
        let invalid = DiskError(code: EINVAL, operation: "address", path: text)
        var storage = sockaddr_storage()
        let length: Int
        switch self {
        case .ipv4(let host, let port):
            var address = sockaddr_in()
            address.sin_family = sa_family_t(AF_INET)
            address.sin_port = port.bigEndian
            guard unsafe inet_pton(AF_INET, host, &address.sin_addr) == 1 else { throw invalid }
            length = MemoryLayout<sockaddr_in>.size
            unsafe withUnsafeMutableBytes(of: &storage) { unsafe $0.storeBytes(of: address, as: sockaddr_in.self) }
        case .ipv6(let host, let port):
            var address = sockaddr_in6()
            address.sin6_family = sa_family_t(AF_INET6)
            address.sin6_port = port.bigEndian
            guard unsafe inet_pton(AF_INET6, host, &address.sin6_addr) == 1 else { throw invalid }
            length = MemoryLayout<sockaddr_in6>.size
            unsafe withUnsafeMutableBytes(of: &storage) { unsafe $0.storeBytes(of: address, as: sockaddr_in6.self) }
        case .unix(let path):
            var address = sockaddr_un()
            address.sun_family = sa_family_t(AF_UNIX)
            let bytes = Array(path.utf8)
            let capacity = MemoryLayout.size(ofValue: address.sun_path)
            guard !bytes.isEmpty, bytes.count < capacity, !bytes.contains(0) else { throw invalid }
            unsafe withUnsafeMutableBytes(of: &address.sun_path) { unsafe $0.copyBytes(from: bytes) }
            length = MemoryLayout<sockaddr_un>.size
            unsafe withUnsafeMutableBytes(of: &storage) { unsafe $0.storeBytes(of: address, as: sockaddr_un.self) }
        }
        return try unsafe withUnsafePointer(to: &storage) { pointer throws(DiskError) in
            let address = unsafe UnsafeRawPointer(pointer).assumingMemoryBound(to: sockaddr.self)
            return try unsafe body(address, socklen_t(length))
        }
    }
}
