/// Where a client connects from, as far as limits tell clients apart: an IPv4 address, or the first 64 bits of an IPv6
/// address, of which a client as a rule has the whole rest to itself.
package struct ClientAddress: Hashable, Sendable {
    private let prefix: UInt64
    private let isFour: Bool

    package init(_ address: NetworkAddress) {
        prefix = address.isFour ? address.low : address.high
        isFour = address.isFour
    }

    /// Nil for a text that is no address.
    package init?(_ text: String) {
        guard let address = NetworkAddress(text) else { return nil }
        self.init(address)
    }
}
