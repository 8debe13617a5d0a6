/// One address, or all that begin with the same bits: `10.0.0.0/8`, `fd00::/8`.
package struct AddressRange: Hashable, Sendable {
    private let network: NetworkAddress
    private let bitCount: Int

    /// Nil for a text that is neither an address nor one with the number of its leading bits behind a slash.
    package init?(_ text: some StringProtocol) {
        let parts = text.split(separator: "/", omittingEmptySubsequences: false)
        guard (1...2).contains(parts.count), let address = NetworkAddress(parts[0]) else { return nil }
        let widest = address.isFour ? 32 : 128
        network = address
        guard parts.count == 2 else {
            bitCount = widest
            return
        }
        guard (1...3).contains(parts[1].utf8.count), parts[1].utf8.allSatisfy({ (0x30...0x39).contains($0) }),
            let count = Int(parts[1]), count <= widest
        else { return nil }
        bitCount = count
    }

    package func contains(_ address: NetworkAddress) -> Bool {
        guard address.isFour == network.isFour else { return false }
        if network.isFour { return (address.low ^ network.low) >> UInt64(32 - bitCount) == 0 }
        let highBitCount = min(bitCount, 64)
        guard (address.high ^ network.high) >> UInt64(64 - highBitCount) == 0 else { return false }
        return (address.low ^ network.low) >> UInt64(128 - max(bitCount, 64)) == 0
    }
}
