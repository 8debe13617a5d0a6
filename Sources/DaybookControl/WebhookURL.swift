internal import DaybookStore

/// Where an organization's alerts go: an https URL without credentials, so that nothing of it is said to third parties and
/// no secret of a person stands in the configuration.
package enum WebhookURL {
    package static let rule =
        "must be an https URL with a host, of at most \(OrganizationConfiguration.webhookURLByteCountMax) visible ASCII "
        + "characters, without credentials and without a fragment"

    static func isAllowed(_ text: String) -> Bool {
        let bytes = Array(text.utf8)
        let scheme = Array("https://".utf8)
        guard bytes.count <= OrganizationConfiguration.webhookURLByteCountMax,
            bytes.allSatisfy({ (0x21...0x7E).contains($0) && !Array(#""<>\^`{|}#"#.utf8).contains($0) }),
            bytes.prefix(scheme.count).map(lowercased) == scheme
        else { return false }
        let authority = bytes.dropFirst(scheme.count).prefix { $0 != UInt8(ascii: "/") && $0 != UInt8(ascii: "?") }
        return isAuthority(Array(authority))
    }

    /// A host, which may be an address of version 6 in brackets, and a port.
    private static func isAuthority(_ bytes: [UInt8]) -> Bool {
        let hostEnd: Int
        if bytes.first == UInt8(ascii: "[") {
            guard let end = bytes.firstIndex(of: UInt8(ascii: "]")), end > 1,
                bytes[1..<end].allSatisfy({ isHexDigit($0) || $0 == UInt8(ascii: ":") || $0 == UInt8(ascii: ".") })
            else { return false }
            hostEnd = end + 1
        } else {
            hostEnd = bytes.firstIndex(of: UInt8(ascii: ":")) ?? bytes.count
            let host = bytes[..<hostEnd]
            guard (1...253).contains(host.count), host.first != UInt8(ascii: "."),
                host.allSatisfy({ isLetterOrDigit($0) || $0 == UInt8(ascii: "-") || $0 == UInt8(ascii: ".") })
            else { return false }
        }
        guard hostEnd < bytes.count else { return true }
        let port = bytes[(hostEnd + 1)...]
        guard bytes[hostEnd] == UInt8(ascii: ":"), (1...5).contains(port.count), port.allSatisfy(isDigit),
            let number = Int(String(decoding: port, as: UTF8.self))
        else { return false }
        return (1...65_535).contains(number)
    }

    private static func isDigit(_ byte: UInt8) -> Bool { (0x30...0x39).contains(byte) }
    private static func isLetterOrDigit(_ byte: UInt8) -> Bool { isDigit(byte) || (0x61...0x7A).contains(byte | 0x20) }
    private static func isHexDigit(_ byte: UInt8) -> Bool { isDigit(byte) || (0x61...0x66).contains(byte | 0x20) }
    private static func lowercased(_ byte: UInt8) -> UInt8 { (0x41...0x5A).contains(byte) ? byte | 0x20 : byte }
}
