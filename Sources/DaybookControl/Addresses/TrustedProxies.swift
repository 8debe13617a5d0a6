/// The proxies whose word on a client's address is taken.
package struct TrustedProxies: Sendable, Equatable {
    package static let rangeCountMax = 64
    /// A chain that is longer is nobody's.
    private static let hopCountMax = 32

    /// A client as a proxy names it.
    package struct Client: Sendable, Equatable {
        package let address: NetworkAddress
        /// Without a port.
        package let text: String

        /// An address, also with a port: `192.0.2.1`, `192.0.2.1:4711`, `2001:db8::1`, `[2001:db8::1]:4711`.
        init?(_ element: Substring) {
            var text = element
            while let first = text.first, first == " " || first == "\t" { text.removeFirst() }
            while let last = text.last, last == " " || last == "\t" { text.removeLast() }
            if text.first == "[" {
                guard let end = text.firstIndex(of: "]"), Self.isPort(text[text.index(after: end)...]) else {
                    return nil
                }
                text = text[text.index(after: text.startIndex)..<end]
                guard text.contains(":") else { return nil }
            } else if let colon = text.firstIndex(of: ":"), text.lastIndex(of: ":") == colon {
                guard Self.isPort(text[colon...]) else { return nil }
                text = text[..<colon]
            }
            guard let address = NetworkAddress(text) else { return nil }
            self.address = address
            self.text = text.lowercased()
        }

        /// Empty, or a colon and digits.
        private static func isPort(_ text: Substring) -> Bool {
            text.isEmpty
                || text.first == ":" && (2...6).contains(text.utf8.count)
                    && text.utf8.dropFirst().allSatisfy { (0x30...0x39).contains($0) }
        }
    }

    private var ranges: [AddressRange] = []
    /// As it was configured.
    package private(set) var text = ""

    package init() {}

    /// Addresses and ranges with commas in between. An empty text trusts nobody.
    /// - Throws: the part that is neither.
    package init(parsing text: String) throws(ListFault) {
        let parts = ListFault.parts(of: text)
        guard parts.count <= Self.rangeCountMax else { throw .tooMany(Self.rangeCountMax) }
        for part in parts {
            guard let range = AddressRange(part) else { throw .part(String(part)) }
            ranges.append(range)
        }
        self.text = parts.joined(separator: ",")
    }

    package func contains(_ address: NetworkAddress) -> Bool { ranges.contains { $0.contains(address) } }

    /// The client in an `X-Forwarded-For` that a trusted proxy sent, read from the right: each proxy appends whom it was
    /// asked by, so the first address that is no trusted proxy's is the client's, and what stands to its left is only
    /// that client's word. An element that is no address ends the reading: then it is whoever stands to the right of it.
    /// Nil when nobody does.
    package func client(in forwardedFor: String) -> Client? {
        var found: Client?
        let elements = forwardedFor.split(separator: ",", omittingEmptySubsequences: false)
        for element in elements.suffix(Self.hopCountMax).reversed() {
            guard let client = Client(element) else { break }
            found = client
            guard contains(client.address) else { break }
        }
        return found
    }
}

/// What is wrong with a list in a setting.
package enum ListFault: Error, Sendable, Equatable {
    case tooMany(Int)
    case part(String)

    /// The parts of a list with commas, without the space around them.
    static func parts(of text: String) -> [Substring] {
        guard text.contains(where: { $0 != " " }) else { return [] }
        return text.split(separator: ",", omittingEmptySubsequences: false).map { part in
            var part = part
            while part.first == " " { part.removeFirst() }
            while part.last == " " { part.removeLast() }
            return part
        }
    }
}
