/// The web pages whose scripts may read answers: exact origins as browsers send them (RFC 6454, section 6.2).
package struct AllowedOrigins: Sendable, Equatable {
    package static let countMax = 64

    private var origins: Set<String> = []
    /// As it was configured.
    package private(set) var text = ""

    package init() {}

    /// Origins with commas in between. An empty text allows none.
    /// - Throws: the part that no browser sends.
    package init(parsing text: String) throws(ListFault) {
        let parts = ListFault.parts(of: text)
        guard parts.count <= Self.countMax else { throw .tooMany(Self.countMax) }
        for part in parts {
            guard Self.isOrigin(part) else { throw .part(String(part)) }
            origins.insert(String(part))
        }
        self.text = parts.joined(separator: ",")
    }

    package var isEmpty: Bool { origins.isEmpty }
    package func contains(_ origin: String) -> Bool { origins.contains(origin) }

    /// `https://host` or `https://host:port` in lower case, without the port that the scheme has anyway.
    private static func isOrigin(_ text: Substring) -> Bool {
        let host: Substring
        let defaultPort: String
        if text.hasPrefix("https://") {
            (host, defaultPort) = (text.dropFirst("https://".count), ":443")
        } else if text.hasPrefix("http://") {
            (host, defaultPort) = (text.dropFirst("http://".count), ":80")
        } else {
            return false
        }
        guard (1...253 + 6).contains(host.utf8.count), !host.hasSuffix(defaultPort) else { return false }
        guard host.utf8.allSatisfy(isOfHost) else { return false }
        guard let colon = host.lastIndex(of: ":"), !host.hasSuffix("]") else { return true }
        let port = host[host.index(after: colon)...]
        guard colon > host.startIndex, let number = UInt16(port), number > 0 else { return false }
        return String(number) == port
    }

    private static func isOfHost(_ byte: UInt8) -> Bool {
        switch byte {
        case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "0")...UInt8(ascii: "9"): true
        default: "-.:[]_".utf8.contains(byte)
        }
    }
}
